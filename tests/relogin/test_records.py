"""What is remembered of a move, and when the record of its logins is complete."""

import pytest

from redundancy.catalog import CONNECTION_MANAGER
from redundancy.clock import lab_now
from redundancy.models import (
    PresenceSession,
    PresenceUser,
    RedundancyGroup,
    Server,
    SessionMove,
)
from redundancy.operations import access
from redundancy.operations.groups import add_group
from redundancy.operations.measured import keep_complete
from redundancy.operations.presence import sign
from redundancy.operations.servers import add_server
from redundancy.operations.services import start_service, stop_service
from redundancy.operations.sessions import session_at_login
from redundancy.selectors.access import has_logged_in
from tests.labtime import stand_at
from tests.relogin.pair import BEGIN, node, take_over

AUTHENTICATION = "Cisco XCP Authentication Service"


def stop(name: str, at: float, server: str) -> None:
    stand_at(BEGIN + at)
    stop_service(server=node(server), name=name, actor="")


def lose_connections(server: str, at: float, until: float) -> None:
    """Let the clients of a node lose it, and log in again."""
    stop(CONNECTION_MANAGER, at, server)
    stand_at(BEGIN + until)
    start_service(server=node(server), name=CONNECTION_MANAGER, actor="")
    assert access.let_in() == 1


@pytest.mark.parametrize("server", ["imp-pub", "imp-sub"])
def test_a_record_waits_for_who_tried_in_vain_at_either_node(
    group: RedundancyGroup, server: str
) -> None:
    stop(AUTHENTICATION, 0, server)
    take_over(server)
    assert keep_complete(stand_at(BEGIN + 5000)) == 0
    # Nobody is left who is to come.
    PresenceSession.objects.exclude(user__home__name=server).delete()
    assert keep_complete(lab_now()) == 1


def test_a_record_waits_for_nobody_who_came_after_its_move(group: RedundancyGroup) -> None:
    stand_at(BEGIN + 5)
    take_over("imp-sub")
    stop(AUTHENTICATION, 700, "imp-sub")
    stand_at(BEGIN + 710)
    late = PresenceUser.objects.filter(userid="imp-sub.0000")
    for out in (True, False):
        sign(users=late, out=out, actor="")
    in_vain = PresenceSession.objects.exclude(has_logged_in(lab_now()))
    assert [session.user for session in in_vain] == [late.get()]
    assert keep_complete(stand_at(BEGIN + 800)) == 1


def test_a_node_without_a_group_remembers_who_logs_in_again(group: RedundancyGroup) -> None:
    lone = add_server(name="a-lone", server_type="imp", actor="")
    user = PresenceUser.objects.create(userid="ann", im_address="ann@example.com", home=lone)
    session_at_login(user, lone.pk, BEGIN).save(force_insert=True)
    lose_connections("a-lone", 10, 40)
    move = SessionMove.objects.get()
    assert (move.at, move.moved, move.again) == (BEGIN + 40, 1, True)
    assert (move.group, move.epoch, move.holder, move.holder_name) == (None, 0, None, "")
    assert (move.first, move.first_name) == (lone, "a-lone")
    assert (move.second, move.second_name) == (None, "")


def test_the_nodes_of_a_move_are_remembered_in_the_order_of_their_group(
    group: RedundancyGroup,
) -> None:
    # In no group's order by their names, and not alone.
    Server.objects.filter(name="imp-sub").update(name="a-sub")
    third = add_server(name="imp-3", server_type="imp", actor="")
    add_group(name="Rome", first=third, actor="")
    take_over("imp-pub")
    lose_connections("imp-pub", 10, 20)
    move = SessionMove.objects.get(again=True)
    assert (move.first_name, move.second_name) == ("imp-pub", "a-sub")
    assert (move.epoch, move.holder, move.holder_name) == (1, node("imp-pub"), "imp-pub")
