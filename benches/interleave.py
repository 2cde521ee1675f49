"""Runs the contestants of a case in turns, round after round, so that what the machine does besides meets all alike."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import process
from cases import Case, Length
from clients import OUTBOX, Contestant, environment
from paths import BUILD, PROGRAMS
from server import Server

PLATFORM_STORE = Path("/etc/ssl/certs/ca-certificates.crt")
WARM_UP_EACH = 20

Results = dict[str, list[process.Figures]]


def run(case: Case, server: Server, length: Length, tell: "Callable[[str], None]") -> Results:
    """All rounds of a case: for each contestant its figures, a round each."""
    cores = _cores(case)
    server.stay_on(cores)
    results: Results = {each.name: [] for each in case.contestants}
    for number in range(length.rounds):
        tell(f"{case.name}: round {number + 1} of {length.rounds}")
        for contestant in _in_turn(case.contestants, number):
            results[contestant.name].append(_once(case, contestant, server, length.count, cores))
    return results


def _cores(case: Case) -> "set[int]":
    """All that there are, or the last, which has the least to do with interrupts."""
    cores = os.sched_getaffinity(0)
    return {max(cores)} if case.one_core else cores


def _in_turn(contestants: "Sequence[Contestant]", number: int) -> "Sequence[Contestant]":
    """Each round begins with another, for some suffer from who ran before."""
    begin = number % len(contestants)
    return [*contestants[begin:], *contestants[:begin]]


def _once(case: Case, contestant: Contestant, server: Server, count: int, cores: "set[int]") -> process.Figures:
    shutil.rmtree(OUTBOX, ignore_errors=True)
    OUTBOX.mkdir(parents=True)
    url, ca_file = server.urls[case.url], str(server.ca)
    if case.cold:
        command = _cold(case, contestant, url, ca_file, count)
    else:
        command = contestant.command(url, ca_file, count, case.concurrency, WARM_UP_EACH * case.concurrency)
    return process.run(command, cores, environment(contestant, ca_file))


def _cold(case: Case, contestant: Contestant, url: str, ca_file: str, times: int) -> "list[str]":
    command = contestant.command(url, "-" if case.platform else ca_file, 1, 1, 0)
    command = [str(PROGRAMS / "launch"), str(times), *command]
    return _with_store(Path(ca_file), command) if case.platform else command


def _with_store(ca_file: Path, command: "list[str]") -> "list[str]":
    """The command, seeing a platform's store that has our CA in it too. Others see the machine's own, which stays as it is:
    a mount namespace of the command's puts a copy in its place."""
    store = BUILD / "store.crt"
    store.write_text(PLATFORM_STORE.read_text() + ca_file.read_text())
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    return [*unshare, "sh", "-c", 'mount --bind "$0" "$1" && shift && exec "$@"', str(store), str(PLATFORM_STORE), *command]
