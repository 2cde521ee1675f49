"""The title and table of each measurement."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from cases import CASES, Case
from ratios import Spread, of, ratio, spread

Rows = list[list[str]]

HEADINGS = {"rate": "requests/s", "cpu_us": "CPU per request", "peak_kib": "peak memory", "median_s": "wall time"}


def amount(figure: str, value: float) -> str:
    """Returns the figure as text with its unit."""
    units = {"rate": f"{value:,.0f}", "cpu_us": f"{value:,.1f} us", "peak_kib": f"{megabytes(value):.1f} MB",
             "median_s": f"{value * 1000:.2f} ms"}
    return units[figure]


def megabytes(kib: float) -> float:
    return kib * 1024 / 1e6


def times(value: Spread) -> str:
    """Returns the median, minimum and maximum of a ratio as text."""
    return f"{value.median:.2f} ({value.min:.2f}\N{EN DASH}{value.max:.2f})"


def markdown(table: Rows) -> str:
    """Returns the table in Markdown, with aligned columns so that it is also readable as text."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in table]
    rule = "| " + " | ".join("-" * width for width in widths) + " |"
    return "\n".join([lines[0], rule, *lines[1:]])


def _case(case: Case, results: Mapping[str, Any]) -> Rows:
    """Returns a row for each client, with each figure and its ratio to the reference's figure."""
    headings = {**HEADINGS, "cpu_us": "CPU per start"} if case.cold else HEADINGS
    heading = [""] + [text for figure in case.figures for text in (headings[figure], "ratio")]
    return [heading, *(_client(case, results, client.name) for client in case.clients)]


def _client(case: Case, results: Mapping[str, Any], name: str) -> "list[str]":
    row, reference = [name], case.reference.name
    for figure in case.figures:
        row.append(amount(figure, of(results[name], figure).median))
        row.append("1" if name == reference else times(ratio(results[name], results[reference], figure)))
    return row


def _instructions(results: Mapping[str, Any]) -> Rows:
    heading = ["", *(text for protocol in results for text in (f"instructions per request, {protocol.upper()}", "ratio"))]
    names = list(results["https"])
    return [heading, *([name, *(cell for counts in results.values() for cell in _count(counts, name))] for name in names)]


def _count(counts: Mapping[str, "list[float]"], name: str) -> "tuple[str, str]":
    count, reference = spread(counts[name]), spread(counts["libcurl easy"])
    return f"{count.median:,.0f} ({count.min:,.0f}\N{EN DASH}{count.max:,.0f})", f"{count.median / reference.median:.2f}"


def _purposes(results: Mapping[str, Mapping[str, float]]) -> Rows:
    names = list(next(iter(results.values())))
    rows = [[name, *(f"{round(counts[name]):,}" for counts in results.values())] for name in names]
    return [["", *results], *rows, ["total", *(f"{round(sum(counts.values())):,}" for counts in results.values())]]


def _submit(results: "Sequence[Mapping[str, Any]]") -> Rows:
    heading = ["submit", "median", "99.9th percentile", "maximum", "per second"]
    return [heading, *([str(line["part"]), *(f"{line[key]:,.1f} us" for key in ("median_us", "p999_us", "max_us")),
                        f"{line['rate']:,.0f}"] for line in results)]


def _tail(results: "Sequence[Mapping[str, Any]]") -> Rows:
    heading = ["durability", "service", "processes x threads", "load", "library", "per second", "median", "99th percentile",
               "99.9th percentile", "maximum"]
    return [heading, *([*(line[key] for key in ("durability", "service", "shape", "load", "library")), f"{line['rate']:,.0f}",
                        *(f"{line[key]:.2f} ms" for key in ("median_ms", "p99_ms", "p999_ms", "max_ms"))] for line in results)]


#: The figures of a prototype of a sender, with their unit and factor.
TRANSPORT_FIGURES = {"cpu_us": ("CPU per request", "us", 1.0), "peak_kib": ("peak memory", "MB", 1.024e-3),
                     "median_us": ("median latency", "ms", 1e-3), "p99_us": ("99th percentile", "ms", 1e-3)}


