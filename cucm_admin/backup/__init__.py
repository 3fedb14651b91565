"""Backup and restore of everything the product keeps: its database.

A backup is one file: a SQLite database, or an archive of ``pg_dump``. It is made while everything
runs, and is there whole or not at all. ``manage.py backup`` and ``manage.py restore`` enter here.
"""
