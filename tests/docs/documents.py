"""The documents as text and as parts: code spans, tables."""

import re
from pathlib import Path

from cucm_admin.stack.run import BASE_DIR

README = BASE_DIR / "README.md"
DOCUMENTS = [README, *sorted((BASE_DIR / "docs").rglob("*.md"))]


def code(path: Path) -> list[str]:
    """The code of a document: each line of its blocks, and each span in its sentences."""
    _, *parts = re.split(r"^```\w*\n", "\n" + path.read_text(), flags=re.MULTILINE)
    lines = [line for block in parts[::2] for line in block.splitlines()]
    sentences = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.MULTILINE | re.DOTALL)
    return lines + re.findall(r"`([^`\n]+)`", sentences)


def table(path: Path, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its head; ``\\|`` is a character."""
    below = path.read_text().split(f"\n{heading}\n", 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", below, flags=re.MULTILINE)
    assert lines is not None, f"{path}: no table below {heading!r}"
    _head, _rule, *rows = lines[0].splitlines()
    return [
        [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        for row in rows
    ]
