"""The transitions of a pair, in each of which it can be kept for as long as a test wants."""

from collections.abc import Callable, Set
from dataclasses import dataclass

from tests.live.lab import REST, Lab
from tests.stacks import wait_until

BACKUP = "Running in Backup Mode"


@dataclass(frozen=True, slots=True)
class Transition:
    """A way into a transition and out of it; ``during`` and ``after``: states of imp-pub, imp-sub."""

    name: str
    into: Callable[[Lab], object]
    out_of: Callable[[Lab], object]
    during: tuple[str, str]
    after: tuple[str, str]

    def enter(self, lab: Lab) -> int:
        """Bring the pair there, to stay; return the last event on the way."""
        self.into(lab)
        lab.until(*self.during, REST)
        # A page shows Initializing before the nodes' own first step says so.
        wait_until(lambda: _last_told(lab) == self.during, 60)
        assert _last_told(lab) == self.during, lab.processes.log()
        return lab.last_event()

    def leave(self, lab: Lab, before: int) -> None:
        """Let the pair go on; it comes to rest, and nothing else has happened since ``before``."""
        self.out_of(lab)
        lab.until(*self.after, REST)
        check(lab, before, frozenset(self.after), self.name)


def _last_told(lab: Lab) -> tuple[str | None, str | None]:
    """Return the states that the history tells last of imp-pub and imp-sub."""
    told = {node: state for _, _, node, state, _ in lab.changes(0)}
    return told.get("imp-pub"), told.get("imp-sub")


def check(lab: Lab, before: int, allowed: Set[str] = frozenset(), said: str = "") -> None:
    """No change of state but to the allowed ones, and no breach."""
    changes = lab.changes(before)
    assert {change[3] for change in changes} <= allowed, f"{said}: {changes}\n{lab.processes.log()}"
    assert lab.ask("breaches()") == [], said


def _into_initializing(lab: Lab) -> None:
    # With a stopped service, which SRM puts up with for an hour.
    lab.ask("groups.disable_ha(group=server('imp-pub').group, actor='') and None")
    lab.ask("parameters.set_parameter(key='critical_service_delay', value='3600', actor='') and 0")
    lab.ask("services.stop_service(server=server('imp-pub'), name='Cisco XCP Router', actor='')")
    lab.ask("groups.enable_ha(group=server('imp-pub').group, actor='') and None")


def _out_of_initializing(lab: Lab) -> None:
    lab.ask("services.start_service(server=server('imp-pub'), name='Cisco XCP Router', actor='')")


def _hold(lab: Lab) -> None:
    lab.ask("faults.hold_moves(group=server('imp-pub').group, actor='')")


def _release(lab: Lab) -> None:
    lab.ask("faults.release_moves(group=server('imp-pub').group, actor='')")


def _into_takeover(lab: Lab) -> None:
    _hold(lab)
    lab.request("failover")


def _into_fallback(lab: Lab) -> None:
    lab.request("failover")
    lab.until("Idle", BACKUP, REST)
    _hold(lab)
    lab.request("fallback")


TRANSITIONS = (
    Transition(
        "Initializing",
        _into_initializing,
        _out_of_initializing,
        ("Initializing", "Initializing"),
        ("Normal", "Normal"),
    ),
    Transition(
        "Failing Over, Taking Over",
        _into_takeover,
        _release,
        ("Failing Over", "Taking Over"),
        ("Idle", BACKUP),
    ),
    Transition(
        "Taking Back, Falling Back",
        _into_fallback,
        _release,
        ("Taking Back", "Falling Back"),
        ("Normal", "Normal"),
    ),
)
