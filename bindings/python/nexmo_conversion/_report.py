"""Functions that make one report per call."""

from typing import Optional

from . import _call, _credentials, _options
from ._credentials import Credentials
from ._options import Options
from ._result import Result
from ._timestamp import Timestamp


def sms(
    credentials: Credentials,
    message_id: str,
    delivered: bool,
    timestamp: Timestamp = None,
    *,
    options: Optional[Options] = None,
) -> Result:
    """Reports to the Conversion API whether one SMS was effective.

    Makes one request (more only if `max_attempts` allows it) and waits for the response. Does not store the
    report: the caller must retry a report that fails. Later calls with the same base_url, proxy and TLS settings reuse
    the connection; a `Client` has its own connections.

    credentials: the credentials of the account.
    message_id: the message-id that the SMS API returned, or the event_id of the Verify API; 1 to 256 bytes of UTF-8,
        without control characters and without leading or trailing white space.
    delivered: True if the user completed the action, otherwise False; nothing else is accepted.
    timestamp: the time of the action: a datetime with a time zone, whose fraction of a second is dropped, or a str
        "yyyy-MM-dd HH:mm:ss" in UTC. None: the service uses the time of arrival; a signed request carries the time of
        sending.
    options: the options for the report. None: all defaults.

    Returns a `Result` whose `acceptance` is `Acceptance.YES`.

    Raises a subclass of `Error`: of `InvalidCall` if an argument is invalid and nothing was sent (`WrongType` if it has
    the wrong type), of `NoResponse` if there was no response, or of `ServiceError` if the response is not a success; or
    `InternalError` after a bug in the library. Raises `LibraryError` if the library cannot be loaded.

    Threads: any, concurrently. Blocks only the calling thread, for up to `timeout_ms` (10 s by default); Python's
    signal handlers run after the call.
    """
    return _report("nexmo_conversion_sms", credentials, message_id, delivered, timestamp, options)


def voice(
    credentials: Credentials,
    message_id: str,
    delivered: bool,
    timestamp: Timestamp = None,
    *,
    options: Optional[Options] = None,
) -> Result:
    """Reports to the Conversion API whether one phone call was effective.

    Like `sms`, but message_id is the call-id that the Text-To-Speech or Text-To-Speech-Prompt API returned.
    """
    return _report("nexmo_conversion_voice", credentials, message_id, delivered, timestamp, options)


def _report(
    function: str,
    credentials: Credentials,
    message_id: str,
    delivered: bool,
    timestamp: Timestamp,
    options: Optional[Options],
) -> Result:
    return _call.complete(
        function,
        _credentials.struct(credentials),
        *_call.conversion(message_id, delivered, timestamp),
        _options.struct(options),
    )
