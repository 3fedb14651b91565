"""People and a pair, as the other pages have them."""

from tests.pages.conftest import admin, group, ha, page, pair, pub, read_only, reader, sub

__all__ = ["admin", "group", "ha", "page", "pair", "pub", "read_only", "reader", "sub"]
