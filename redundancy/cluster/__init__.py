"""An administrator's own cluster, read from the text he collects: what it tells, what is wrong, what changed.

What reads and judges knows no table of the lab: files come in, snapshots, findings and differences come out. Each
value carries the file and line that it stands in; what is not understood is counted and shown, never guessed. What
keeps snapshots and shows them stands beside it: ``reads``, ``writes``, ``lab``, ``forms`` and ``views``.
"""
