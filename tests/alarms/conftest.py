from tests.live.conftest import pair
from tests.pages.conftest import admin, page, read_only, reader

__all__ = ["admin", "page", "pair", "read_only", "reader"]
