"""Compares counts with counts.json, and computes a renewed file. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass

Counts = dict[str, int]


@dataclass(frozen=True)
class Baseline:
    """
    The entry of a path in counts.json.

    New counts are compared with `reference`; `counted` is the count when the file was written. A renewal does not raise the
    reference, so that a path cannot grow by a little less than the margin with each renewal.
    """

    reference: int
    counted: int


def differing(made_with: dict[str, str], here: dict[str, str]) -> list[str]:
    """Returns a line for each version that differs from the file's."""
    return [f"{name}: {made_with.get(name)} in the file, {here[name]} here" for name in here if made_with.get(name) != here[name]]


def deviations(baselines: dict[str, Baseline], counts: Counts, margin: float) -> list[str]:
    """Returns a line for each path outside the margin. A faster one counts: an unrecorded gain could be lost unnoticed."""
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
    Returns the new entries, and the paths that are slower and not accepted.

    `old` and `new` are the counts of the code that the file was made with and of the current code, both with current tools.
    """
    result, slower = {}, []
    for name, count in new.items():
        if name not in baselines or name not in old or name in accepted:
            result[name] = Baseline(count, count)
            continue
        # The reference, converted to the current tools.
        reference = round(old[name] * baselines[name].reference / baselines[name].counted)
        if count > reference * (1 + margin):
            slower.append(name)
        result[name] = Baseline(min(reference, count), count)
    return result, slower
