"""docs/soap.md names the operations that there are, and no others."""

import re

from cucm_admin.stack.run import BASE_DIR
from redundancy.soap.axl.service import AXL, VERSIONS

TEXT = (BASE_DIR / "docs" / "soap.md").read_text()

OPERATIONS = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \|", re.MULTILINE)


def test_the_operations_of_axl_are_those_of_the_document() -> None:
    chapter = TEXT.split("\n## AXL\n")[1].split("\n## ")[0]
    named = [name for cell in OPERATIONS.findall(chapter) for name in re.findall(r"`(\w+)`", cell)]
    assert sorted(named) == sorted(AXL.operations)


def test_the_versions_are_those_of_the_document() -> None:
    *before, last = VERSIONS
    assert f"{', '.join(before)} and {last}" in " ".join(TEXT.split())