def _transports(results: "Mapping[str, Mapping[str, Any]]") -> Rows:
    heading = ["", *(cell for title, _, _ in TRANSPORT_FIGURES.values() for cell in (f"threads: {title}", "poller, ratio"))]
    return [heading, *([title, *(cell for figure in TRANSPORT_FIGURES for cell in _transport(found, figure))]
                       for title, found in results.items())]


def _transport(found: Mapping[str, Any], figure: str) -> "list[str]":
    _, unit, factor = TRANSPORT_FIGURES[figure]
    return [f"{of(found['threads'], figure).median * factor:,.2f} {unit}",
            times(ratio(found["poller"], found["threads"], figure))]


def _size(results: Mapping[str, int]) -> Rows:
    return [["", "bytes"], ["libnexmo_conversion.so, stripped", f"{results['bytes']:,}"]]


def _idle(results: Mapping[str, Any]) -> Rows:
    seconds = next(iter(results.values()))["observed_s"]
    heading = ["idle", f"wakeups in {seconds} s", "CPU time", "resident (RSS)", "in proportion (PSS)", "private, changed"]
    return [heading, *([role, f"{found['wakeups']:,}", f"{found['cpu_ms']:.2f} ms",
                        *(f"{megabytes(found[key]):.1f} MB" for key in ("rss_kib", "pss_kib", "private_kib"))]
                       for role, found in results.items())]


def _scaled(unit: str, results: Mapping[str, Any]) -> Rows:
    heading = [unit, *(text for name in results for text in (f"{name}: requests/s", "CPU per request", "peak memory"))]
    return [heading, *([size, *(cell for sizes in results.values() for cell in _at(sizes[size]))]
                       for size in next(iter(results.values())))]


def _at(figures: "list[dict[str, float]]") -> "list[str]":
    return [amount(key, of(figures, key).median) for key in ("rate", "cpu_us", "peak_kib")]


def _rows(results: "Sequence[Mapping[str, Any]]") -> Rows:
    heading = ["rows in the outbox", "submit, median of medians", "minimum\N{EN DASH}maximum", "claimed and completed per second"]
    return [heading, *([f"{line['rows']:,}", f"{line['median_us']:.1f} us",
                        f"{line['min_us']:.1f}\N{EN DASH}{line['max_us']:.1f} us", f"{line['drain_rate']:,.0f}"] for line in results)]


def _many(results: Mapping[str, Any]) -> Rows:
    memory = [megabytes for _, megabytes in results["memory"]]
    quarter = max(1, len(memory) // 4)
    return [["reports", "reports/s", "CPU per report", "peak memory in the first quarter", "in the last quarter"],
            [f"{results['count']:,}", *(amount(key, results["figures"][key]) for key in ("rate", "cpu_us")),
             f"{max(memory[:quarter]):.1f} MB", f"{max(memory[-quarter:]):.1f} MB"]]


#: The title of each measurement and the function that creates its rows.
TABLES: dict[str, tuple[str, Callable[[Any], Rows]]] = {
    **{case.name: (case.title, partial(_case, case)) for case in CASES},
    "instructions": ("Instructions per request, sequential", _instructions),
    "purposes": ("Instructions of one report of a client, by purpose", _purposes),
    "submit": ("Cost of submit", _submit),
    "tail": ("Tail latency of submit", _tail),
    "transports": ("A thread for each request in flight, and one thread that polls", _transports),
    "size": ("Size of the shared library", _size),
    "idle": ("Idle processes", _idle),
    "threads": ("Threads sharing one client, HTTPS", partial(_scaled, "threads")),
    "connections": ("Connections of a reporter, HTTPS, each response after 50 ms", partial(_scaled, "connections")),
    "rows": ("Rows in the outbox", _rows),
    "many": ("Many reports through one reporter, HTTPS, 32 connections, durability process", _many),
}


def table(name: str, results: Any) -> str:
    """Returns the table of a measurement with its title."""
    title, rows = TABLES[name]
    return f"### {title}\n\n{markdown(rows(results))}\n"
