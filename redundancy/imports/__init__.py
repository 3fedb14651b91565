"""Users from CSV files and to them: checked line by line, then taken whole or not at all.

Entered by *Bulk Administration*; the work is done step by step by the tasks in ``jobs``.
"""
