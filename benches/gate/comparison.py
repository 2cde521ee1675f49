"""Pure functions that compare counts with those in counts.json and compute the new entries of that file."""

from __future__ import annotations

from dataclasses import dataclass

Counts = dict[str, int]


@dataclass(frozen=True)
class Baseline:
    """
    The entry of a path in counts.json.

    `reference` is the value with which new counts are compared; `counted` is the count when the file was written. A
    renewal raises the reference only if the slowdown is accepted, so a path cannot grow by slightly less than the
    margin with each renewal.
    """

    reference: int
    counted: int


def differing(made_with: dict[str, str], here: dict[str, str]) -> list[str]:
    """Returns a line for each version that differs from the one in the file."""
    return [f"{name}: {made_with.get(name)} in the file, {here[name]} here" for name in here if made_with.get(name) != here[name]]


def deviations(baselines: dict[str, Baseline], counts: Counts, margin: float) -> list[str]:
    """
    Returns a line for each path outside the margin.

    Includes faster paths, because a later change could undo an unrecorded gain without being detected.
    """
    found = [f"{name} is not in the file" for name in counts if name not in baselines]
    found += [f"{name} is in the file but not counted" for name in baselines if name not in counts]
    for name in baselines.keys() & counts.keys():
        reference = baselines[name].reference
        change = counts[name] / reference - 1
        if abs(counts[name] - reference) > margin * reference:
            found.append(f"{name} is {'slower' if change > 0 else 'faster'} by {abs(change):.1%}; {margin:.0%} is allowed")
    return sorted(found)


def renewed(baselines: dict[str, Baseline], old: Counts, new: Counts, margin: float, accepted: set[str]) -> tuple[dict[str, Baseline], list[str]]:
    """
    Returns the new entries, and the paths whose slowdown exceeds the margin and is not accepted.

    `old` has the counts of the code for which the file was written and `new` those of the current code, both made with
    the current tools.
    """
    result, slower = {}, []
    for name, count in new.items():
        if name not in baselines or name not in old or name in accepted:
            result[name] = Baseline(count, count)
            continue
        # Scales the reference, which may have been counted with other tools, to the current tools.
        reference = round(old[name] * baselines[name].reference / baselines[name].counted)
        if count > reference * (1 + margin):
            slower.append(name)
        result[name] = Baseline(min(reference, count), count)
    return result, slower
