"""The whole system under random faults for minutes, audited after each (`make soak-live`).

A round begins with the pair Normal and its users at home, and breaks nodes and processes, so many
times, without waiting for rest; then everything is repaired, and the pair must come to Normal again.
What a round does depends on the seed and its number only (how the system takes it, on the machine,
too): ``--seed S --first N --rounds 1`` does it again.
"""

import argparse
import http.client
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.live.faults import DEEDS, OUTAGES, PATIENCE, BrokenError, Deed, Outage, choose
from tests.live.lab import RATE, Lab, running
from tests.stacks import find_port, own_environment

FAULTS_A_ROUND = 6
# Lab seconds between two faults.
WAITS = (0, 5, 20, 65, 100, 300)
KINDS = (*DEEDS, *OUTAGES)
Tell = Callable[[str], None]


@dataclass
class Found:
    """What a soak has seen: how often each fault was put in, and what was wrong.

    ``unhealthy``: how often the health check answered 503, by its reasons. A fault just lifted is one.
    """

    done: Counter[str] = field(default_factory=Counter)
    unhealthy: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    rounds: int = 0


class Soak:
    """Rounds of faults on a running lab.

    Args:
        lab: A running system with the sample cluster.
        seed: Of all rounds.
        tell: Is told every fault and every finding.
        kinds: The faults to choose from.

    """

    def __init__(
        self, lab: Lab, seed: int, tell: Tell, kinds: Sequence[Deed | Outage] = KINDS
    ) -> None:
        self.lab, self.seed, self.found = lab, seed, Found()
        self._tell, self._kinds = tell, kinds
        self._round = 0
        # A lab may be without a process: a given Redis is not ours to break.
        self._ours = set(lab.processes.names)

    def play(self, number: int, faults: int = FAULTS_A_ROUND) -> None:
        """Play one round; what is wrong is told, and kept in ``found``."""
        self._round = number
        dice = random.Random(f"{self.seed}/{number}")
        try:
            for _ in range(faults):
                self._fault(dice)
                self._judge()
                self.lab.wait_lab(dice.choice(WAITS))
            self.lab.rest()
            self._judge()
        except BrokenError as error:
            self._wrong(str(error))
        except AssertionError as error:
            # The lab says where the pair is, and what the logs say.
            self._wrong(f"no rest: {error}")
        self.found.rounds += 1

    def _fault(self, dice: random.Random) -> None:
        (kind,) = dice.choices(self._kinds, [kind.weight for kind in self._kinds])
        values = choose(dice, kind.choices)
        said = " ".join([kind.name, *map(str, values.values())])
        if values.get("victim", "beat") not in self._ours:
            return
        if isinstance(kind, Deed):
            came = kind.begin(self.lab, values)
            self._tell(f"{said}{'' if came == 'done' else f': {came}'}")
            self.found.done[kind.name if came == "done" else came] += 1
            return
        seconds = dice.choice(kind.seconds)
        self._tell(f"{said} for {seconds} lab seconds")
        self.found.done[kind.name] += 1
        with kind.broken(self.lab, **values):
            # The database may be away: nobody is asked how late it is.
            time.sleep(seconds / self.lab.rate)
        self.lab.until_watched(120)

    def _judge(self) -> None:
        for breach in self.lab.ask("breaches()"):
            self._wrong(f"breach: {breach}")
        if "web" in self.lab.processes.pids:
            for path, good in (("/login/", {200}), ("/healthz", {200, 503})):
                status, said = self._get(path)
                if status not in good:
                    self._wrong(f"GET {path} is answered {status}")
                elif status == 503:
                    self.found.unhealthy[said] += 1
                    self._tell(f"GET {path} is answered 503: {said}")
        for name in self.lab.processes.pids:
            if not self.lab.processes.runs(name):
                self._wrong(f"{name} has ended by itself")
                self.lab.processes.start(name)

    def _get(self, path: str) -> tuple[int | str, str]:
        """Return the status, or why there is none, and the words of the answer."""
        port = int(self.lab.processes.variables["PORT"])
        until = time.monotonic() + PATIENCE
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                return answer.status, " ".join(answer.read().decode(errors="replace").split())
            except ConnectionRefusedError as error:
                # It was started a moment ago.
                if time.monotonic() > until:
                    return repr(error), ""
                time.sleep(0.1)
            except OSError as error:
                return repr(error), ""
            finally:
                connection.close()

    def _wrong(self, what: str) -> None:
        again = f"--seed {self.seed} --first {self._round} --rounds 1"
        self._tell(f"WRONG in round {self._round}: {what}\n  again: make soak-live ARGS='{again}'")
        self.found.wrong.append(f"round {self._round}: {what.splitlines()[0]}")


def tracebacks(folder: Path) -> Counter[str]:
    """Return how often each last line of a traceback stands in the logs of the processes."""
    found: Counter[str] = Counter()
    for log in folder.glob("*.log"):
        text = log.read_text(errors="replace")
        for trace in re.findall(
            r"^Traceback .*?^(\w[\w.]*(?:Error|Exception|Interrupt)?: .*?)$", text, re.M | re.S
        ):
            found[f"{log.stem}: {trace[:150]}"] += 1
    return found


def soak(given: argparse.Namespace, tell: Tell) -> Found:
    """Run a system of our own, and rounds until the time is over."""
    folder = Path(given.folder or tempfile.mkdtemp(prefix="cucm-admin-soak-"))
    tell(f"logs in {folder}")
    with (
        own_environment(folder / "var", find_port()) as variables,
        running(variables, folder, given.rate, web=True) as lab,
    ):
        lab.ask("sample.load_sample_cluster(actor='')")
        began = time.monotonic()
        lab.rest()
        played = Soak(lab, given.seed, tell)
        number = given.first
        while time.monotonic() - began < given.minutes * 60 and played.found.rounds != given.rounds:
            minute = (time.monotonic() - began) / 60
            tell(f"{minute:6.1f} min: round {number}, wrong so far: {len(played.found.wrong)}")
            played.play(number)
            number += 1
    for line, times in tracebacks(folder).most_common(20):
        tell(f"traceback, {times} times: {line}")
    return played.found


def main(words: list[str] | None = None) -> int:
    """Do what the command line asks for. Return 1 when something was wrong, else 0."""
    parser = argparse.ArgumentParser(prog="make soak-live", description=__doc__)
    parser.add_argument("--seed", type=int, help="of all rounds; default: a new one")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=RATE, help="of the lab clock")
    parser.add_argument("--first", type=int, default=0, help="the number of the first round")
    parser.add_argument("--rounds", type=int, default=-1, help="at most so many")
    parser.add_argument("--folder", help="of data and logs; default: a new one")
    given = parser.parse_args(words)
    if given.seed is None:
        given.seed = random.SystemRandom().randrange(2**32)

    def tell(line: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)

    tell(f"seed {given.seed}")
    found = soak(given, tell)
    put_in = ", ".join(f"{name} {times}" for name, times in found.done.most_common())
    tell(f"{found.rounds} rounds, {found.done.total()} faults: {put_in}")
    for reasons, times in found.unhealthy.most_common():
        tell(f"/healthz 503, {times} times: {reasons}")
    tell(f"seed {given.seed}: wrong: {len(found.wrong)}")
    return int(bool(found.wrong))


if __name__ == "__main__":
    sys.exit(main())
