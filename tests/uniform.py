"""The Kolmogorov-Smirnov test of evenness."""

import math
from collections.abc import Sequence


def distance(values: Sequence[float], lower: float, upper: float) -> float:
    """Return the largest distance between the distribution of ``values`` and the even one."""
    n = len(values)
    even = [(value - lower) / (upper - lower) for value in sorted(values)]
    return max(max((i + 1) / n - x, x - i / n) for i, x in enumerate(even))


def limit(n: int, chance: float = 0.001) -> float:
    """Return the distance that an even sample of ``n`` exceeds with this chance."""
    return math.sqrt(-math.log(chance / 2) / 2 / n)
