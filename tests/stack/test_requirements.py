"""What is installed is pinned with the hash of every file, and the locks are those of the lists."""

import re

import pytest

from cucm_admin.stack.run import BASE_DIR

ENTRY = re.compile(r"^([\w.-]+)==(\S+)(?: ; [^\\]+)? \\$", flags=re.MULTILINE)


def named(text: str) -> dict[str, str]:
    """Return the versions that a list of requirements names, by the normal names of packages."""
    found = re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==(\S+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", "tests/ssh/clients"])
def test_a_lock_pins_its_list_with_hashes(name: str) -> None:
    """When this fails, run ``make lock``."""
    lock = (BASE_DIR / f"{name}.lock").read_text()
    pinned = dict(ENTRY.findall(lock))
    listed = named((BASE_DIR / f"{name}.txt").read_text())
    assert listed
    assert {each: pinned.get(each) for each in listed} == listed
    entries = re.split(r"\n(?=\S)", lock.strip())[2:]
    assert len(entries) == len(ENTRY.findall(lock))
    for entry in entries:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
    # Each installs from the index of its own.
    assert "://" not in lock
    assert "--index" not in lock


def test_tests_run_with_the_versions_of_the_product() -> None:
    product, tests = (
        set(ENTRY.findall((BASE_DIR / f"{name}.lock").read_text()))
        for name in ("requirements", "requirements-dev")
    )
    # For Python before 3.11.3, with which the tests do not run.
    assert {name for name, _ in product - tests} <= {"async-timeout"}
