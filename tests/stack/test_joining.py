"""Real processes that do not fit the installation: its schema, or its settings."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
import redis

from cucm_admin.stack import procfile
from cucm_admin.stack.run import BASE_DIR
from tests.live.lab import SABOTAGE
from tests.stacks import find_port, own_environment, statement, wait_until

pytestmark = pytest.mark.live

SERVICES = ("web", "sweep", "moves", "beat")
COMMANDS = {
    **{
        name: procfile.with_this_python(command)
        for name, command in procfile.load(BASE_DIR / "Procfile").items()
    },
    **{
        name: [sys.executable, "manage.py", *name.split(" ", 1)]
        for name in ("srm_worker imp-pub", "audit", "admincli show", "ensure_admin")
    },
}
COMMANDS["typo"] = [part.replace("sweep", "swep") for part in COMMANDS["sweep"]]
RUNS = [name for name in COMMANDS if name not in {procfile.RELEASE, "typo"}]
COMMANDS["nohup sweep"] = ["nohup", *COMMANDS["sweep"]]

FUTURE = "INSERT INTO django_migrations (app, name, applied) VALUES ('redundancy', '9999_later', '2030-01-01')"
NO_FUTURE = "DELETE FROM django_migrations WHERE name = '9999_later'"
LAST = max(path.stem for path in (BASE_DIR / "redundancy" / "migrations").glob("0*.py"))
FORGOTTEN = f"DELETE FROM django_migrations WHERE name = '{LAST}'"
REMEMBERED = FUTURE.replace("9999_later", LAST)


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, valkey: str, given_redis: redis.Redis | None
) -> Iterator[dict[str, str]]:
    """The environment of an installation that was prepared with the lab clock at 60."""
    folder = tmp_path_factory.mktemp("joining")
    with own_environment(folder / "var", find_port()) as variables:
        variables |= {"REDIS_URL": valkey, "PYTHONUNBUFFERED": "1", "SSH_PORT": str(find_port())}
        variables |= {"SOAP_PORT": str(find_port())}
        code, said = release(variables, LAB_CLOCK_RATE="60", MAX_GROUPS="7")
        assert code == 0, said
        yield variables
    if given_redis is not None:
        given_redis.flushdb()


def release(variables: dict[str, str], *arguments: str, **more: str) -> tuple[int, str]:
    """Run the release step to its end; return exit code and what it said."""
    done = subprocess.run(
        [*COMMANDS[procfile.RELEASE], *arguments],
        cwd=BASE_DIR,
        env=variables | more,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@contextmanager
def started(
    variables: dict[str, str], folder: Path, *names: str
) -> Iterator[dict[str, tuple[subprocess.Popen, Path]]]:
    """Start processes side by side; end those that still run."""
    running = {}
    for name in names:
        command = COMMANDS[name]
        log = folder / f"{name.replace(' ', '-')}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, cwd=BASE_DIR, env=variables, stdout=out, stderr=subprocess.STDOUT
            )
        running[name] = (process, log)
    try:
        yield running
    finally:
        for process, _ in running.values():
            process.kill()
            process.wait()


def refusals(
    variables: dict[str, str], folder: Path, *names: str
) -> dict[str, tuple[int, list[str]]]:
    """Start processes that must end by themselves; return exit code and lines of each."""
    with started(variables, folder, *names) as running:
        return {
            name: (process.wait(timeout=90), log.read_text().splitlines())
            for name, (process, log) in running.items()
        }


@pytest.mark.parametrize(
    ("spoil", "mend", "told"),
    [
        (FORGOTTEN, REMEMBERED, f"older than this version (redundancy.{LAST} is missing)"),
        (FUTURE, NO_FUTURE, "not of this version (redundancy.9999_later is not known here)"),
    ],
    ids=["behind", "ahead"],
)
def test_no_process_starts_on_a_schema_that_is_not_its_own(
    installation: dict[str, str], tmp_path: Path, spoil: str, mend: str, told: str
) -> None:
    statement(installation, spoil)
    try:
        ended = refusals(installation, tmp_path, *RUNS)
    finally:
        statement(installation, mend)
    for name, (code, lines) in ended.items():
        assert (code != 0, len(lines)) == (True, 1), (name, lines)
        assert told in lines[0], name
        if spoil == FORGOTTEN:
            assert "cucm_admin.stack.prepare" in lines[0], name


def test_no_process_starts_under_settings_that_are_not_the_installations(
    installation: dict[str, str], tmp_path: Path
) -> None:
    wrong = installation | {"LAB_CLOCK_RATE": "1"}
    for name, (code, lines) in refusals(wrong, tmp_path, "web", "sweep", "beat", "audit").items():
        assert (code != 0, len(lines)) == (True, 1), (name, lines)
        assert "LAB_CLOCK_RATE is 1 here and 60 in this installation" in lines[0], name
    wrong = installation | {"SECRET_KEY": "another one" * 5}
    for name, (code, lines) in refusals(wrong, tmp_path, "web", "moves").items():
        assert (code != 0, len(lines)) == (True, 1), (name, lines)
        assert "SECRET_KEY is not the one of this installation" in lines[0], name


def test_a_worker_on_a_queue_that_nobody_fills_is_refused(
    installation: dict[str, str], tmp_path: Path
) -> None:
    code, lines = refusals(installation, tmp_path, "typo")["typo"]
    assert (code != 0, lines) == (
        True,
        ["--queues: there is no queue 'swep'; the queues are: sweep, moves"],
    )


def test_processes_follow_and_end_when_the_schema_changes_under_them(
    installation: dict[str, str], tmp_path: Path
) -> None:
    with started(installation, tmp_path, *SERVICES) as running:

        def said(name: str) -> str:
            return running[name][1].read_text()

        wait_until(lambda: "ready." in said("sweep") and "ready." in said("moves"), 60)
        wait_until(lambda: answers(installation) is not None, 30)
        with redis.from_url(installation["REDIS_URL"]) as bus:
            wait_until(lambda: bus.xlen("srm:ticks") >= 12, 30)
            first, *_, last = (int(key.split(b"-")[0]) for key, _ in bus.xrange("srm:ticks"))
            # At 60 lab seconds a second there are five sweeps a second, and without following one.
            assert (last - first) / (bus.xlen("srm:ticks") - 1) < 700
        assert {process.poll() for process, _ in running.values()} == {None}, {
            name: said(name) for name in running
        }
        statement(installation, FUTURE)
        try:
            for name, (process, _) in running.items():
                if name == "web":
                    # It looks when it is asked.
                    wait_until(lambda: answers(installation) is None, 30)
                assert process.wait(timeout=60) != 0, (name, said(name))
                told = [line for line in said(name).splitlines() if "9999_later" in line]
                assert len(told) == 1, (name, said(name))
                assert "This process ends." in told[0], name
                assert "Traceback" not in said(name), name
        finally:
            statement(installation, NO_FUTURE)


@pytest.fixture
def hang_ups() -> Iterator[None]:
    """A hang-up reaches what a test starts, even if the tests themselves run under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hang_ups")
