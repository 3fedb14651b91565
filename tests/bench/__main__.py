"""Measure the parts named as arguments, or all, and print one table."""

import argparse
import sys
from importlib import import_module

from tests.bench.figures import Figure, show

# Each is a module of this package with `measure()`, which yields figures.
PARTS = (
    "simulator",
    "sweep",
    "sizing",
    "shards",
    "detection",
    "peer",
    "cost",
    "history",
    "moves",
    "flood",
    "users",
    "jabber",
    "cluster",
    "twin",
    "failover",
    "topology",
    "pages",
    "screen",
    "ssh",
    "soap",
)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)}")
    wanted = parser.parse_args().parts or PARTS
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    figures: list[Figure] = []
    for part in wanted:
        for figure in import_module(f"tests.bench.{part}").measure():
            print(f"{figure.part}: {figure.what}: {figure.value}", file=sys.stderr)
            figures.append(figure)
    show(figures)


if __name__ == "__main__":
    main()
