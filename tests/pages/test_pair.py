"""Must-match parameters and the login profile of a pair."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from redundancy.errors import Refused, Stale
from redundancy.login_profiles import Mode
from redundancy.models import HaEvent, LabClock, RedundancyGroup, Server, ServiceParameter
from redundancy.operations.ceilings import keep_ceiling
from redundancy.operations.groups import add_group
from redundancy.operations.servers import add_server
from redundancy.operations.users import add_users
from redundancy.parameters.writes.pair import align, apply_login_profile
from redundancy.parameters.writes.parameters import set_parameter
from redundancy.selectors.login_profile import profile
from redundancy.selectors.parameters import of_node
from tests.pages.html import error_at, rows, soup, status, words

LIMITS = ("relogin_lower", "relogin_upper")


def put(key: str, text: str, server: Server | None = None) -> None:
    set_parameter(key=key, value=text, server=server, actor="bob")


def users(server: Server, number: int) -> None:
    add_users(
        rows=[
            (f"{server.name}.{n}", "", f"{n}@{server.name}.example.com", server)
            for n in range(number)
        ],
        actor="",
    )


def limits(server: Server) -> tuple[object, ...]:
    return tuple(of_node(server)[key] for key in LIMITS)


def hidden(response: Any, form: str = "main form[method=post]") -> dict[str, str]:
    return {
        str(tag["name"]): str(tag["value"])
        for tag in soup(response).select(f"{form} input[type=hidden]")
    }


# --- must match --------------------------------------------------------------------------------


def test_both_pages_are_linked_from_the_group_and_from_the_parameters(
    page: Client, pair: RedundancyGroup, pub: Server
) -> None:
    wanted = {reverse(name, args=[pair.pk]) for name in ("must_match", "login_profile")}
    for url in (
        reverse("group_edit", args=[pair.pk]),
        reverse("service_parameters", args=["ccmadmin"]) + f"?server={pub.pk}",
    ):
        options = {o["value"] for o in soup(page.get(url)).select("#related-links option")}
        assert wanted <= options


def test_a_group_of_one_server_has_nothing_to_match(page: Client, group: RedundancyGroup) -> None:
    for name, words_ in (("must_match", "nothing to match"), ("login_profile", "nobody to fail")):
        response = page.get(reverse(name, args=[group.pk]))
        assert response.status_code == 200
        assert words_ in soup(response).get_text()


def test_a_pair_that_matches(page: Client, pair: RedundancyGroup) -> None:
    response = page.get(reverse("must_match", args=[pair.pk]))
    assert status(response) == "Both nodes have the same values."
    assert rows(response) == [["120 seconds"] * 2 + ["Same"], ["537 seconds"] * 2 + ["Same"]]
    assert not soup(response).select("main a.button")


def test_align_asks_with_the_change_and_does_it(
    page: Client, pair: RedundancyGroup, pub: Server, sub: Server
) -> None:
    put("relogin_upper", "900", pub)
    put("relogin_lower", "60", sub)
    shown = page.get(reverse("must_match", args=[pair.pk]))
    assert status(shown) == "2 parameters differ."
    assert [row[2] for row in rows(shown)] == ["Different", "Different"]
    link = soup(shown).select_one(f"#align-relogin_upper-{pub.pk}")
    assert link is not None
    question = page.get(str(link["href"]))
    effects = [words(li) for li in soup(question).select(".effects li")]
    assert effects == ["Client Re-Login Upper Limit on imp-sub: 900 instead of 537."]
    assert limits(sub) == (60, 537)
    done = page.post(reverse("align", args=[pair.pk]), hidden(question), follow=True)
    assert status(done).startswith("Update successful: aligned with imp-pub.")
    assert (limits(pub), limits(sub)) == ((120, 900), (60, 900))
    # And all at once, from the other side.
    put("relogin_upper", "700", sub)
    every = soup(page.get(reverse("must_match", args=[pair.pk]))).select_one(f"#align-all-{sub.pk}")
    assert every is not None
    question = page.get(str(every["href"]))
    page.post(reverse("align", args=[pair.pk]), hidden(question))
    assert limits(pub) == limits(sub) == (60, 700)
    event = HaEvent.objects.filter(kind="parameter").order_by("-pk")[0]
    assert event.actor == "ccmadmin"


def test_align_refuses_what_somebody_changed_since_it_was_asked(
    page: Client, pair: RedundancyGroup, pub: Server, sub: Server
) -> None:
    put("relogin_upper", "900", pub)
    url = reverse("align", args=[pair.pk])
    question = page.get(url, {"source": pub.pk})
    put("relogin_upper", "800", sub)
    response = page.post(url, hidden(question))
    assert response.status_code == 409
    assert "on imp-sub was changed meanwhile: it was 537, and is 800 now." in status(response)
    assert limits(sub) == (120, 800)


def test_align_when_there_is_nothing_to_align(
    page: Client, pair: RedundancyGroup, pub: Server
) -> None:
    response = page.get(reverse("align", args=[pair.pk]), {"source": pub.pk})
    assert response.status_code == 409
    assert "has the same values" in status(response)
    queries: list[dict[str, Any]] = [{}, {"source": 4711}, {"source": pub.pk, "key": "password"}]
    for query in queries:
        assert page.get(reverse("align", args=[pair.pk]), query).status_code == 404


def test_align_cannot_break_a_rule_of_the_other_node(
    pair: RedundancyGroup, pub: Server, sub: Server
) -> None:
    put("relogin_upper", "100000"[:5], pub)
    put("relogin_lower", "900", pub)
    with pytest.raises(Refused, match="must not be above"):
        align(group=pair, source=pub, keys=["relogin_lower"], actor="ann")
    align(group=pair, source=pub, actor="ann")
    assert limits(sub) == (900, 10000)


# --- login profile -----------------------------------------------------------------------------


def choose(pair: RedundancyGroup, mode: Mode, first: int, second: int | None = None) -> str:
    query = f"?size_1={first}&size_2={second or first}&mode={mode}"
    return reverse("login_profile", args=[pair.pk]) + query


def facts(response: Any) -> dict[str, str]:
    return {words(div.dt): words(div.dd) for div in soup(response).select(".facts > div")}


def notices(response: Any) -> str:
    return " ".join(words(p) for p in soup(response).select("main .notice"))


def test_nothing_is_recommended_before_sizes_are_chosen(
    page: Client, pair: RedundancyGroup, pub: Server
) -> None:
    users(pub, 3)
    response = page.get(reverse("login_profile", args=[pair.pk]))
    assert not soup(response).select(".facts, .errorlist")
    # One node without users is a standby.
    chosen = soup(response).select_one("[name=mode] [selected]")
    assert words(chosen) == "Active/Standby"
    missing = page.get(choose(pair, Mode.ACTIVE_ACTIVE, 0))
    assert missing.status_code == 422
    assert "Node Size of imp-pub" in error_at(missing, "size_1")


@pytest.mark.parametrize(
    ("mode", "size", "counted", "row", "upper", "peak", "back"),
    [
        (Mode.ACTIVE_ACTIVE, 500, 110, "up to 250 users", 287, "1.4 per second", "287 s"),
        (Mode.ACTIVE_STANDBY, 5000, 140, "up to 500 users", 287, "1.8 per second", "287 s"),
        (Mode.ACTIVE_STANDBY, 500, 140, "up to 250 users", 287, "1.8 per second", "287 s"),
    ],
)
def test_the_recommendation_says_what_it_counts_and_means(
    page: Client,
    pair: RedundancyGroup,
    pub: Server,
    sub: Server,
    mode: Mode,
    size: int,
    counted: int,
    row: str,
    upper: int,
    peak: str,
    back: str,
) -> None:
    users(pub, 110)
    users(sub, 30)
    response = page.get(choose(pair, mode, size))
    shown = facts(response)
    assert shown["Assigned Users of imp-pub"] == "110"
    assert shown["Users that count"].startswith(f"{counted} (")
    assert row in shown["Row of the table"]
    assert f"node for {size:,} users" in shown["Row of the table"]
    assert shown["Peak logins"] == peak
    assert shown["100 % are back after"] == back
    assert [line[3] for line in rows(response)] == ["120 seconds", f"{upper} seconds"]
    done = page.post(choose(pair, mode, size), hidden(response), follow=True)
    assert "both nodes have the recommended limits" in status(done)
    assert limits(pub) == limits(sub) == (120, upper)
    assert "as recommended" in rows(done)[1][1]
    sizes = Server.objects.filter(group=pair).values_list("node_size", flat=True)
    assert set(sizes) == {size}
    told = HaEvent.objects.filter(actor="ccmadmin", kind="parameter")
    assert told.count() == 2
    # Next time the sizes are known.
    again = page.get(reverse("login_profile", args=[pair.pk]))
    assert facts(again)["Row of the table"]


def test_warnings(
    page: Client, pair: RedundancyGroup, pub: Server, sub: Server, settings: Any
) -> None:
    assert "No user is assigned" in notices(page.get(choose(pair, Mode.ACTIVE_ACTIVE, 500)))
    users(pub, 251)
    users(sub, 1)
    fine = page.get(choose(pair, Mode.ACTIVE_ACTIVE, 5000))
    assert notices(fine) == ""
    assert "Single-cluster deployments only" in soup(fine).get_text()
    above = page.get(choose(pair, Mode.ACTIVE_ACTIVE, 500))
    assert "its last row is for 250. There is no recommendation." in notices(above)
    assert "Apply" not in soup(above).get_text()
    refused = page.post(choose(pair, Mode.ACTIVE_ACTIVE, 500), hidden(above))
    assert refused.status_code == 422
    assert "There is no recommendation" in status(refused)
    kept = page.post(
        choose(pair, Mode.ACTIVE_ACTIVE, 500), hidden(above) | {"only_sizes": "1"}, follow=True
    )
    assert "node sizes were kept" in status(kept)
    unequal = page.get(choose(pair, Mode.ACTIVE_ACTIVE, 5000, 2000))
    assert "unequal size" in notices(unequal)
    assert "node for 2,000 users" in facts(unequal)["Row of the table"]
    standby = page.get(choose(pair, Mode.ACTIVE_STANDBY, 5000))
    assert "users are assigned to imp-pub and imp-sub" in notices(standby)
    put("critical_service_delay", "60")
    delay = page.get(choose(pair, Mode.ACTIVE_ACTIVE, 5000))
    assert "Critical Service Delay is 60 s. When it is changed the Lower Limit must" in notices(
        delay
    )
    put("critical_service_delay", "120")
    assert notices(page.get(choose(pair, Mode.ACTIVE_ACTIVE, 5000))) == ""
    for n in range(5):
        add_server(name=f"more-{n}", server_type="imp", actor="")
    assert "single-cluster deployments only. Here are 7" in notices(
        page.get(choose(pair, Mode.ACTIVE_ACTIVE, 5000))
    )


def test_the_contradiction_of_the_guide_is_told_and_its_table_followed(
    page: Client, pair: RedundancyGroup, pub: Server
) -> None:
    users(pub, 90)
    shown = page.get(choose(pair, Mode.ACTIVE_ACTIVE, 500))
    told = soup(shown).get_text(" ", strip=True)
    assert "The vendor's guide contradicts itself on the Lower Limit" in told
    assert "Critical Service Delay, 90 s by default, and the 120 s of every row" in told
    assert "assume a delay of 120 s. The table is followed here." in told
    assert rows(shown)[0][3] == "120 seconds"


def test_more_groups_than_one_cluster_has(pair: RedundancyGroup) -> None:
    for n in range(3):
        server = add_server(name=f"more-{n}", server_type="imp", actor="")
        add_group(name=f"more-{n}", first=server, actor="")
    sizes = dict.fromkeys(pair.servers.values_list("pk", flat=True), 5000)
    found = profile(pair, Mode.ACTIVE_ACTIVE, sizes)
    assert any("in 4 groups" in warning for warning in found.warnings)


@pytest.mark.parametrize("what", ["users", "limits"])
def test_what_changed_since_it_was_shown_is_not_applied(
    page: Client, pair: RedundancyGroup, pub: Server, what: str
) -> None:
    users(pub, 90)
    url = choose(pair, Mode.ACTIVE_ACTIVE, 500)
    shown = page.get(url)
    if what == "users":
        users_more = [(f"m{n}", "", f"m{n}@example.com", pub) for n in range(20)]
        add_users(rows=users_more, actor="")
    else:
        put("relogin_upper", "800", pub)
    response = page.post(url, hidden(shown))
    assert response.status_code == 409
    assert "meanwhile" in status(response)
    assert limits(pub)[0] == 120
    assert limits(pub)[1] in {537, 800}
    assert Server.objects.get(pk=pub.pk).node_size is None
    assert page.post(url, hidden(response)).status_code == 302


def test_the_operation_judges_what_it_is_given(pair: RedundancyGroup, pub: Server) -> None:
    sizes = dict.fromkeys(pair.servers.values_list("pk", flat=True), 5000)

    def apply(**changes: Any) -> None:
        given: dict[str, Any] = {"group": pair, "mode": Mode.ACTIVE_ACTIVE, "sizes": sizes}
        apply_login_profile(**(given | changes), actor="ann")

    cases: list[tuple[dict[str, Any], type[Refused], str]] = [
        ({"sizes": {}}, Refused, "Choose the size of imp-pub"),
        ({"sizes": sizes | {pub.pk: 123}}, Refused, "Choose the size"),
        ({"values": {"relogin_upper": "1"}}, Stale, "changed meanwhile"),
        ({"expected": {pub.pk: {"relogin_upper": "1"}}}, Stale, "was changed meanwhile"),
    ]
    for changes, kind, rule in cases:
        with pytest.raises(kind, match=rule):
            apply(**changes)
    assert not ServiceParameter.objects.exists()
    apply()


def test_a_read_only_user_looks_and_applies_nothing(
    read_only: Client, page: Client, pair: RedundancyGroup, pub: Server
) -> None:
    put("relogin_upper", "900", pub)
    sent = hidden(page.get(choose(pair, Mode.ACTIVE_ACTIVE, 500)))
    assert facts(read_only.get(choose(pair, Mode.ACTIVE_ACTIVE, 500)))
    assert read_only.post(choose(pair, Mode.ACTIVE_ACTIVE, 500), sent).status_code == 403
    shown = read_only.get(reverse("must_match", args=[pair.pk]))
    assert [row[2] for row in rows(shown)] == ["Same", "Different"]
    assert not soup(shown).select("main a.button")
    assert not soup(shown).select("main form[method=post]")
    url = reverse("align", args=[pair.pk])
    assert read_only.get(url, {"source": pub.pk}).status_code == 403
    assert read_only.post(url, {"source": pub.pk}).status_code == 403


def test_the_pages_ask_few_queries(
    page: Client, pair: RedundancyGroup, django_assert_max_num_queries: Callable
) -> None:
    for url in (reverse("must_match", args=[pair.pk]), choose(pair, Mode.ACTIVE_ACTIVE, 500)):
        with django_assert_max_num_queries(20):
            page.get(url)


def test_the_measured_ceiling_stands_beside_the_table_where_somebody_measured(
    page: Client, pair: RedundancyGroup, pub: Server
) -> None:
    users(pub, 300)
    chosen = "size_1=5000&size_2=5000&mode=Active/Active"
    address = f"{reverse('login_profile', args=[pair.pk])}?{chosen}"

    def shown() -> str:
        return words(soup(page.get(address)).select_one("main"))

    assert "ceiling" not in shown().lower()
    keep_ceiling(rate=41.66, seconds=10, clients=500, connections=4)
    told = shown()
    assert "Measured ceiling of this lab 41.7 per second of wall time (manage.py jabber on" in told
    assert "500 clients, 4 logins at a time, over 10 s," in told
    assert "more than the" not in told
    # 300 clients between 120 s and 203 s are 3.6 a second, as the lab's clock goes.
    LabClock.objects.update_or_create(defaults={"real_at": 0, "lab_at": 0, "rate": 12})
    assert "these limits ask for 43.4 logins per second of wall time, more than the 41.7" in shown()
