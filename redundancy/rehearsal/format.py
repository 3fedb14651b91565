"""Read a scenario file. Every error names the file, the line, and what was expected there."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import yaml

from redundancy.catalog import PARAMETER_BY_KEY, PARAMETERS, SERVICE_BY_NAME
from redundancy.errors import Refused
from redundancy.operations import rules
from redundancy.parameters.writes import parameters
from redundancy.rehearsal import actions
from redundancy.rehearsal.actions import Action, BadAction
from redundancy.rehearsal.scenario import Counts, Expectation, Scenario, ScenarioStep, When
from redundancy.srm.states import NOT_RESPONDING, Reason, State

DEFAULT_NODES = ("imp-pub", "imp-sub")
MOST_USERS = 100_000
# More than the clients of every user that a cluster supports.
MOST_SESSIONS = 500_000
_STATES = (*(state.value for state in State), NOT_RESPONDING)
_REASONS = tuple(reason.value for reason in Reason)
_KEYS = ("name", "nodes", "users", "services", "parameters", "seed", "steps")
# Words that `expect` uses itself.
_RESERVED = {"sessions", "active", "refused"}

T = TypeVar("T")


class BadFile(Exception):
    """A scenario file that cannot be used; the message is ``file:line: what was expected``."""


def load_scenario(path: Path) -> Scenario:
    """Return the scenario in the file ``path``; BadFile when it cannot be read, or is none."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadFile(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadFile(f"{path}: expected text in UTF-8") from None
    return parse_scenario(text, str(path))


