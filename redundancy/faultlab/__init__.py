"""The Fault Lab: faults of links, moves, starts and of the observer, put into the lab and lifted.

Entered by *Tools > Fault Lab*, the banner of every page, and rehearsals. Where they take effect is
the core's: ``live`` and ``operations.faults``.
"""
