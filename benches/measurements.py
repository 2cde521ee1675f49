"""Defines each measurement as a function that runs it at full or short length."""

from collections.abc import Callable
from functools import partial

import idle
import instructions
import interleave
import purposes
import scaling
import submit
import tail
import transports
from cases import CASES, Case
from paths import LIBRARY
from server import Server

Log = Callable[[str], None]
Measurement = Callable[[Server, bool, Log], object]


def _case(case: Case, server: Server, is_short: bool, log: Log) -> object:
    return interleave.run(case, server, case.short if is_short else case.full, log)


def _instructions(server: Server, is_short: bool, _: Log) -> object:
    return instructions.run(server, 1, 250) if is_short else instructions.run(server, 3, 500)


def _purposes(server: Server, is_short: bool, _: Log) -> object:
    return purposes.run(server, 100 if is_short else 500)


def _submit(_: Server, is_short: bool, __: Log) -> object:
    return submit.submits(is_short)


def _rows(_: Server, is_short: bool, __: Log) -> object:
    return submit.rows(is_short)


def _threads(server: Server, is_short: bool, _: Log) -> object:
    return scaling.threads(server, 1, 5_000) if is_short else scaling.threads(server, 3, 20_000)


def _connections(server: Server, is_short: bool, _: Log) -> object:
    return scaling.connections(server, 1, 1) if is_short else scaling.connections(server, 3, 3)


def _many(server: Server, is_short: bool, _: Log) -> object:
    return scaling.many(server, 100_000 if is_short else 1_000_000)


def _tail(server: Server, is_short: bool, log: Log) -> object:
    if is_short:
        return tail.run(server, ((1, 1), (1, 64), (8, 8)), 1, 1, log)
    return tail.run(server, ((1, 1), (1, 8), (1, 64), (8, 1), (8, 8)), 2, 3, log)


def _transports(server: Server, is_short: bool, _: Log) -> object:
    return transports.run(server, 1, 2_000) if is_short else transports.run(server, 7, 20_000)


def _idle(server: Server, is_short: bool, _: Log) -> object:
    return idle.run(server, is_short)


def _size(*_: object) -> object:
    return {"bytes": LIBRARY.stat().st_size}


MEASUREMENTS: dict[str, Measurement] = {
    **{case.name: partial(_case, case) for case in CASES},
    "instructions": _instructions,
    "purposes": _purposes,
    "submit": _submit,
    "tail": _tail,
    "transports": _transports,
    "size": _size,
    "idle": _idle,
    "threads": _threads,
    "connections": _connections,
    "rows": _rows,
    "many": _many,
}
