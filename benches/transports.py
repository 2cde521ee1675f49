"""Compares two prototypes of a sender with many requests in flight: a thread for each, and one thread that polls."""

import os
from itertools import product

import process
from paths import ROOT
from server import Server

PROGRAM = ROOT / "target" / "transports" / "release" / "transports"
SENDERS = ("threads", "poller")

#: The servers, with a description and the number of requests per second that each connection makes at most.
SERVERS = {"http": ("HTTP", 20_000), "https": ("HTTPS", 20_000), "delayed": ("HTTPS, responses after 50 ms", 20)}

Results = dict[str, dict[str, "list[process.Figures]"]]


def run(server: Server, rounds: int, count: int) -> Results:
    """Returns the figures of each round for 8 and 64 requests in flight and each kind of server, by sender."""
    cores = os.sched_getaffinity(0)
    server.pin_to(cores)
    results: Results = {}
    for number in range(rounds):
        for (url, (title, most)), in_flight in product(SERVERS.items(), (8, 64)):
            found = results.setdefault(f"{title}, {in_flight} in flight", {sender: [] for sender in SENDERS})
            for sender in SENDERS[::-1 if number % 2 else 1]:
                requests = min(count, in_flight * most * 3)
                command = [str(PROGRAM), server.urls[url], str(server.ca), str(requests), str(in_flight), "10", sender]
                found[sender].append(process.run(command, cores))
    return results
