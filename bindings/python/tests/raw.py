"""Calls as C makes them: structs of any size, bytes that are no text, numbers that mean nothing."""

import os
from ctypes import CDLL
from typing import Any, NamedTuple, Optional

from nexmo_conversion import Channel, _abi, _library
from nexmo_conversion._abi import CredentialsStruct, OptionsStruct, ResultStruct
from sandbox import API_KEY, API_SECRET, SIGNATURE_SECRET


class Outcome(NamedTuple):
    """What a call returned, and the message that it wrote."""

    status: int
    message: str


def credentials(kind: Any = CredentialsStruct) -> Any:
    """Credentials that the sandbox knows, in a struct of this kind."""
    return kind(
        api_key=API_KEY.encode(), api_secret=API_SECRET.encode(), signature_secret=SIGNATURE_SECRET.encode(), auth=0
    )


def options(kind: Any = OptionsStruct) -> Any:
    """Options towards the sandbox, in a struct of this kind."""
    return kind(base_url=os.environ["NEXMO_SANDBOX_HTTP"].encode())


class Call:
    """A call that is fine until a test spoils it."""

    def __init__(self, functions: Optional[CDLL] = None) -> None:
        self.functions = functions or _library.functions()
        self.channel = "sms"
        self.credentials: Any = credentials()
        self.message_id: Optional[bytes] = b"raw"
        self.delivered = 1
        self.timestamp: Optional[bytes] = b"2020-01-01 12:00:00"
        self.options: Any = options()
        self.result: Any = ResultStruct()

    def make(self) -> Outcome:
        """Makes the call."""
        function = getattr(self.functions, f"nexmo_conversion_{self.channel}")
        status = function(self.credentials, self.message_id, self.delivered, self.timestamp, self.options, self.result)
        return self._outcome(status)

    def make_by_client(self) -> Outcome:
        """Makes the same report by a client that lives no longer."""
        handle = _abi.Handle(1)
        outcome = self.new(handle)
        if outcome.status != 0:
            assert handle.value is None
            return outcome
        outcome = self.report(handle)
        assert self.free(handle) == 0
        return outcome

    def new(self, handle: Optional[_abi.Handle]) -> Outcome:
        """Makes a client with the credentials and options of the call."""
        return self._outcome(self.functions.nexmo_client_new(self.credentials, self.options, handle, self.result))

    def report(self, handle: Any) -> Outcome:
        """Makes the call's report by a client that there may be."""
        channel = Channel[self.channel.upper()].value
        function = self.functions.nexmo_client_report
        return self._outcome(function(handle, channel, self.message_id, self.delivered, self.timestamp, self.result))

    def free(self, handle: Any) -> int:
        """Frees a client that there may be."""
        status: int = self.functions.nexmo_client_free(handle)
        return status

    def _outcome(self, status: int) -> Outcome:
        return Outcome(status, "" if self.result is None else self.result.message.decode("utf-8"))
