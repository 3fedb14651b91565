"""What a step can do: the sentences of ``do``, and what they mean."""

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from redundancy.catalog import (
    CLIENT_PARAMETERS,
    PARAMETER_BY_KEY,
    PARAMETERS,
    SERVICE_BY_NAME,
    ServiceKind,
)
from redundancy.faultlab.writes import ACTS, PAUSE
from redundancy.parameters.writes import enterprise, parameters


class Verb(StrEnum):
    """Each thing that can be done. The value is its sentence; words in capitals stand for a value."""

    ENABLE_HA = "enable ha"
    DISABLE_HA = "disable ha"
    STOP_SRM = "stop srm on NODE"
    START_SRM = "start srm on NODE"
    RESTART_SRM = "restart srm on NODE"
    STOP_SERVICE = "stop SERVICE on NODE"
    START_SERVICE = "start SERVICE on NODE"
    RESTART_SERVICE = "restart SERVICE on NODE"
    ACTIVATE = "activate SERVICE on NODE"
    DEACTIVATE = "deactivate SERVICE on NODE"
    POWER_OFF = "power off NODE"
    SHUT_DOWN = "shut down NODE"
    REBOOT = "reboot NODE"
    POWER_ON = "power on NODE"
    FAILOVER = "failover NODE"
    FALLBACK = "fallback NODE"
    RECOVER = "recover"
    SET_PARAMETER = "set PARAMETER to VALUE"
    MONITOR = "enable replication monitor on NODE"
    IGNORE = "disable replication monitor on NODE"
    SIGN_OUT = "sign out PERCENT of NODE"
    SIGN_IN = "sign in PERCENT of NODE"


# What the Fault Lab does on the running system, by its sentence.
FAULTS = {sentence: act for act in ACTS.values() for sentence in act.sentences}
# What touches every group of the running system.
EVERYWHERE = frozenset({*PAUSE.sentences, Verb.SET_PARAMETER})


@dataclass(frozen=True, slots=True)
class Action:
    """One ``do``: a verb, or a sentence of FAULTS, and its values. ``seconds`` are lab seconds."""

    verb: str
    text: str
    node: str = ""
    other: str = ""
    service: str = ""
    seconds: int = 0
    percent: int = 0
    parameter: str = ""
    value: str = ""

    @property
    def values(self) -> dict[str, object]:
        """Its values by the names that operations and the simulator have for them."""
        return {
            "node": self.node,
            "server": self.node,
            "sender": self.node,
            "receiver": self.other,
            "name": self.service,
            "seconds": self.seconds,
            "percent": self.percent,
            "key": self.parameter,
            "value": self.value,
        }


class BadAction(ValueError):
    """A sentence that is no action; the message says what was expected."""


_VALUES = {
    "NODE": r"(?P<node>\S+)",
    "OTHER": r"(?P<other>\S+)",
    "SERVICE": r"(?P<service>.+)",
    "DURATION": r"(?P<duration>\S+)",
    "PERCENT": r"(?P<percent>\S+)",
    "PARAMETER": r"(?P<parameter>.+)",
    "VALUE": r"(?P<value>\S+)",
}
_SENTENCES: dict[str, re.Pattern[str]] = {
    verb: re.compile(re.sub(r"[A-Z]{2,}", lambda word: _VALUES[word[0]], verb))
    for verb in (*Verb, *FAULTS)
}
_PARAMETERS: dict[str, str] = {
    **{parameter.name: parameter.key for parameter in PARAMETERS},
    **{parameter.name: parameter.key for parameter in CLIENT_PARAMETERS},
}
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
DURATION_RULE = "a time such as 90s, 3m9s or 1h30m"
LONGEST = 1000 * 3600


def parse_action(text: str, nodes: Collection[str]) -> Action:
    """Return the action that ``text`` says; BadAction when it says none, or names what does not exist."""
    words = re.sub(r"(?<=\d) %", "%", " ".join(text.split()))
    for verb, sentence in _SENTENCES.items():
        found = sentence.fullmatch(words)
        if found:
            return _checked(verb, words, found.groupdict(), nodes)
    raise BadAction(f"{_nearest(words, _SENTENCES)}, not {words!r}")


def seconds_of(text: str) -> int:
    """Return the seconds of a text like ``1h30m`` or ``3m9s``; BadAction when it is none."""
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        raise BadAction(f"{DURATION_RULE}, not {text!r}")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    total = hours * 3600 + minutes * 60 + seconds
    if total > LONGEST:
        raise BadAction(f"a time of at most {LONGEST // 3600}h, not {text!r}")
    return total


def known(name: str, names: Iterable[str], what: str) -> str:
    """Return ``name`` if it is one of ``names``; else BadAction, which names the nearest ones."""
    choices = list(names)
    if name not in choices:
        raise BadAction(f"{what}: {_nearest(name, choices)}, not {name!r}")
    return name


def parameter_key(name: str) -> str:
    """Return the key of the parameter called ``name``; BadAction when there is none."""
    return _PARAMETERS[known(name, _PARAMETERS, "a parameter")]


def canonical(key: str, text: str) -> str:
    """Return a value of the parameter as it is stored; Refused where it cannot have it."""
    if key in PARAMETER_BY_KEY:
        return parameters.canonical(PARAMETER_BY_KEY[key], text)
    if refusal := enterprise.judge(key, text):
        raise refusal
    return text


def _checked(
    verb: str, text: str, values: Mapping[str, str | None], nodes: Collection[str]
) -> Action:
    given = {key: value for key, value in values.items() if value is not None}
    for key in given.keys() & {"node", "other"}:
        known(given[key], nodes, "a node")
    if given.get("node") == given.get("other", ""):
        raise BadAction(f"two different nodes, not {text!r}")
    service = given.get("service", "")
    if service:
        known(service, SERVICE_BY_NAME, "a service")
        switched = verb in {Verb.ACTIVATE, Verb.DEACTIVATE}
        if switched and SERVICE_BY_NAME[service].kind is not ServiceKind.FEATURE:
            raise BadAction(f"a feature service; {service} is always activated")
    return Action(
        verb,
        text,
        node=given.get("node", ""),
        other=given.get("other", ""),
        service=service,
        seconds=_fault_time(given["duration"], int(FAULTS[verb].most))
        if "duration" in given
        else 0,
        percent=_percent(given["percent"]) if "percent" in given else 0,
        parameter=parameter_key(given["parameter"]) if "parameter" in given else "",
        value=given.get("value", ""),
    )


def _percent(text: str) -> int:
    found = re.fullmatch(r"(\d{1,3})%", text, re.ASCII)
    if found is None or not 1 <= int(found[1]) <= 100:
        raise BadAction(f"a percentage from 1% to 100%, not {text!r}")
    return int(found[1])


def _fault_time(text: str, most: int) -> int:
    seconds = seconds_of(text)
    if not 1 <= seconds <= most:
        raise BadAction(f"a time from 1s to {most // 3600}h, not {text!r}")
    return seconds


def _nearest(text: str, choices: Iterable[str]) -> str:
    names = [str(choice) for choice in choices]
    near = difflib.get_close_matches(text, names, n=3, cutoff=0.5) or names
    return f"one of {', '.join(near)}"
