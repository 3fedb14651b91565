"""What tests of every area share: a Redis of their own, real processes apart from all others, Chromium."""

import contextlib
import gc
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import redis
from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.utils import translation

from cucm_admin import env
from cucm_admin.stack import valkey as embedded
from tests import workers
from tests.emptied import emptied_by_rows
from tests.ready import Ready, template_of
from tests.stacks import CHROMIUM_NAMES, find_chromium, find_port, own_environment

# What a test uses, by its fixtures; the selections of `make check` and of CI go by these marks.
FIXTURES_OF = {
    "database": {"db", "transactional_db"},
    "redis": {"given_redis", "valkey"},
    "process": {"process_env", "given_redis", "valkey"},
}

# How long an example takes is the machine's matter.
hypothesis.settings.register_profile(
    "suite",
    hypothesis.settings(),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("suite")

ROOM = "tests need an empty database, each worker (WORKERS) the next number"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--long``."""
    parser.addoption("--long", action="store_true", help="run the tests marked long, too")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark a test by what it uses; one that shares a fixture with its module stays with it."""
    assert isinstance(item, pytest.Function)
    used = set(item.fixturenames)
    for mark, fixtures in FIXTURES_OF.items():
        if fixtures & used:
            item.add_marker(mark)
    if item.get_closest_marker("django_db"):
        item.add_marker("database")
    if item.get_closest_marker("live"):
        item.add_marker("process")
    shared = [each for name in used for each in item._fixtureinfo.name2fixturedefs.get(name, ())]
    if any(each.scope == "module" for each in shared):
        item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long tests out, unless they are asked for; begin with those that last."""
    if not config.getoption("--long"):
        left_out = [item for item in items if item.get_closest_marker("long")]
        if left_out:
            config.hook.pytest_deselected(items=left_out)
            items[:] = [item for item in items if not item.get_closest_marker("long")]
    if os.environ.get(workers.WORKER):
        items.sort(key=_rank)


def pytest_collection_finish(session: pytest.Session) -> None:
    """See to it that pytest-xdist has grouped: else each worker starts what a module's tests share.

    What is loaded and collected stays to the end: looking through it for garbage again and again
    would take a tenth of the time of the tests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    if os.environ.get(workers.WORKER) and session.config.getoption("loadgroup", False):
        for item in session.items:
            if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
                raise pytest.UsageError(f"{item.nodeid}: its group was not seen by pytest-xdist")


def _rank(item: pytest.Item) -> tuple[int, float]:
    """Whole systems first: they wait more than they work, and end last when they begin last.

    Of these first what one worker has for minutes, as the limit of its time says.
    """
    order = ("long", "browser", "live", "process")
    rank = next((n for n, mark in enumerate(order) if item.get_closest_marker(mark)), len(order))
    limit = item.get_closest_marker("timeout")
    return rank, -float(limit.args[0]) if limit else 0.0


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a browser test where there is no browser; in CI that is a failure."""
    if item.get_closest_marker("browser") and find_chromium() is None:
        reason = f"none of {', '.join(CHROMIUM_NAMES)} is installed"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


def pytest_sessionstart() -> None:
    """Make the folder of the collected static files, which WhiteNoise would miss in every test."""
    settings.STATIC_ROOT.mkdir(exist_ok=True)


def pytest_unconfigure() -> None:
    """Throw away the data folder that the settings of the tests made."""
    if settings.VAR_DIR.name.startswith(workers.PREFIX):
        shutil.rmtree(settings.VAR_DIR, ignore_errors=True)


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin each test as a fresh process: polls remember what they answered, and databases change.

    Failed sign-ins of other tests do not count, also where the bus remembers them.
    """
    for each in caches.all(initialized_only=True):
        each.clear()
    monkeypatch.setattr("redundancy.operations.throttle.PREFIX", f"test:{os.urandom(8).hex()}")


@pytest.fixture(autouse=True)
def processes_are_said(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that has had processes is marked so: selections go by the mark."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
    yield
    if not request.node.get_closest_marker("process"):
        after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt
        assert after == before, "this test starts processes: mark it `process`"


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    """Begin each test in English: the language of a request stays active when it is answered."""
    with translation.override("en"):
        yield


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Ready:
    """What the workers of this run have made for each other."""
    own = tmp_path_factory.getbasetemp()
    return Ready(own.parent if os.environ.get(workers.WORKER) else own)


@pytest.fixture(scope="session")
def django_db_keepdb(
    ready: Ready, request: pytest.FixtureRequest, django_db_modify_db_settings: None
) -> bool:
    """Begin with a copy of the database that another worker has migrated, where there is one.

    Where there is none, the others wait until this one has migrated its own. Not with
    ``--reuse-db``, which brings its own; not with PostgreSQL.
    """
    reused: bool = request.config.getvalue("reuse_db")
    if reused or connection.vendor != "sqlite":
        return reused
    ready.__enter__()
    return ready.copy_database(_test_database())


@pytest.fixture(scope="session")
def django_db_setup(
    ready: Ready,
    request: pytest.FixtureRequest,
    django_db_keepdb: bool,
    django_db_setup: None,
) -> Iterator[None]:
    """Keep the migrated database for the other workers, and for the systems that tests start."""
    with contextlib.ExitStack() as until_the_end:
        if connection.vendor == "postgresql":
            connection.close()
            template = template_of(str(connection.settings_dict["NAME"]))
            ready.template = until_the_end.enter_context(template)
        elif not request.config.getvalue("reuse_db"):
            if not django_db_keepdb:
                ready.keep_database(_test_database())
            ready.__exit__()
        until_the_end.enter_context(emptied_by_rows())
        yield


def _test_database() -> Path:
    return Path(settings.DATABASES["default"]["TEST"]["NAME"])


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the Chromium for tests marked ``browser``."""
    path = find_chromium()
    assert path is not None
    return path


@pytest.fixture(scope="session")
def given_redis() -> Iterator[redis.Redis | None]:
    """The database that ``REDIS_URL`` names, if it does. It must be empty, and is emptied afterwards."""
    url = os.environ.get("REDIS_URL", "")
    if not url:
        yield None
        return
    with redis.from_url(url) as client:
        try:
            keys = client.dbsize()
        except redis.ResponseError as error:
            pytest.fail(f"REDIS_URL: {url}: {error}; {ROOM}", pytrace=False)
        if keys:
            pytest.fail(f"REDIS_URL: {url} holds keys; {ROOM}", pytrace=False)
        yield client
        client.flushdb()


@pytest.fixture(scope="session")
def valkey(given_redis: redis.Redis | None) -> Iterator[str]:
    """The address of a running server, the one of ``settings.REDIS_URL``: a private one, or the given one."""
    if given_redis is not None:
        yield settings.REDIS_URL
        return
    address = env.valkey_socket(settings.VAR_DIR)
    folder = settings.VAR_DIR / "valkey"
    embedded.make_room(address, folder)
    server = subprocess.Popen(embedded.command(address, folder), stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not embedded.answers(address):
            assert server.poll() is None, "the embedded Valkey ended"
            assert time.monotonic() < deadline, "the embedded Valkey does not answer"
            time.sleep(0.01)
        yield settings.REDIS_URL
    finally:
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def begun(ready: Ready, django_db_setup: None) -> Ready:
    """What lets a system start at once: a migrated database and static files."""
    return ready


@pytest.fixture
def free_port() -> int:
    """A port of this machine that nobody listens on."""
    return find_port()


@pytest.fixture
def process_env(
    tmp_path: Path, free_port: int, given_redis: redis.Redis | None, begun: Ready
) -> Iterator[dict[str, str]]:
    """The environment for real processes of one test; a given Redis is emptied afterwards."""
    with own_environment(begun.fill(tmp_path / "var"), free_port, begun.template) as variables:
        yield variables
    if given_redis is not None:
        given_redis.flushdb()
