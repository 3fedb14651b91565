"""The traces of a pair that is swept, as they are kept and on the page."""

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from redundancy import trace_store
from redundancy.errors import Refused
from redundancy.models import EventKind, HaEvent, ServerType, TracePiece
from redundancy.operations import power, servers, services
from redundancy.traces.reads import LINES, tail
from redundancy.traces.writes import set_trace_level
from tests.live.pair import ROUTER, Pair, server
from tests.pages.html import soup, status, words


def test_a_failover_is_in_the_trace_of_both_nodes(pair: Pair) -> None:
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="")
    pair.run(95)
    failed, backup = (list(trace_store.read(server(name).pk)) for name in ("imp-pub", "imp-sub"))
    assert any("Cisco XCP Router is not running" in line for line in failed)
    assert failed[-1].endswith(
        "peer states vector changed to [Running in Backup Mode,"
        "Failed Over with Critical Services not Running]"
    )
    assert any(line.endswith("[Failing Over,Taking Over]") for line in backup)


def test_the_peer_down_line_tells_the_silence(pair: Pair) -> None:
    pair.run(30)
    power.power_off(server=server("imp-sub"), actor="")
    pair.run(70)
    down = [line for line in trace_store.read(server("imp-pub").pk) if "peer down" in line]
    assert [line.rpartition("= ")[2] for line in down] == ["60"]


def test_heartbeats_are_written_at_the_level_debug_alone(pair: Pair) -> None:
    pair.run(30)
    pk = server("imp-pub").pk
    assert not any(" DEBUG " in line for line in trace_store.read(pk))
    set_trace_level(server=server("imp-pub"), level="DEBUG", actor="ann")
    pair.run(30)
    assert sum("heartbeat received from imp-sub" in line for line in trace_store.read(pk)) == 2
    assert not any(" DEBUG " in line for line in trace_store.read(server("imp-sub").pk))
    said = HaEvent.objects.get(kind=EventKind.ADMIN, sentence__contains="trace level")
    assert (said.actor, said.sentence) == (
        "ann",
        "SRM trace level of imp-pub was changed from Info to Debug.",
    )


def test_an_unknown_level_is_refused(pair: Pair) -> None:
    with pytest.raises(Refused, match="must be one of Error, Warn, Info, Debug"):
        set_trace_level(server=server("imp-pub"), level="Loud", actor="ann")


def test_about_the_last_bytes_are_kept_and_of_each_node_for_itself(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_store, "KEPT_BYTES", 2_000)
    monkeypatch.setattr(trace_store, "TRIM_BYTES", 100)
    pub, sub = server("imp-pub").pk, server("imp-sub").pk
    of_sub = list(trace_store.read(sub))
    for number in range(200):
        trace_store.append({pub: [f"line {number:04} {'x' * 40}"]})
    kept = [int(line.split()[1]) for line in trace_store.read(pub)]
    assert kept == list(range(kept[0], 200))
    # Trimmed by chance: each row of 50 bytes is, one time in two.
    assert 2_000 // 50 - 1 <= len(kept) <= 2_000 // 50 + 40
    assert list(trace_store.read(sub)) == of_sub


def test_a_database_that_takes_no_trace_harms_nobody(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(trace_store, "insert", full)
    services.stop_service(server=server("imp-pub"), name=ROUTER, actor="")
    pair.run(95)
    assert pair.states()[1] == "Running in Backup Mode"
    assert "no trace is written: database or disk is full" in caplog.text


def test_the_trace_of_a_deleted_node_goes_with_it(db: None) -> None:
    node = servers.add_server(name="cucm-sub", server_type=ServerType.CUCM, actor="ann")
    trace_store.append({node.pk: ["a line"]})
    servers.delete_server(server=node, actor="ann")
    assert not TracePiece.objects.exists()


def test_a_page_that_follows_a_node_is_told_that_it_was_deleted(page: Client, pair: Pair) -> None:
    for lines in ([], ["a line"]):
        node = servers.add_server(name="imp-9", server_type=ServerType.IMP, actor="ann")
        trace_store.append({node.pk: lines})
        shown = soup(page.get(reverse("srm_trace"), {"server": node.pk})).select_one("#live")
        assert shown is not None
        servers.delete_server(server=node, actor="ann")
        assert page.get(str(shown["hx-get"])).status_code == 404


def test_the_page_shows_searches_and_follows(page: Client, pair: Pair) -> None:
    pub = server("imp-pub")
    address = reverse("srm_trace") + f"?server={pub.pk}"
    shown = soup(page.get(address))
    assert "[Normal,Normal]" in words(shown.select_one("#trace-lines"))
    live = shown.select_one("#live")
    assert live is not None
    assert page.get(str(live["hx-get"])).status_code == 204
    trace_store.append({pub.pk: ["something <new>"]})
    assert "something <new>" in words(soup(page.get(str(live["hx-get"]))).select_one("pre"))
    found = words(soup(page.get(address + "&search=PEER+states")).select_one("pre"))
    assert found.count("peer states vector changed") == found.count("rsrm.") > 0
    assert "No line contains" in page.get(address + "&search=nonsense").content.decode()
    for node in (0, "nonsense"):
        assert page.get(reverse("srm_trace"), {"server": node, "fragment": "1"}).status_code == 404
    whole = b"".join(page.get(reverse("srm_trace_download", args=[pub.pk])))
    assert whole.decode().splitlines() == list(trace_store.read(pub.pk))


def test_only_the_last_lines_are_shown(db: None, pair: Pair) -> None:
    pub = server("imp-pub")
    trace_store.append({pub.pk: [f"line {number}" for number in range(LINES + 5)]})
    shown = tail(pub.pk, "line")
    assert (len(shown.lines), shown.more, shown.lines[-1]) == (LINES, True, f"line {LINES + 4}")


def test_the_level_is_set_on_the_page_by_who_may(
    page: Client, read_only: Client, pair: Pair
) -> None:
    pub = server("imp-pub")
    address = reverse("srm_trace_level", args=[pub.pk])
    assert status(page.post(address, {"level": "WARN"}, follow=True)) == "Update successful"
    refused = page.post(address, {"level": "x"})
    assert refused.status_code == 422
    assert "Trace level must be one of" in status(refused)
    assert read_only.post(address, {"level": "INFO"}).status_code == 403
    assert not soup(read_only.get(reverse("srm_trace") + f"?server={pub.pk}")).select("#level")
