"""Is a real cluster ready for a failure? In sentences, by how it was seen and by its baseline. Pure.

Of each question it is said what is to be seen to, what cannot be told, and only what is told to be well is well.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from redundancy.catalog import GROUP_USERS
from redundancy.cluster.checks import findings
from redundancy.cluster.comparing import Change, compare
from redundancy.cluster.explaining import down, limit_of, no_pair
from redundancy.cluster.findings import Finding, Kind, Risk
from redundancy.cluster.readiness import limits_of
from redundancy.cluster.snapshot import Group, Node, Snapshot, Value
from redundancy.relogin import LoginBand, until_of
from redundancy.srm.states import State
from redundancy.srm.words import duration, english, listed, say, say_count

# Sentences of one sort under a question; how many more there are is said.
MOST = 20
_HA = frozenset(
    {Kind.STATES, Kind.STATES_UNEXPLAINED, Kind.STATE_NOT_TOLD, Kind.HA_OFF, Kind.ALONE, Kind.NO_PAIR, Kind.WITHOUT_GROUP}
)  # fmt: skip
_VERSIONS = frozenset({Kind.VERSIONS_APART})
_SIZES = frozenset({Kind.GROUP_TOO_LARGE, Kind.CLUSTER_TOO_LARGE, Kind.COUNT_TOO_LARGE})


class Sort(StrEnum):
    """What a sentence says. The value stands before it."""

    BAD = "[!]"
    UNTOLD = "[?]"
    WELL = "[ok]"


@dataclass(frozen=True, slots=True)
class Answer:
    """A sentence of the report."""

    sort: Sort
    sentence: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and the answers."""

    title: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The questions with their answers."""

    questions: tuple[Question, ...]

    def count(self, sort: Sort) -> int:
        """Return how many answers are of this sort."""
        return sum(each.sort is sort for question in self.questions for each in question.answers)

    @property
    def summary(self) -> str:
        """The report in one sentence."""
        bad, untold = self.count(Sort.BAD), self.count(Sort.UNTOLD)
        if not bad and not untold:
            return say("Nothing is to be seen to.")
        return say("To be seen to: {bad}; cannot be told: {untold}.", bad=bad, untold=untold)

    def lines(self) -> Iterator[str]:
        """Yield it as text, in English."""
        yield english(self.summary)
        for question in self.questions:
            yield ""
            yield english(question.title)
            yield from (f"  {each.sort} {english(each.sentence)}" for each in question.answers)


def report(snapshot: Snapshot, baseline: tuple[str, Snapshot | None] | None) -> Report:
    """Return the report on a cluster that was seen so.

    ``baseline``: how that is called, and how it was, None where it cannot be used.
    """
    found = findings(snapshot)
    presence = [node for node in snapshot.nodes.values() if node.is_presence]
    asked: list[tuple[str, Iterable[Answer]]] = [
        (say("High Availability"), _availability(snapshot, found)),
        (say("Versions"), _versions(presence, found)),
        (say("Can one node carry all?"), _sizes(snapshot, found)),
        (say("Changes since the baseline"), _drift(snapshot, baseline)),
        (say("What a failover would cost"), _costs(snapshot)),
        (say("What else was found"), _rest(found)),
    ]
    return Report(tuple(Question(title, _limited(answers)) for title, answers in asked))


def _limited(answers: Iterable[Answer]) -> tuple[Answer, ...]:
    kept: list[Answer] = []
    more = dict.fromkeys(Sort, 0)
    for each in answers:
        if sum(other.sort is each.sort for other in kept) < MOST:
            kept.append(each)
        else:
            more[each.sort] += 1
    kept += [
        Answer(sort, say_count("and {count:,} more", "and {count:,} more", number))
        for sort, number in more.items()
        if number
    ]
    return tuple(kept)


def _text(value: Value | None) -> str | None:
    return None if value is None or value.disputed else value.text


def _of(found: Iterable[Finding], kinds: Iterable[Kind]) -> Iterator[Answer]:
    for each in found:
        if each.kind in kinds:
            sort = Sort.UNTOLD if each.risk is Risk.KNOWLEDGE else Sort.BAD
            yield Answer(sort, each.sentence)


def _availability(snapshot: Snapshot, found: list[Finding]) -> Iterator[Answer]:
    yield from _of(found, _HA)
    for group in snapshot.groups.values():
        on, pair = _text(group.ha), snapshot.pair(group)
        states = [_text(node.state) for node in pair]
        if on is None and len(pair) == 2:
            yield Answer(
                Sort.UNTOLD,
                say(
                    "Whether High Availability of {group} is enabled is not told.", group=group.name
                ),
            )
        elif on == "on" and len(pair) == 2 and all(state == State.NORMAL for state in states):
            sentence = say(
                "{group}: High Availability is on, both nodes are Normal.", group=group.name
            )
            yield Answer(Sort.WELL, sentence)


def _versions(presence: list[Node], found: list[Finding]) -> Iterator[Answer]:
    yield from _of(found, _VERSIONS)
    silent = [node.name for node in presence if _text(node.version) is None]
    if silent or not presence:
        names = listed(silent) if silent else say("all nodes")
        yield Answer(Sort.UNTOLD, say("The version of {nodes} is not told.", nodes=names))
    elif len(versions := {_text(node.version) for node in presence}) == 1:
        yield Answer(Sort.WELL, say("All nodes run version {version}.", version=versions.pop()))


def _sizes(snapshot: Snapshot, found: list[Finding]) -> Iterator[Answer]:
    too_large = [*_of(found, _SIZES), *_would_be_too_large(snapshot)]
    yield from too_large
    partly = any(user.node is None for user in snapshot.users.values()) or any(
        each.kind is Kind.USERS_NOT_ALL for each in found
    )
    if not snapshot.users or partly:
        yield Answer(Sort.UNTOLD, say("Which users are assigned to which node is not told."))
    elif not too_large:
        yield Answer(
            Sort.WELL,
            say("No group has more users than the vendor supports with High Availability."),
        )


def _would_be_too_large(snapshot: Snapshot) -> Iterator[Answer]:
    """Yield the groups that have too many users for High Availability, which is not on, or not told to be."""
    per_node = snapshot.users_per_node()
    for group in snapshot.groups.values():
        users = sum(per_node.get(name, 0) for name in group.nodes)
        if users > GROUP_USERS and (group.ha is None or group.ha.text != "on"):
            words = {"group": group.name, "users": users, "most": GROUP_USERS}
            yield Answer(
                Sort.BAD,
                say(
                    "{group} has {users:,} users; with High Availability the vendor supports {most:,}.",
                    **words,
                ),
            )


def _drift(snapshot: Snapshot, baseline: tuple[str, Snapshot | None] | None) -> Iterator[Answer]:
    if baseline is None:
        yield Answer(Sort.UNTOLD, say("No snapshot of it is marked as the baseline."))
        return
    title, before = baseline
    if before is None:
        yield Answer(Sort.UNTOLD, say("The baseline cannot be used: {baseline}.", baseline=title))
        return
    compared = compare(before, snapshot)
    # Counters are of the moment at which it was kept.
    lasting = [each for each in compared.differences if each.change is not Change.NOBODY_LEFT]
    doubts = [each for each in compared.doubts if each.change is not Change.FEW_LEFT]
    yield from (Answer(Sort.BAD, each.sentence) for each in lasting)
    yield from (Answer(Sort.UNTOLD, each.sentence) for each in doubts)
    if not lasting and not doubts:
        yield Answer(Sort.WELL, say("It is as the baseline: {baseline}.", baseline=title))


def _costs(snapshot: Snapshot) -> Iterator[Answer]:
    per_node = snapshot.users_per_node() if snapshot.users else None
    for group in snapshot.groups.values():
        pair = snapshot.pair(group)
        for node in pair:
            yield _cost(snapshot, group, node, per_node, alone=len(pair) != 2)


def _cost(
    snapshot: Snapshot,
    group: Group,
    node: Node,
    per_node: Mapping[str, int] | None,
    *,
    alone: bool,
) -> Answer:
    names = {"node": node.name, "group": group.name}
    on, limits = _text(group.ha), limits_of(node)
    if odd := no_pair(group, snapshot.pair(group)):
        return Answer(Sort.UNTOLD, odd)
    if alone or on == "off":
        return Answer(
            Sort.BAD,
            say(
                "When {node} fails, nobody takes over: its users have no service until it is back.",
                **names,
            ),
        )
    states = [_text(other.state) for other in snapshot.pair(group)]
    if any(state not in (None, State.NORMAL) for state in states):
        return Answer(
            Sort.BAD,
            say("When {node} fails now, nobody may take over: {group} is not Normal.", **names),
        )
    peer = next(other for other in snapshot.pair(group) if other.name != node.name)
    if absent := list(dict.fromkeys([*down(peer), *down(peer, login=True)])):
        return Answer(
            Sort.BAD,
            say(
                "When {node} fails, {peer} cannot serve its users: not running there: {services}.",
                peer=peer.name,
                services=listed(absent),
                **names,
            ),
        )
    if on is None or None in states or per_node is None or limits is None:
        missing = [
            *([say("the states of its group")] if None in states else []),
            *([say("whether High Availability is on")] if on is None else []),
            *([say("its users")] if per_node is None else []),
            *([say("its re-login limits")] if limits is None else []),
        ]
        return Answer(
            Sort.UNTOLD,
            say(
                "What a failure of {node} costs is not known, as is not told: {what}.",
                what=listed(missing),
                **names,
            ),
        )
    users, (lower, upper) = per_node.get(node.name, 0), limits
    if not users:
        return Answer(Sort.WELL, say("No user is assigned to {node}.", **names))
    noticed = limit_of(snapshot, "heartbeat_timeout")
    bands = [LoginBand(lower, upper, users)]
    half, last = (noticed.seconds + until_of(share, bands) for share in (0.5, 1.0))
    # On average a client is back in the middle of its limits.
    minutes = users * (noticed.seconds + (lower + upper) / 2) / 60
    return Answer(
        Sort.WELL,
        say(
            "When {node} fails, its peer takes over after {noticed}; of {users:,} users half are back after {half}, the last "
            "after {last}: {minutes:,.0f} user-minutes without service.",
            noticed=noticed.words,
            users=users,
            half=duration(half),
            last=duration(last),
            minutes=minutes,
            **names,
        ),
    )


def _rest(found: list[Finding]) -> Iterator[Answer]:
    kinds = frozenset(Kind) - _HA - _VERSIONS - _SIZES
    rest = list(_of(found, kinds))
    yield from rest
    if not rest:
        yield Answer(Sort.WELL, say("Nothing, of what is told."))
