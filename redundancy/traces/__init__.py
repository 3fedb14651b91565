"""SRM traces as the pages show them, and log collections: everything of a case in one ZIP file.

Entered by *Trace*; the ZIP is made piece by piece by the task in ``collecting``. The traces
themselves are written by ``live.tracing``, into ``trace_store``.
"""
