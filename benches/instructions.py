"""Counts the instructions per request with callgrind. Unlike the other figures, this count hardly varies between runs.

The count is computed from the difference between a longer and a shorter run, so the start-up does not affect it.
"""

import re
import subprocess
from pathlib import Path

from clients import CURL_EASY, OUR_CLIENT, OUR_ONE_CALL, Client
from paths import BUILD
from process import Failed
from server import Server

CLIENTS = (OUR_CLIENT, OUR_ONE_CALL, CURL_EASY)
WARM_UP = 100

Counts = dict[str, dict[str, list[float]]]


def run(server: Server, rounds: int, count: int) -> Counts:
    """Returns the instructions per request for each protocol and client, with one figure for each round."""
    return {
        protocol: {client.name: [_per_request(client, server, protocol, count) for _ in range(rounds)] for client in CLIENTS}
        for protocol in ("https", "http")
    }


def _per_request(client: Client, server: Server, protocol: str, count: int) -> float:
    short, long = (_total(client, server, protocol, requests) for requests in (count, 2 * count))
    return (long - short) / count


def _total(client: Client, server: Server, protocol: str, requests: int) -> int:
    file = BUILD / "callgrind.out"
    command = client.command(server.urls[protocol], str(server.ca), requests, 1, WARM_UP)
    done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={file}", *command], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)} under callgrind:\n{done.stderr[-2000:]}")
    return _read_total(file)


def _read_total(file: Path) -> int:
    return sum(int(number) for number in re.findall(r"^(?:totals|summary): (\d+)", file.read_text(), re.MULTILINE)[:1])
