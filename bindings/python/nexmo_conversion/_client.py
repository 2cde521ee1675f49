"""A client: credentials, options and connections that are set up once, and can be closed while others use it."""

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
    """Reports the conversions of one account, over its own connections.

        with Client(credentials, Options(max_attempts=3)) as client:
            client.report(Channel.SMS, "00A0B0C0", True)

    credentials: the account that reports.
    options: how to report. None: all defaults.

    Creating a client checks both and reads the files that the options name; it makes no connection. Raises a subclass
    of `InvalidCall` (`WrongType` for a type), or `SystemFailure` if a file cannot be read at the moment.

    Threads: create one client and share it; its methods may be called from any thread, concurrently.
    Processes: after a fork, parent and child each continue with the client, over separate connections; what one of
    them closes stays open in the other. A client cannot be pickled: give another process the credentials and options.

    A client that is dropped without `close` is closed when it is collected, or when the process ends.
    """

    def __init__(self, credentials: Credentials, options: Optional[Options] = None) -> None:
        handle = _abi.Handle()
        _call.complete("nexmo_client_new", _credentials.struct(credentials), _options.struct(options), handle)
        self._api_key = credentials.api_key
        # The library never reuses a handle, and rejects one that was freed. So a report needs no lock against a close.
        self._handle = handle.value
        self._free = weakref.finalize(self, _library.functions().nexmo_client_free, self._handle)

    def report(self, channel: int, message_id: str, delivered: bool, timestamp: Timestamp = None) -> Result:
        """Reports to the Conversion API whether one message was effective.

        channel: a `Channel`.
        message_id, delivered, timestamp: as for the functions `sms` and `voice`.

        Returns and raises as they do. Raises `InvalidHandle` too if the client is closed, and `Cancelled` if it is
        closed during the call; then `acceptance` says whether the report may have been accepted.

        Threads: any, concurrently. Blocks the calling thread only, for up to `timeout_ms` of the options.
        """
        conversion = _call.conversion(message_id, delivered, timestamp)
        try:
            return _call.complete("nexmo_client_report", self._handle, _values.number("channel", channel), *conversion)
        except InvalidHandle as error:
            self.close()
            result = dataclasses.replace(error.result, message="the client is closed: create another")
            raise InvalidHandle(result) from None

    def sms(self, message_id: str, delivered: bool, timestamp: Timestamp = None) -> Result:
        """As `report` with `Channel.SMS`."""
        return self.report(Channel.SMS, message_id, delivered, timestamp)

    def voice(self, message_id: str, delivered: bool, timestamp: Timestamp = None) -> Result:
        """As `report` with `Channel.VOICE`."""
        return self.report(Channel.VOICE, message_id, delivered, timestamp)

    def close(self) -> None:
        """Closes the client; a second call does nothing. Reports in progress on other threads raise `Cancelled`.

        Threads: any. Never blocks or raises. The last report in progress to end closes the connections.
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
