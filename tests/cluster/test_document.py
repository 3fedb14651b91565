"""A snapshot that was kept is read again as it was."""

import pytest

from redundancy.cluster import document
from redundancy.cluster.checks import findings
from redundancy.cluster.snapshot import Snapshot
from redundancy.srm.words import english
from tests.cluster.inputs import HA_GUIDE, SERVICES, STATUS, reading_of, table

EARLY, LATE = "Sun Nov 29, 2026 01:20:00", "Sun Nov 29, 2026 01:22:00"
USERS = "admin:run sql select userid, assignednode from enduser\n" + table(
    "userid|assignednode", "Ann|imp-pub", "bob|", "carl|imp-9"
)
INPUTS = (
    HA_GUIDE,
    HA_GUIDE + STATUS.format(date=EARLY) + SERVICES,
    # Told twice, a clock that goes back, and services that are nobody's.
    STATUS.format(date=LATE) + HA_GUIDE + STATUS.format(date=EARLY),
    HA_GUIDE + "admin:utils ha status\nSubcluster Name: DefaultCUPSubCluster\n"
    "Node 1 Name : imp-pub State: Idle Reason: On Admin Request\n",
    SERVICES,
    HA_GUIDE + USERS,
    "User ID,Display Name,IM Address,Assigned Node\nann,Ann,ann@x,imp-pub\n",
)


@pytest.mark.parametrize("text", INPUTS)
def test_it_is_as_it_was(text: str) -> None:
    _, snapshots = reading_of(text)
    assert snapshots
    for snapshot in snapshots:
        found = findings(snapshot)
        whole = document.unpack(document.pack(document.document_of(snapshot, found)))
        people = document.unpack(document.pack(document.people_of(snapshot)))
        assert document.snapshot_from(whole, people) == snapshot
        assert document.snapshot_from(whole).users == {}
        listed, per_node = document.users_told(whole)
        assert (listed, per_node) == (len(snapshot.users), snapshot.users_per_node())
        again = document.findings_from(whole)
        assert [(each.kind, each.risk, each.places, each.advice) for each in again] == [
            (each.kind, each.risk, each.places, each.advice) for each in found
        ]
        assert [english(each.sentence) for each in again] == [
            english(each.sentence) for each in found
        ]


def test_what_was_not_understood_is_kept_with_its_lines() -> None:
    reading, _ = reading_of(HA_GUIDE + "hello\n")
    rest = document.unpack(document.pack(document.rest_of(reading)))
    ((text, file, line),) = rest["missed"]
    assert (text, str(document.place_of(rest, file, line))) == ("hello", "log.txt:5")


def one() -> Snapshot:
    return reading_of(HA_GUIDE)[1][0]


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_a_later_version_is_refused(version: object) -> None:
    whole = document.document_of(one(), ()) | {"version": version}
    with pytest.raises(document.Unusable, match="up to 1 can be read"):
        document.snapshot_from(whole)


def test_what_is_damaged_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = document.pack(document.document_of(one(), ()))
    for data in (b"", b"hello", packed[:-3]):
        with pytest.raises(document.Unusable):
            document.unpack(data)
    with pytest.raises(document.Unusable):
        document.snapshot_from({"version": 1})
    monkeypatch.setattr(document, "LARGEST", 10)
    with pytest.raises(document.Unusable, match="too large"):
        document.unpack(packed)