def test_a_worker_that_is_hung_up_on_ends_in_order_or_goes_on_under_nohup(
    installation: dict[str, str], tmp_path: Path
) -> None:
    with started(installation, tmp_path, "moves", "nohup sweep") as running:
        (moves, ended), (sweep, goes_on) = running.values()
        wait_until(lambda: "ready." in ended.read_text() and "ready." in goes_on.read_text(), 60)
        for process in (sweep, moves):
            process.send_signal(signal.SIGHUP)
        assert moves.wait(timeout=60) == 0, ended.read_text()
        assert sweep.poll() is None, goes_on.read_text()
        sweep.terminate()
        assert sweep.wait(timeout=60) == 0
        for log in (ended, goes_on):
            assert "Traceback" not in log.read_text()
            assert "Restarting" not in log.read_text()


def test_a_web_process_whose_clock_is_far_off_is_not_ready(
    installation: dict[str, str], tmp_path: Path
) -> None:
    wrong = installation | {"PYTHONPATH": SABOTAGE, "SABOTAGE_CLOCK": "-1000"}
    with started(wrong, tmp_path, "web") as running:
        wait_until(lambda: answers(installation, "readyz") is not None, 60)
        assert answers(installation, "readyz") == 503
        log = running["web"][1].read_text()
    assert log.count("The clock of this process is 1,000 s slow. It is not ready") == 1, log


def answers(variables: dict[str, str], path: str = "healthz") -> int | None:
    """Return the status of the health check, or of another page; None while nobody answers."""
    try:
        with urlopen(f"http://127.0.0.1:{variables['PORT']}/{path}", timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code
    except OSError:
        return None


def test_the_release_step_changes_what_it_is_given_and_keeps_the_rest(
    installation: dict[str, str], tmp_path: Path
) -> None:
    assert "60 times as fast" in release(installation, MAX_GROUPS="8")[1]
    (_, lines), *_ = refusals(installation | {"MAX_GROUPS": "7"}, tmp_path, "audit").values()
    assert "MAX_GROUPS is 7 here and 8 in this installation" in lines[0]
    # As on one machine, whose environment is all there is.
    assert "times as fast" not in release(installation, "--defaults")[1]
    code, said = release(installation | {"VAR_DIR": str(tmp_path)}, **own_database(installation))
    assert (code, "SECRET_KEY is needed" in said) == (1, True)


def own_database(variables: dict[str, str]) -> dict[str, str]:
    """Return the address of the database of these processes, also for one with another data folder."""
    return {
        "DATABASE_URL": variables.get("DATABASE_URL")
        or f"sqlite:///{variables['VAR_DIR']}/db.sqlite3"
    }
