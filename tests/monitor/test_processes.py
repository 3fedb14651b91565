"""The processes behind the pages, each by itself: whether it works, and who took whose place."""

import pytest
from django.test import Client
from django.urls import reverse

from redundancy import bus, pulse, workers
from redundancy.monitor import processes
from tests.pages.html import soup, words
from tests.swept import tell


@pytest.mark.parametrize(
    ("warn", "tone", "warning"),
    [
        (lambda: tell("moves", seen=90), "unseen", "Gone: it did not end in order, and nothing"),
        (lambda: tell("beat", seen=1, ahead=20.0), "warn", "Its clock is 20 s fast."),
        (
            lambda: tell("moves", seen=1, canary=False),
            "warn",
            "It does not work off its queue: no canary has run for 3600 s.",
        ),
    ],
)
def test_what_somebody_should_see_to_is_told_and_answers_200(
    page: Client, running: None, client: Client, warn: object, tone: str, warning: str
) -> None:
    assert callable(warn)
    warn()
    assert (client.get("/healthz").status_code, client.get("/healthz").content) == (
        200,
        b"ok\nprocess\n",
    )
    shown = soup(page.get(reverse("beat_monitor")))
    assert warning in words(shown.select_one(f"#processes-frame tbody tr .tone-{tone}"))
    assert "not all processes work" in words(shown.select_one("#live"))
    assert b'srm_process_works{process="' in client.get("/metrics").content


def test_nobody_knows_of_a_quiet_one_whether_it_works(
    page: Client, running: None, client: Client
) -> None:
    def told(seen: float) -> list[str]:
        tell("moves", seen=seen)
        shown = soup(page.get(reverse("beat_monitor")))
        cells = [shown.select("#live > fieldset")[0].p, *shown.select("#live td .tone")]
        return [words(cell) for cell in cells if cell is not None]

    verdict, *_ = told(14)
    assert verdict.startswith("Beat, workers, bus and database work")
    verdict, of_sweeps, of_moves, process = told(16)
    assert verdict.startswith("The pages are up to date; of some processes it is not known")
    assert (of_sweeps, of_moves) == (
        "Works",
        "Not known: nothing was heard of its worker for 16 s.",
    )
    assert process == "Not known: nothing was heard of it for 16 s."
    # It may be at a long task: nobody is called for that.
    assert client.get("/healthz").content == b"ok\n"


def test_a_queue_is_worked_off_by_whoever_was_heard_of() -> None:
    def process(seen: float, role: str = "sweep, moves") -> processes.Process:
        (found,) = processes.look_at_processes([sign("a", 990, 1000 - seen, role)], 1000)
        return found

    assert processes.idle_queue("moves", []) == ""
    assert processes.idle_queue("moves", [process(20)]).endswith("for 20 s.")
    assert processes.idle_queue("moves", [process(20), process(90)]).endswith("for 20 s.")
    assert processes.idle_queue("moves", [process(20), process(1)]) == ""
    assert processes.idle_queue("moves", [process(20, "sweep")]) == ""


def sign(name: str, began: float, seen: float, role: str = "sweep") -> workers.Sign:
    return workers.Sign(name, role, began, seen)


@pytest.mark.parametrize(
    ("known", "replaced"),
    [
        ([sign("a", 0, 1000)], []),
        # Silent, and nobody began since.
        ([sign("a", 0, 500), sign("b", 0, 1000)], []),
        ([sign("a", 0, 500), sign("b", 501, 1000)], ["a"]),
        ([sign("a", 0, 500), sign("b", 501, 1000, "moves")], []),
        # Of two that were killed one was started again.
        ([sign("a", 0, 500), sign("b", 0, 499), sign("c", 600, 1000)], ["a"]),
        (
            [sign("a", 0, 500), sign("b", 0, 499), sign("c", 600, 999), sign("d", 700, 1000)],
            ["a", "b"],
        ),
        # One beat is enough.
        ([sign("a", 0, 500, "beat"), sign("b", 0, 1000, "beat")], ["a"]),
    ],
)
def test_who_began_takes_the_place_of_one_that_was_killed(
    known: list[workers.Sign], replaced: list[str]
) -> None:
    assert [each.name for each in workers.replaced(known, 1000)] == replaced


def test_signs_of_the_dead_are_forgotten_with_what_waits_for_them(running: None) -> None:
    tell("sweep", seen=workers.FORGET_SECONDS + 1)
    tell("moves", seen=90)
    for name in ("sweep@here", "moves@here"):
        bus.client().lpush(workers.own_queue(name).name, "x")
    workers.forget_old(pulse.now())
    assert [each.name for each in workers.signs()] == ["moves@here"]
    assert bus.client().keys("canary:*") == ["canary:moves@here"]
