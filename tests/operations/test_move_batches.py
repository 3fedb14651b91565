"""Moves of many groups at once: in few statements, and none in another's way."""

import contextlib
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F, Q
from django.test.utils import CaptureQueriesContext

from redundancy.catalog import PUSH_CLIENTS
from redundancy.models import (
    EnterpriseParameter,
    HaEvent,
    Machine,
    MessageKind,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    ReloginLimits,
    Server,
    SessionMove,
    SrmMessage,
)
from redundancy.monitor.audit import audit
from redundancy.operations import locks, moves
from redundancy.operations.moves import MoveRequest, Verdict, judge, portions
from redundancy.operations.servers import add_server
from redundancy.operations.sessions import session_at_login
from redundancy.srm.types import MoveKind
from tests.bench.population import add_pairs
from tests.labtime import stand_at

TAKE, HOME = MoveKind.TAKE_OVER, MoveKind.HOME
BEGIN = 2_000_000_000.0
USERS = 6


@pytest.mark.parametrize(
    ("kind", "epoch", "holder", "verdict"),
    [
        (TAKE, 5, None, Verdict.MOVE),
        (TAKE, 5, 2, Verdict.MOVE),
        (HOME, 5, 2, Verdict.MOVE),
        (HOME, 5, 1, Verdict.MOVE),
        (HOME, 5, None, Verdict.MOVE_IF_AWAY),
        (TAKE, 6, 1, Verdict.DONE),
        (TAKE, 6, 2, Verdict.REFUSED),
        (TAKE, 6, None, Verdict.REFUSED),
        (TAKE, 4, 1, Verdict.REFUSED),
        (HOME, 6, None, Verdict.REFUSED),
        (HOME, 4, 2, Verdict.REFUSED),
    ],
)
def test_what_becomes_of_a_request_of_node_1_at_epoch_5(
    kind: MoveKind, epoch: int, holder: int | None, verdict: Verdict
) -> None:
    assert judge(MoveRequest(1, kind, 5, 1), epoch, holder) is verdict


def ask(node: int, epoch: int = 0) -> MoveRequest:
    return MoveRequest(node, TAKE, epoch, 1)


