"""What the documents name exists: targets of make, management commands, processes, files."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from cucm_admin.stack import procfile
from cucm_admin.stack.run import BASE_DIR
from tests.docs.documents import DOCUMENTS, README, code

MAKEFILE = (BASE_DIR / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][\w-]*):(?!=)", MAKEFILE, flags=re.MULTILINE))


def test_the_help_of_make_lists_its_targets() -> None:
    listed = re.findall(r'^\t@echo "make ([\w-]+) ', MAKEFILE, flags=re.MULTILINE)
    assert set(listed) == TARGETS - {"help"}
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == TARGETS


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(BASE_DIR)))
def test_what_a_document_names_exists(path: Path) -> None:
    lines = "\n".join(code(path))
    targets = re.findall(r"^(?:[A-Z_]+=\S+ )*make ([\w-]+)", lines, flags=re.MULTILINE)
    commands = re.findall(r"manage\.py (\w+)", lines)
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())
    assert set(targets) - TARGETS == set()
    assert set(commands) - get_commands().keys() == set()
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_processes_of_the_readme_are_those_of_the_procfile() -> None:
    named = {line.partition(":")[0] for line in code(README) if re.match(r"\w+: +\w", line)}
    assert named == procfile.load(BASE_DIR / "Procfile").keys()
