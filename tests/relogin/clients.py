"""Several clients of each user, and what pages and audit say of them."""

from django.test import Client
from django.urls import reverse

from redundancy.catalog import CLIENTS_PER_USER, PUSH_CLIENTS
from redundancy.models import RedundancyGroup, Server
from redundancy.monitor.audit import audit
from redundancy.parameters.writes.enterprise import set_enterprise_parameters
from redundancy.srm.states import Reason, State
from tests.memory import remember
from tests.pages.html import soup, words
from tests.relogin.pair import node


def have(clients: int = 1, push: int = 0) -> None:
    values = {CLIENTS_PER_USER.key: str(clients), PUSH_CLIENTS.key: str(push)}
    set_enterprise_parameters(values=values, actor="ann")


def effects(page: Client, group: RedundancyGroup, on: Server, action: str = "failover") -> str:
    """What is said before the action is confirmed, of a pair that is Normal."""
    normal = (State.NORMAL, Reason.NORMAL)
    for one, peer in (("imp-pub", "imp-sub"), ("imp-sub", "imp-pub")):
        remember(node(one), normal, node(peer), normal)
    shown = soup(page.get(reverse("group_action", args=[group.pk, on.pk, action])))
    return words(shown.select_one(".effects"))


def breaches() -> list[str]:
    return [breach.whole_sentence for breach in audit()]
