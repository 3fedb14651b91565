import redundancy.tasks  # noqa: F401 - it says which command line writes the outputs of a collection
from tests.live.conftest import pair
from tests.pages.conftest import admin, page, read_only, reader

__all__ = ["admin", "page", "pair", "read_only", "reader"]
