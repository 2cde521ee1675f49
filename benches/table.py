"""Tables of what was measured, as text."""

from cases import Case
from ratios import Spread, of, ratio
from rounds import Results

HEADINGS = {"rate": "requests a second", "cpu_us": "CPU a request", "peak_kib": "memory at peak", "median_s": "start to end"}


def amount(figure: str, value: float) -> str:
    """A figure with its unit."""
    units = {"rate": f"{value:,.0f}", "cpu_us": f"{value:,.1f} us", "peak_kib": f"{value / 1000 * 1.024:.1f} MB",
             "median_s": f"{value * 1000:.2f} ms"}
    return units[figure]


def times(value: Spread) -> str:
    """A ratio with its spread."""
    return f"{value.median:.2f} ({value.least:.2f}\N{EN DASH}{value.most:.2f})"


def rows(case: Case, results: Results) -> "list[list[str]]":
    """The heading, and a row for each contestant: each figure and its ratio to the reference."""
    heading = [""] + [text for figure in case.figures for text in (HEADINGS[figure], "x")]
    return [heading, *(_row(case, results, contestant.name) for contestant in case.contestants)]


def _row(case: Case, results: Results, name: str) -> "list[str]":
    row = [name]
    for figure in case.figures:
        row.append(amount(figure, of(results[name], figure).median))
        is_reference = name == case.reference.name
        row.append("1" if is_reference else times(ratio(results[name], results[case.reference.name], figure)))
    return row


def markdown(table: "list[list[str]]") -> str:
    """Columns in line, for those who read it as text."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in table]
    rule = "| " + " | ".join("-" * width for width in widths) + " |"
    return "\n".join([lines[0], rule, *lines[1:]])
