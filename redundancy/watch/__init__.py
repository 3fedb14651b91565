"""A real cluster that is looked at every few minutes, read only, and shown like the lab's own groups.

Entered by ``manage.py watch_cluster``, the task ``watch``, and *Bulk Administration > Watched Cluster*.
"""
