"""Tests that a panic in the library becomes an exception."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import pytest

from sandbox import Log

CLIENT = """
import ctypes, json, os, sys
import nexmo_conversion
from nexmo_conversion import *

path = os.environ["NEXMO_TESTING_LIBRARY"]
nexmo_conversion.load(path)
credentials = Credentials.query("abcd1234", "s3cret")
options = Options(base_url=os.environ["NEXMO_SANDBOX_HTTP"])
client, other = Client(credentials, options), Client(credentials, options)
seen = {"before": client.sms("before", True).status}
ctypes.CDLL(path).nexmo_testing_panic()
try:
    client.sms("panic", True)
except InternalError as error:
    result = error.result
    seen.update(status=error.status, name=error.name, acceptance=result.acceptance, message=result.message)
try:
    client.voice("broken", True)
except InvalidHandle as error:
    seen.update(broken=[error.name, str(error)])
client.close()
seen["after"] = other.sms("after", True).status
with open(sys.argv[1], "w") as file:
    json.dump(seen, file)
"""


REPORTER = """
import ctypes, json, os, sys
import nexmo_conversion
from nexmo_conversion import *

path = os.environ["NEXMO_TESTING_LIBRARY"]
nexmo_conversion.load(path)
credentials = Credentials.query("abcd1234", "s3cret")
options = Options(base_url=os.environ["NEXMO_SANDBOX_HTTP"])
reporter_options = ReporterOptions(durability=Durability.NONE)
reporter, other = Reporter(credentials, reporter_options, options), Reporter(credentials, reporter_options, options)
reporter.submit(Channel.SMS, "before", True)
reporter.flush(60000)
seen = {"before": reporter.statistics().last_error}
ctypes.CDLL(path).nexmo_testing_panic()
try:
    reporter.submit(Channel.SMS, "panic", True)
except InternalError as error:
    seen.update(status=error.status, name=error.name, message=error.result.message)
try:
    reporter.submit(Channel.VOICE, "broken", True)
except InvalidHandle as error:
    seen.update(broken=[error.name, str(error)])
reporter.free()
other.submit(Channel.SMS, "after", True)
other.flush(60000)
seen["after"] = other.statistics().last_error
with open(sys.argv[1], "w") as file:
    json.dump(seen, file)
"""


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Returns the path of the file for the observations of a program."""
    return tmp_path / "seen.json"


def observed(program: str, out: Path) -> Dict[str, Any]:
    """Runs a program, which must succeed and print nothing, and returns its observations."""
    package = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "PYTHONPATH": str(package), "RUST_BACKTRACE": "1"}
    command = [sys.executable, "-c", program, str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    seen: Dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    assert (seen["before"], seen["after"]) == (0, 0)
    assert (seen["status"], seen["name"]) == (99, "NEXMO_ERR_INTERNAL")
    assert seen["message"]
    return seen


def test_a_panic_closes_only_its_client(out: Path, log: Log) -> None:
    seen = observed(CLIENT, out)
    assert seen["acceptance"] == 1
    assert seen["broken"] == ["NEXMO_ERR_INVALID_HANDLE", "the client is closed: create another"]
    assert [record["message_id"] for record in log.records()] == ["before", "after"]


def test_a_panic_frees_only_its_reporter(out: Path, log: Log) -> None:
    seen = observed(REPORTER, out)
    assert seen["broken"] == ["NEXMO_ERR_INVALID_HANDLE", "the reporter is freed: create another"]
    assert [record["message_id"] for record in log.records()] == ["before", "after"]
