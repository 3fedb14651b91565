"""What happened: events, timeline, incidents with their reports, the audit trail, and how long it is kept.

Entered by *Diagnostics*, and read by the rooms that tell of the past. Events are written by
``operations.events``, incidents opened and closed by ``operations.incidents``.
"""
