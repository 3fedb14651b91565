"""``manage.py rehearse``: what it prints, and its exit code."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from redundancy.errors import Refused
from redundancy.models import NodeRuntime, Server, ServiceParameter
from redundancy.operations import sample
from redundancy.parameters.writes import parameters
from redundancy.srm.states import State
from tests.swept import just_swept

GOOD = """\
name: HA is enabled
steps:
  - {at: 0s, do: enable ha}
  - {by: 30s, expect: {imp-pub: Normal / Normal}}
"""


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "good.yaml"
    path.write_text(GOOD)
    return str(path)


@pytest.fixture
def missed(tmp_path: Path) -> str:
    path = tmp_path / "missed.yaml"
    path.write_text(GOOD.replace("Normal / Normal", "Idle"))
    return str(path)


def rehearse(*words: str) -> str:
    out = io.StringIO()
    call_command("rehearse", *words, stdout=out)
    return out.getvalue()


def fails(*words: str) -> tuple[int, str, str]:
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("rehearse", *words, stdout=out)
    return caught.value.returncode, str(caught.value), out.getvalue()


def test_all_that_holds_ends_well(good: str) -> None:
    text = rehearse(good, good)
    assert text.count("HELD: 1 of 1 expectations") == 2
    assert f"HA is enabled ({good}, in virtual time)" in text
    assert "imp-pub: Normal / Normal" in text


def test_one_that_is_missed_ends_with_1_after_all_were_played(good: str, missed: str) -> None:
    code, why, text = fails(missed, good)
    assert (code, why) == (1, f"Missed: {missed}")
    assert "MISSED by 30s: imp-pub: Idle" in text
    assert "MISSED: 1 of 1 expectations" in text
    assert "HELD: 1 of 1" in text


def test_of_five_of_which_one_is_missed_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "five.yaml"
    held = "".join(f"  - {{at: {n}m, expect: {{imp-pub: Normal}}}}\n" for n in (1, 2, 3))
    path.write_text(f"{GOOD}{held}  - {{at: 4m, expect: {{imp-pub: Idle}}}}\n")
    _, _, text = fails(str(path))
    assert text.rstrip().endswith("MISSED: 1 of 5 expectations")


def test_a_bad_file_ends_with_2_before_anything_is_played(good: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(GOOD.replace("enable ha", "enabel ha"))
    code, why, text = fails(good, str(bad))
    assert (code, text) == (2, "")
    assert why.startswith(f"{bad}:3: expected one of enable ha")


def test_machines_get_one_document(good: str, missed: str) -> None:
    code, _, text = fails("--json", good, missed)
    answer: dict[str, Any] = json.loads(text)
    assert (code, answer["held"]) == (1, False)
    assert [each["held"] for each in answer["rehearsals"]] == [True, False]
    timeline = answer["rehearsals"][1]["timeline"]
    assert timeline[0] == {
        "kind": "action",
        "at": 0,
        "line": 3,
        "action": "enable ha",
        "refused": None,
        "cautions": [],
    }
    assert timeline[-1]["found"]["states"]["imp-pub"] == {"state": "Normal", "reason": "Normal"}
    assert {line["kind"] for line in timeline} == {"action", "change", "expectation"}


@pytest.mark.django_db
def test_live_needs_a_running_system(good: str, valkey: str) -> None:
    code, why, text = fails("--live", good)
    assert (code, text) == (2, "")
    assert "no sweep has run" in why


@pytest.mark.django_db
def test_live_beside_a_pair_in_failed_mode_is_refused(good: str, valkey: str) -> None:
    sample.load_sample_cluster(actor="")
    NodeRuntime.objects.update(state=State.FAILED)
    NodeRuntime.objects.filter(server__name="imp-sub").update(state=State.FAILED_OVER)
    just_swept()
    names = list(Server.objects.order_by("pk").values_list("name", flat=True))
    own = GOOD.replace("imp-pub", "other-pub")
    Path(good).write_text(f"nodes: [other-pub, other-sub]\nusers: {{other-pub: 1}}\n{own}")
    code, why, text = fails("--live", good)
    assert (code, text) == (2, "")
    assert why.startswith("The rehearsal cannot be set up: No user can be added or assigned")
    assert names == list(Server.objects.order_by("pk").values_list("name", flat=True))


@pytest.mark.django_db
def test_live_what_cannot_be_removed_is_told_and_the_rest_is_removed(
    good: str, valkey: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise Refused("Somebody else is at it.")

    parameters.set_parameter(key="critical_service_delay", value="300", actor="")
    monkeypatch.setattr("redundancy.rehearsal.cast.Cast.remove", refuse)
    monkeypatch.setattr("redundancy.rehearsal.live._play", lambda *_: None)
    just_swept()
    code, why, _ = fails("--live", good)
    assert (code, why) == (
        2,
        "What the rehearsal made could not be removed, or put back: Somebody else is at it.",
    )
    assert ServiceParameter.objects.get().value == "300"


@pytest.mark.django_db
def test_live_faults_need_the_fault_lab(good: str, settings: Settings) -> None:
    settings.FAULT_LAB = False
    Path(good).write_text(GOOD.replace("enable ha", "cut link"))
    code, why, _ = fails("--live", good)
    assert code == 2
    assert "good.yaml:3: cut link needs the Fault Lab" in why


@pytest.mark.parametrize("option", ["--slack=-1", "--slack=nan", "--together=0", "--together=x"])
def test_an_option_out_of_its_limits_is_refused(good: str, option: str) -> None:
    with pytest.raises(CommandError, match=option.split("=")[0]):
        call_command("rehearse", good, option)
