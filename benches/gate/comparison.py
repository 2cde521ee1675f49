"""Pure: whether counts are as the file says, and what a renewed file says."""

from __future__ import annotations

from dataclasses import dataclass

Counts = dict[str, int]


@dataclass(frozen=True)
class Kept:
    """
    What the file says of a path.

    `reference` is what new counts are compared with; `counted` is the count when the file was written. A renewal does not
    raise the reference, so that a path cannot grow by a little less than the margin from one renewal to the next.
    """

    reference: int
    counted: int


def differing(made_with: dict[str, str], here: dict[str, str]) -> list[str]:
    """A line for each version that is not the one that the file was made with."""
    return [f"{name}: {made_with.get(name)} in the file, {here[name]} here" for name in here if made_with.get(name) != here[name]]


def faults(kept: dict[str, Kept], counts: Counts, margin: float) -> list[str]:
    """A line for each path outside the margin. Faster is a fault too: a gain that is not recorded is lost unnoticed."""
    found = [f"{name} is not in the file" for name in counts if name not in kept]
    found += [f"{name} is in the file, but is not counted" for name in kept if name not in counts]
    for name in kept.keys() & counts.keys():
        reference = kept[name].reference
        change = counts[name] / reference - 1
        if abs(counts[name] - reference) > margin * reference:
            found.append(f"{name} is {'slower' if change > 0 else 'faster'} by {abs(change):.1%}; {margin:.0%} is allowed")
    return sorted(found)


def renewed(kept: dict[str, Kept], old: Counts, new: Counts, margin: float, accepted: set[str]) -> tuple[dict[str, Kept], list[str]]:
    """
    What the file is to say, and the paths that are slower without having been accepted.

    `old` and `new` are counts of the code that the file was made with and of today's, both with today's tools.
    """
    result, slower = {}, []
    for name, count in new.items():
        if name not in kept or name not in old or name in accepted:
            result[name] = Kept(count, count)
            continue
        # The reference in instructions of today's tools.
        reference = round(old[name] * kept[name].reference / kept[name].counted)
        if count > reference * (1 + margin):
            slower.append(name)
        result[name] = Kept(min(reference, count), count)
    return result, slower
