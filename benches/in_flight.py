"""Draws in_flight.svg in FOLDER from the file LINES, which the simulation of a reporter writes.

    in_flight.py LINES FOLDER
"""

import csv
import sys
from pathlib import Path

from matplotlib import pyplot

import chart

#: The panels of each row: the names of their figures, the unit, and the color of each figure.
FIGURES = (
    (("accepted", "failed"), "responses per second", (chart.OURS, "#d93025")),
    (("in_flight",), "reports in flight", (chart.OURS,)),
    (("latency_ms",), "mean round trip, ms", (chart.OURS,)),
)

TITLES = {
    "steady": "accepts all",
    "throttled": "throttles at 240/s",
    "throttled to 2/s": "throttles at 240/s, then at 2/s, then at 240/s",
    "queueing at 2/s": "throttles at 240/s, then queues at 2/s, then throttles at 240/s",
    "dead": "throttles at 240/s, then responds with 503 only, then throttles at 240/s",
}


def main(lines: Path, folder: Path) -> None:
    """Writes the chart to the folder."""
    with lines.open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    with chart.matplotlib.rc_context(chart.STYLE):
        figure, panels = pyplot.subplots(len(TITLES), len(FIGURES), figsize=(12, 2.2 * len(TITLES)), layout="constrained")
        for (scenario, title), line in zip(TITLES.items(), panels, strict=True):
            line[0].set_title(f"The service {title}", loc="left")
            of_scenario = [row for row in rows if row["scenario"] == scenario]
            for (names, unit, colors), axes in zip(FIGURES, line, strict=True):
                for name, color in zip(names, colors, strict=True):
                    points = [(float(row["seconds"]), float(row[name])) for row in of_scenario if row[name]]
                    axes.plot(*zip(*points, strict=True), color=color, linewidth=0.8, label=name.replace("_", " "))
                if len(names) > 1:
                    axes.legend(frameon=False)
                axes.set_ylim(bottom=0)
                axes.set_ylabel(unit)
                axes.set_xlabel("seconds")
        figure.savefig(folder / "in_flight.svg", metadata={"Date": None})
        pyplot.close(figure)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
