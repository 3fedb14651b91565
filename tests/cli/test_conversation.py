"""What is set for a conversation, and what a command line without one says."""

import io

import pytest
from django.core.management import call_command

from redundancy.cli.grammar import Session, Style
from redundancy.cli.run import run
from redundancy.errors import Refused
from redundancy.management.commands import admincli
from redundancy.models import RedundancyGroup
from tests.cli.conftest import Cli

pytestmark = pytest.mark.django_db


def said(line: str, session: Session, *, sure: bool = True) -> list[str]:
    return list(
        run(
            line,
            actor="ann",
            warn=pytest.fail,
            confirm=lambda: sure,
            may_write=False,
            session=session,
        )
    )


def test_pages(cli: Cli) -> None:
    session = Session(Style.GUIDE, paged=True, idle=60.0)
    for what in ("Off", "On"):
        assert said(f"set cli pagination {what}", session) == [
            f"Automatic pagination is turned {what.lower()}"
        ]
        assert said("show cli pagination", session) == [f"Automatic Pagination : {what}."]
        assert session.paged is (what == "On")
    # A script with the same lines runs where there are no pages.
    assert cli("set cli pagination off").lines == ["Automatic pagination is turned off"]
    assert cli("show cli pagination").lines == ["Automatic Pagination : Off."]
    assert cli("set cli pagination on").errors == ["Pages are made in sessions over SSH only."]


def test_the_timeout(cli: Cli) -> None:
    session = Session(Style.GUIDE, paged=True, idle=1800.0)
    assert said("show cli session timeout", session) == ["The session timeout is set to 30 minutes"]
    with pytest.raises(Refused, match="Nothing was done"):
        said("set cli session timeout 5", session, sure=False)
    assert session.idle == 1800
    for wrong in ("0", "x", "100000", "²", "-5", "1.5"):
        with pytest.raises(Refused, match="from 1 to 99999"):
            said(f"set cli session timeout {wrong}", session)
    said("set cli session timeout 5", session)
    assert session.idle == 300
    for line in ("set cli session timeout 5", "show cli session timeout"):
        assert cli(line).errors == ["Only sessions over SSH end when they are idle."]


def test_the_style_holds_for_the_lines_that_follow(
    cluster: RedundancyGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It is the connection of the test.
    monkeypatch.setattr(admincli, "close_old_connections", lambda: None)
    monkeypatch.setattr("sys.stdin", io.StringIO("set cli style field\nutils ha status\n"))
    out = io.StringIO()
    call_command("admincli", stdout=out)
    assert "\tName: imp-pub\n\tState: Unknown\n" in out.getvalue()
