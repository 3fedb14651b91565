"""Read settings from the environment, with an error that names the variable and its rule."""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

# The kernel keeps a Unix socket's address in 108 bytes (104 on other systems), its end mark included.
SOCKET_PATH_BYTES = 100


class BadSetting(SystemExit):
    """A variable of the environment that cannot be used; ends the process with one line."""

    def __init__(self, name: str, rule: str) -> None:
        super().__init__(f"{name}: {rule}")


def flag(name: str, default: bool, env: Mapping[str, str] = os.environ) -> bool:
    """Return a yes/no variable: 1, true, yes, on or 0, false, no, off."""
    raw = env.get(name, "").strip().lower()
    if not raw:
        return default
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise BadSetting(name, f"must be 1 or 0, not {raw!r}")


def number(
    name: str, default: float, low: float, high: float, env: Mapping[str, str] = os.environ
) -> float:
    """Return a number between ``low`` and ``high``, both allowed."""
    raw = env.get(name, "").strip()
    if not raw:
        return default
    try:
        value = float(raw)
    except ValueError:
        raise BadSetting(name, f"must be a number, not {raw!r}") from None
    if not low <= value <= high:
        raise BadSetting(name, f"must be between {low:g} and {high:g}, not {raw}")
    return value


def words(name: str, default: str, env: Mapping[str, str] = os.environ) -> list[str]:
    """Return a comma-separated list without empty entries."""
    return [word.strip() for word in env.get(name, default).split(",") if word.strip()]


def data_dir(base: Path, env: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of everything the running system writes (``VAR_DIR``, default ``var/``)."""
    path = Path(env.get("VAR_DIR", "") or base / "var").resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting("VAR_DIR", f"cannot make the folder {path}: {error.strerror}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise BadSetting("VAR_DIR", f"cannot write in the folder {path}")
    return path


def secret_key(folder: Path, env: Mapping[str, str] = os.environ) -> str:
    """Return ``SECRET_KEY``, or one kept in ``folder`` and made on the first start."""
    given = env.get("SECRET_KEY", "")
    if given:
        return given
    path = folder / "secret_key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(50)
        file.write(key)
    return key


def valkey_socket(folder: Path) -> Path:
    """Return where the embedded Valkey of the data folder ``folder`` listens.

    It is ``valkey.sock`` in the folder itself, or a short name of its own in the system's
    temporary folder when that path would not fit into a socket's address.
    """
    path = folder / "valkey.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"cucm-admin-{os.getuid()}" / f"{name}.sock"


def redis_url(folder: Path, env: Mapping[str, str] = os.environ) -> str:
    """Return ``REDIS_URL``, or the address of the embedded Valkey of ``folder`` when it is empty."""
    given = env.get("REDIS_URL", "").strip()
    if not given:
        return f"unix://{quote(str(valkey_socket(folder)))}"
    if not given.startswith(("redis://", "rediss://", "unix://")):
        raise BadSetting("REDIS_URL", "must begin with redis://, rediss:// or unix://")
    return given


def database_url(folder: Path, env: Mapping[str, str] = os.environ) -> str:
    """Return ``DATABASE_URL``, or the address of a SQLite file in ``folder`` when it is empty."""
    given = env.get("DATABASE_URL", "").strip()
    if not given:
        return f"sqlite:///{quote(str(folder / 'db.sqlite3'))}"
    if not given.startswith(("postgres://", "postgresql://", "sqlite:///")):
        raise BadSetting("DATABASE_URL", "must begin with postgres://, postgresql:// or sqlite:///")
    if given == "sqlite:///":
        raise BadSetting("DATABASE_URL", "must name a file: several processes share the database")
    return given


def broker_url(redis_url: str) -> str:
    """Return the address of the same server and database as Celery writes it."""
    if not redis_url.startswith("unix://"):
        return redis_url
    return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)
