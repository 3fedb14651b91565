"""Inputs of the tests: files written from text, read, and put together."""

import io
from pathlib import Path

from redundancy.cluster.assembling import assemble
from redundancy.cluster.reader.reading import Reading, read, read_source
from redundancy.cluster.reader.sources import Source
from redundancy.cluster.snapshot import Snapshot
from redundancy.cluster.writes import draft
from redundancy.models import ClusterSnapshot
from tests.cluster.texts import HA_GUIDE as HA_GUIDE
from tests.cluster.texts import SERVICES as SERVICES
from tests.cluster.texts import STATUS as STATUS


def write(folder: Path, *texts: str | bytes) -> list[Path]:
    """Return files that hold these texts."""
    paths = []
    for number, text in enumerate(texts, start=1):
        path = folder / f"{number}.txt"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        paths.append(path)
    return paths


def told(folder: Path, *texts: str | bytes) -> tuple[Reading, list[Snapshot]]:
    """Return the reading of files with these texts, and its snapshots."""
    reading = read(write(folder, *texts))
    return reading, assemble(reading)


def only(folder: Path, *texts: str | bytes) -> Snapshot:
    """Return the one snapshot of files with these texts."""
    _, snapshots = told(folder, *texts)
    (snapshot,) = snapshots
    return snapshot


def reading_of(text: str) -> tuple[Reading, list[Snapshot]]:
    """Return the reading of a text, and its snapshots."""
    reading = Reading()
    read_source(Source("log.txt", io.BytesIO(text.encode())), reading)
    return reading, assemble(reading)


def draft_of(text: str, name: str = "") -> list[ClusterSnapshot]:
    """Store what a text tells as drafts."""
    reading, snapshots = reading_of(text)
    return draft(reading=reading, snapshots=snapshots, name=name, actor="ann")


def table(columns: str, *rows: str) -> str:
    """Return a result of SQL: ``columns`` and ``rows`` with | between their cells."""
    cells = [row.split("|") for row in (columns, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = [cells[0], ["=" * width for width in widths], *cells[1:]]
    return "".join(
        " ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + "\n"
        for line in lines
    )


# A pair that failed over, with parameters, users, a service that is nobody's, and a line that nobody understands.
CLUSTER = (
    HA_GUIDE.replace("Normal", "Failed Over Reason: Initialization")
    + STATUS.format(date="Sun Nov 29, 2026 01:20:00")
    + SERVICES
    + "\nadmin:run sql select * from processnode\n"
    + table("pkid|name|tkprocessnoderole", "1|imp-pub|2", "2|imp-sub|2")
    + "\nadmin:run sql select paramname,paramvalue,fkprocessnode from processconfig\n"
    + table(
        "paramname|paramvalue|fkprocessnode",
        "Client Re-Login Lower Limit|120|1",
        "Client Re-Login Upper Limit|900|1",
        "Client Re-Login Lower Limit|120|2",
        "Client Re-Login Upper Limit|537|2",
    )
    + "\nadmin:run sql select id,name,subclusterid from enterprisenode\n"
    + table("id|name|subclusterid", "1|imp-pub|7", "2|imp-sub|7")
    + "\nadmin:run sql select userid,primarynodeid from enduser\n"
    + table("userid|primarynodeid", "ann|1", "ann2|2", "ann3|NULL")
    + "\nadmin:hello world\nhello\n"
)
