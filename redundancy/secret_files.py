"""Which files may hold a secret. The standard library alone: settings judge by it before there is anything else."""

# What a mode lets others than the owner do.
_OTHERS = 0o077


def is_private(mode: int) -> bool:
    """Return whether a mode (``st_mode``) lets nobody but the owner of the file do anything with it."""
    return not mode & _OTHERS
