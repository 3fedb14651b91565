"""When the web process and the workers look for garbage: no answer shall wait for it, and no sweep."""

import gc

# Objects that are made before it is looked through those that are new. A page of a thousand groups makes some
# ten thousand, nearly all of which are gone when it is sent; by Python's own number (700) a tenth of its time went
# there, and an eighth of the time of a sweep in which a thousand pairs change.
YOUNG = 20_000


def settle() -> None:
    """Leave out what is loaded, which stays to the end, and look less often at what work leaves behind."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 20)
