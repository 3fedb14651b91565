"""The SQL of scripts: a SELECT in the dialect of Informix on the tables that the vendor's administrators know.

``reading.read`` is its door, for ``run sql`` and every other interface that takes such a statement.
"""
