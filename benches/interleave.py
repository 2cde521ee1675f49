"""Runs the clients of a case in turn, so that other load on the machine affects all of them about equally."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import process
from cases import Case, Length
from clients import OUTBOX, Client
from paths import BUILD, PROGRAMS
from server import Server

SYSTEM_STORE = Path("/etc/ssl/certs/ca-certificates.crt")
WARM_UP_PER_CONNECTION = 20

Results = dict[str, list[process.Figures]]


def run(case: Case, server: Server, length: Length, log: "Callable[[str], None]") -> Results:
    """Runs all rounds and returns the figures of each client, with one set per round."""
    cores = _cores(case)
    server.pin_to(cores)
    results: Results = {client.name: [] for client in case.clients}
    for number in range(length.rounds):
        log(f"{case.name}: round {number + 1} of {length.rounds}")
        for client in _rotated(case.clients, number):
            results[client.name].append(_run_once(case, client, server, length.count, cores))
    return results


def _cores(case: Case) -> "set[int]":
    """Returns the cores to use: all, or for `one_core` only the last, which usually handles the fewest interrupts."""
    cores = os.sched_getaffinity(0)
    return {max(cores)} if case.one_core else cores


def _rotated(clients: "Sequence[Client]", number: int) -> "Sequence[Client]":
    """Rotates the clients by one position for each round, because a run can affect the run that follows it."""
    first = number % len(clients)
    return [*clients[first:], *clients[:first]]


def _run_once(case: Case, client: Client, server: Server, count: int, cores: "set[int]") -> process.Figures:
    shutil.rmtree(OUTBOX, ignore_errors=True)
    OUTBOX.mkdir(parents=True)
    url, ca_file = server.urls[case.url], str(server.ca)
    if case.cold:
        command = _cold_start(case, client, url, ca_file, count)
    else:
        command = client.command(url, ca_file, count, case.concurrency, WARM_UP_PER_CONNECTION * case.concurrency)
    return process.run(command, cores, client.environment_with(ca_file))


def _cold_start(case: Case, client: Client, url: str, ca_file: str, times: int) -> "list[str]":
    command = client.command(url, "-" if case.system_store else ca_file, 1, 1, 0)
    command = [str(PROGRAMS / "launch"), str(times), *command]
    return _with_system_store(Path(ca_file), command) if case.system_store else command


def _with_system_store(ca_file: Path, command: "list[str]") -> "list[str]":
    """Returns a command that runs `command` with the server's CA in the system's store, in a mount namespace."""
    store = BUILD / "store.crt"
    store.write_text(SYSTEM_STORE.read_text() + ca_file.read_text())
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    return [*unshare, "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"', str(store), str(SYSTEM_STORE), *command]
