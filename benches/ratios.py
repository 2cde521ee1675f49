"""Ratios and their spread over many rounds. Each is computed within a round, because other load varies over time."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

Rounds = Sequence[dict[str, float]]


class Spread(NamedTuple):
    """Median, minimum and maximum."""

    median: float
    min: float
    max: float


def spread(values: Sequence[float]) -> Spread:
    return Spread(median(values), min(values), max(values))


def of(rounds: Rounds, figure: str) -> Spread:
    """Returns the spread of a figure over all rounds."""
    return spread([each[figure] for each in rounds])


def ratio(rounds: Rounds, reference: Rounds, figure: str) -> Spread:
    """Returns the spread of a figure divided by the reference's figure in the same round."""
    return spread([one[figure] / other[figure] for one, other in zip(rounds, reference, strict=True)])
