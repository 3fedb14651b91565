"""A copy with other names tells of the same cluster, and of nobody."""

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from redundancy.cli.grammar import Style
from redundancy.cluster.assembling import assemble
from redundancy.cluster.reader.reading import Reading, read_source
from redundancy.cluster.reader.sources import Source
from redundancy.cluster.renaming import Names, Parts
from redundancy.cluster.sharing import Leak, leaks, replace_names
from redundancy.cluster.snapshot import Snapshot, Value
from tests.cluster.inputs import HA_GUIDE, SERVICES, STATUS, table
from tests.cluster.test_round_trip import Made, clusters, printed


def reading_of(*texts: str) -> Reading:
    reading = Reading()
    for number, text in enumerate(texts):
        read_source(Source(f"{number}.txt", io.BytesIO(text.encode())), reading)
    return reading


def text_of(value: Value | None) -> str | None:
    return None if value is None else value.text


def described(snapshot: Snapshot, names: Names | None = None) -> object:
    """What a snapshot tells, under the new names of ``names`` where they are given."""
    node = names.node if names else str
    group = names.group if names else str
    user = names.user if names else str
    return (
        snapshot.taken,
        {
            group(each.name): (text_of(each.ha), tuple(node(name) for name in each.nodes))
            for each in snapshot.groups.values()
        },
        {
            node(each.name): (
                each.group and (group(each.group.text) if each.group.text else ""),
                *map(text_of, (each.state, each.reason, each.version, each.product, each.role)),
                *map(text_of, (each.reached, each.connected_since, each.clock, each.up)),
                {name: value.text for name, value in each.services.items()},
                {name: value.text for name, value in each.counters.items()},
                {name: value.text for name, value in each.parameters.items()},
            )
            for each in snapshot.nodes.values()
        },
        {name: value.text for name, value in snapshot.parameters.items()},
        {user(each.name): each.node and node(each.node) for each in snapshot.users.values()},
        text_of(snapshot.all_users),
        sorted((each.what, each.number) for each in snapshot.loose),
    )


def is_the_same(*texts: str) -> None:
    reading, names = reading_of(*texts), Names()
    copy = replace_names(reading, names)
    before, after = assemble(reading), assemble(reading_of(*copy.files.values()))
    assert [described(each) for each in after] == [described(each, names) for each in before]


@pytest.mark.parametrize("style", Style)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cluster=clusters())
def test_a_copy_tells_of_the_same_cluster(style: Style, cluster: dict[str, list[Made]]) -> None:
    is_the_same(printed(cluster, style))


USERS = "admin:run sql select * from enduser\n" + table(
    "userid|firstname|lastname|mailid|primarynodeid",
    "jsmith|John|Smithson|john.smithson@acme-corp.example|5",
    "mrossi|Maria|Rossi|maria.rossi@acme-corp.example|NULL",
)
NODES = "admin:run sql select * from enterprisenode\n" + table(
    "id|name|subclusterid|isprimary|tkhaserverstate|secret",
    "5|imp-pub|1|t|3|hunter2",
    "6|imp-sub.acme-corp.example|1|f|4|hunter3",
)
NETWORK = (
    "admin:show network cluster\n"
    "10.20.30.41 imp-pub.acme-corp.example imp-pub Publisher cups DBPub authenticated\n"
    "10.20.30.42 imp-sub.acme-corp.example imp-sub Subscriber cups DBSub authenticated using TCP since "
    "Sun Nov 29 01:00:00 2026\n"
)
TRACE = (
    "2021-05-13 02:48:48,244 INFO [HS] rsrm.RsrmHeartBeatHandler - RsrmHeartBeatHandler: peer down, time "
    "since last heartbeat[s]= 62\n"
)
LOOSE = "Command Line Interface is starting up, please wait ...\n" + SERVICES
ALL = (
    HA_GUIDE
    + STATUS.format(date="Sun Nov 29, 2026 01:20:00")
    + SERVICES
    + USERS
    + NODES
    + NETWORK
    + TRACE
    + "call Jane Doe at +49 30 1234567 about imp-pub\n"
    + LOOSE
)


def test_a_copy_of_all_kinds_of_outputs_tells_the_same() -> None:
    is_the_same(ALL)
    is_the_same(
        ALL, "userid,node\nann,imp-sub\nbob,\n", STATUS.format(date="Mon Nov 30, 2026 05:00:00")
    )


def test_nothing_of_the_original_is_left() -> None:
    copy = replace_names(reading_of(ALL))
    (text,) = copy.files.values()
    for original in (
        *("imp-pub", "imp-sub", "acme", "corp", "example", "jsmith", "Smith", "John", "mrossi"),
        *("Rossi", "10.20.30", "hunter", "Jane", "1234567", "secret", "mailid"),
    ):
        assert original.lower() not in text.lower(), original
    assert "peer down, time since last heartbeat[s]= 62" in text
    assert copy.left_out == reading_of(ALL).missed_lines > 0


def test_two_copies_have_other_names() -> None:
    one, two = (replace_names(reading_of(ALL)).files["0001.txt"] for _ in range(2))
    assert one != two


def test_a_name_has_one_new_name_in_all_files_and_with_its_domain() -> None:
    names = Names()
    replace_names(reading_of(HA_GUIDE, NETWORK), names)
    assert names.node("IMP-PUB") == names.node("imp-pub")
    assert names.node("imp-pub.acme-corp.example") == (
        f"{names.node('imp-pub')}.{names.domain('acme-corp.example')}"
    )


@pytest.mark.parametrize("user", ["cisco", "name", "2026", "admin", "normal", "12900", "user"])
def test_users_that_are_called_as_the_shapes_words_are_harm_nothing(user: str) -> None:
    reading = reading_of(ALL + f"\nadmin:\nuserid,node\n{user},imp-pub\n")
    assert user in set(assemble(reading)[0].users)
    assert replace_names(reading).files


def test_what_is_left_is_found_and_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert leaks(["x IMP-Pubs y"], ["imp-pub", "abcd"]) == {"imp-pub"}
    assert leaks(["Cisco XCP Router[STARTED]"], ["cisco"]) == set()
    assert Parts({"abcd", "bcde"}).found("xABCDE") == {"abcd", "bcde"}
    monkeypatch.setattr(Names, "node", lambda _self, name: str(name))
    monkeypatch.setattr(Names, "originals", ["imp-pub"])
    with pytest.raises(Leak, match=r"would still hold 1 name\(s\)"):
        replace_names(reading_of(ALL))


def test_chance_never_draws_an_old_name(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["zzjonx", "qqqqqq"])
    monkeypatch.setattr("redundancy.cluster.renaming._word", lambda *_: next(drawn))
    assert Names(avoid={"jonx"}).node("imp-pub") == "nqqqqqq"


def test_the_copy_is_a_zip_file_without_times(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(replace_names(reading_of(ALL)).zipped())) as made:
        assert made.namelist() == ["0001.txt"]
        assert made.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)
