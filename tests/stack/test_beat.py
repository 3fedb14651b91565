"""Beat, as the Procfile starts it."""

import signal
import subprocess
from pathlib import Path

import pytest
import redis

from cucm_admin.stack import procfile
from cucm_admin.stack.run import BASE_DIR
from tests.stacks import wait_until

pytestmark = pytest.mark.live


def test_beat_ends_at_once_and_without_a_word(
    process_env: dict[str, str], valkey: str, tmp_path: Path
) -> None:
    commands = procfile.load(BASE_DIR / "Procfile")
    command = procfile.with_this_python(commands["beat"])
    variables = process_env | {"REDIS_URL": valkey, "LAB_CLOCK_RATE": "120"}
    subprocess.run(
        procfile.with_this_python(commands[procfile.RELEASE]),
        cwd=BASE_DIR,
        env=variables,
        check=True,
        capture_output=True,
    )
    log = tmp_path / "log"
    with redis.from_url(valkey) as queues, log.open("wb") as out:
        queues.delete("sweep")
        beat = subprocess.Popen(
            command,
            cwd=BASE_DIR,
            env=variables,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until(lambda: bool(queues.exists("sweep")), 30)
            sent = queues.llen("sweep")
            beat.terminate()
            # Not by an exception, which what it is in the middle of may print or swallow.
            assert beat.wait(timeout=5) == -signal.SIGTERM
        finally:
            beat.kill()
            beat.wait()
            queues.delete("sweep")
    assert sent
    assert log.read_text() == ""
    assert list(Path(process_env["VAR_DIR"]).glob("beat*")) == []
