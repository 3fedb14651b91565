from tests.pages.conftest import admin, group, ha, page, pair, pub, sub

__all__ = ["admin", "group", "ha", "page", "pair", "pub", "sub"]
