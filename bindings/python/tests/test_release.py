"""Tests that every client and reporter is released, regardless of how it ends. Each test runs another Python process
with a library that counts clients. Each reporter counts as one client."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

START = """
import atexit, ctypes, gc, os, threading, time
import nexmo_conversion
from nexmo_conversion import *

nexmo_conversion.load(os.environ["NEXMO_TESTING_LIBRARY"])
live = ctypes.CDLL(os.environ["NEXMO_TESTING_LIBRARY"]).nexmo_testing_live_clients
live.restype = ctypes.c_size_t
credentials = Credentials.query("abcd1234", "s3cret")
options = Options(base_url=os.environ["NEXMO_SANDBOX_HTTP"], timeout_ms=30000)

def expect(clients):
    assert live() == clients, live()

expect(0)
"""

CLOSED = """
client = Client(credentials, options)
expect(1)
client.sms("a", True)
client.close()
expect(0)
with Client(credentials, options), Client(credentials, options):
    expect(2)
expect(0)
"""

DROPPED = """
client = Client(credentials, options)
client.sms("a", True)
clients = [Client(credentials, options) for _ in range(9)]
expect(10)
del client
gc.collect()
expect(9)
clients.append(clients)
del clients
gc.collect()
expect(0)
"""

DROPPED_BY_A_THREAD = """
def use():
    Client(credentials, options).sms("a", True)

threads = [threading.Thread(target=use) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
gc.collect()
expect(0)
"""

REJECTED = """
for rejected in (Options(max_attempts=101), Options(ca_file="/nonexistent"), Options(client_key_file="/nonexistent")):
    try:
        Client(credentials, rejected)
    except InvalidCall:
        expect(0)
"""

CLOSED_DURING_CALLS = """
client, begun, ended = Client(credentials, options), threading.Barrier(9), []

def use():
    begun.wait()
    while True:
        try:
            client.sms("a", True)
        except Error as error:
            return ended.append(error.name)

threads = [threading.Thread(target=use) for _ in range(8)]
for thread in threads: thread.start()
begun.wait()
client.sms("mine", True)
client.close()
for thread in threads: thread.join()
assert set(ended) <= {"NEXMO_ERR_INVALID_HANDLE", "NEXMO_ERR_CANCELLED"} and len(ended) == 8, ended
expect(0)
"""

OPEN_AT_THE_END = """
# atexit runs handlers in reverse order of registration.
atexit.register(expect, 0)
client, cycle = Client(credentials, options), [Client(credentials, options)]
cycle.append(cycle)
client.sms("a", True)
expect(2)
"""

IN_A_CALL_AT_THE_END = """
client, begun = Client(credentials, options), threading.Event()

def use():
    begun.set()
    try:
        while True:
            client.sms("a", True)
    except Error:
        pass

threading.Thread(target=use, daemon=True).start()
begun.wait()
client.sms("mine", True)
"""

CHILD = """
client = Client(credentials, options)
client.sms("a", True)
child = os.fork()
if child == 0:
    client.sms("child", True)
    del client
    gc.collect()
    os._exit(live())
assert os.waitpid(child, 0)[1] == 0
expect(1)
client.sms("parent", True)
del client
gc.collect()
expect(0)
"""

REPORTERS = """
reporter_options = ReporterOptions(durability=Durability.NONE)

def parts():
    return live(), len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))

def expect_in_the_end(wanted):
    # The threads of the library exit in the background.
    deadline = time.monotonic() + 30
    while parts() != wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    assert parts() == wanted, (parts(), wanted)

def use():
    reporter = Reporter(credentials, reporter_options, options)
    reporter.submit(Channel.SMS, "a", True)
    reporter.flush(30000)
    return reporter

before = parts()
use().free()
expect_in_the_end(before)
with use(), use():
    expect(2)
expect_in_the_end(before)
freed, dropped = use(), [use() for _ in range(3)]
dropped.append(dropped)
freed.free()
del dropped
gc.collect()
expect_in_the_end(before)
for rejected in (Options(max_attempts=101), Options(ca_file="/nonexistent")):
    try:
        Reporter(credentials, reporter_options, rejected)
    except InvalidCall:
        pass
expect_in_the_end(before)
"""

PROGRAMS = {
    "closed": CLOSED,
    "dropped": DROPPED,
    "dropped by a thread": DROPPED_BY_A_THREAD,
    "rejected": REJECTED,
    "closed during calls": CLOSED_DURING_CALLS,
    "open at the end": OPEN_AT_THE_END,
    "in a call at the end": IN_A_CALL_AT_THE_END,
    "dropped in a child": CHILD,
    "reporters": REPORTERS,
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_everything_is_released_and_nothing_is_printed(program: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    command = [sys.executable, "-W", "error", "-c", START + program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
