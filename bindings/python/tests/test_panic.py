"""A mistake inside the library stays inside."""

import json
import os
import subprocess
import sys
from pathlib import Path

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


def test_a_panic_becomes_an_internal_error_and_prints_nothing(tmp_path: Path) -> None:
    out = tmp_path / "told.json"
    package = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "PYTHONPATH": str(package), "RUST_BACKTRACE": "1"}
    command = [sys.executable, "-c", PROGRAM, str(out)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    told = json.loads(out.read_text(encoding="utf-8"))
    assert (told["before"], told["after"]) == (0, 0)
    assert (told["status"], told["name"], told["taken"]) == (900, "NEXMO_ERR_INTERNAL", 1)
    assert told["message"]
