"""The lab's own SSH server, watched as a real cluster is: its states, its failover, an alarm of it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from pytest_django.fixtures import Settings

from redundancy.cluster import reads
from redundancy.models import Alarm, ClusterSnapshot, ClusterWatch, RedundancyGroup
from redundancy.srm.words import english
from redundancy.watch import alarming
from tests.pull.test_own import failed_over, known, public
from tests.ssh.conftest import PASSWORD, Play, Site
from tests.watch.test_asking import once


def states() -> list[str]:
    """How the nodes of the last snapshot are told to be."""
    row = ClusterSnapshot.objects.latest("pk")
    nodes = reads.whole(row).nodes
    told = [nodes[name].state for name in ("imp-pub", "imp-sub")]
    return [state.text for state in told if state is not None]


@pytest.mark.parametrize("style", ["guide", "field"])
def test_a_lab_is_watched_over_ssh(
    play: Play,
    keys: list[Path],
    cluster: RedundancyGroup,
    tmp_path: Path,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    style: str,
) -> None:
    monkeypatch.setattr("redundancy.selectors.observing.sees", lambda: True)
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o600)
    settings.CLI_STYLE = style
    settings.WATCH_KIND, settings.WATCH_HOST, settings.WATCH_USER = "ssh", "127.0.0.1", "looker"
    settings.WATCH_NAME, settings.WATCH_PASSWORD_FILE = "Lisbon", secret

    async def aside(do: Callable[[], Any]) -> Any:
        def work() -> Any:
            try:
                return do()
            finally:
                connections.close_all()

        return await asyncio.to_thread(work)

    async def conversation(site: Site) -> None:
        settings.WATCH_PORT = site.port
        settings.WATCH_KNOWN_HOSTS = known(tmp_path, site.port)
        said = await aside(once)
        assert "failed, since " in said
        assert "Host key: 127.0.0.1 shows SHA256:" in said
        settings.WATCH_KNOWN_HOSTS = known(tmp_path, site.port, *public(keys))
        first = await aside(once)
        assert first.startswith(f"ssh://looker@127.0.0.1:{site.port}: seen; Lisbon is as snapshot:")
        assert await aside(states) == ["Unknown", "Unknown"]
        # Nothing is different.
        assert await aside(once) == first
        await aside(lambda: failed_over(cluster))
        second = await aside(once)
        assert second != first
        assert await aside(states) == ["Idle", "Running in Backup Mode"]

    play(conversation)
    assert ClusterWatch.objects.get().failing_since is None
    assert ClusterSnapshot.objects.filter(kept=True).count() == 2
    alarming.reconcile(datetime.now(UTC))
    told = [english(alarm.sentence) for alarm in Alarm.objects.filter(kind="SRMFailover")]
    assert len(told) == 1
    assert told[0].startswith("Lisbon (real): imp-pub: Idle / On Admin Request; imp-sub: Running")
