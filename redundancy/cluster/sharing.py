"""A copy of an input for others to see: what was understood, told again with new names, and checked. Pure.

Lines that were not understood, and columns that are not read, are left out: nobody knows what is in them.
"""

import io
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from redundancy.catalog import ENTERPRISE_PARAMETERS, PARAMETERS, SERVICES
from redundancy.cluster.reader.reading import Reading
from redundancy.cluster.renaming import Names, Parts
from redundancy.cluster.retelling import EVENT_WORDS, retell, retell_event
from redundancy.srm.states import NOT_RESPONDING, Reason, State
from redundancy.srm.words import say

# The words of the shapes themselves, whose meaning is no name, longest first where one begins another.
_WORDS = """
Command Line Interface is starting up, please wait ...|PuTTY log|Server Time|Host Name|Time Zone|Date|Uptime|days|
Subcluster Name|Node Name|Name|Node|State|Reason|Active Master Version|Inactive Master Version|user|
admin:show status|admin:utils ha status|admin:utils service list|admin:show network cluster|admin:show version active|
admin:show version inactive|admin:show perf query counter|admin:run sql select|admin:|from enterprisesubcluster|
from enterprisenode|from processnode|from processconfig|from enduser|EnterpriseWideData|DefaultCUPSubCluster|
haenabled|subclusterid|peerhanodeid|isprimary|tkhaserverstate|tkprocessnoderole|paramname|paramvalue|fkprocessnode|
primarynodeid|userid,node|userid|pkid|name|count(*)|NULL|clusterwide|Publisher|Subscriber|callmanager|cups|DBPub|DBSub|
not authenticated|authenticated|using TCP since|CmConnectedSockets|ActiveJsmSessions|STARTED|STOPPED|STARTING|STOPPING|
UNKNOWN|Commanded Out of Service|Service Not Activated|Not Responding|True|False
"""
_VOCABULARY = {
    *(word.strip() for word in _WORDS.replace("\n", "").split("|")),
    *(service.name for service in SERVICES),
    *(parameter.name for parameter in PARAMETERS),
    *(parameter.name for parameter in ENTERPRISE_PARAMETERS),
    *(choice for parameter in ENTERPRISE_PARAMETERS for choice in parameter.choices),
    *(state.value for state in State),
    *(reason.value for reason in Reason),
    *EVENT_WORDS,
    NOT_RESPONDING,
}
# Times and versions, too: a user may be called as the year is.
_TIMES = (
    r"[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d(?:, \d{4} \d\d:\d\d:\d\d| \d\d:\d\d:\d\d \d{4})",
    r"\d{4}[.-]\d\d[.-]\d\d \d\d:\d\d:\d\d(?:,\d{3})?",
    r"Version: \d{1,3}(?:\.\d{1,5}){1,3}(?:-\d{1,5})?",
)
_OWN = re.compile("|".join((*_TIMES, *map(re.escape, sorted(_VOCABULARY, key=len, reverse=True)))))


class Leak(Exception):
    """A name is left in the copy, which must not be given away. ``rule``: what was found, without the name."""

    def __init__(self, number: int) -> None:
        self.rule = say(
            "The copy would still hold {number:,} name(s) of the original; nothing was written. Try again: "
            "names are drawn by chance.",
            number=number,
        )
        super().__init__(self.rule)


@dataclass(frozen=True, slots=True)
class Copy:
    """The texts of a copy, by the names of their files."""

    files: dict[str, str]
    left_out: int

    def zipped(self) -> bytes:
        """Return the files as one ZIP file, without the time at which it was made."""
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as made:
            for name, text in self.files.items():
                made.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
        return data.getvalue()


def replace_names(reading: Reading, names: Names | None = None) -> Copy:
    """Return a copy of what was read, with new names; ``names``: these, else some that are drawn now.

    Raises:
        Leak: A name of the original, or a part of one, of four characters or more is left.

    """
    if names is None:
        # Once for the old names alone, so that none of them comes out by chance.
        old = Names()
        _told(reading, old)
        names = Names(avoid=set(old.originals))
    files = {f"{number:04}.txt": text for number, text in enumerate(_told(reading, names), start=1)}
    if left := leaks(files.values(), names.originals):
        raise Leak(len(left))
    return Copy(files, reading.missed_lines)


def _told(reading: Reading, names: Names) -> list[str]:
    """Return the texts, one for each file of which something was understood."""
    texts: dict[str, list[str]] = {}
    for stretch in reading.stretches:
        texts.setdefault(stretch.file, []).extend([*retell(stretch, names), ""])
    for event in reading.events:
        texts.setdefault(event.place.file, []).extend(retell_event(event))
    return ["\n".join(lines) for lines in texts.values()]


def leaks(texts: Iterable[str], originals: Iterable[str]) -> set[str]:
    """Return the originals that stand in a text anywhere but in the words of the vendor's own shapes."""
    parts = Parts(set(originals))
    words = {word for text in texts for word in _OWN.sub("\x00", text).replace("\x00", " ").split()}
    return {part for word in words for part in parts.found(word)}
