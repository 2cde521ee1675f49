"""Tests that parent and child report over separate connections after a fork."""

import os
import subprocess
import sys
from pathlib import Path

from sandbox import Log

CLIENT = """
import os, sys
import nexmo_conversion
from nexmo_conversion import *

nexmo_conversion.load(os.environ["NEXMO_LIBRARY"])
credentials = Credentials.query("abcd1234", "s3cret")
client = Client(credentials, Options(base_url=os.environ["NEXMO_SANDBOX_HTTP"]))
unused = Client(credentials, Options(base_url=os.environ["NEXMO_SANDBOX_HTTP"]))

client.sms("before", True)
child = os.fork()
if child == 0:
    client.sms("child", True)
    client.voice("child again", True)
    unused.sms("unused in child", True)
    client.close()
    try:
        client.sms("never", True)
    except InvalidHandle:
        sys.exit(0)
    sys.exit(1)
assert os.waitpid(child, 0)[1] == 0
client.sms("parent", True)
unused.sms("unused in parent", True)
"""


def run(program: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_client_works_in_parent_and_child(log: Log) -> None:
    run(CLIENT)
    connections = {record["message_id"]: record["connection"] for record in log.records()}
    assert set(connections) == {"before", "child", "child again", "unused in child", "parent", "unused in parent"}
    assert connections["parent"] == connections["before"]
    assert connections["child"] == connections["child again"]
    assert len(set(connections.values())) == 4
