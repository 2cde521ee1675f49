"""Parent and child each go on after a fork, with connections of their own."""

import os
import subprocess
import sys
from pathlib import Path

from sandbox import Log

PROGRAM = """
import os
import nexmo_conversion
from nexmo_conversion import Credentials, Options

nexmo_conversion.load(os.environ["NEXMO_LIBRARY"])
credentials = Credentials.query("abcd1234", "s3cret")
options = Options(base_url=os.environ["NEXMO_SANDBOX_HTTP"])

def report(name):
    nexmo_conversion.sms(credentials, name, True, options=options)

report("before")
child = os.fork()
if child == 0:
    report("child")
    report("child again")
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
report("parent")
"""


def test_parent_and_child_report(log: Log) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    subprocess.run([sys.executable, "-c", PROGRAM], env=environment, timeout=60, check=True)
    connections = {record["message_id"]: record["connection"] for record in log.records()}
    assert set(connections) == {"before", "child", "child again", "parent"}
    assert connections["parent"] == connections["before"]
    assert connections["child"] == connections["child again"] != connections["before"]
