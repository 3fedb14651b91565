"""The command line speaks English, whatever language is active and the terminal asks for."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import translation

from redundancy.models import RedundancyGroup
from redundancy.operations.groups import enable_ha
from redundancy.operations.sample import load_sample_cluster
from tests.language.marking import OPEN, marking

LOOKS = (
    "utils ha status",
    "utils ha status DefaultCUPSubCluster",
    "utils service list imp-pub",
    "show network cluster",
    "show status",
    "show perf list classes",
    'show perf list instances "Cisco XCP JSM Session Counters"',
    "run pe sql ttlogin select * from clientsessions",
    "run sql select * from enterprisenode",
    "run sql select * from enterprisesubcluster",
    "utils ha fallback imp-pub",
    "utils ha failover nobody",
    "utils ha recover DefaultCUPSubCluster",
    "utils service stop Cisco SIP Proxi",
    "utils shutdown",
    "file list activelog epas/trace",
    "file view activelog epas/../trace",
    "file get activelog epas/trace recurs",
    "file build log ha 9",
    "set cli pagination off",
    "show cli session timeout",
)
DEEDS = (
    "utils service stop Cisco XCP Router imp-pub",
    "utils service start Cisco XCP Router imp-pub",
    "utils service restart Cisco SIP Proxy imp-pub",
    "utils service activate Cisco XCP Message Archiver imp-pub",
    "utils service deactivate Cisco Presence Engine imp-pub",
    "utils system shutdown imp-sub",
    "utils system poweron imp-sub",
    "utils system restart imp-pub",
)
SCENARIO = """\
name: A service fails
steps:
  - {at: 0s, do: enable ha}
  - {by: 30s, expect: {imp-pub: Normal / Normal}}
  - {at: 1m, do: stop Cisco XCP Router on imp-pub}
  - {by: 5m, expect: {imp-pub: Idle}}
"""


@pytest.fixture
def pair(db: None, monkeypatch: pytest.MonkeyPatch) -> RedundancyGroup:
    monkeypatch.setattr("redundancy.operations.sample.USERS", 4)
    group = load_sample_cluster(actor="tester")
    return enable_ha(group=group, actor="tester")


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "scenario.yaml"
    path.write_text(SCENARIO)
    return path


def printed(command: str, *words: str) -> str:
    """Return what the command prints, and what it complains about."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(command, *words, stdout=out, stderr=err, no_color=True)
    except CommandError as error:
        err.write(str(error))
    except SystemExit:
        pass
    return out.getvalue() + err.getvalue()


def printed_in_portuguese(command: str, *words: str) -> str:
    """Return the same where Portuguese is active."""
    with marking(), translation.override("pt-br"):
        return printed(command, *words)


def test_commands_print_the_same(pair: RedundancyGroup) -> None:
    for line in LOOKS:
        said = printed("admincli", line)
        assert said, line
        assert printed_in_portuguese("admincli", line) == said
    for line in DEEDS:
        said = printed_in_portuguese("admincli", line)
        assert said, line
        assert OPEN not in said


def test_a_rehearsal_prints_the_same(scenario: Path) -> None:
    said = printed("rehearse", str(scenario))
    assert "MISSED" in said
    assert printed_in_portuguese("rehearse", str(scenario)) == said


def test_reports_of_an_own_cluster_print_the_same(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    status = "Subcluster Name: G\nNode 1 Name : a State: Normal\nNode 2 Name : b State: {}\n"
    before.write_text(status.format("Normal"))
    after.write_text(status.format("Running in Backup Mode Reason: Peer Down"))
    for words in (
        ("import_cluster", "--dry-run", str(after)),
        ("import_cluster", "--dry-run", "--json", str(after)),
        ("compare_clusters", str(before), str(after)),
        ("compare_clusters", "--json", str(before), str(after)),
    ):
        said = printed(*words)
        assert "Running in Backup Mode" in said
        assert printed_in_portuguese(*words) == said


@pytest.mark.process
def test_a_terminal_in_portuguese_is_answered_in_english(scenario: Path) -> None:
    def told(language: str) -> str:
        words = [sys.executable, "manage.py", "rehearse", str(scenario)]
        variables = os.environ | {"LANG": language, "LC_ALL": language, "LANGUAGE": language}
        done = subprocess.run(
            words, cwd=settings.BASE_DIR, env=variables, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    said = told("C.UTF-8")
    assert "MISSED" in said
    assert told("pt_BR.UTF-8") == said
