"""Draws benchmarks.svg, which shows the ratios and how costs scale."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402

from cases import CASES  # noqa: E402
from ratios import of, ratio, spread  # noqa: E402
from tables import megabytes  # noqa: E402

Results = Mapping[str, Any]

OURS, THEIRS = "#0b6e99", "#9aa0a6"
COLORS = {"our client": OURS, "libcurl easy": THEIRS, "our reporter, none": OURS, "our reporter, process": "#d9730d"}

# Text is not converted to paths, so the file is small and searchable. With a fixed salt, ids are the same in each run.
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "benchmarks", "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8, "axes.titlesize": 9,
    "axes.spines.top": False, "axes.spines.right": False,
}

#: The case, the figure and the title of each panel that shows ratios.
RATIOS = (
    ("https-serial", "rate", "HTTPS, sequential:\nrequests/s (more is better)"),
    ("https-serial", "cpu_us", "HTTPS, sequential:\nCPU per request (less is better)"),
    ("http-serial", "rate", "HTTP, sequential:\nrequests/s (more is better)"),
    ("cold", "median_s", "cold start, HTTPS, CA file:\nwall time (less is better)"),
    ("cold-system", "median_s", "cold start, HTTPS, system's store:\nwall time (less is better)"),
    ("https-python", "rate", "Python, HTTPS, sequential:\nrequests/s (more is better)"),
    ("https-32", "rate", "HTTPS, 32 concurrent:\nrequests/s (more is better)"),
    ("https-32-delayed", "cpu_us", "HTTPS, 32 concurrent, 50 ms:\nCPU per request (less is better)"),
    ("reporter-feed", "rate", "HTTPS, submitting while sending:\nrequests/s (more is better)"),
)


def draw(results: Results, folder: Path) -> None:
    """Writes the chart to the folder."""
    with matplotlib.rc_context(STYLE):
        figure, panels = pyplot.subplots(5, 3, figsize=(12, 15), layout="constrained")
        drawings = [*(_ratios(*each) for each in RATIOS), _threads("cpu_us"), _threads("peak_kib"), _connections, _submit, _drain, _memory]
        for axes, drawing in zip(panels.flat, drawings, strict=True):
            drawing(axes, results)
        figure.savefig(folder / "benchmarks.svg", metadata={"Date": None})
        pyplot.close(figure)


def _ratios(name: str, figure: str, title: str) -> "Callable[[Axes, Results], None]":
    """Returns a function that draws each client's ratio as a bar, with a line from minimum to maximum."""
    case = next(case for case in CASES if case.name == name)

    def drawing(axes: Axes, results: Results) -> None:
        rounds, reference = results[name], case.reference.name
        for row, each in enumerate(reversed(case.clients)):
            value = ratio(rounds[each.name], rounds[reference], figure)
            axes.barh(row, value.median, color=OURS if each.name.startswith("our") else THEIRS, height=0.6)
            axes.plot([value.min, value.max], [row, row], color="black", linewidth=0.8)
            axes.text(value.max, row, f"  {value.median:.2f}", va="center")
        axes.axvline(1, color="black", linewidth=0.5, linestyle=":")
        axes.set_yticks(range(len(case.clients)), [each.name for each in reversed(case.clients)])
        axes.set_xlim(0, axes.get_xlim()[1] * 1.12)
        axes.set_title(title, loc="left")
        axes.set_xlabel(f"x {reference}")
    return drawing


def _threads(figure: str) -> "Callable[[Axes, Results], None]":
    titles = {"cpu_us": ("threads sharing one client, HTTPS", "CPU per request, us"), "peak_kib": ("threads sharing one client, HTTPS", "peak memory, MB")}
    return lambda axes, results: _sizes(axes, results["threads"], figure, *titles[figure], "threads")


def _connections(axes: Axes, results: Results) -> None:
    _sizes(axes, results["connections"], "cpu_us", "connections of a reporter, 50 ms", "CPU per report, us", "connections")


def _sizes(axes: Axes, sizes: Results, figure: str, title: str, unit: str, x_label: str) -> None:
    for name, rounds in sizes.items():
        values = [of(each, figure) for each in rounds.values()]
        scaled = [[megabytes(number) if figure == "peak_kib" else number for number in value] for value in values]
        numbers = [int(size) for size in rounds]
        axes.plot(numbers, [value[0] for value in scaled], "o-", color=COLORS[name], label=name, markersize=3)
        axes.fill_between(numbers, [value[1] for value in scaled], [value[2] for value in scaled], color=COLORS[name], alpha=0.2)
    axes.set_xscale("log")
    axes.set_xticks(numbers, [f"{number:,}" for number in numbers])
    axes.minorticks_off()
    axes.legend(frameon=False)
    _label(axes, title, x_label, unit)


def _label(axes: Axes, title: str, x_label: str, unit: str) -> None:
    axes.set_ylim(bottom=0)
    axes.set_title(title, loc="left")
    axes.set_xlabel(x_label)
    axes.set_ylabel(unit)


def _submit(axes: Axes, results: Results) -> None:
    lines = results["rows"]
    axes.fill_between(range(len(lines)), [line["min_us"] for line in lines], [line["max_us"] for line in lines], color=OURS, alpha=0.2)
    _by_rows(axes, lines, "median_us", "submit, with rows in the outbox", "us")


def _drain(axes: Axes, results: Results) -> None:
    lines = [line for line in results["rows"] if line["rows"] > 0]
    _by_rows(axes, lines, "drain_rate", "claiming and completing rows of the outbox", "rows/s")


def _by_rows(axes: Axes, lines: "list[Results]", figure: str, title: str, unit: str) -> None:
    axes.plot(range(len(lines)), [line[figure] for line in lines], "o-", color=OURS, markersize=3)
    axes.set_xticks(range(len(lines)), [f"{line['rows']:,}" for line in lines], fontsize=7)
    _label(axes, title, "rows", unit)


def _memory(axes: Axes, results: Results) -> None:
    seconds, memory = zip(*results["many"]["memory"], strict=True)
    axes.plot(seconds, memory, color=OURS)
    axes.set_ylim(top=1.5 * spread(memory).max)
    _label(axes, f"{results['many']['count']:,} reports\nthrough one reporter", "seconds", "resident memory, MB")
