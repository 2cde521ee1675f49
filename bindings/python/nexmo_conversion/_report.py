"""The reports: one call tells the service about one message."""

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
    """Tells the Conversion API whether one SMS did its job.

    Makes one request, or more if `attempts` asks for them, and waits for the answer. Keeps nothing of the report: one
    that fails is the caller's to repeat. Keeps the connection for the next call with the same base_url, proxy, trust
    and client certificate; a `Client` has connections of its own.

    credentials: who reports.
    message_id: the message-id that the SMS API gave, or the event_id of the Verify API; 1 to 256 bytes of UTF-8, no
        control characters, no white space at its ends.
    delivered: True if the user completed the action, False if not; nothing else is taken.
    timestamp: when the user did: a datetime with a time zone, whose fraction of a second is cut off, or a text
        "yyyy-MM-dd HH:mm:ss" in UTC. None: the service takes the time of arrival; a signed request carries the time of
        sending.
    options: how to report. None: all defaults.

    Returns a `Result` whose `taken` is `Taken.YES`.

    Raises `CallerError` when an argument is refused (`WrongType` for its type) and nothing was sent, `ConnectionFailed`
    when no answer came, `ServiceError` when another answer than success came, `InternalError` after a mistake of the
    library, all of them an `Error`; and `LibraryError` when the library cannot be loaded.

    Threads: call from any thread, any number at once. Blocks the calling thread alone, for up to `timeout_ms` (10 s by
    default); signal handlers of Python run after that.
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
    """Tells the Conversion API whether one phone call did its job.

    All is as with `sms`, but for the message_id: it is the call-id that the Text-To-Speech API or the
    Text-To-Speech-Prompt API gave.
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
