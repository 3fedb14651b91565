"""Each part of `make bench` can be loaded as it loads them: before there are settings of the product."""

import os
import subprocess
import sys

import pytest

from cucm_admin.stack.run import BASE_DIR
from tests.bench.__main__ import PARTS

LOAD = "import sys, importlib; [importlib.import_module(f'tests.bench.{part}').measure for part in sys.argv[1:]]"


@pytest.mark.process
def test_all_parts_can_be_loaded() -> None:
    bare = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, *PARTS],
        cwd=BASE_DIR,
        env=bare,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
