"""What a process loads before it works, and what it does without."""

import subprocess
import sys

import pytest

from cucm_admin.stack.run import BASE_DIR

LOOK = """
import gc, sys
import cucm_admin.celery
cucm_admin.celery.app.loader.import_default_modules()
import redundancy.tasks
print(gc.isenabled(), gc.get_freeze_count() > 50_000, "redundancy.admin" in sys.modules)
from django.core.management import call_command
call_command("check", "--tag", "admin")
print("redundancy.admin" in sys.modules)
"""


@pytest.mark.process
def test_a_worker_keeps_what_is_loaded_out_of_the_garbage_and_does_without_the_administration(
    process_env: dict[str, str],
) -> None:
    """The tables of the administration are checked all the same, whoever asks for it."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        cwd=BASE_DIR,
        env=process_env | {"DJANGO_SETTINGS_MODULE": "cucm_admin.settings"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    first, _, last = done.stdout.splitlines()
    assert first.split() == ["True", "True", "False"]
    assert last == "True"
