"""Read settings from the environment, with an error that names the variable and its rule."""

import base64
import contextlib
import hashlib
import ipaddress
import os
import re
import secrets
import stat
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from redundancy.secret_files import is_private

# The kernel keeps a Unix socket's address in 108 bytes (104 on other systems), its end mark included.
SOCKET_PATH_BYTES = 100
# Characters of a secret key: fewer can be guessed, or are the rest of a key that was cut off.
KEY_LENGTH = 32
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# Characters of a text of the watched cluster's settings.
MOST_WATCH = 100
# Commands of manage.py that write the program's own files, which others may read.
WRITE_SOURCES = {"makemigrations", "makemessages", "compilemessages"}
# What is written in the data folder.
OWN_FILES = (
    "admincli_history", "collections", "db.sqlite3*", "secret_key*", "stack.*", "static", "static.sum",
    "trace", "valkey",
)  # fmt: skip

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


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


def choice(
    name: str, default: str, choices: Sequence[str], env: Mapping[str, str] = os.environ
) -> str:
    """Return one of ``choices``."""
    value = env.get(name, "").strip() or default
    if value not in choices:
        raise BadSetting(name, f"must be {' or '.join(choices)}, not {value!r}")
    return value


def sweep_seconds(rate: float) -> float:
    """Return the wall seconds between two sweeps at this rate of the lab clock: one, or fewer at a fast one."""
    return max(0.2, 1 / rate)


def client_password(secret_key: str, env: Mapping[str, str] = os.environ) -> str:
    """Return the password of all clients of the lab: the one given, or one that is made of ``secret_key``.

    So all processes of an installation know the same, and nobody keeps it.
    """
    given = env.get("JABBER_PASSWORD", "")
    if not given:
        digest = hashlib.blake2b(secret_key.encode(), digest_size=10, person=b"jabber password")
        letters = base64.b32encode(digest.digest()).decode().lower()
        return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))
    if not 8 <= len(given) <= 128 or not given.isprintable():
        raise BadSetting("JABBER_PASSWORD", "must have 8 to 128 printable characters")
    return given


def secret_file(name: str, env: Mapping[str, str] = os.environ) -> Path | None:
    """Return the file that a variable names, which holds a secret; None where none is named.

    It must be there, and for its owner alone: others could read what is in it.
    """
    given = env.get(name, "").strip()
    if not given:
        return None
    path = Path(given)
    if problem := secret_file_problem(path):
        raise BadSetting(name, problem)
    return path


def secret_file_problem(path: Path) -> str:
    """Return why a file of a secret is not taken, in one line that names it; empty when it is."""
    try:
        found = path.stat()
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    if not stat.S_ISREG(found.st_mode):
        return f"{path} must be a file"
    if not is_private(found.st_mode):
        return f"{path} must be for its owner alone (chmod 600), not of mode {stat.S_IMODE(found.st_mode):o}"
    return "" if os.access(path, os.R_OK) else f"{path} cannot be read by this process"


def named_file(name: str, env: Mapping[str, str] = os.environ) -> str:
    """Return the path of a file that must be there; empty where none is named."""
    given = env.get(name, "").strip()
    if given and not Path(given).is_file():
        raise BadSetting(name, f"must name a file, and {given} is none")
    return given


def check_watch(
    given: Mapping[str, str], minutes: float, report: bool, env: Mapping[str, str] = os.environ
) -> None:
    """Refuse settings of a watched cluster that do not fit together.

    ``given``: the texts among them, by name; ``report``: whether there is a day for reports.
    """
    if 0 < minutes < 1:
        raise BadSetting(
            "WATCH_MINUTES", f"must be 0, which is off, or 1 and more, not {minutes:g}"
        )
    for name, text in given.items():
        if len(text) > MOST_WATCH or not text.isprintable():
            raise BadSetting(name, f"must have at most {MOST_WATCH} characters, all printable")
    if not given["WATCH_HOST"]:
        if minutes:
            raise BadSetting("WATCH_HOST", "must be given with WATCH_MINUTES")
        if report:
            raise BadSetting("WATCH_HOST", "must be given with WATCH_REPORT_DAY")
        return
    if report and not minutes:
        raise BadSetting("WATCH_MINUTES", "must be given with WATCH_REPORT_DAY")
    if not re.fullmatch(r"[\w.-]+|[0-9A-Fa-f:]+", given["WATCH_HOST"]):
        raise BadSetting("WATCH_HOST", "must be a name or an address, without https:// and port")
    if not given["WATCH_USER"]:
        raise BadSetting("WATCH_USER", "must be given with WATCH_HOST")
    in_file, in_variable = (bool(env.get(n)) for n in ("WATCH_PASSWORD_FILE", "WATCH_PASSWORD"))
    if in_file == in_variable:
        raise BadSetting(
            "WATCH_PASSWORD_FILE",
            "must name a file with the password of WATCH_USER, or WATCH_PASSWORD hold it; one of the two",
        )


