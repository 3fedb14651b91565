"""The web process: ``python -m cucm_admin.web``.

A server that reads each request whole before a thread works on it (``server``), how large and how
slow requests may be (``limits``, ``bodies``), and whose word about the client counts (``proxies``).
"""
