"""An administrator's own cluster, read from the text he collects: what it tells, what is wrong, what changed.

Nothing here knows the lab's tables: files come in, snapshots, findings and differences come out. Each value
carries the file and line that it stands in; what is not understood is counted and shown, never guessed.
"""
