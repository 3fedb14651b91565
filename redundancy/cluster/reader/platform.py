"""What health checks ask of a node: services, version, status, counters, and the servers of the cluster. Pure."""

import re
from datetime import datetime

from redundancy.catalog import CLIENT_COUNTERS, PARAMETERS
from redundancy.cluster.facts import Of
from redundancy.cluster.reader.context import Context
from redundancy.cluster.reader.text import Line

_HEADER = re.compile(r"Node Name\s*:\s*(\S+)$")
_SERVICE = re.compile(
    r"(?P<name>[^\s\[][^\[\]]{0,99}?)\s*\[(?P<status>STARTED|STOPPED|STARTING|STOPPING|UNKNOWN)\]\s*(?P<note>[^\[\]]*)$",
    re.IGNORECASE,
)
_VERSION = re.compile(r"(Active|Inactive)(?: Master)? Version\s*:\s*(\d[\w.-]*(?:\(\d+\))?)$")
# The number of a build, as AXL and the pages have it; the command line has it behind a hyphen.
_BUILD = re.compile(r"\((\d+)\)$")
_COUNTER = re.compile(r"(?:->\s*)?([A-Za-z]\w{2,63})\s*=\s*(\d{1,12})$")
_PERF_CLASS = re.compile(r"(?:-\s*)?Perf class \(")
_UP = re.compile(
    r"\bup\s+(?:(?P<days>\d{1,5}) days?,\s*)?(?:(?P<hours>\d{1,2}):(?P<rest>\d\d)|(?P<minutes>\d{1,2}) min)\b"
)
# Below it `show network cluster` lists names again.
_LISTED_AGAIN = "Server Table (processnode) Entries"
_IPV4 = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}$")
_PARAMETERS = {parameter.name.lower(): parameter.name for parameter in PARAMETERS}
_EVERYWHERE = "clusterwide"


def _moment(text: str) -> datetime | None:
    """Return a date as the commands print one (``Sun Nov 29, 2026 01:20:00``, ``Sun Nov 29 01:20:00 EST 2026``).

    It is of a machine whose zone is told apart from it, if at all.
    """
    words = text.replace(",", " ").split()
    if len(words) == 6 and words[4].isalpha():
        del words[4]
    for shape in ("%a %b %d %Y %H:%M:%S", "%a %b %d %H:%M:%S %Y", "%Y-%m-%d %H:%M:%S"):
        try:
            return datetime.strptime(" ".join(words), shape)  # noqa: DTZ007
        except ValueError:
            continue
    return None


def _up(text: str) -> str | None:
    """Return how long a machine has run (``3 d 2:07``), from the line of ``uptime``."""
    found = _UP.search(text)
    if found is None or not (found["hours"] or found["minutes"]):
        return None
    minutes = int(found["minutes"] or found["rest"])
    return f"{int(found['days'] or 0)} d {int(found['hours'] or 0)}:{minutes:02}"


class Services:
    """Recognises the lines of ``utils service list``, and the line that names their node."""

    def take(self, line: Line, context: Context) -> bool:
        """Take a service, or the name of the node whose services follow."""
        text = line.text
        if "[" in text:
            found = _SERVICE.match(text)
            if found is None:
                return False
            node = context.node("utils service list")
            status, note = found["status"].upper(), " ".join(found["note"].split())
            said = f"{status}  {note}".rstrip()
            context.tell(Of.SERVICE, node, " ".join(found["name"].split()), said, line)
            return True
        if text.startswith("Node Name") and (found := _HEADER.match(text)):
            context.header = found[1]
            return True
        return False

    def end(self, _context: Context) -> None:
        """Nothing is held back."""


class Versions:
    """Recognises ``show version active`` and ``inactive``."""

    def take(self, line: Line, context: Context) -> bool:
        """Take a version."""
        if " Version" not in line.text or (found := _VERSION.match(line.text)) is None:
            return False
        node = context.argument("show version active", "show version inactive")
        name = "version" if found[1] == "Active" else "inactive version"
        context.tell(Of.NODE, node, name, _BUILD.sub(r"-\1", found[2]), line)
        return True

    def end(self, _context: Context) -> None:
        """Nothing is held back."""


