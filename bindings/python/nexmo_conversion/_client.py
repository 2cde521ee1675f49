"""A client: says once who reports and how, and can be closed while others use it."""

import dataclasses
import weakref
from typing import NoReturn, Optional

from . import _call, _credentials, _library, _options
from ._credentials import Credentials
from ._errors import HandleError
from ._options import Options
from ._result import Result
from ._timestamp import Timestamp


class Client:
    """Reports the conversions of one account, over connections of its own.

        with Client(credentials, Options(attempts=3)) as client:
            client.sms("00A0B0C0", True)

    credentials: who reports.
    options: how to report. None: all defaults.

    Both are checked, and the files that the options name are read, once and for all, when the client is made; then
    `CallerError` (`WrongType` for a type) says what is refused. No connection is made before the first report.

    Threads: make one client and share it; any of its methods may be called from any thread, any number at once.
    Processes: after a fork, parent and child each go on with the client, over connections of their own; what one of
    them closes stays open for the other. A client cannot be pickled: give another process the credentials and options.

    A client that is forgotten without `close` is closed when it is collected, or when the process ends.
    """

    def __init__(self, credentials: Credentials, options: Optional[Options] = None) -> None:
        handle = _library.Handle()
        _call.complete("nexmo_client_new", _credentials.struct(credentials), _options.struct(options), handle)
        self._api_key = credentials.api_key
        # A ticket: the library never gives it out again, and refuses it once it is freed. So whoever reports needs no
        # lock against whoever closes.
        self._handle = handle.value
        self._free = weakref.finalize(self, _library.functions().nexmo_client_free, self._handle)

    def sms(self, message_id: str, delivered: bool, timestamp: Timestamp = None) -> Result:
        """Tells the Conversion API whether one SMS did its job.

        All is as with the function `sms`, but credentials, options and connections are the client's. Raises also
        `HandleError` if the client is closed, when nothing was sent, and `Cancelled` if it is closed during the call.
        """
        return self._report("nexmo_client_report_sms", message_id, delivered, timestamp)

    def voice(self, message_id: str, delivered: bool, timestamp: Timestamp = None) -> Result:
        """Tells the Conversion API whether one phone call did its job.

        All is as with `sms`, but for the message_id: it is the call-id that the Text-To-Speech API or the
        Text-To-Speech-Prompt API gave.
        """
        return self._report("nexmo_client_report_voice", message_id, delivered, timestamp)

    def close(self) -> None:
        """Ends the client; a second time does nothing. Reports that other threads are making raise `Cancelled`.

        Does not wait for them, and never blocks or raises. The last of them to end closes the connections.
        """
        self._free()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "" if self._free.alive else ", closed"
        return f"<Client of {self._api_key!r}{state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Client cannot be pickled or copied: make another of the same credentials and options")

    def _report(self, function: str, message_id: str, delivered: bool, timestamp: Timestamp) -> Result:
        try:
            return _call.complete(function, self._handle, *_call.conversion(message_id, delivered, timestamp))
        except HandleError as error:
            self.close()
            result = dataclasses.replace(error.result, message="the client is closed: make another")
            raise HandleError(result) from None
