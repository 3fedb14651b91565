"""Real clients: they log in when they do, and are let in with what is theirs alone."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection

from redundancy import origin
from redundancy.catalog import CONNECTION_MANAGER
from redundancy.clock import lab_now
from redundancy.errors import Refused
from redundancy.models import (
    WHEN_IT_COMES,
    ClientLogin,
    HaEvent,
    LabClock,
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    SessionMove,
)
from redundancy.monitor.audit import audit
from redundancy.operations import access, clients, power, presence
from redundancy.operations.assignment import assign_users
from redundancy.operations.measured import keep_complete
from redundancy.operations.services import start_service, stop_service
from redundancy.selectors.presence import presence as counts
from redundancy.selectors.real_clients import real_clients
from redundancy.selectors.stamp import stamp
from redundancy.selectors.users import places
from redundancy.selectors.whereabouts import stays
from tests.labtime import stand_at
from tests.relogin.pair import BEGIN, USERS, go_home, node, take_over

ANN = "imp-pub.0000"
AGENT = "Cisco Client Profile Agent"


@pytest.fixture(autouse=True)
def from_somewhere() -> Iterator[None]:
    with origin.coming_from("192.0.2.1"):
        yield


def session(userid: str = ANN) -> PresenceSession:
    return PresenceSession.objects.select_related("node").get(user__userid=userid)


def state(userid: str = ANN) -> str:
    pk = PresenceUser.objects.get(userid=userid).pk
    return str(places([pk])[pk].session)


def log_in(userid: str = ANN, password: str = "", at: str = "", force: bool = True) -> str:
    password = password or settings.JABBER_PASSWORD
    key, _ = clients.log_in(
        userid=userid, password=password, node=node(at) if at else None, force=force
    )
    return key


def failure(userid: str = ANN, password: str = "", at: str = "") -> str:
    with pytest.raises(clients.Failed) as caught:
        log_in(userid, password, at)
    return str(caught.value.code)


def breaches() -> list[str]:
    return [breach.whole_sentence for breach in audit()]


def test_a_login_makes_the_session_a_real_clients(group: RedundancyGroup) -> None:
    stand_at(BEGIN + 10)
    before = stamp()
    key = log_in(at="imp-pub")
    assert (session().by_client, session().relogin_at, state()) == (True, BEGIN + 10, "Active")
    assert PresenceSession.objects.filter(by_client=True).count() == 1
    told = clients.configuration(key)
    assert (told.node, told.backup, told.lower, told.upper) == ("imp-pub", "imp-sub", 120, 537)
    # Pages look again.
    assert stamp() != before
    assert breaches() == []


def test_after_a_move_it_waits_until_it_comes(group: RedundancyGroup) -> None:
    key = log_in()
    once, peer = clients.new_one_time_password(key)
    stand_at(BEGIN + 100)
    take_over("imp-sub")
    # Long after the last played client.
    stand_at(BEGIN + 5000)
    here = counts([peer.pk], lab_now())[peer.pk]
    assert (here.active, here.waiting) == (2 * USERS - 1, 1)
    assert (session().relogin_at, state()) == (WHEN_IT_COMES, "Waiting to log in")
    (real,) = real_clients([peer.pk], lab_now())
    assert (real.node, str(real.presence)) == ("imp-sub", "0 (1 waiting to log in)")
    assert keep_complete(lab_now()) == 0
    user = PresenceUser.objects.get(userid=ANN)
    assert stays(user)[-1].comes_by_itself
    assert stays(user)[-1].client(lab_now()) == "waiting to log in"
    assert breaches() == []
    # Its old key is worth nothing while it waits.
    with pytest.raises(clients.Failed, match="session key"):
        clients.configuration(key)
    log_in(ANN, once, at="imp-sub")
    assert (session().relogin_at, state()) == (BEGIN + 5000, "Active")
    # The curve of the move is that of the real logins.
    assert keep_complete(lab_now()) == 1
    kept = SessionMove.objects.get().logins
    assert kept is not None
    assert (kept["last"], kept["overtaken"]) == (4900, 0)
    assert breaches() == []


def test_a_one_time_password_is_good_once_for_its_user_at_its_peer(group: RedundancyGroup) -> None:
    key = log_in()
    first, _ = clients.new_one_time_password(key)
    once, peer = clients.new_one_time_password(key)
    assert peer.name == "imp-sub"
    stand_at(BEGIN + 10)
    # Not at its own node, not for another user; the one before is dead.
    assert failure(ANN, once, at="imp-pub") == "wrong-password"
    assert failure("imp-pub.0001", once) == "wrong-password"
    take_over("imp-sub")
    assert failure(ANN, first, at="imp-sub") == "wrong-password"
    key = log_in(ANN, once, at="imp-sub")
    assert failure(ANN, once, at="imp-sub") == "wrong-password"
    # Any login ends the ones before.
    once, _ = clients.new_one_time_password(key)
    log_in()
    go_home("imp-pub")
    assert failure(ANN, once, at="imp-pub") == "wrong-password"


def test_a_one_time_password_dies_after_a_day(group: RedundancyGroup) -> None:
    once, _ = clients.new_one_time_password(log_in())
    take_over("imp-sub")
    stand_at(BEGIN + clients.ONCE_SECONDS + 1)
    # To come late is no guess.
    assert {failure(ANN, once) for _ in range(10)} == {"wrong-password"}
    clients.forget_old(lab_now())
    assert ClientLogin.objects.get().once_mark == ""


def test_that_day_is_one_of_the_wall_clock(group: RedundancyGroup) -> None:
    key = log_in()
    LabClock.objects.create(real_at=time.time(), lab_at=BEGIN, rate=60)
    clients.new_one_time_password(key)
    until = ClientLogin.objects.get().once_until
    assert until is not None
    assert 0 <= until - (BEGIN + 60 * clients.ONCE_SECONDS) < 600 * 60


def test_neither_key_nor_password_is_kept(group: RedundancyGroup) -> None:
    key = log_in()
    once, _ = clients.new_one_time_password(key)
    row = ClientLogin.objects.get()
    kept = " ".join(str(value) for value in vars(row).values())
    assert key not in kept
    assert once not in kept
    told = " ".join(HaEvent.objects.values_list("sentence", flat=True))
    assert key not in told
    assert once not in told


@pytest.mark.parametrize("password", ["", "x", "x" * 128, "imp-pub.0000"])
def test_a_wrong_password_lets_nobody_in(group: RedundancyGroup, password: str) -> None:
    with pytest.raises(clients.Failed) as caught:
        clients.log_in(userid=ANN, password=password)
    assert caught.value.code == "wrong-password"
    assert not session().by_client


def test_who_is_unknown_is_told_the_same(group: RedundancyGroup) -> None:
    said = set()
    for userid, password in (("nobody", settings.JABBER_PASSWORD), (ANN, "wrong")):
        with pytest.raises(clients.Failed) as caught:
            clients.log_in(userid=userid, password=password)
        said.add(str(caught.value.rule))
    assert len(said) == 1


def test_guessing_waits_as_on_the_pages(group: RedundancyGroup) -> None:
    assert [failure(ANN, "wrong") for _ in range(6)] == [*["wrong-password"] * 5, "try-later"]
    # Not even the right one is looked at, nor does it matter to others.
    assert failure(ANN) == "try-later"
    log_in("imp-pub.0001")


def test_logins_that_are_right_are_not_counted(group: RedundancyGroup) -> None:
    for number in range(40):
        log_in(f"imp-pub.{number:04}")


def test_an_outage_of_the_database_is_nobodys_guess(
    group: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: str) -> None:
        raise OperationalError

    with monkeypatch.context() as patched:
        patched.setattr(clients, "user_called", away)
        for _ in range(40):
            with pytest.raises(OperationalError):
                log_in()
    log_in()


def test_only_the_node_that_serves_lets_it_in(group: RedundancyGroup) -> None:
    assert failure(at="imp-sub") == "not-here"
    take_over("imp-sub")
    with pytest.raises(clients.Failed) as caught:
        log_in(at="imp-pub")
    assert (caught.value.code, caught.value.node) == ("not-here", "imp-sub")
    log_in(at="imp-sub")


def test_without_a_login_service_it_fails_with_the_reason(group: RedundancyGroup) -> None:
    once, _ = clients.new_one_time_password(log_in())
    stop_service(server=node("imp-sub"), name=AGENT, actor="")
    take_over("imp-sub")
    with pytest.raises(clients.Failed) as caught:
        log_in(ANN, once, at="imp-sub")
    assert caught.value.code == "no-service"
    assert AGENT in str(caught.value.rule)
    assert session().relogin_at == WHEN_IT_COMES
    assert breaches() == []
    # What it showed in vain is still good.
    start_service(server=node("imp-sub"), name=AGENT, actor="")
    log_in(ANN, once, at="imp-sub")


def test_a_node_without_power_lets_nobody_in(group: RedundancyGroup) -> None:
    power.power_off(server=node("imp-pub"), actor="")
    assert failure() == "no-service"


def test_who_lost_the_node_hears_of_it(group: RedundancyGroup) -> None:
    keys = {name: log_in(name) for name in (ANN, "imp-pub.0001", "imp-sub.0000")}
    marks = clients.keys_to_logins([*keys.values(), "made-up"])
    stand_at(BEGIN + 10)
    assert [(each.key, each.why) for each in clients.gone(marks, lab_now())] == [
        ("made-up", "over")
    ]
    log_in("imp-pub.0001")
    take_over("imp-sub")
    found = {each.key: each for each in clients.gone(marks, lab_now() + 5)}
    assert found.keys() == {keys[ANN], keys["imp-pub.0001"], "made-up"}
    assert found[keys["imp-pub.0001"]].why == "over"
    moved = found[keys[ANN]]
    assert (moved.why, moved.node, round(moved.ago)) == ("moved", "imp-sub", 5)


def test_a_look_that_a_failover_overtakes_tells_of_one_moment(group: RedundancyGroup) -> None:
    marks = clients.keys_to_logins([log_in()])
    stand_at(BEGIN + 10)
    queries = []

    def overtaken(execute: Any, *args: Any) -> Any:
        queries.append(args)
        # Between the first query and another one, if there were one.
        if len(queries) == 2:
            take_over("imp-sub")
            power.power_off(server=node("imp-pub"), actor="")
        return execute(*args)

    with connection.execute_wrapper(overtaken):
        assert clients.gone(marks, BEGIN + 10) == []


def test_who_is_disconnected_waits_to_come_by_itself(group: RedundancyGroup) -> None:
    key = log_in()
    stand_at(BEGIN + 50)
    stop_service(server=node("imp-pub"), name=CONNECTION_MANAGER, actor="")
    (gone,) = clients.gone(clients.keys_to_logins([key]), BEGIN + 60)
    assert (gone.why, gone.ago) == ("disconnected", 10)
    stand_at(BEGIN + 70)
    start_service(server=node("imp-pub"), name=CONNECTION_MANAGER, actor="")
    assert access.let_in() == 1
    assert (session().relogin_at, state()) == (WHEN_IT_COMES, "Waiting to log in")
    again = SessionMove.objects.get()
    # The played ones wait between the limits, and say so for it.
    assert 50 + 120 - 71 <= again.lower < again.upper <= 537
    stand_at(BEGIN + 2000)
    assert breaches() == []
    log_in()
    assert state() == "Active"
    assert breaches() == []


def test_nobody_is_thrown_out_without_force(group: RedundancyGroup) -> None:
    key = log_in()
    with pytest.raises(clients.Failed) as caught:
        log_in(force=False)
    assert caught.value.code == "already-logged-in"
    clients.configuration(key)
    # The client that the lab plays gives way.
    log_in("imp-pub.0001", force=False)


def test_who_logs_out_is_signed_out_and_may_come_again(group: RedundancyGroup) -> None:
    key = log_in()
    clients.log_out(key)
    assert state() == "Logged out"
    assert PresenceUser.objects.get(userid=ANN).signed_out
    with pytest.raises(clients.Failed):
        clients.log_out(key)
    log_in()
    assert (session().by_client, state()) == (True, "Active")
    assert not PresenceUser.objects.get(userid=ANN).signed_out
    assert breaches() == []


def test_an_administrator_who_signs_a_user_out_and_in_plays_the_client_again(
    group: RedundancyGroup,
) -> None:
    key = log_in()
    for out in (True, False):
        presence.sign(users=PresenceUser.objects.filter(userid=ANN), out=out, actor="ann")
    assert not session().by_client
    with pytest.raises(clients.Failed):
        clients.new_one_time_password(key)
    clients.forget_old(lab_now())
    assert not ClientLogin.objects.exists()


def test_who_is_assigned_elsewhere_comes_by_itself(group: RedundancyGroup) -> None:
    log_in()
    stand_at(BEGIN + 30)
    ann = PresenceUser.objects.filter(userid=ANN)
    assign_users(users=ann, node=node("imp-sub"), actor="")
    assert (session().node.name, session().relogin_at) == ("imp-sub", WHEN_IT_COMES)
    assert breaches() == []
    log_in(at="imp-sub")


def test_without_a_peer_there_is_no_one_time_password(group: RedundancyGroup) -> None:
    key = log_in()
    group.servers.filter(name="imp-sub").update(group=None, slot=None)
    with pytest.raises(clients.Failed) as caught:
        clients.new_one_time_password(key)
    assert caught.value.code == "no-backup"


def test_what_is_given_back_is_played_again(group: RedundancyGroup) -> None:
    for name in (ANN, "imp-pub.0001", "imp-sub.0000"):
        log_in(name)
    stand_at(BEGIN + 10)
    take_over("imp-sub")
    assert clients.give_back(PresenceUser.objects.filter(userid__startswith="imp-pub")) == 2
    assert (session().by_client, state()) == (False, "Active")
    assert session("imp-sub.0000").by_client
    assert breaches() == []
    assert clients.give_back() == 1
    assert clients.give_back() == 0
    assert not ClientLogin.objects.exists()


def test_who_does_not_come_is_given_up(group: RedundancyGroup, settings: object) -> None:
    settings.LAB_CLIENTS_GIVE_UP_MINUTES = 10  # type: ignore[attr-defined]
    log_in()
    take_over("imp-sub")
    # The upper limit is no part of it.
    stand_at(BEGIN + 537 + 599)
    assert access.give_up(lab_now()) == 0
    stand_at(BEGIN + 537 + 601)
    assert access.give_up(lab_now()) == 1
    assert state() == "Logged out"


def test_who_is_assigned_to_no_node_is_refused(group: RedundancyGroup) -> None:
    PresenceSession.objects.filter(user__userid=ANN).delete()
    PresenceUser.objects.filter(userid=ANN).update(home=None)
    assert failure() == "not-assigned"
    with pytest.raises(Refused):
        log_in()
