"""The command as it is typed, against the whole system: real TLS, real SSH, a password in the environment."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from cucm_admin.stack.run import BASE_DIR
from tests.ssh.conftest import PASSWORD
from tests.stacks import Stack, find_port, wait_until

pytestmark = [pytest.mark.process, pytest.mark.timeout(300)]
LOAD = """
from redundancy.operations.groups import enable_ha
from redundancy.operations.sample import load_sample_cluster
enable_ha(group=load_sample_cluster(actor=""), actor="")
"""


class Cluster:
    """A lab that runs, and the command that asks it."""

    def __init__(self, variables: dict[str, str], folder: Path) -> None:
        self.variables, self.folder = variables, folder

    def manage(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=BASE_DIR,
            env=self.variables | {"CLUSTER_PASSWORD": PASSWORD},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def ask(self, *words: str) -> dict[str, Any]:
        """Return what the command tells of the one snapshot, and of whom it asked."""
        told = self.manage("import_cluster", "--dry-run", "--json", "--user", "admin", *words)
        assert told.returncode == 0, told.stderr
        assert PASSWORD not in told.stdout + told.stderr
        document = json.loads(told.stdout)
        (snapshot,) = document["snapshots"]
        return {**snapshot, "asked": document["asked"]}

    def by_axl(self) -> dict[str, Any]:
        ca = self.folder / "tls" / "certificate.pem"
        return self.ask(
            "--axl", "localhost", "--port", self.variables["SOAP_PORT"], "--ca", str(ca)
        )

    def by_ssh(self) -> dict[str, Any]:
        port = self.variables["SSH_PORT"]
        hosts = self.folder.parent / "known_hosts"
        keys = [asyncssh.read_private_key(str(key)) for key in (self.folder / "ssh").iterdir()]
        hosts.write_text(
            "".join(f"[127.0.0.1]:{port} {key.export_public_key().decode()}" for key in keys)
        )
        return self.ask("--ssh", "127.0.0.1", "--port", port, "--known-hosts", str(hosts))


@pytest.fixture
def cluster(process_env: dict[str, str], tmp_path: Path) -> Iterator[Cluster]:
    ports = {name: str(find_port()) for name in ("SSH_PORT", "SOAP_PORT")}
    variables = process_env | ports | {"ADMIN_PASSWORD": PASSWORD}
    stack = Stack(variables, tmp_path / "log")
    try:
        stack.wait_for("Ready: ")
        wait_until(lambda: "SSH listens" in stack.text, 60)
        made = Cluster(variables, Path(variables["VAR_DIR"]))
        assert made.manage("shell", "-c", LOAD).returncode == 0
        yield made
    finally:
        stack.stop()


def states(told: dict[str, Any]) -> list[str]:
    return [node["state"]["value"] for node in told["nodes"] if node.get("state")]


def test_both_ways_tell_the_cluster_as_it_runs(cluster: Cluster) -> None:
    wait_until(lambda: states(cluster.by_ssh()) == ["Normal"] * 2, 60)
    ssh, axl = cluster.by_ssh(), cluster.by_axl()
    for told in (ssh, axl):
        assert states(told) == ["Normal"] * 2
        assert [group["name"] for group in told["groups"]] == ["DefaultCUPSubCluster"]
    assert [each["kind"] for each in (*ssh["asked"], *axl["asked"])] == ["ssh", "axl"]
