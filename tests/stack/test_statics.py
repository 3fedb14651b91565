"""The static files are collected once, and again when something changed."""

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from cucm_admin.stack import statics


@pytest.fixture
def source(settings: Settings, tmp_path: Path) -> Path:
    """A folder of static files, the only one."""
    folder = tmp_path / "source"
    folder.mkdir()
    settings.VAR_DIR = tmp_path
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATICFILES_DIRS = [folder]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
    }
    (folder / "app.css").write_text("a")
    return folder


def test_only_what_is_new_is_collected(source: Path, settings: Settings) -> None:
    assert statics.collect()
    assert (settings.STATIC_ROOT / "app.css").read_text() == "a"
    assert not statics.collect()

    (source / "app.css").write_text("changed")
    assert statics.collect()
    assert (settings.STATIC_ROOT / "app.css").read_text() == "changed"
    (source / "more.css").touch()
    assert statics.collect()
    (source / "more.css").unlink()
    assert statics.collect()
    assert not statics.collect()


def test_a_folder_thrown_away_is_filled_again(source: Path, settings: Settings) -> None:
    assert statics.collect()
    (settings.STATIC_ROOT / "staticfiles.json").unlink()
    assert statics.collect()
    assert (settings.STATIC_ROOT / "staticfiles.json").exists()
    assert (source / "app.css").exists()