def test_a_group_is_once_in_a_portion_and_keeps_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    # Nodes 10 and 11 are of group 1, and so on.
    group_of = {node: node // 10 for node in (10, 11, 20, 21, 30, 31)}
    asked = [ask(10), ask(20), ask(11), ask(10, 1), ask(30), ask(99)]
    cut = [[(r.node_id, r.epoch) for r in some] for some in portions(asked, group_of, {})]
    assert cut == [[(10, 0), (20, 0), (30, 0)], [(11, 0)], [(10, 1)]]
    assert list(portions([], group_of, {})) == []
    monkeypatch.setattr(moves, "MOST_GROUPS", 2)
    assert [len(some) for some in portions(asked, group_of, {})] == [2, 2, 1]


def test_a_portion_has_so_many_sessions_and_a_larger_group_one_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(moves, "MOST_SESSIONS", 100)
    asked, group_of = [ask(node) for node in range(1, 6)], {node: node for node in range(1, 6)}
    sizes = {1: 60, 2: 500, 3: 40, 4: 1, 5: 60}
    cut = [[r.node_id for r in some] for some in portions(asked, group_of, sizes)]
    assert cut == [[1, 3], [2], [4, 5]]


def make(count: int) -> list[RedundancyGroup]:
    """Make so many pairs, High Availability on, each with users on both of its nodes."""
    groups = add_pairs(count)
    nodes = list(Server.objects.filter(group__in=groups).order_by("pk"))
    RedundancyGroup.objects.update(ha_enabled=True, ha_generation=1)
    first = PresenceUser.objects.count()
    users = PresenceUser.objects.bulk_create(
        PresenceUser(userid=f"u{n}", im_address=f"u{n}@example.com", home=nodes[n % len(nodes)])
        for n in range(first, first + USERS * count)
    )
    PresenceSession.objects.bulk_create(
        session_at_login(user, user.home_id or 0, BEGIN) for user in users
    )
    return list(RedundancyGroup.objects.filter(pk__in=[g.pk for g in groups]).order_by("pk"))


def requests(kind: MoveKind, slot: int = 2) -> list[MoveRequest]:
    """What the nodes of this slot ask for, of all groups."""
    return [
        MoveRequest(node.pk, kind, node.group.epoch, node.group.ha_generation)
        for node in Server.objects.filter(slot=slot).select_related("group").order_by("pk")
        if node.group is not None
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [TAKE, HOME])
def test_the_statements_do_not_grow_with_the_groups(kind: MoveKind) -> None:
    numbers = []
    for count in (2, 38):
        make(count)
        stand_at(BEGIN + 10)
        moves.move_all(requests(TAKE))
        # So that the moves before are measured, too.
        stand_at(BEGIN + 5000)
        asked = requests(kind, 1)
        with CaptureQueriesContext(connection) as seen:
            moves.move_all(asked)
        numbers.append(len(seen))
        stand_at(BEGIN + 9000)
        moves.move_all(requests(HOME))
        RedundancyGroup.objects.update(ha_enabled=False)
    assert SessionMove.objects.filter(logins__isnull=False).count() >= 40
    assert SrmMessage.objects.filter(kind=MessageKind.MOVED).count() >= 40
    assert numbers[0] == numbers[1] <= 25, numbers


def plain() -> None:
    """Nothing special."""


def push() -> None:
    EnterpriseParameter.objects.create(key=PUSH_CLIENTS.key, value="50")


def limits() -> None:
    """Each node has had limits of its own, which some clients still keep."""
    for number, node in enumerate(Server.objects.order_by("pk")):
        for at in (BEGIN - 100, BEGIN + 2):
            low = 10 * number + 4 + (at > BEGIN)
            ReloginLimits.objects.create(server=node, at=at, lower=low, upper=low + 5)
    odd = PresenceUser.objects.filter(userid__endswith="1")
    PresenceSession.objects.filter(user__in=odd).update(relogin_at=BEGIN + 3, limits_at=BEGIN + 3)


def shut() -> None:
    """Clients tried in vain to log in at the first nodes."""
    Machine.objects.filter(server__slot=1).update(logins_stopped_at=BEGIN + 1)
    odd = PresenceUser.objects.filter(userid__endswith="1")
    tried = PresenceSession.objects.filter(Q(user__in=odd) | Q(node__slot=1, pk__lt=9))
    tried.update(relogin_at=BEGIN + 4, limits_at=BEGIN - 50)


def real() -> None:
    some = [pk for pk in PresenceSession.objects.values_list("pk", flat=True) if pk % 3]
    PresenceSession.objects.filter(pk__in=some).update(by_client=True)


SITUATIONS: list[Callable[[], None]] = [plain, push, limits, shut, real]


def kept() -> list[list[Any]]:
    """All that moves write, but for the moments that were drawn."""
    columns = [f.attname for f in SessionMove._meta.fields if not f.primary_key]
    rows = SessionMove.objects.order_by("group", "pk").values_list(*columns)
    moved: list[dict[str, Any]] = [dict(zip(columns, row, strict=True)) for row in rows]
    for row in moved:
        if record := row["logins"]:
            row["logins"] = (sum(n for _, n in record["counts"]), record["overtaken"])
    return [
        [
            (pk, node, since, by_client, limits_at if limits_at < BEGIN + 10 else "drawn")
            for pk, node, since, by_client, limits_at in PresenceSession.objects.order_by(
                "pk"
            ).values_list("pk", "node", "since", "by_client", "limits_at")
        ],
        list(RedundancyGroup.objects.order_by("pk").values()),
        moved,
        [
            (e.group_id, e.node_id, str(e.sentence), e.epoch, e.at)
            for e in HaEvent.objects.filter(move__isnull=False).order_by("group", "pk")
        ],
        list(SrmMessage.objects.order_by("node", "pk").values("node", "kind", "payload")),
    ]


def move_each(asked: list[MoveRequest]) -> None:
    for request in asked:
        moves.move_sessions(request)


class _Undo(Exception):
    """Undoes what was done."""


@pytest.mark.django_db
@pytest.mark.parametrize("situation", SITUATIONS)
def test_together_they_do_what_they_do_one_by_one(
    situation: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    def play(move: Callable[[list[MoveRequest]], object]) -> list[Any]:
        seen = []
        with contextlib.suppress(_Undo), transaction.atomic():
            for second, kind, slot in (
                (10, TAKE, 2),
                (2000, HOME, 1),
                (2002, TAKE, 1),
                (4000, HOME, 2),
            ):
                stand_at(BEGIN + second)
                # Of one group nobody asks: nothing of it changes.
                move(requests(kind, slot)[1:])
                seen.append((kept(), waits(BEGIN + second)))
            raise _Undo
        return seen

    make(5)
    situation()
    one_by_one = play(move_each)
    together = play(moves.move_all)
    for number, (one, all_) in enumerate(zip(one_by_one, together, strict=True)):
        assert all_ == one, f"step {number}"
    # They were done together.
    assert not caplog.records


def waits(now: float) -> list[tuple[int, int]]:
    """How long each client waits: in which span, of which each is as wide as the limits of a node."""
    rows = PresenceSession.objects.order_by("pk").values_list("pk", "relogin_at")
    # Who has push clients has drawn 600 to 1,200 s, some of which may have passed.
    edges = (0, *range(10, 110, 10), 110, 540, 590, 1201, 1e12)
    return [(pk, sum(at - now >= edge for edge in edges)) for pk, at in rows]


@pytest.mark.django_db
def test_a_broken_group_holds_no_other_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    make(9)
    broken = RedundancyGroup.objects.order_by("pk")[3]
    tell = moves._told

    def break_one(node: Server, *others: Any) -> HaEvent:
        if node.group_id == broken.pk:
            raise ValueError("broken")
        return tell(node, *others)

    monkeypatch.setattr(moves, "_told", break_one)
    stand_at(BEGIN + 10)
    moves.move_all(requests(TAKE))
    assert RedundancyGroup.objects.filter(epoch=1, holder__slot=2).count() == 8
    assert PresenceSession.objects.filter(node__slot=2).count() == 8 * USERS + USERS // 2
    told = dict(SrmMessage.objects.values_list("node__group", "kind"))
    assert told.pop(broken.pk) == MessageKind.MOVE_FAILED
    assert set(told.values()) == {MessageKind.MOVED}
    broken.refresh_from_db()
    assert (broken.epoch, broken.holder) == (0, None)
    assert caplog.text.count("moves together failed (ValueError: broken)") == 3
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


@pytest.mark.django_db
def test_an_outage_is_no_verdict_on_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    make(4)

    def fail(*_: Any) -> HaEvent:
        raise OperationalError("away")

    monkeypatch.setattr(moves, "_told", fail)
    with pytest.raises(OperationalError):
        moves.move_all(requests(TAKE))
    assert not SrmMessage.objects.exists()
    assert not PresenceSession.objects.exclude(node=F("user__home")).exists()


@pytest.mark.django_db
def test_what_two_nodes_of_a_group_ask_for_is_judged_one_after_the_other() -> None:
    make(2)
    stand_at(BEGIN + 10)
    first, second = requests(TAKE, 1), requests(TAKE, 2)
    moves.move_all([*first, *second])
    assert RedundancyGroup.objects.filter(epoch=1, holder__slot=1).count() == 2
    told = SrmMessage.objects.values_list("node__slot", "kind")
    assert set(told) == {(1, MessageKind.MOVED), (2, MessageKind.MOVE_REFUSED)}


@pytest.mark.django_db
def test_repeated_they_change_nothing() -> None:
    """As after a worker that died between its commit and its word of it."""
    make(3)
    for kind, second in ((TAKE, 10), (HOME, 700)):
        asked = requests(kind)
        stand_at(BEGIN + second)
        moves.move_all(asked)
        before = kept()[:-1]
        stand_at(BEGIN + second + 5)
        moves.move_all(asked)
        assert kept()[:-1] == before
    assert not audit()


@pytest.mark.django_db
def test_nodes_without_a_group_or_a_row_are_left_out() -> None:
    make(2)
    lone = add_server(name="lone", server_type="cucm", actor="")
    asked = requests(TAKE)
    moves.move_all([ask(lone.pk), ask(9_999_999), *asked])
    assert RedundancyGroup.objects.filter(epoch=1).count() == 2
    moves.move_all([])


@pytest.mark.django_db(transaction=True)
def test_a_group_that_somebody_holds_is_waited_for_last() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    make(3)
    asked = requests(TAKE)
    held = RedundancyGroup.objects.order_by("pk")[0]
    seen: list[int] = []
    holding, done = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            list(locks.hold(RedundancyGroup.objects.filter(pk=held.pk)))
            holding.set()
            end = time.monotonic() + 20
            # The others are done while this one waits.
            while not seen and time.monotonic() < end:
                moved = RedundancyGroup.objects.filter(epoch=1).count()
                seen.extend([moved] if moved == 2 else [])
        connection.close()
        done.set()

    Thread(target=hold).start()
    assert holding.wait(20)
    moves.move_all(asked)
    assert done.wait(20)
    assert seen == [2]
    assert RedundancyGroup.objects.filter(epoch=1).count() == 3
