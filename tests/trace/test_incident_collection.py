"""Logs of an incident: its span, and its report among them."""

import pytest
from django.test import Client
from django.urls import reverse

from redundancy.models import (
    Incident,
    LogCollection,
)
from redundancy.operations import groups, services
from redundancy.traces.reads import AROUND, LONGEST, span_of
from tests.live.pair import ROUTER, Pair, server
from tests.pages.html import rows, soup, status
from tests.trace.collected import FILES, collect, zipped


@pytest.fixture
def incident(pair: Pair) -> Incident:
    """imp-pub has failed over, and nobody has done anything about it."""
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="ann")
    pair.run(95)
    return Incident.objects.get()


def test_of_an_incident_its_report_is_collected_too(
    page: Client,
    read_only: Client,
    pair: Pair,
    incident: Incident,
    queued: list[tuple[int, int, int]],
) -> None:
    told = reverse("incident", args=[incident.pk])
    link = soup(page.get(told)).find("a", string="Collect logs")
    assert link is not None
    assert soup(read_only.get(told)).find("a", string="Collect logs") is None
    shown = soup(page.get(str(link["href"])))
    chosen = shown.select_one("#id_incident option[selected]")
    assert chosen is not None
    assert chosen["value"] == str(incident.pk)
    # Whatever else stands in the form.
    sent = {"incident": incident.pk, "group": incident.group_id, "since": "", "until": "soon"}
    begun = page.post(reverse("log_collection"), sent, follow=True)
    assert f"Incident {incident.pk}" in rows(begun)[0][0]
    collect(queued)
    job = LogCollection.objects.get()
    opened = incident.opened_at.timestamp()
    assert (job.since, job.until) == (opened - AROUND, pair.clock.now), "it is open"
    with zipped(job) as file:
        assert set(file.namelist()) == FILES | {"incident.txt"}
        report, readme = (file.read(name).decode() for name in ("incident.txt", "README.txt"))
    assert f"incident.txt             the report of incident {incident.pk}" in readme
    for words in (
        f"Cause: {incident.cause} (Critical Service Down)",
        "Closed: not yet",
        "Failover: 500 sessions to imp-sub",
        "ann: Cisco XCP Router on imp-pub was stopped",
        "Critical Service Delay 120 s: ",
        "imp-sub: Running in Backup Mode. The sessions of all users are here.",
    ):
        assert words in report


def test_the_span_of_an_incident_goes_around_it(pair: Pair, incident: Incident) -> None:
    now = pair.clock.now
    opened = incident.opened_at.timestamp()
    assert span_of(incident, now + 9 * 86400)[1] == opened - AROUND + LONGEST
    group = incident.group
    assert group is not None
    groups.disable_ha(group=group, actor="ann")
    incident.refresh_from_db()
    assert span_of(incident, now) == (opened - AROUND, now)
    assert span_of(incident, now + 3600) == (opened - AROUND, now + AROUND)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("x", "incident: must be the number of an incident."),
        ("-1", "incident: must be the number of an incident."),
        ("9" * 30, "incident: must be the number of an incident."),
        ("999", "incident: there is no incident 999 of a group that still exists."),
    ],
)
def test_a_bad_incident_number_is_refused(page: Client, pair: Pair, number: str, why: str) -> None:
    address = reverse("log_collection")
    answer = page.get(address, {"incident": number})
    assert answer.status_code == 400
    assert why in answer.content.decode()
    posted = page.post(address, {"incident": number, "group": server("imp-pub").group_id})
    assert posted.status_code == 422
    assert "Incident: choose one of the list." in status(posted)
    assert not LogCollection.objects.exists()
