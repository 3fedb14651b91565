"""SOAP_NODES, against the running system: a node answers at its own address while it has power."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import requests
import zeep

from redundancy.selectors.loopback import loopback_of
from tests.live.lab import Lab, running
from tests.ready import Ready
from tests.ssh.conftest import PASSWORD
from tests.stacks import find_port, own_environment, wait_until

CONTROL = "controlcenterservice2/services/ControlCenterServices"
PROXY = "Cisco SIP Proxy"
# Seconds for a process to start, or to look at the nodes again, on a busy machine.
PATIENCE = 60


@pytest.fixture(scope="module")
def lab(
    tmp_path_factory: pytest.TempPathFactory, given_redis: redis.Redis | None, begun: Ready
) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    with own_environment(begun.fill(folder / "var"), find_port(), begun.template) as variables:
        variables |= {"SOAP_PORT": str(find_port()), "SOAP_NODES": "1", "ADMIN_PASSWORD": PASSWORD}
        with running(variables, folder) as made:
            made.ask("sample.load_sample_cluster(actor='')")
            yield made
    if given_redis is not None:
        given_redis.flushdb()


@pytest.fixture
def session(lab: Lab) -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.auth = ("admin", PASSWORD)
        # Neither proxies nor bundles of certificates that the environment names.
        made.trust_env = False
        made.verify = str(Path(lab.processes.variables["VAR_DIR"]) / "tls" / "certificate.pem")
        yield made


def test_a_node_answers_at_its_own_address_while_it_has_power(
    lab: Lab, session: requests.Session
) -> None:
    port = lab.processes.variables["SOAP_PORT"]
    hosts = {name: loopback_of(lab.ask(f"server({name!r}).pk")) for name in ("imp-pub", "imp-sub")}

    def reached(name: str) -> int:
        return lab.processes.said("soap").count(f"SOAP reaches {name} at {hosts[name]} port {port}")

    def service(name: str) -> Any:
        transport = zeep.Transport(session=session)
        return zeep.Client(f"https://{hosts[name]}:{port}/{CONTROL}?wsdl", transport=transport)

    def listens(name: str) -> bool:
        with socket.socket() as tried:
            return tried.connect_ex((str(hosts[name]), int(port))) == 0

    wait_until(lambda: bool(reached("imp-pub") and reached("imp-sub")), PATIENCE)
    request = {"NodeName": None, "ControlType": "Stop", "ServiceList": {"item": [PROXY]}}
    service("imp-sub").service.soapDoControlServices(request)
    for name, status in (("imp-pub", "Started"), ("imp-sub", "Stopped")):
        (item,) = service(name).service.soapGetServiceStatus(PROXY)["ServiceInfoList"]["item"]
        assert item["ServiceStatus"] == status
    lab.ask("power.shut_down(server=server('imp-sub'), actor='')")
    wait_until(lambda: not listens("imp-sub"), PATIENCE)
    assert (listens("imp-sub"), listens("imp-pub")) == (False, True)
    lab.ask("power.power_on(server=server('imp-sub'), actor='')")
    wait_until(lambda: reached("imp-sub") == 2, PATIENCE)
    assert session.get(f"https://{hosts['imp-sub']}:{port}/axl/").status_code == 200
