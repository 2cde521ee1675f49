"""Tests that other code in the process can open and close the files of an outbox without releasing its locks."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Callable

import pytest

from nexmo_conversion import Channel, Options
from reporters import in_file, is_balanced, run_successfully

ENDINGS = ("", "-wal", "-shm")

UNREACHABLE = Options(base_url="http://127.0.0.1:9")
"""Options for a service that accepts no connections, so reports stay in the outbox."""


def check_contents(outbox: Path, count: int) -> None:
    with closing(sqlite3.connect(outbox)) as connection:
        assert connection.execute("SELECT count(*) FROM report").fetchone() == (count,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def count_rows(outbox: Path) -> None:
    with closing(sqlite3.connect(outbox)) as connection:
        connection.execute("SELECT count(*) FROM report").fetchone()


def read_files(outbox: Path) -> None:
    for ending in ENDINGS:
        Path(f"{outbox}{ending}").read_bytes()


def open_by_another_handle(outbox: Path) -> None:
    in_file(outbox, UNREACHABLE).free()


@pytest.mark.parametrize("use", [count_rows, read_files, open_by_another_handle])
def test_other_users_of_the_files_in_the_process_lose_no_report(use: Callable[[Path], None], tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    reporter = in_file(outbox, UNREACHABLE)
    for group in range(5):
        for number in range(40):
            reporter.submit(Channel.SMS, f"id-{group}-{number}", True)
        use(outbox)
        assert all(Path(f"{outbox}{ending}").exists() for ending in ENDINGS)
    statistics = reporter.statistics()
    assert (statistics.submitted, statistics.pending, statistics.outbox_resets) == (200, 200, 0)
    assert is_balanced(statistics)
    reporter.free()
    check_contents(outbox, 200)


TWO_COPIES = """
import ctypes, threading

COUNT = 1000
copy = ctypes.CDLL(sys.argv[3])
settings = f"api_key = abcd1234\\napi_secret = s3cret\\nbase_url = {base_url}\\noutbox = {outbox}\\nbusy_timeout_ms = 60000".encode()
handle, message = ctypes.c_int64(), ctypes.create_string_buffer(256)
assert copy.nexmo_flat_open(settings, -1, ctypes.byref(handle), message, 256) == 0, message.value
reporter = Reporter(credentials, ReporterOptions(outbox, busy_timeout_ms=60000), options)

def submit_by_copy():
    submit = copy.nexmo_flat_submit
    for number in range(COUNT):
        message_id = b"copy-%d" % number
        assert submit(handle, 1, message_id, -1, 1, None, 0, None, 0, message, 256) == 0, message.value

thread = threading.Thread(target=submit_by_copy)
thread.start()
for number in range(COUNT):
    reporter.submit(Channel.SMS, f"package-{number}", True)
thread.join()
assert reporter.statistics().submitted == 2 * COUNT, reporter.statistics()
assert reporter.statistics().outbox_resets == 0
copy.nexmo_flat_close(handle, 0, message, 256)
reporter.free()
"""


def test_two_copies_of_the_library_in_a_process_share_an_outbox(tmp_path: Path) -> None:
    copy = tmp_path / "copy.so"
    shutil.copy(os.environ["NEXMO_LIBRARY"], copy)
    outbox = tmp_path / "outbox"
    run_successfully(TWO_COPIES.replace("sys.argv[3]", repr(str(copy))), outbox, UNREACHABLE)
    check_contents(outbox, 2000)
