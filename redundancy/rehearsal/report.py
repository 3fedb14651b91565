"""Say how a rehearsal went: for people as text, for machines as JSON."""

from typing import Any

from redundancy.rehearsal.runner import DoneStep, Line, Playthrough, Snapshot, Verdict

Json = dict[str, Any]


def text(played: Playthrough, *, live: bool) -> list[str]:
    """Return the timeline and the verdicts, line by line."""
    scenario = played.scenario
    where = "on the running system" if live else "in virtual time"
    outcome = "HELD" if played.held else "MISSED"
    # As many as the word before says it of.
    number = sum(verdict.held is played.held for verdict in played.verdicts)
    return [
        f"{scenario.name} ({scenario.file}, {where})",
        *(f"  {clock_text(line.at)}  {words}" for line in played.lines for words in _line(line)),
        f"{outcome}: {number} of {len(played.verdicts)} expectations",
    ]


def data(played: Playthrough, *, live: bool) -> Json:
    """Return the same as JSON values; times are lab seconds after the beginning."""
    return {
        "file": played.scenario.file,
        "name": played.scenario.name,
        "mode": "live" if live else "virtual",
        "held": played.held,
        "timeline": [_json(line) for line in played.lines],
    }


def clock_text(seconds: float) -> str:
    """Return a moment as ``1:02:03``."""
    minutes, second = divmod(int(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}"


def notation(seconds: int) -> str:
    """Return a moment as scenario files write it: ``3m9s``."""
    parts = zip((seconds // 3600, seconds // 60 % 60, seconds % 60), "hms", strict=True)
    return "".join(f"{amount}{unit}" for amount, unit in parts if amount) or "0s"


def _line(line: Line) -> list[str]:
    match line:
        case Snapshot():
            return [f"{line.node}: {_pair(line, line.node)} | {_sessions(line)} | {line.sentence}"]
        case DoneStep():
            cautions = [f"  caution: {caution}" for caution in line.cautions]
            refused = [f"  refused: {line.refused}"] if line.refused else []
            return [f"> {line.text}", *cautions, *refused]
        case Verdict():
            outcome = "held  " if line.held else "MISSED"
            words = [f"{outcome} {line.when} {notation(line.moment)}: {line.text}"]
            if not line.held:
                pair = ", ".join(
                    f"{name}: {_pair(line.snapshot, name)}" for name in line.snapshot.states
                )
                at = clock_text(line.snapshot.at)
                words.append(
                    f"       line {line.line}; at {at} {pair} | {_sessions(line.snapshot)}"
                )
            return words


def _pair(snapshot: Snapshot, node: str) -> str:
    return " / ".join(part for part in snapshot.states[node] if part)


def _sessions(snapshot: Snapshot) -> str:
    return ", ".join(
        f"{name} {count}"
        + (f" ({snapshot.active[name]} logged in)" if snapshot.active[name] != count else "")
        for name, count in snapshot.sessions.items()
    )


def _json(line: Line) -> Json:
    match line:
        case Snapshot():
            return {"kind": "change", "node": line.node, "sentence": line.sentence, **_seen(line)}
        case DoneStep():
            return {
                "kind": "action",
                "at": line.at,
                "line": line.line,
                "action": line.text,
                "refused": line.refused,
                "cautions": list(line.cautions),
            }
        case Verdict():
            return {
                "kind": "expectation",
                "at": line.at,
                "line": line.line,
                "when": line.when.value,
                "moment": line.moment,
                "expected": line.text,
                "held": line.held,
                "found": _seen(line.snapshot),
            }


def _seen(snapshot: Snapshot) -> Json:
    return {
        "at": snapshot.at,
        "states": {
            name: {"state": state, "reason": reason}
            for name, (state, reason) in snapshot.states.items()
        },
        "sessions": dict(snapshot.sessions),
        "active": dict(snapshot.active),
    }
