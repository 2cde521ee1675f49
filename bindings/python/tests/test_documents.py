"""Tests the examples in the documentation."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import API_KEY, API_SECRET, SIGNATURE_SECRET, Log

HERE = Path(__file__).resolve().parents[1]


def example(*arguments: str, secret: str = API_SECRET, auth: str = "basic") -> "subprocess.CompletedProcess[str]":
    """Runs example.py against the sandbox, with the library in the directory of the package."""
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


def test_each_program_of_the_readme_runs(tmp_path: Path, log: Log) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (HERE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 4
    printed = ""
    for block in blocks:
        assert "http://127.0.0.1:8080" in block
        program = block.replace("http://127.0.0.1:8080", os.environ["NEXMO_SANDBOX_HTTP"])
        program = program.replace("/var/lib/shop/conversions", str(tmp_path / "outbox"))
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=HERE, capture_output=True, text=True, timeout=60, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        printed += done.stdout
    assert [record["status"] for record in log.records()] == [200] * len(blocks)
    assert "\nnexmo_reporter_submitted_total 1\n" in printed