class Status:
    """Recognises ``show status``: whose it is, its clock, its version."""

    def __init__(self) -> None:
        self._host = ""
        # Whether something was told of it, and whether two sessions are mixed, so that it is not known of whom.
        self._begun = self._mixed = False

    def take(self, line: Line, context: Context) -> bool:
        """Take a line of the status."""
        name, colon, value = line.text.partition(":")
        name, value = name.strip(), value.strip()
        if not colon or not value:
            return False
        if name != "Host Name" and self._mixed:
            return False
        taken = self._take(name, value, line, context)
        self._begun = name != "Host Name" and (self._begun or taken)
        return taken

    def _take(self, name: str, value: str, line: Line, context: Context) -> bool:
        if name == "Host Name":
            before, self._host = self._host, value.split()[0]
            self._mixed = self._mixed or (before not in {"", self._host} and not self._begun)
            context.host(self._host, not context.argument("show status"))
            context.tell(Of.NODE, self._host, "listed", "yes", line)
            return True
        if not self._host:
            # A clock on its own tells the time of a collection, too.
            return name == "Server Time" and self._clock(value.partition(" (")[0], line, context)
        if name == "Date":
            return self._clock(value, line, context)
        if name == "Time Zone":
            context.tell(Of.NODE, self._host, "time zone", value, line)
            return True
        if name == "Product Ver":
            if value != "unknown":
                context.tell(Of.NODE, self._host, "version", _BUILD.sub(r"-\1", value), line)
            return True
        if (up := _up(line.text)) is not None:
            context.tell(Of.NODE, self._host, "up", up, line)
            return True
        return False

    def end(self, _context: Context) -> None:
        """Forget whose status it was."""
        self._host = ""
        self._begun = self._mixed = False

    def _clock(self, text: str, line: Line, context: Context) -> bool:
        moment = _moment(text)
        if moment is None:
            return False
        if self._host:
            context.tell(Of.NODE, self._host, "clock", f"{moment:%Y-%m-%d %H:%M:%S}", line)
        context.clock(moment, context.place(line))
        return True


class Cluster:
    """Recognises ``show network cluster``: a line for each server, its IPv4 address first."""

    def __init__(self) -> None:
        self._held: Line | None = None
        self._again = False

    def take(self, line: Line, context: Context) -> bool:
        """Take a server, or the end of the line before that the terminal wrapped."""
        if line.text.startswith(_LISTED_AGAIN):
            self._again = True
        elif self._again:
            # A rule, and names of which nothing is told.
            self._again = " " not in line.text and line.text != ""
            return self._again
        held, self._held = self._held, None
        if held is not None and not line.text[:1].isdigit() and len(line.text) < 40:
            for between in ("", " "):
                whole = f"{held.text}{between}{line.text}"
                if line.text.strip() and _is_server(whole.split(), whole=True):
                    _tell(Line(held.number, whole), context)
                    return True
        if held is not None:
            _tell(held, context)
        if not line.text[:1].isdigit():
            return False
        words = line.text.split()
        if not _is_server(words):
            return False
        if _is_server(words, whole=True):
            _tell(line, context)
        else:
            self._held = line
        return True

    def end(self, context: Context) -> None:
        """Tell a server whose line was not whole: its first words are."""
        held, self._held = self._held, None
        self._again = False
        if held is not None:
            _tell(held, context)


def _is_server(words: list[str], *, whole: bool = False) -> bool:
    """Return whether these are the words of a server: ``address FQDN host role product database state``."""
    if len(words) < 7 or _IPV4.match(words[0]) is None:
        return False
    if words[3] not in {"Publisher", "Subscriber"} or words[5] not in {"DBPub", "DBSub"}:
        return False
    if not whole:
        return True
    rest = " ".join(words[6:])
    since = rest.partition(" using TCP since ")[2]
    return rest in {"authenticated", "not authenticated"} or _moment(since) is not None


def _tell(line: Line, context: Context) -> None:
    words = line.text.split()
    address, fqdn, host, _, product, database = words[:6]
    for field, value in (
        ("listed", "yes"),
        ("address", address),
        ("fqdn", fqdn),
        # The database of a product has a publisher of its own.
        ("role", {"DBPub": "Publisher"}.get(database, "Subscriber")),
        (
            "product",
            {"cups": "IM and Presence", "callmanager": "Voice/Video"}.get(product, product),
        ),
        ("reached", "no" if words[6] == "not" else "yes"),
    ):
        context.tell(Of.NODE, host, field, value, line)
    if since := " ".join(words).partition(" using TCP since ")[2]:
        moment = _moment(since)
        if moment is not None:
            context.tell(Of.NODE, host, "connected since", f"{moment:%Y-%m-%d %H:%M:%S}", line)


class Counters:
    """Recognises performance counters, and parameters as a log collection of the lab lists them."""

    def __init__(self) -> None:
        self._in_class = False
        self._before = ""
        self._owner: str | None = None

    def take(self, line: Line, context: Context) -> bool:
        """Take a counter or a parameter."""
        text = line.text.strip()
        before, self._before = self._before, text
        if _PERF_CLASS.match(text):
            self._in_class = True
            return True
        if " = " not in text and "= " not in text:
            self._owner = None if not text else self._owner
            return False
        if (found := _COUNTER.match(text)) and (self._in_class or found[1] in CLIENT_COUNTERS):
            context.tell(Of.COUNTER, context.header, found[1], str(int(found[2])), line)
            return True
        name, _, value = text.partition(" = ")
        if known := _PARAMETERS.get(name.lower()):
            if self._owner is None and before and " " not in before:
                self._owner = "" if before.lower() == _EVERYWHERE else before
            if self._owner is not None:
                context.tell(Of.PARAMETER, self._owner, known, value.strip(), line)
                return True
        return False

    def end(self, _context: Context) -> None:
        """Forget the class of counters and the owner of parameters."""
        self._in_class, self._before, self._owner = False, "", None
