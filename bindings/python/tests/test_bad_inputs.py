"""The table of calls that must be refused before anything is sent, made as C makes them."""

import re
from pathlib import Path
from typing import Callable, List, NamedTuple, Optional, Union

import pytest

from nexmo_conversion import Status
from raw import Call, Outcome
from sandbox import Log

TABLE = Path(__file__).resolve().parents[3] / "tests" / "data" / "bad_inputs.tsv"
NUMBERS = re.compile(r"delivered|.*\.(auth|signature_method|flags|\w+_ms|max_attempts|max_idle_connections)")
ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "\\": b"\\"}


class Row(NamedTuple):
    """One line of the table."""

    status: str
    begins: str
    fields: List[str]


def rows() -> List[Row]:
    lines = TABLE.read_bytes().decode("utf-8").split("\n")
    cells = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [Row(status, begins, fields) for status, begins, *fields in cells]


def text(written: str) -> Optional[bytes]:
    """A cell's value as the bytes that it stands for."""
    if written == "NULL":
        return None
    repeated = re.fullmatch(r"(\d+)\*(.*)", written)
    times, written = (int(repeated[1]), repeated[2]) if repeated else (1, written)
    parts = re.findall(r"\\x([0-9a-f]{2})|\\(.)|([^\\]+)", written)
    return times * b"".join(
        bytes.fromhex(code) or ESCAPES.get(letter) or plain.encode() for code, letter, plain in parts
    )


def spoil(call: Call, field: str) -> None:
    """Gives one field of a call another value."""
    path, written = field.split("=", 1)
    value: Union[int, str, bytes, None] = written
    if path != "channel":
        value = int(written) if NUMBERS.fullmatch(path) else text(written)
    *struct, name = path.split(".")
    target = getattr(call, struct[0]) if struct else call
    assert hasattr(target, name), path
    setattr(target, name, value)


WAYS = [Call.make, Call.make_by_client]
Way = Callable[[Call], Outcome]


@pytest.mark.parametrize("make", WAYS)
def test_the_call_is_fine_before_it_is_spoilt(make: Way, log: Log) -> None:
    assert make(Call()).status == Status.OK
    assert log.only()["status"] == 200


def test_the_table_is_read_as_it_is_meant() -> None:
    assert len(rows()) > 100
    assert text("a\\xc3\\xa9\\t\\\\n ") == b"a\xc3\xa9\t\\n "
    assert (text("3*ab"), text(""), text("NULL"), text("\\x01")) == (b"ababab", b"", None, b"\x01")


@pytest.mark.parametrize("make", WAYS)
@pytest.mark.parametrize("row", rows(), ids=lambda row: " ".join(row.fields)[:60])
def test_refused_and_not_sent(row: Row, make: Way, log: Log) -> None:
    call = Call()
    for field in row.fields:
        spoil(call, field)
    outcome = make(call)
    assert outcome.status == Status[row.status]
    assert outcome.message.startswith(row.begins)
    assert call.result.status == outcome.status
    assert log.records() == []
    call.result = None
    assert make(call).status == Status[row.status]
    assert log.records() == []
