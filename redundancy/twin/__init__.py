"""A lab made of an administrator's own cluster: planned from a snapshot, made in place of the present one, undone."""
