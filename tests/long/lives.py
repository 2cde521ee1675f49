"""Repeatedly kills processes that share an outbox, and checks that every submitted report arrives.

Usage, inside the sandbox: lives.py LIBRARY DIRECTORY [LIVES [SEED]]

Two processes run at a time. Until it is killed, each submits through the Python package and through a second copy of
the library, reads the outbox with Python's own SQLite, and records the reports that it has submitted. In the end, all
recorded reports must have arrived at the sandbox.
"""

import ctypes
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bindings" / "python"))

import nexmo_conversion
from nexmo_conversion import Channel, Credentials, Options, OutboxBusy, Reporter, ReporterOptions

PROCESSES = 2
CREDENTIALS = Credentials.query("abcd1234", "s3cret")


def options() -> Options:
    return Options(base_url=os.environ["NEXMO_SANDBOX_HTTP"])


def open_reporter(outbox: Path) -> Reporter:
    while True:
        try:
            return Reporter(CREDENTIALS, ReporterOptions(outbox, busy_timeout_ms=60_000), options())
        except OutboxBusy:
            pass


def read_with_sqlite(outbox: Path) -> None:
    """Repeatedly reads the outbox through SQLite and as a plain file."""
    while True:
        connection = sqlite3.connect(outbox, timeout=60)
        connection.execute("SELECT count(*) FROM report").fetchone()
        connection.close()
        outbox.read_bytes()
        time.sleep(0.002)


class Copy:
    """A second copy of the library, which is called through its flat functions."""

    def __init__(self, path: Path, outbox: Path) -> None:
        self._library = ctypes.CDLL(str(path))
        self._handle = ctypes.c_int64()
        self._message = ctypes.create_string_buffer(512)
        settings = (
            f"api_key = abcd1234\napi_secret = s3cret\nbase_url = {options().base_url}\n"
            f"outbox = {outbox}\nbusy_timeout_ms = 60000"
        )
        opened = self._library.nexmo_flat_open(
            settings.encode(), -1, ctypes.byref(self._handle), self._message, len(self._message)
        )
        assert opened == 0, self._message.value

    def submit(self, message_id: str) -> None:
        status = self._library.nexmo_flat_submit(
            self._handle, int(Channel.SMS), message_id.encode(), -1, 1, None, 0, None, 0,
            self._message, len(self._message),
        )
        assert status == 0, self._message.value


def live(library: Path, copy: Path, outbox: Path, notes: Path, name: str) -> None:
    """Submits reports until the process is killed."""
    nexmo_conversion.load(library)
    reporter, other = open_reporter(outbox), Copy(copy, outbox)
    threading.Thread(target=read_with_sqlite, args=[outbox], daemon=True).start()
    with notes.open("a", buffering=1) as noted:
        print("ready", flush=True)
        for number in range(1_000_000):
            for kind in ("package", "copy"):
                message_id = f"{name}-{kind}-{number}"
                if kind == "copy":
                    other.submit(message_id)
                else:
                    reporter.submit(Channel.SMS, message_id, True)
                noted.write(message_id + "\n")
            time.sleep(0.001)


def main(library: Path, directory: Path, lives: int, seed: int) -> None:
    rng = random.Random(seed)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    outbox, notes, copy = directory / "outbox", directory / "notes", directory / "copy.so"
    shutil.copy(library, copy)

    def start(number: int) -> "subprocess.Popen[str]":
        command = [sys.executable, __file__, "--live", library, copy, outbox, notes, str(number)]
        return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)

    waiting = list(range(lives))
    running = [start(waiting.pop()) for _ in range(min(PROCESSES, lives))]
    while running:
        process = running.pop(rng.randrange(len(running)))
        assert process.stdout and process.stdout.readline() == "ready\n", "a process exited before it was ready"
        time.sleep(rng.uniform(0, 0.2))
        assert process.poll() is None, f"a process exited before it was killed: {process.returncode}"
        process.kill()
        process.wait()
        if waiting:
            running.append(start(waiting.pop()))

    nexmo_conversion.load(library)
    reporter = open_reporter(outbox)
    reporter.flush(-1)
    statistics = reporter.statistics()
    reporter.free()
    accepted = set(notes.read_text().split())
    with open(os.environ["NEXMO_SANDBOX_LOG"]) as log:
        arrived = [json.loads(line)["message_id"] for line in log]
    lost = accepted - set(arrived)
    print(
        f"{lives} lives, seed {seed}: {len(accepted)} submitted, {len(lost)} lost, "
        f"{len(arrived) - len(set(arrived))} duplicates, {statistics.outbox_resets} resets, {statistics.damaged} damaged"
    )
    assert not lost, sorted(lost)[:10]
    assert (statistics.pending, statistics.outbox_resets, statistics.damaged) == (0, 0, 0), statistics


if __name__ == "__main__":
    if sys.argv[1] == "--live":
        live(*map(Path, sys.argv[2:6]), sys.argv[6])
    else:
        main(
            Path(sys.argv[1]).resolve(),
            Path(sys.argv[2]).resolve(),
            int(sys.argv[3]) if len(sys.argv) > 3 else 1000,
            int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 32),
        )
