"""Whether the system itself can be trusted: beat monitor, health check, metrics, and the audit.

Entered by *Diagnostics > Beat Monitor*, ``/healthz``, ``/metrics``, the task and the command ``audit``.
"""
