"""Databases of earlier releases, each kept as the SQL that makes it, and what becomes of them here."""