def parse_scenario(text: str, file: str) -> Scenario:
    """Return the scenario that ``text`` is; ``file`` is its name in errors, which are BadFile."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise BadFile(f"{file}:{line}: not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise BadFile(f"{file}:1: not YAML: {str(error).splitlines()[0]}") from None
    if root is None:
        raise BadFile(f"{file}:1: expected a scenario, found nothing")
    return _Reader(file).scenario(root)


class _Reader:
    """Reads the nodes of one file."""

    def __init__(self, file: str) -> None:
        self.file = file

    def fail(self, node: yaml.Node, expected: str) -> BadFile:
        return BadFile(f"{self.file}:{node.start_mark.line + 1}: expected {expected}")

    # --- shapes --------------------------------------------------------------------------------

    def text(self, node: yaml.Node, what: str) -> str:
        """Return a scalar as it was written; YAML's own types do not matter here."""
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            raise self.fail(node, f"{what}, not {_kind(node)}")
        value: str = node.value
        return value.strip()

    def whole(self, node: yaml.Node, what: str, high: int) -> int:
        text = self.text(node, what)
        if not (text.isascii() and text.isdigit()) or int(text) > high:
            raise self.fail(node, f"{what}: a whole number from 0 to {high}, not {text!r}")
        return int(text)

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            raise self.fail(node, f"{what}: a list, not {_kind(node)}")
        return list(node.value)

    def pairs(self, node: yaml.Node, what: str) -> list[tuple[yaml.Node, str, yaml.Node]]:
        """Return the entries of a mapping: key as node and as text, and value."""
        if not isinstance(node, yaml.MappingNode):
            raise self.fail(node, f"{what}: a mapping, not {_kind(node)}")
        found: list[tuple[yaml.Node, str, yaml.Node]] = []
        for key, value in node.value:
            name = self.text(key, f"a key of {what}")
            if name in {seen for _, seen, _ in found}:
                raise self.fail(key, f"each key of {what} once; {name!r} stands there twice")
            found.append((key, name, value))
        return found

    def checked(self, node: yaml.Node, read: Callable[..., T], *values: object) -> T:
        """Return what ``read`` makes of the values; its complaint gets file and line."""
        try:
            return read(*values)
        except BadAction as error:
            raise self.fail(node, str(error)) from None
        except Refused as error:
            raise self.fail(node, f"something else: {error.rule}") from None

    # --- the file ------------------------------------------------------------------------------

    def scenario(self, root: yaml.Node) -> Scenario:
        found: dict[str, yaml.Node] = {}
        for key, name, value in self.pairs(root, "a scenario"):
            if name not in _KEYS:
                raise self.fail(key, f"one of the keys {', '.join(_KEYS)}, not {name!r}")
            found[name] = value
        for name in ("name", "steps"):
            if name not in found:
                raise self.fail(root, f"the key {name!r}, which every scenario has")
        nodes = self.nodes(found["nodes"]) if "nodes" in found else DEFAULT_NODES
        values = self.parameters(found.get("parameters"))
        return Scenario(
            file=self.file,
            name=self.text(found["name"], "a name"),
            nodes=nodes,
            users=dict.fromkeys(nodes, 0) | self.users(found.get("users"), nodes),
            services=self.services(found.get("services"), nodes),
            parameters={key: text for key, text in values.items() if key in PARAMETER_BY_KEY},
            clients={key: text for key, text in values.items() if key not in PARAMETER_BY_KEY},
            seed=self.whole(found["seed"], "a seed", 2**63) if "seed" in found else 0,
            steps=self.steps(found["steps"], nodes),
        )

    def nodes(self, node: yaml.Node) -> tuple[str, str]:
        names = []
        for item in self.items(node, "nodes"):
            text = self.text(item, "the name of a node")
            if text in _RESERVED or set(text) & set(" /"):
                raise self.fail(item, f"the name of a node, not {text!r}")
            names.append(self.checked(item, rules.server_name, text))
        if len(names) != 2 or names[0].lower() == names[1].lower():
            raise self.fail(node, "two different nodes")
        return names[0], names[1]

    def by_node(
        self, node: yaml.Node | None, what: str, nodes: tuple[str, str]
    ) -> Iterator[tuple[str, yaml.Node]]:
        """Yield the entries of a mapping whose keys are nodes; none when it is left out."""
        for key, name, value in self.pairs(node, what) if node else []:
            self.checked(key, actions.known, name, nodes, "a node")
            yield name, value

    def users(self, node: yaml.Node | None, nodes: tuple[str, str]) -> dict[str, int]:
        return {
            name: self.whole(value, "a number of users", MOST_USERS)
            for name, value in self.by_node(node, "users", nodes)
        }

    def services(
        self, node: yaml.Node | None, nodes: tuple[str, str]
    ) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = dict.fromkeys(nodes, ())
        optional = [name for name, service in SERVICE_BY_NAME.items() if not service.by_default]
        for name, value in self.by_node(node, "services", nodes):
            for item in self.items(value, f"the services of {name}"):
                text = self.text(item, "a service")
                self.checked(item, actions.known, text, optional, "an optional service")
                found[name] = (*found[name], text)
        return found

    def parameters(self, node: yaml.Node | None) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, name, value in self.pairs(node, "parameters") if node else []:
            text = self.text(value, f"a value of {name}")
            parameter = self.checked(key, actions.parameter_key, name)
            found[parameter] = self.checked(value, actions.canonical, parameter, text)
        if node:
            together = {parameter.key: parameter.default for parameter in PARAMETERS} | found
            self.checked(node, parameters.check_together, together)
        return found

    # --- steps ---------------------------------------------------------------------------------

    def steps(self, node: yaml.Node, nodes: tuple[str, str]) -> tuple[ScenarioStep, ...]:
        found: list[ScenarioStep] = []
        for item in self.items(node, "steps"):
            step = self.step(item, nodes, found)
            if found and step.moment < found[-1].moment:
                raise self.fail(item, "a moment not before that of the step above")
            found.append(step)
        if not found:
            raise self.fail(node, "at least one step")
        return tuple(found)

    def step(
        self, node: yaml.Node, nodes: tuple[str, str], before: list[ScenarioStep]
    ) -> ScenarioStep:
        entries = {name: (key, value) for key, name, value in self.pairs(node, "a step")}
        for name, (key, _) in entries.items():
            if name not in {*When, "do", "expect"}:
                raise self.fail(key, f"at, by or until, and do or expect; not {name!r}")
        moments = [when for when in When if when in entries]
        works = entries.keys() & {"do", "expect"}
        if len(moments) != 1:
            raise self.fail(node, "exactly one of at, by and until in a step")
        if len(works) != 1:
            raise self.fail(node, "exactly one of do and expect in a step")
        when = moments[0]
        time = entries[when][1]
        text = self.text(time, actions.DURATION_RULE)
        moment = self.checked(time, actions.seconds_of, text)
        line = node.start_mark.line + 1
        if "expect" in entries:
            expectation = self.expectation(entries["expect"][1], nodes, before)
            return ScenarioStep(line, when, moment, expectation=expectation)
        if when is not When.AT:
            raise self.fail(node, f"expect after {when}; only at goes with do")
        return ScenarioStep(line, when, moment, action=self.action(entries["do"][1], nodes))

    def action(self, node: yaml.Node, nodes: tuple[str, str]) -> Action:
        text = self.text(node, "an action")
        action = self.checked(node, actions.parse_action, text, nodes)
        if action.parameter:
            self.checked(node, actions.canonical, action.parameter, action.value)
        return action

    def expectation(
        self, node: yaml.Node, nodes: tuple[str, str], before: list[ScenarioStep]
    ) -> Expectation:
        states: dict[str, tuple[tuple[str, str | None], ...]] = {}
        sessions: Counts = {}
        active: Counts = {}
        refused: Action | None = None
        words: list[str] = []
        for key, name, value in self.pairs(node, "expect"):
            if name == "refused":
                refused = self.action(value, nodes)
                if refused not in [step.action for step in before]:
                    raise self.fail(value, f"an action that an earlier step does: {refused.text!r}")
                words.append(f"refused: {refused.text}")
            elif name == "sessions":
                sessions = self.counts(value, "sessions", nodes)
                words += [f"{_counts(each)} sessions on {at}" for at, each in sessions.items()]
            elif name == "active":
                active = self.counts(value, "active", nodes)
                words += [f"{_counts(each)} logged in at {at}" for at, each in active.items()]
            elif name in nodes:
                states[name] = tuple(self.state(item) for item in _one_or_more(value))
                words.append(
                    f"{name}: {_or(' / '.join(filter(None, each)) for each in states[name])}"
                )
            else:
                raise self.fail(
                    key, f"{' or '.join(nodes)}, sessions, active or refused, not {name!r}"
                )
        if not words:
            raise self.fail(node, "a state, sessions, active or refused")
        return Expectation(", ".join(words), states, sessions, active, refused)

    def counts(self, node: yaml.Node, what: str, nodes: tuple[str, str]) -> Counts:
        return {
            name: tuple(self.range(item) for item in _one_or_more(value))
            for name, value in self.by_node(node, what, nodes)
        }

    def range(self, node: yaml.Node) -> tuple[int, int]:
        what = "a number of sessions, or two such as 400 to 600"
        ends = self.text(node, what).split(" to ")
        digits = all(end.isascii() and end.isdigit() for end in ends)
        if not digits or len(ends) > 2 or not int(ends[0]) <= int(ends[-1]) <= MOST_SESSIONS:
            raise self.fail(node, f"{what}, not {node.value!r}")
        return int(ends[0]), int(ends[-1])

    def state(self, node: yaml.Node) -> tuple[str, str | None]:
        state, slash, reason = (
            part.strip() for part in self.text(node, "a state").partition(" / ")
        )
        self.checked(node, actions.known, state, _STATES, "a state")
        if not slash:
            return state, None
        if state == NOT_RESPONDING:
            raise self.fail(node, f"no reason after {NOT_RESPONDING}")
        self.checked(node, actions.known, reason, _REASONS, "a reason")
        return state, reason


def _one_or_more(node: yaml.Node) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) and node.value else [node]


def _or(values: Iterable[object]) -> str:
    return " or ".join(str(value) for value in values)


def _counts(ranges: Iterable[tuple[int, int]]) -> str:
    return _or(low if low == high else f"{low} to {high}" for low, high in ranges)


def _kind(node: yaml.Node) -> str:
    match node:
        case yaml.MappingNode():
            return "a mapping"
        case yaml.SequenceNode():
            return "a list"
        case _:
            return repr(node.value) if node.value.strip() else "nothing"
