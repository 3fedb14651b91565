"""The whole product as one foreground process: ``python -m cucm_admin.stack``, or ``make run``.

It checks, starts what the Procfile lists (and the embedded Valkey), keeps it running, shows its
log lines, and leaves nothing behind. ``prepare`` is its set-up step, also of use by itself.
"""
