"""Tests that a reporter works in parent and child after a fork, and that a process with an open reporter can exit."""

from pathlib import Path

import pytest

from reporters import flushed, held, in_file, run, run_successfully
from sandbox import Log

FORK = """
reporter = Reporter(credentials, ReporterOptions(outbox), options)
reporter.submit(Channel.SMS, "before", True)
reporter.flush(60000)
parents = reporter.fileno()
child = os.fork()
if child == 0:
    reporter.submit(Channel.SMS, "child", True)
    reporter.submit(Channel.VOICE, "child", False)
    assert reporter.poll() is None
    os._exit(0)
reporter.submit(Channel.SMS, "parent", True)
assert os.waitpid(child, 0)[1] == 0
statistics = flushed(reporter)
assert (statistics.submitted, statistics.accepted) == (4, 4), statistics
assert reporter.fileno() == parents
"""

MULTIPROCESSING = """
import multiprocessing

reporter = Reporter(credentials, ReporterOptions(outbox, busy_timeout_ms=60000), options)

def submit(number):
    for one in range(10):
        reporter.submit(Channel.SMS, f"{number} {one}", True)

fork = multiprocessing.get_context("fork")
children = [fork.Process(target=submit, args=(number,)) for number in range(4)]
for child in children: child.start()
for child in children: child.join(60)
assert [child.exitcode for child in children] == [0] * 4
statistics = flushed(reporter)
assert (statistics.submitted, statistics.accepted) == (40, 40), statistics
reporter.free()
"""

LOCKED = """
import subprocess, threading, time

LOCK = (
    "import sqlite3, sys; connection = sqlite3.connect(sys.argv[1], isolation_level=None); "
    "connection.execute('BEGIN IMMEDIATE'); print('locked', flush=True); sys.stdin.read()"
)
reporter = Reporter(credentials, ReporterOptions(outbox, busy_timeout_ms=60000), options)
reporter.submit(Channel.SMS, "before", True)
command = [sys.executable, "-c", LOCK, outbox]
with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
    assert other.stdout.readline() == "locked\\n"
    waiting = threading.Thread(target=lambda: reporter.submit(Channel.SMS, "waiting", True))
    waiting.start()
    time.sleep(0.1)
    child = os.fork()
    if child == 0:
        other.stdin.close()
        reporter.submit(Channel.SMS, "child", True)
        os._exit(0)
    other.stdin.close()
waiting.join()
assert os.waitpid(child, 0)[1] == 0
assert flushed(reporter).accepted == 3
"""

IN_MEMORY = """
reporter = Reporter(credentials, ReporterOptions(durability=Durability.NONE), options)
reporter.submit(Channel.SMS, "parent", True)
reporter.flush(60000)
child = os.fork()
if child == 0:
    assert reporter.statistics().submitted == 0
    reporter.submit(Channel.SMS, "child", True)
    assert flushed(reporter).accepted == 1
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert flushed(reporter).accepted == 1
"""

EVENT_IN_A_CHILD = """
import select

reporter = Reporter(credentials, ReporterOptions(outbox), options)
child = os.fork()
if child == 0:
    reporter.submit(Channel.SMS, "invalid", True)
    assert select.select([reporter], [], [], 60)[0]
    assert [event.http_status for event in reporter.events()] == [420]
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert flushed(reporter).rejected == 1
"""

NO_OUTBOX_IN_A_CHILD = """
directory = os.path.dirname(outbox)
reporter = Reporter(credentials, ReporterOptions(outbox), options)
child = os.fork()
if child == 0:
    os.rename(directory, f"{directory} elsewhere")
    for use in (reporter.fileno, reporter.poll, reporter.statistics, lambda: reporter.submit(Channel.SMS, "a", True)):
        try:
            use()
        except OutboxError as error:
            assert error.status == Status.OUTBOX
        else:
            os._exit(1)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""

FORKS = {
    "parent sees what the child submits": FORK,
    "multiprocessing": MULTIPROCESSING,
    "another process has the outbox locked": LOCKED,
    "in memory": IN_MEMORY,
    "event in a child": EVENT_IN_A_CHILD,
    "no outbox in a child": NO_OUTBOX_IN_A_CHILD,
}


@pytest.mark.parametrize("program", FORKS.values(), ids=FORKS.keys())
def test_a_reporter_works_in_parent_and_child(program: str, tmp_path: Path) -> None:
    run_successfully(program, tmp_path / "outbox")


def test_reports_of_parent_and_child_arrive_once(tmp_path: Path, log: Log) -> None:
    run_successfully(FORK, tmp_path / "outbox")
    arrived = sorted((record["message_id"], record["channel"]) for record in log.records())
    assert arrived == [("before", "sms"), ("child", "sms"), ("child", "voice"), ("parent", "sms")]


OPEN_AT_THE_END = """
reporter = Reporter(credentials, ReporterOptions(outbox), options)
cycle = [Reporter(credentials, ReporterOptions(durability=Durability.NONE), options)]
cycle.append(cycle)
for number in range(20):
    reporter.submit(Channel.SMS, f"{number}", True)
    cycle[0].submit(Channel.SMS, f"{number}", True)
"""

IN_A_FLUSH_AT_THE_END = """
import threading

reporter, begun = Reporter(credentials, ReporterOptions(outbox), options), threading.Event()
for number in range(20):
    reporter.submit(Channel.SMS, f"{number}", True)

def use():
    begun.set()
    try:
        reporter.flush(60000)
    except Error:
        pass

threading.Thread(target=use, daemon=True).start()
begun.wait()
"""

AWAITED_AT_THE_END = """
import asyncio

reporter = Reporter(credentials, ReporterOptions(outbox), options)
for number in range(20):
    reporter.submit(Channel.SMS, f"{number}", True)

async def consume():
    async for event in reporter.events_async():
        pass

async def main():
    task = asyncio.create_task(consume())
    await asyncio.sleep(0)

asyncio.run(main())
"""

EXCEPTION_IN_WITH = """
try:
    with Reporter(credentials, ReporterOptions(outbox), options) as reporter:
        for number in range(20):
            reporter.submit(Channel.SMS, f"{number}", True)
        raise KeyboardInterrupt
except KeyboardInterrupt:
    pass
"""

ENDS = {
    "open": OPEN_AT_THE_END,
    "in a flush": IN_A_FLUSH_AT_THE_END,
    "awaited": AWAITED_AT_THE_END,
    "exception in with": EXCEPTION_IN_WITH,
}


@pytest.mark.parametrize("program", ENDS.values(), ids=ENDS.keys())
def test_a_process_exits_with_an_open_reporter_and_loses_no_report(program: str, tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    with held() as server:
        run_successfully(program, outbox, server.options)
        server.release()
        with in_file(outbox, server.options) as reporter:
            statistics = flushed(reporter)
    assert (statistics.submitted, statistics.accepted) == (20, 20)


def test_os_exit_does_not_wait(tmp_path: Path) -> None:
    with held() as server:
        done = run(f"{OPEN_AT_THE_END}\nos._exit(7)", tmp_path / "outbox", server.options)
        assert (done.returncode, done.stdout, done.stderr) == (7, "", "")