def words(name: str, default: str, env: Mapping[str, str] = os.environ) -> list[str]:
    """Return a comma-separated list without empty entries."""
    return [word.strip() for word in env.get(name, default).split(",") if word.strip()]


def host_names(name: str, default: str, env: Mapping[str, str] = os.environ) -> list[str]:
    """Return a comma-separated list of host names as browsers write them, without scheme and port."""
    found = words(name, default, env)
    for word in found:
        if not re.fullmatch(r"\*|\.?[\w.-]+|\[[0-9A-Fa-f:.]+\]", word):
            raise BadSetting(name, f"must be names without https:// and port, not {word!r}")
    return found


def origins(name: str, env: Mapping[str, str] = os.environ) -> list[str]:
    """Return a comma-separated list of addresses of sites, each with its scheme."""
    found = words(name, "", env)
    for word in found:
        if not re.fullmatch(r"https?://[^/\s]+", word):
            raise BadSetting(name, f"must be like https://name or https://name:port, not {word!r}")
    return found


def networks(name: str, needed: bool, env: Mapping[str, str] = os.environ) -> list[Network]:
    """Return a comma-separated list of addresses and networks; where it is ``needed`` of one at least."""
    found = []
    for word in words(name, "", env):
        try:
            found.append(ipaddress.ip_network(word))
        except ValueError:
            raise BadSetting(
                name,
                f"must be addresses or networks like 127.0.0.1 or 10.1.0.0/24, not {word!r}",
            ) from None
    if needed and not found:
        raise BadSetting(
            name,
            "must name the proxy's address when HTTPS is on, such as 127.0.0.1 for one on this machine",
        )
    return found


def keep_private() -> None:
    """Let this process, and what it starts, write files for its own user only."""
    if not WRITE_SOURCES.intersection(sys.argv[1:2]):
        os.umask(0o077)


def data_dir(base: Path, env: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of everything the running system writes (``VAR_DIR``, default ``var/``).

    It is for its own user only. Where that cannot be done, one line says so.
    """
    path = Path(env.get("VAR_DIR", "") or base / "var").resolve()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise BadSetting("VAR_DIR", f"cannot make the folder {path}: {error.strerror}") from None
    if not os.access(path, os.W_OK | os.X_OK):
        raise BadSetting("VAR_DIR", f"cannot write in the folder {path}")
    if problem := make_private(path):
        sys.stderr.write(f"VAR_DIR: {problem}\n")
    return path


def make_private(path: Path) -> str:
    """Take away what others may do with the folder or file ``path``; return why not, or nothing."""
    try:
        mode = path.lstat().st_mode
        if is_private(mode) or stat.S_ISLNK(mode):
            return ""
        if mode & stat.S_ISVTX:
            return (
                f"other users may look into {path}, which is a folder for all; name one of its own"
            )
        path.chmod(stat.S_IMODE(mode) & ~0o077)
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"other users may look into {path}, and that cannot be changed: {error.strerror}"
    return ""


def make_all_private(folder: Path) -> list[str]:
    """Take away what others may do with our files in ``folder``, which versions before 0.3 left open.

    Return a line when that cannot be done. What else lies in the folder is not touched.
    """
    for name in OWN_FILES:
        for path in folder.glob(name):
            for each in (
                path,
                *(path.rglob("*") if path.is_dir() and not path.is_symlink() else ()),
            ):
                if problem := make_private(each):
                    return [problem]
    return []


def secret_key(folder: Path, env: Mapping[str, str] = os.environ) -> str:
    """Return ``SECRET_KEY``, or one kept in ``folder`` and made on the first start."""
    given = env.get("SECRET_KEY", "")
    if given:
        if len(given) < KEY_LENGTH:
            raise BadSetting("SECRET_KEY", f"must have {KEY_LENGTH} characters or more")
        return given
    path = folder / "secret_key"
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise BadSetting("VAR_DIR", f"cannot use {path}: {error.strerror}") from None
    if len(key) < KEY_LENGTH or not (key.isascii() and key.isprintable()):
        raise BadSetting(
            "VAR_DIR",
            f"{path} holds no whole key: put it back from a backup, or delete it for a new one, "
            "with which everybody signs in again",
        )
    return key


def _make_key(path: Path) -> None:
    """Write a new key, whole or not at all. Of several processes the first one's stays."""
    descriptor, name = tempfile.mkstemp(prefix="secret_key.", dir=path.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
    # The name, too, outlives a loss of power: what was made with the key does.
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
