"""Performance counters: what can be asked, and who is counted."""

import pytest

from redundancy.catalog import CONNECTION_MANAGER, PRESENCE_ENGINE, XCP_ROUTER
from redundancy.cli.performance import SESSION_COUNTERS
from redundancy.clock import lab_now
from redundancy.models import EnterpriseParameter, PresenceSession, RedundancyGroup
from redundancy.operations import services
from tests.cli.conftest import Cli

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("counter", "service"),
    [
        ('"Cisco XCP CM" "CmConnectedSockets"', CONNECTION_MANAGER),
        ('"Cisco Presence Engine" ActiveJsmSessions', PRESENCE_ENGINE),
    ],
)
def test_counters_of_sessions(
    cli: Cli, cluster: RedundancyGroup, counter: str, service: str
) -> None:
    line = f"show perf query counter {counter}"
    first, second = (cluster.servers.get(slot=slot) for slot in (1, 2))
    here = PresenceSession.objects.filter(node=first)
    name = counter.split()[-1].strip('"')
    assert cli(line).lines[-1] == f"{name} = {here.count()}"
    waits = lab_now() + 500
    PresenceSession.objects.filter(pk__in=here.values("pk")[:3]).update(relogin_at=waits)
    # As scripts write it, in upper and lower case.
    assert cli(f"{line.lower()} imp-pub").lines[-1] == f"{name} = {here.count() - 3}"
    services.stop_service(server=second, name=service, actor="")
    stopped = cli(f"{line} imp-sub")
    assert (stopped.code, stopped.lines) == (1, [])
    assert f"{service} does not run on imp-sub" in stopped.errors[0]


def test_what_is_not_there_names_what_is(cli: Cli, cluster: RedundancyGroup) -> None:
    shown = cli("show perf query counter Memory Used")
    assert (shown.code, shown.lines) == (1, [])
    assert "There is no counter 'Used' of 'Memory'" in shown.errors[0]
    assert '"Cisco XCP CM" "CmConnectedSockets"' in shown.errors[0]
    for what in ("counters", "instances"):
        shown = cli(f"show perf list {what} Memory")
        assert (shown.code, shown.lines) == (1, [])
        assert "There is no object 'Memory'; there are " in shown.errors[0]


def test_what_can_be_asked(cli: Cli, cluster: RedundancyGroup) -> None:
    shown = cli("show perf list classes imp-sub").lines
    assert shown[:2] == ["Node Name : imp-sub", "Perf classes:"]
    assert shown[2:] == ["Cisco Presence Engine", "Cisco XCP CM", SESSION_COUNTERS]
    for name, counters in (("cisco xcp cm", ["CmConnectedSockets"]), (SESSION_COUNTERS, [])):
        assert cli(f'show perf list counters "{name}"').lines[2:] == counters


def test_an_instance_for_each_client_that_is_logged_in(cli: Cli, cluster: RedundancyGroup) -> None:
    line = f'show perf list instances "{SESSION_COUNTERS}"'
    node = cluster.servers.get(slot=1)
    here = PresenceSession.objects.filter(node=node).order_by("pk")
    addresses = [session.user.im_address for session in here.select_related("user")]
    assert cli(line).lines == [
        "Node Name : imp-pub",
        f"Perf class ({SESSION_COUNTERS}) has instances:",
        *(f"{address}/1" for address in addresses),
    ]
    EnterpriseParameter.objects.update_or_create(key="clients_per_user", defaults={"value": "2"})
    PresenceSession.objects.filter(pk=here[0].pk).update(relogin_at=lab_now() + 500)
    assert cli(line).lines[2:4] == [f"{addresses[1]}/1", f"{addresses[1]}/2"]
    assert len(cli(line).lines) == 2 + 2 * (len(addresses) - 1)
    assert cli('show perf list instances "Cisco XCP CM"').lines[2:] == []
    services.stop_service(server=node, name=XCP_ROUTER, actor="")
    stopped = cli(line)
    assert (stopped.code, stopped.lines) == (1, [])
    assert stopped.errors == [f"{XCP_ROUTER} does not run on imp-pub; it has no counters."]
