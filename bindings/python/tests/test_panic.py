"""A mistake inside the library stays inside."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import pytest

from sandbox import Log

PROGRAM = """
import ctypes, json, os, sys
import nexmo_conversion
from nexmo_conversion import Credentials, InternalError, Options

path = os.environ["NEXMO_TESTING_LIBRARY"]
nexmo_conversion.load(path)
credentials = Credentials.query("abcd1234", "s3cret")
options = Options(base_url=os.environ["NEXMO_SANDBOX_HTTP"])
told = {"before": nexmo_conversion.sms(credentials, "before", True, options=options).status}
ctypes.CDLL(path).nexmo_testing_panic()
try:
    nexmo_conversion.sms(credentials, "panic", True, options=options)
except InternalError as error:
    result = error.result
    told.update(status=error.status, name=error.name, taken=result.taken, message=result.message)
told["after"] = nexmo_conversion.sms(credentials, "after", True, options=options).status
with open(sys.argv[1], "w") as file:
    json.dump(told, file)
"""

CLIENT = """
import ctypes, json, os, sys
import nexmo_conversion
from nexmo_conversion import Client, Credentials, HandleError, InternalError, Options

path = os.environ["NEXMO_TESTING_LIBRARY"]
nexmo_conversion.load(path)
credentials = Credentials.query("abcd1234", "s3cret")
options = Options(base_url=os.environ["NEXMO_SANDBOX_HTTP"])
client, other = Client(credentials, options), Client(credentials, options)
told = {"before": client.sms("before", True).status}
ctypes.CDLL(path).nexmo_testing_panic()
try:
    client.sms("panic", True)
except InternalError as error:
    result = error.result
    told.update(status=error.status, name=error.name, taken=result.taken, message=result.message)
try:
    client.voice("broken", True)
except HandleError as error:
    told.update(broken=[error.name, str(error)])
client.close()
told["after"] = other.sms("after", True).status
with open(sys.argv[1], "w") as file:
    json.dump(told, file)
"""


REPORTER = """
import ctypes, json, os, sys
import nexmo_conversion
from nexmo_conversion import Credentials, Durability, HandleError, InternalError, Options, Reporter, ReporterOptions

path = os.environ["NEXMO_TESTING_LIBRARY"]
nexmo_conversion.load(path)
credentials = Credentials.query("abcd1234", "s3cret")
options, keeps = Options(base_url=os.environ["NEXMO_SANDBOX_HTTP"]), ReporterOptions(durability=Durability.NONE)
reporter, other = Reporter(credentials, keeps, options), Reporter(credentials, keeps, options)
reporter.submit_sms("before", True)
told = {"before": reporter.flush(60000).last_error}
ctypes.CDLL(path).nexmo_testing_panic()
try:
    reporter.submit_sms("panic", True)
except InternalError as error:
    told.update(status=error.status, name=error.name, message=error.result.message)
try:
    reporter.submit_voice("broken", True)
except HandleError as error:
    told.update(broken=[error.name, str(error)])
reporter.free()
other.submit_sms("after", True)
told["after"] = other.flush(60000).last_error
with open(sys.argv[1], "w") as file:
    json.dump(told, file)
"""


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where a program tells what it saw."""
    return tmp_path / "told.json"


def told_by(program: str, out: Path) -> Dict[str, Any]:
    """What a program tells, which must print nothing and survive."""
    package = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "PYTHONPATH": str(package), "RUST_BACKTRACE": "1"}
    command = [sys.executable, "-c", program, str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    told: Dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    assert (told["before"], told["after"]) == (0, 0)
    assert (told["status"], told["name"]) == (900, "NEXMO_ERR_INTERNAL")
    assert told["message"]
    return told


def test_a_panic_becomes_an_internal_error_and_prints_nothing(out: Path) -> None:
    assert told_by(PROGRAM, out)["taken"] == 1


def test_a_panic_closes_the_client_in_which_it_was_and_no_other(out: Path, log: Log) -> None:
    told = told_by(CLIENT, out)
    assert told["taken"] == 1
    assert told["broken"] == ["NEXMO_ERR_HANDLE", "the client is closed: make another"]
    assert [record["message_id"] for record in log.records()] == ["before", "after"]


def test_a_panic_frees_the_reporter_in_which_it_was_and_no_other(out: Path, log: Log) -> None:
    told = told_by(REPORTER, out)
    assert told["broken"] == ["NEXMO_ERR_HANDLE", "the reporter is freed: make another"]
    assert [record["message_id"] for record in log.records()] == ["before", "after"]
