from tests.pages.conftest import admin, page, read_only, reader

__all__ = ["admin", "page", "read_only", "reader"]
