"""The examples in the documentation work."""

import dataclasses
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Dict

import pytest

import nexmo_conversion
from nexmo_conversion import Client, Credentials, Options, Reporter, ReporterOptions
from sandbox import API_KEY, API_SECRET, SIGNATURE_SECRET, Log, http_options

HERE = Path(__file__).resolve().parents[1]


def example(*arguments: str, secret: str = API_SECRET, auth: str = "basic") -> "subprocess.CompletedProcess[str]":
    """Runs the example against the sandbox, with the library in the directory of the package."""
    command = [sys.executable, str(HERE / "example.py"), *arguments]
    environment = {
        **os.environ,
        "NEXMO_API_KEY": API_KEY,
        "NEXMO_API_SECRET": secret,
        "NEXMO_SIGNATURE_SECRET": SIGNATURE_SECRET,
        "NEXMO_AUTH": auth,
        "NEXMO_BASE_URL": os.environ["NEXMO_SANDBOX_HTTPS"],
        "NEXMO_CA_FILE": os.environ["NEXMO_SANDBOX_CA"],
    }
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("auth", ["query", "basic", "signature"])
def test_the_example_reports(auth: str, log: Log) -> None:
    done = example("voice", "example", "false", "2020-01-01 12:00:00", auth=auth)
    assert (done.returncode, done.stdout, done.stderr) == (0, "NEXMO_OK: report accepted\n", "")
    record = log.only()
    assert (record["channel"], record["delivered"], record["authentication"]) == ("voice", "false", auth)
    assert record["timestamp"] == "2020-01-01 12:00:00"


def test_the_example_prints_the_error() -> None:
    done = example("sms", "example", "true", secret="wrong")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("NEXMO_ERR_UNAUTHORIZED: ")
    assert example("sms", "throttled", "true").returncode == 75
    assert example("sms", "example").returncode == 2


def client_of_the_sandbox(credentials: Credentials, options: Options) -> Client:
    """A client with these options, except that it reports to the sandbox."""
    return Client(credentials, dataclasses.replace(options, base_url=http_options().base_url))


def reporter_of_the_sandbox(outbox: Path, credentials: Credentials, options: ReporterOptions) -> Reporter:
    """A reporter with these options, except that it reports to the sandbox."""
    return Reporter(credentials, dataclasses.replace(options, outbox=outbox), http_options())


def test_the_examples_in_the_readme_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], log: Log
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (HERE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.setattr(nexmo_conversion, "sms", partial(nexmo_conversion.sms, options=http_options()))
    monkeypatch.setattr(nexmo_conversion, "Client", client_of_the_sandbox)
    monkeypatch.setattr(nexmo_conversion, "Reporter", partial(reporter_of_the_sandbox, tmp_path / "outbox"))
    monkeypatch.setenv("NEXMO_API_KEY", API_KEY)
    monkeypatch.setenv("NEXMO_API_SECRET", API_SECRET)
    names: Dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    assert [record["status"] for record in log.records()] == [200] * len(blocks)
    assert len(blocks) == 4
    assert "\nnexmo_reporter_submitted_total 1\n" in capsys.readouterr().out
