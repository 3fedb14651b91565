"""Planned work on a node: the routine of a planned restart, and the preflight before HA is enabled.

Entered by *Tools > Planned Restart*, and by the preflight on a group's page and on one of its own.
"""
