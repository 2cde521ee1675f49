"""A client, which keeps credentials, options and connections, and can be closed while other threads use it."""

import dataclasses
import weakref
from typing import NoReturn, Optional

from . import _abi, _call, _credentials, _library, _options, _values
from ._abi import Channel
from ._credentials import Credentials
from ._errors import InvalidHandle
from ._options import Options
from ._result import Result
from ._timestamp import Timestamp


class Client:
    """A client that reports the conversions of one account over its own connections.

        with Client(credentials, Options(max_attempts=3)) as client:
            client.report(Channel.SMS, "00A0B0C0", True)

    credentials: the credentials of the account.
    options: the options for reports. None: all defaults.

    Creating a client checks the credentials and options and reads the files that the options name, but opens no
    connection. Raises a subclass of `InvalidCall` (`WrongType` for an argument of the wrong type), or `SystemFailure`
    if a file cannot currently be read.

    Threads: create one client and share it. Its methods may be called from any thread, concurrently.
    Processes: after a fork, parent and child can both use the client, over separate connections; closing it in one
    process does not close it in the other. A client cannot be pickled: pass the credentials and options to another
    process instead.

    A client that is not closed explicitly is closed when it is garbage-collected or when the process exits.
    """

    def __init__(self, credentials: Credentials, options: Optional[Options] = None) -> None:
        handle = _abi.Handle()
        _call.complete("nexmo_client_new", _credentials.struct(credentials), _options.struct(options), handle)
        self._api_key = credentials.api_key
        # The library never reuses a handle and rejects freed ones, so a report needs no lock against a concurrent
        # close.
        self._handle = handle.value
        self._free = weakref.finalize(self, _library.functions().nexmo_client_free, self._handle)

    def report(self, channel: int, message_id: str, delivered: bool, timestamp: Timestamp = None) -> Result:
        """Reports to the Conversion API whether one message was effective.

        channel: a `Channel`.
        message_id, delivered, timestamp: as for the functions `sms` and `voice`.

        Returns and raises as these functions do. Also raises `InvalidHandle` if the client is closed, and `Cancelled`
        if it is closed during the call; then `acceptance` says whether the service may have accepted the report.

        Threads: any, concurrently. Blocks only the calling thread, for up to `timeout_ms` in the options.
        """
        conversion = _call.conversion(message_id, delivered, timestamp)
        try:
            return _call.complete("nexmo_client_report", self._handle, _values.number("channel", channel), *conversion)
        except InvalidHandle as error:
            self.close()
            result = dataclasses.replace(error.result, message="the client is closed: create another")
            raise InvalidHandle(result) from None

    def sms(self, message_id: str, delivered: bool, timestamp: Timestamp = None) -> Result:
        """Calls `report` with `Channel.SMS`."""
        return self.report(Channel.SMS, message_id, delivered, timestamp)

    def voice(self, message_id: str, delivered: bool, timestamp: Timestamp = None) -> Result:
        """Calls `report` with `Channel.VOICE`."""
        return self.report(Channel.VOICE, message_id, delivered, timestamp)

    def close(self) -> None:
        """Closes the client; a second call does nothing. Reports in progress on other threads raise `Cancelled`.

        Threads: any. Never blocks or raises. The connections are closed when the last report in progress ends.
        """
        self._free()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        if not hasattr(self, "_free"):  # The constructor has failed, or is running.
            return "<Client, not created>"
        state = "" if self._free.alive else ", closed"
        return f"<Client of {self._api_key!r}{state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Client cannot be pickled or copied: create another with the same credentials and options")
