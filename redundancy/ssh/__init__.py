"""The ``admin:`` prompt over SSH: the command line of the cluster as scripts for the vendor's system meet it.

``line`` and ``pager`` are pure: characters in, bytes out. ``shell`` holds one conversation, ``running`` each
command in a thread, ``server`` lets people in.
"""
