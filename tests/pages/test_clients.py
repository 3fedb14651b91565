"""How clients are in the lab, on the pages that ask for it and that tell of it."""

import pytest
from django.test import Client
from django.urls import reverse

from redundancy.errors import Refused, Stale
from redundancy.login_profiles import Mode
from redundancy.models import HaEvent, RedundancyGroup, Server
from redundancy.parameters.writes.enterprise import set_enterprise_parameters
from redundancy.parameters.writes.pair import apply_login_profile
from redundancy.planned.reads.sessions import SessionsBack
from redundancy.selectors.enterprise import ClientSettings, clients
from tests.pages.html import error_at, soup, status, words
from tests.pages.test_pair import hidden, limits, users

PAGE = reverse("enterprise_parameters")
PUSH = (200, 2075)


def have(**values: int) -> None:
    set_enterprise_parameters(values={key: str(n) for key, n in values.items()}, actor="ann")


def test_both_are_chosen_among_the_enterprise_parameters(page: Client) -> None:
    assert clients() == ClientSettings(1, 0)
    shown = page.post(PAGE, {"clients_per_user": "2", "push_clients": "25"}, follow=True)
    assert "Update successful" in status(shown)
    assert clients() == ClientSettings(2, 25)
    names = [words(label) for label in soup(shown).select("tr.changed label")]
    assert names == ["Lab: Clients per User", "Lab: Push Clients"]
    assert {event.actor for event in HaEvent.objects.all()} == {"ccmadmin"}


@pytest.mark.parametrize(
    ("key", "value", "rule"),
    [
        ("clients_per_user", "0", "Lab: Clients per User must be 1, 2, 3, 4, 5."),
        ("clients_per_user", "6", "Lab: Clients per User must be 1, 2, 3, 4, 5."),
        ("push_clients", "30", "Lab: Push Clients must be 0, 10, 25, 50, 75, 100."),
        ("push_clients", "", "Lab: Push Clients must be"),
    ],
)
def test_other_values_are_refused(page: Client, key: str, value: str, rule: str) -> None:
    shown = page.post(PAGE, {key: value})
    assert shown.status_code == 422
    assert rule in error_at(shown, key)
    assert clients() == ClientSettings(1, 0)


def address(group: RedundancyGroup) -> str:
    chosen = "size_1=5000&size_2=5000&mode=Active/Active"
    return f"{reverse('login_profile', args=[group.pk])}?{chosen}"


def test_the_login_profile_counts_the_clients_of_its_users(
    page: Client, pair: RedundancyGroup, pub: Server
) -> None:
    users(pub, 300)

    def figures() -> dict[str, str]:
        shown = soup(page.get(address(pair)))
        terms = shown.select("dl.facts div")
        return {words(term.select_one("dt")): words(term.select_one("dd")) for term in terms}

    one = figures()
    assert "Clients that log in" not in one
    have(clients_per_user=2)
    two = figures()
    assert two["Clients that log in"] == "300 users, 600 clients"

    def peak(found: dict[str, str]) -> float:
        return float(found["Peak logins"].split()[0])

    assert peak(two) == pytest.approx(2 * peak(one), abs=0.1)
    assert one["95 % are back after"] == two["95 % are back after"]


def test_the_limits_of_a_push_deployment_are_offered_where_there_are_push_clients(
    page: Client, pair: RedundancyGroup, pub: Server, sub: Server
) -> None:
    users(pub, 10)
    shown = page.get(address(pair))
    assert "push" not in words(soup(shown).select_one("main")).lower()
    have(push_clients=25)
    shown = page.get(address(pair))
    text = words(soup(shown).select_one("main"))
    assert "Lab: Push Clients is 25 %." in text
    assert "Lower Limit, 200 s, and Upper Limit, 2075 s, which keep logins to 4 a second" in text
    sent = hidden(shown)
    done = page.post(address(pair), {**sent, "for_push": "1"}, follow=True)
    assert "both nodes have the limits of a push deployment." in status(done)
    assert (limits(pub), limits(sub)) == (PUSH, PUSH)
    # The other button applies the table as before.
    again = page.post(address(pair), hidden(page.get(address(pair))), follow=True)
    assert "both nodes have the recommended limits." in status(again)
    assert limits(pub) == (120, 137)


def test_without_push_clients_their_limits_are_not_applied(
    page: Client, pair: RedundancyGroup, pub: Server, sub: Server
) -> None:
    users(pub, 10)
    have(push_clients=25)
    sent = hidden(page.get(address(pair)))
    have(push_clients=0)
    refused = page.post(address(pair), {**sent, "for_push": "1"})
    assert refused.status_code == 409
    sizes = {pub.pk: 5000, sub.pk: 5000}
    values = dict(zip(("relogin_lower", "relogin_upper"), map(str, PUSH), strict=True))
    with pytest.raises(Stale):
        apply_login_profile(
            group=pair, mode=Mode.ACTIVE_ACTIVE, sizes=sizes, values=values, actor="ann"
        )
    assert limits(pub) == (120, 537)


def test_a_reader_applies_no_push_limits(
    page: Client, read_only: Client, pair: RedundancyGroup, pub: Server
) -> None:
    have(push_clients=25)
    sent = hidden(page.get(address(pair)))
    assert not soup(read_only.get(address(pair))).select("button[name=for_push]")
    assert read_only.post(address(pair), {**sent, "for_push": "1"}).status_code == 403
    assert limits(pub) == (120, 537)


def test_enterprise_parameters_that_are_none_are_refused() -> None:
    with pytest.raises(Refused, match="no enterprise parameter"):
        set_enterprise_parameters(values={"clients": "2"}, actor="ann")


@pytest.mark.parametrize(
    ("of", "sentence", "advice"),
    [
        (ClientSettings(1, 0), "90 logged in at imp-pub; 100 were noted.", "meanwhile."),
        (
            ClientSettings(2, 0),
            "90 logged in at imp-pub; 100 were noted. These are users: ActiveJsmSessions counts "
            "their 2 clients each, 180 there.",
            "meanwhile.",
        ),
        (
            ClientSettings(1, 25),
            "90 logged in at imp-pub; 100 were noted.",
            "meanwhile. Push clients take 10 to 20 minutes to return.",
        ),
    ],
)
def test_after_a_restart_users_are_compared_and_clients_named(
    of: ClientSettings, sentence: str, advice: str
) -> None:
    back = SessionsBack("imp-pub", 100, 90, 0, 0, of)
    assert back.sentence == sentence
    assert back.advice.endswith(advice)
    late = SessionsBack("imp-pub", 100, 90, 0, 2, of)
    assert "Push" not in late.advice
