"""Instructions a request, counted by callgrind: the one figure that hardly moves from run to run, whatever the machine does.

What a program does once falls out, for the count is the difference between a longer run and a shorter one.
"""

import re
import subprocess
from pathlib import Path

from clients import CLIENT, EASY, ONCE, Contestant
from paths import BUILD
from process import Failed
from server import Server

CONTESTANTS = (CLIENT, ONCE, EASY)
WARM_UP = 100

Counts = dict[str, dict[str, list[float]]]


def run(server: Server, rounds: int, more: int) -> Counts:
    """For each protocol and contestant the instructions of one request, a figure a round."""
    return {
        protocol: {each.name: [_each(each, server, protocol, more) for _ in range(rounds)] for each in CONTESTANTS}
        for protocol in ("https", "http")
    }


def _each(contestant: Contestant, server: Server, protocol: str, more: int) -> float:
    short, long = (_count(contestant, server, protocol, count) for count in (more, 2 * more))
    return (long - short) / more


def _count(contestant: Contestant, server: Server, protocol: str, count: int) -> int:
    file = BUILD / "callgrind.out"
    command = contestant.command(server.urls[protocol], str(server.ca), count, 1, WARM_UP)
    done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={file}", *command], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)} under callgrind:\n{done.stderr[-2000:]}")
    return _total(file)


def _total(file: Path) -> int:
    return sum(int(number) for number in re.findall(r"^(?:totals|summary): (\d+)", file.read_text(), re.MULTILINE)[:1])
