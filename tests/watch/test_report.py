"""The weekly report: what it says, that only what is told to be well is well, and that it is sent once."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from redundancy.alarms import writes as alarms
from redundancy.cluster import writes as clusters
from redundancy.cluster.snapshot import Snapshot
from redundancy.models import Alarm, AlarmNotice, ClusterSnapshot, ClusterWatch
from redundancy.srm.words import english
from redundancy.watch import reporting
from redundancy.watch.readiness_report import MOST, Report, Sort, report
from tests.cluster.inputs import CLUSTER, reading_of, table
from tests.watch.inputs import FAILED_OVER, NORMAL, OFF, PUB, SUB, Real, at, dated

GROUP = "DefaultCUPSubCluster"
COST = "What a failover would cost"
LIMITS = (
    "\nadmin:run sql select * from processnode\n"
    + table("pkid|name|tkprocessnoderole", f"1|{PUB}|2", f"2|{SUB}|2")
    + "\nadmin:run sql select paramname,paramvalue,fkprocessnode from processconfig\n"
    + table(
        "paramname|paramvalue|fkprocessnode",
        *(
            f"Client Re-Login {which} Limit|{value}|{node}"
            for node in (1, 2)
            for which, value in (("Lower", 120), ("Upper", 720))
        ),
    )
)
USERS = (
    "\nadmin:run sql select id,name,subclusterid from enterprisenode\n"
    + table("id|name|subclusterid", f"1|{PUB}|7", f"2|{SUB}|7")
    + "\nadmin:run sql select userid,primarynodeid from enduser\n"
    + table("userid|primarynodeid", *(f"u{number}|1" for number in range(60)))
)


def snapshot(text: str) -> Snapshot:
    _, (found,) = reading_of(text)
    return found


def answers(found: Report, title: str) -> list[tuple[Sort, str]]:
    (question,) = (each for each in found.questions if each.title == title)
    return [(each.sort, english(each.sentence)) for each in question.answers]


def test_a_pair_that_is_well_is_told_to_be_so() -> None:
    found = report(snapshot(NORMAL + LIMITS + USERS), None)
    assert answers(found, "High Availability") == [
        (Sort.WELL, f"{GROUP}: High Availability is on, both nodes are Normal.")
    ]
    assert answers(found, "Can one node carry all?") == [
        (Sort.WELL, "No group has more users than the vendor supports with High Availability.")
    ]
    # 60 s until it is noticed; then between 120 and 720 s, 420 in the middle: 60 users for 8 minutes.
    assert answers(found, "What a failover would cost") == [
        (
            Sort.WELL,
            f"When {PUB} fails, its peer takes over after 1 min (Keep Alive (Heartbeat) Timeout; not told, the vendor's "
            "default); of 60 users half are back after 8 min, the last after 13 min: 480 user-minutes without service.",
        ),
        (Sort.WELL, f"No user is assigned to {SUB}."),
    ]


def test_whether_one_node_can_carry_all_is_told_where_users_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    title = "Can one node carry all?"
    untold = (Sort.UNTOLD, "Which users are assigned to which node is not told.")
    assert answers(report(snapshot(NORMAL), None), title) == [untold]
    # A count says that there are more than were listed.
    more = USERS + "\nadmin:run sql select count(*) from enduser\n" + table("(count(*))", "61")
    assert answers(report(snapshot(NORMAL + more), None), title) == [untold]
    for module in ("redundancy.cluster.checks", "redundancy.watch.readiness_report"):
        monkeypatch.setattr(f"{module}.GROUP_USERS", 59)
    for text in (NORMAL, OFF):
        ((sort, sentence),) = answers(report(snapshot(text + USERS), None), title)
        assert sort is Sort.BAD
        assert sentence.startswith(f"{GROUP} has 60 users")


@pytest.mark.parametrize(
    ("text", "title", "sentence"),
    [
        (OFF, "High Availability", "is off: nobody takes over"),
        (OFF, "What a failover would cost", f"When {PUB} fails, nobody takes over"),
        (FAILED_OVER, "High Availability", f"{GROUP}: "),
        (
            FAILED_OVER + LIMITS + USERS,
            "What a failover would cost",
            f"When {PUB} fails now, nobody may take over: {GROUP} is not Normal.",
        ),
        (CLUSTER, "What else was found", "Cisco XCP Router on imp-pub: STOPPED"),
    ],
)
def test_what_is_bad_is_to_be_seen_to(text: str, title: str, sentence: str) -> None:
    found = report(snapshot(text), None)
    bad = [each for sort, each in answers(found, title) if sort is Sort.BAD]
    assert any(sentence in each for each in bad), answers(found, title)
    assert "[!]" in "\n".join(found.lines())


def test_versions_are_well_where_all_are_told_and_the_same() -> None:
    assert answers(report(snapshot(NORMAL), None), "Versions") == [
        (Sort.UNTOLD, f"The version of {PUB} and {SUB} is not told.")
    ]
    told = dated(NORMAL) + dated("").replace(PUB, SUB)
    assert answers(report(snapshot(told), None), "Versions") == [
        (Sort.WELL, "All nodes run version 14.0.1.12900-161.")
    ]
    apart = dated(NORMAL) + dated("").replace(PUB, SUB).replace("12900", "13900")
    ((sort, _),) = answers(report(snapshot(apart), None), "Versions")
    assert sort is Sort.BAD


def test_what_is_not_told_is_never_well() -> None:
    found = report(snapshot(NORMAL), None)
    well = [
        english(each.sentence)
        for q in found.questions
        for each in q.answers
        if each.sort is Sort.WELL
    ]
    assert well == [
        f"{GROUP}: High Availability is on, both nodes are Normal.",
        "Nothing, of what is told.",
    ]
    costs = answers(found, "What a failover would cost")
    assert {sort for sort, _ in costs} == {Sort.UNTOLD}
    assert "not told: its users and its re-login limits." in costs[0][1]
    assert answers(found, "Changes since the baseline") == [
        (Sort.UNTOLD, "No snapshot of it is marked as the baseline.")
    ]


def test_what_changed_since_the_baseline_is_told() -> None:
    before, after = snapshot(NORMAL), snapshot(FAILED_OVER)
    assert answers(report(before, ("base", before)), "Changes since the baseline") == [
        (Sort.WELL, "It is as the baseline: base.")
    ]
    changed = answers(report(after, ("base", before)), "Changes since the baseline")
    assert (Sort.BAD, f"State of {PUB}: Normal, then Failed Over.") in changed
    # Told before, and not any more.
    fewer = answers(
        report(before, ("base", snapshot(NORMAL + LIMITS))), "Changes since the baseline"
    )
    assert {sort for sort, _ in fewer} == {Sort.UNTOLD}


def test_it_has_so_many_sentences_and_says_how_many_more() -> None:
    lines = [f"Client Re-Login Lower Limit {number}|{{}}|1" for number in range(MOST + 5)]
    head = "\nadmin:run sql select * from processnode\n" + table(
        "pkid|name|tkprocessnoderole", f"1|{PUB}|2"
    )
    head += "\nadmin:run sql select paramname,paramvalue,fkprocessnode from processconfig\n"
    before, after = (
        snapshot(
            NORMAL
            + head
            + table("paramname|paramvalue|fkprocessnode", *(each.format(value) for each in lines))
        )
        for value in (1, 2)
    )
    changed = answers(report(after, ("base", before)), "Changes since the baseline")
    assert len(changed) == MOST + 1
    assert changed[-1] == (Sort.BAD, "and 5 more")


# --- when, and by whom -----------------------------------------------------------------------------

MONDAY = datetime(2026, 11, 30, 7, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "due"),
    [
        (-0.1, None),
        (0, date(2026, 11, 30)),
        (23.9, date(2026, 11, 30)),
        (24, None),
        (167.9, None),
        (168, date(2026, 12, 7)),
    ],
)
def test_it_is_due_on_its_day_from_its_hour_on(hours: float, due: date | None) -> None:
    now = MONDAY + timedelta(hours=hours)
    assert reporting.due_on(now, "monday", 7) == due
    assert reporting.due_on(now, "none", 7) is None


@pytest.fixture
def weekly(db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Real:
    """A cluster that was seen a minute before its report is due, by the settings."""
    settings.WATCH_HOST, settings.WATCH_USER, settings.WATCH_KIND = "cucm.example.com", "ann", "ssh"
    settings.WATCH_MINUTES, settings.WATCH_REPORT_DAY, settings.WATCH_REPORT_HOUR = 5.0, "monday", 7
    url = "json://127.0.0.1:9/x"
    alarms.save_channel(channel=None, name="desk", url=url, enabled=True, actor="ann")
    real = Real(OFF, at())
    real.now = MONDAY - timedelta(minutes=1)
    real.look(after=0)
    return real


def test_it_is_sent_once_a_week_to_the_channels_of_alarms(weekly: Real) -> None:
    assert not reporting.send_due(MONDAY - timedelta(minutes=1))
    assert reporting.send_due(MONDAY)
    assert not reporting.send_due(MONDAY + timedelta(minutes=1))
    notice = AlarmNotice.objects.get()
    assert notice.text.splitlines()[:4] == [
        "Lisbon (real): ssh://ann@cucm.example.com:22",
        "Seen 1 min ago.",
        "",
        "To be seen to: 3; cannot be told: 3.",
    ]
    alarm = Alarm.objects.get()
    assert str(alarm) == "ClusterReadiness: Lisbon (real)"
    # Nobody is to acknowledge it, and no page tells of it but that of alarms.
    assert alarm.cleared_at is not None
    assert alarm.acknowledged_at is not None
    assert reporting.send_due(MONDAY + timedelta(days=7))


def test_of_two_who_ask_one_sends(weekly: Real) -> None:
    one, two = ClusterWatch.objects.get(), ClusterWatch.objects.get()
    assert reporting.claim(one, MONDAY.date())
    assert not reporting.claim(two, MONDAY.date())


def test_where_it_cannot_be_kept_nobody_has_claimed_it(
    weekly: Real, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("redundancy.alarms.writes.tell_once", broken)
        with pytest.raises(ZeroDivisionError):
            reporting.send_due(MONDAY)
    assert reporting.send_due(MONDAY)


def test_what_was_not_seen_for_too_long_says_so_first(weekly: Real) -> None:
    row = ClusterWatch.objects.get()
    text, summary = reporting.text_of(row, MONDAY + timedelta(hours=1))
    assert "how it is now is not known" in text.splitlines()[1]
    assert "not known" in english(summary)


def test_the_baseline_is_that_of_its_name(weekly: Real) -> None:
    base = ClusterSnapshot.objects.get()
    clusters.describe(snapshot=base, name=base.name, note="", baseline=True, actor="ann")
    weekly.look(NORMAL)
    text, _ = reporting.text_of(ClusterWatch.objects.get(), weekly.now)
    assert "[!] High Availability of DefaultCUPSubCluster: off, then on." in text
    ClusterSnapshot.objects.filter(pk=base.pk).update(document=b"x")
    text, _ = reporting.text_of(ClusterWatch.objects.get(), weekly.now)
    assert "[?] The baseline cannot be used: Lisbon, read " in text


def test_the_verdict_is_the_exit_code(weekly: Real) -> None:
    row = ClusterWatch.objects.get()
    assert reporting.verdict(row, weekly.now) == 1
    weekly.look(NORMAL)
    row.refresh_from_db()
    assert reporting.verdict(row, weekly.now) == 2
    ClusterSnapshot.objects.all().delete()
    row.refresh_from_db()
    assert reporting.verdict(row, weekly.now) == 2
    assert "nothing is known of it" in reporting.text_of(row, weekly.now)[0]


def test_a_peer_at_which_nobody_can_log_in_brings_nobody_back() -> None:
    stopped = f"\nadmin:utils service list {SUB}\nCisco XCP Connection Manager[STOPPED]\n"
    found = answers(report(snapshot(NORMAL + LIMITS + USERS + stopped), None), COST)
    assert found[0] == (
        Sort.BAD,
        f"When {PUB} fails, {SUB} cannot serve its users: not running there: Cisco XCP Connection Manager.",
    )
    assert found[1] == (Sort.WELL, f"No user is assigned to {SUB}.")


def test_counters_of_the_moment_are_no_drift() -> None:
    before, after, none = (
        snapshot(f"{NORMAL}\nadmin:\nNode Name : {PUB}\nCmConnectedSockets = {number}\n")
        for number in (90, 3, 0)
    )
    for now in (after, none):
        assert answers(report(now, ("then", before)), "Changes since the baseline") == [
            (Sort.WELL, "It is as the baseline: then.")
        ]


def test_of_a_node_whose_peer_is_not_told_no_cost_is_told() -> None:
    one = NORMAL.rpartition("Node 2")[0]
    found = report(snapshot(one + LIMITS + USERS), None)
    (cost,) = answers(found, COST)
    assert cost[0] is Sort.UNTOLD
    assert f"of its two nodes only {PUB} is told." in cost[1]
    assert cost in answers(found, "High Availability")
