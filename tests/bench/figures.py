"""A figure, and the table of all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value.

    ``part``: the benchmark it belongs to. ``value``: as it is shown, with its unit. ``aim``: what is
    wanted of it, in words; empty without an aim. ``held``: whether it is met; None without one.
    """

    part: str
    what: str
    value: str
    aim: str = ""
    held: bool | None = None


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the measured value below which ``percent`` of ``values`` lie."""
    ordered = sorted(values)
    return ordered[round(percent / 100 * (len(ordered) - 1))]


def show(figures: Iterable[Figure]) -> None:
    """Print the figures as one table in Markdown."""
    table = Table("Part", "What", "Value", "Aim", "Held", box=box.MARKDOWN)
    for figure in figures:
        held = {True: "yes", False: "**no**", None: ""}[figure.held]
        table.add_row(figure.part, figure.what, figure.value, figure.aim, held)
    # As wide as its cells: a wrapped row is no Markdown.
    Console(width=400).print(table)
