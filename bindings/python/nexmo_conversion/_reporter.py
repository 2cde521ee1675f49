"""A reporter: takes reports over at once, and sends them in the background until the service has them."""

import dataclasses
import weakref
from typing import Any, Iterator, NoReturn, Optional

from . import _aside, _call, _credentials, _library, _log, _options, _reporter_options, _statistics, _values, _watch
from ._aside import Aside
from ._credentials import Credentials
from ._errors import Cancelled, HandleError, OutboxError
from ._options import Options
from ._reporter_options import ReporterOptions
from ._result import Result
from ._statistics import Statistics
from ._status import Status
from ._timestamp import Timestamp
from ._watch import Watch

CLOSING_MS = 2000
"""How long a reporter goes on sending when it is closed and nothing else is said, in milliseconds."""


class Reporter:
    """Takes reports over in microseconds, and sends them in the background until the service has them.

        with Reporter(credentials, ReporterOptions("/var/lib/shop/conversions")) as reporter:
            reporter.submit_sms("00A0B0C0", True)

    credentials: who reports.
    reporter_options: where reports wait, and how.
    options: how to report. None: all defaults. Its `attempts` is not used: the reporter repeats as long as it takes.

    All are checked, the files that the options name are read, and the outbox is opened or made when the reporter is
    made; then `CallerError` (`WrongType` for a type) or `OutboxError` says what is refused. What is in the outbox is
    sent from then on. Of the processes and reporters that share an outbox one sends; when that ends, another takes
    over.

    Leaving `with` closes the reporter as `close` does, with its 2 s, and frees it. What is left then is told in the log
    as a warning rather than raised, for a file keeps it. Without one it is lost: there, `flush` or `close` first.

    Threads: make one reporter and share it; any of its methods may be called from any thread, any number at once. The
    library sends on threads of its own, which never run Python.
    Processes: after a fork, parent and child each go on with the reporter and the same outbox, if it is a file;
    without one the child's begins empty. What one of them closes or frees stays open for the other. A reporter cannot
    be pickled: give another process the credentials and options.

    A reporter that is forgotten is freed when it is collected, or when the process ends. With a file nothing is lost
    then.
    """

    def __init__(
        self, credentials: Credentials, reporter_options: ReporterOptions, options: Optional[Options] = None
    ) -> None:
        handle = _library.Handle()
        keeps = _reporter_options.struct(reporter_options)
        _call.complete(
            "nexmo_reporter_new", _credentials.struct(credentials), _options.struct(options), keeps, handle
        )
        self._api_key = credentials.api_key
        self._ending = _watch.Ending()
        # A ticket, as that of a client: it is never given out again, so whoever uses it needs no lock against whoever
        # frees it.
        self._handle = handle.value
        self._free = weakref.finalize(self, _library.functions().nexmo_reporter_free, self._handle)

    def submit_sms(self, message_id: str, delivered: bool, timestamp: Timestamp = None) -> None:
        """Hands over a report on one SMS, to be sent in the background.

        message_id: the message-id that the SMS API gave, or the event_id of the Verify API; 1 to 256 bytes of UTF-8, no
            control characters, no white space at its ends.
        delivered: True if the user completed the action, False if not; nothing else is taken.
        timestamp: when the user did: a datetime with a time zone, whose fraction of a second is cut off, or a text
            "yyyy-MM-dd HH:mm:ss" in UTC. None: now.

        Once it returns, the report is as safe as the `Durability` says. It is sent at once, and again until the service
        took it, refused it, or it grew older than `age_limit_s`. A report for the same message that was not sent yet is
        replaced; whichever was submitted last is the last that the service hears.

        Raises when the report was not accepted: `CallerError` when an argument is refused, `OutboxFull`, `OutboxBusy`,
        `OutboxCorrupt`, `OutboxAccount`, `Closed` or another `OutboxError` as each says, `HandleError` after `free`,
        and `InternalError` after a mistake of the library, which frees the reporter.

        Blocks for some microseconds; for up to `lock_wait_ms` where others have the outbox locked; with
        `Durability.POWER` until the disk has the report. Never for the network.
        """
        self._complete("nexmo_reporter_submit_sms", *_call.conversion(message_id, delivered, timestamp))

    def submit_voice(self, message_id: str, delivered: bool, timestamp: Timestamp = None) -> None:
        """Hands over a report on one phone call, to be sent in the background.

        All is as with `submit_sms`, but for the message_id: it is the call-id that the Text-To-Speech API or the
        Text-To-Speech-Prompt API gave.
        """
        self._complete("nexmo_reporter_submit_voice", *_call.conversion(message_id, delivered, timestamp))

    def poll(self) -> Optional[Aside]:
        """Fetches a report that was set aside: refused by the service, grown too old, or dropped from a full outbox.

        Gives None if there is none. Each is handed out once, over all processes and reporters that share the outbox,
        the oldest first. Works after `close` too. Blocks for up to `lock_wait_ms`. Raises `OutboxError` when the outbox
        cannot be used, and nothing was fetched, and `HandleError` after `free`.
        """
        filled = _library.AsideStruct()
        self._complete("nexmo_reporter_poll", filled)
        return _aside.read(filled)

    def poll_all(self) -> Iterator[Aside]:
        """Fetches everything that is aside, one report after the other, each as `poll` does."""
        while (aside := self.poll()) is not None:
            yield aside

    def log_aside(self) -> int:
        """Fetches everything that is aside, and tells each in a warning to the logger "nexmo_conversion".

        Gives how many there were. The warnings are written by the thread that calls, and hold no secret.
        """
        count = 0
        for aside in self.poll_all():
            _log.warn(aside)
            count += 1
        return count

    def watch(self) -> Watch:
        """Gives each report that is set aside as soon as it is: `async for aside in reporter.watch()`.

        Ends when the reporter is closed and everything aside was given, or when it is freed. A report is fetched only
        to be given, so none is lost when the task is cancelled or leaves the loop; to go on, watch again. Several tasks
        may watch, of which one gets each report. Blocks the loop for no longer than a `poll`, whose errors it raises,
        but for `OutboxBusy` while the reporter is open: then it looks again a few seconds later.

        To be given what is set aside during `close` too, call that in another thread:
        `await asyncio.to_thread(reporter.close)`.
        """
        return Watch(self.poll, self.fileno, self._ending)

    def fileno(self) -> int:
        """Gives a file descriptor that is readable when `poll` may have something, for select, poll or a selector.

        It is the reporter's: do not read, write or close it, and stop watching it before `free`. In a forked child it
        is closed, and another call gives that of the child. Never blocks. Raises `HandleError` after `free`, and
        `OutboxError` if the outbox cannot be used in a forked child.
        """
        descriptor: int = _library.functions().nexmo_reporter_fd(self._handle)
        if descriptor < 0:
            # That is all the library says here; the next call meets what is in the way, and names it.
            self.statistics()
            raise OutboxError(Result(Status.OUTBOX, message="there is no descriptor: the system has none left"))
        return descriptor

    def flush(self, timeout_ms: int) -> Statistics:
        """Waits until every report that the outbox accepted before this call has left it.

        timeout_ms: how long to wait at most, in milliseconds; 0 only looks.

        Gives the statistics after the wait if none is left and nothing waits to be fetched. Otherwise raises `SetAside`
        if none is left and some were set aside, `Timeout` if some are left, `Parked` if the service takes no reports of
        the account, which was just tried. Nothing needs to be repeated after any of them. Raises also `Cancelled` if
        the reporter is freed during the call, `CallerError`, `OutboxError` and `HandleError`.

        Blocks the calling thread alone; signal handlers of Python run after that.
        """
        return self._counted("nexmo_reporter_flush", _values.number("timeout_ms", timeout_ms))

    def statistics(self) -> Statistics:
        """Tells how many reports there were, what became of them, and what the reporter does.

        Works after `close` too. Blocks for up to `lock_wait_ms`, however many reports there are. Raises `OutboxError`
        when the outbox cannot be used, and `HandleError` after `free`.
        """
        return self._counted("nexmo_reporter_statistics")

    def close(self, timeout_ms: int = CLOSING_MS) -> Statistics:
        """Takes no more reports, goes on sending until none is left or the time is over, and ends what is under way.

        timeout_ms: how long to go on sending, in milliseconds; 0 ends at once.

        Gives the statistics at the end if nothing is left. Raises `Pending` if reports are left, which go out when a
        reporter next opens the outbox; with `Durability.NONE` they are lost. After that, and after any other
        `OutboxError`, the reporter is closed all the same. Raises also `Cancelled` if it is freed during the call,
        `CallerError` and `HandleError`.

        Blocks the calling thread alone, for up to `timeout_ms` and half a second. A closed reporter can still be polled
        and asked for its statistics. It is still to be freed, which happens by itself when it is forgotten.
        """
        try:
            statistics = self._counted("nexmo_reporter_close", _values.number("timeout_ms", timeout_ms))
        except OutboxError:
            self._ending.reach()
            raise
        self._ending.reach()
        return statistics

    def free(self) -> None:
        """Frees the reporter, and closes it if it is not closed; a second time does nothing.

        Waits for nothing, and never raises. A flush or close of another thread raises `Cancelled`. What is left in the
        outbox goes out when a reporter next opens it; with `Durability.NONE` it is lost.
        """
        self._free()
        self._ending.reach()

    def __enter__(self) -> "Reporter":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.close()
        except (Cancelled, HandleError):
            pass  # Somebody freed it before, or during the call.
        except OutboxError as error:
            _log.warn(error)
        finally:
            self.free()

    def __repr__(self) -> str:
        state = ", freed" if not self._free.alive else ", closed" if self._ending.is_reached else ""
        return f"<Reporter of {self._api_key!r}{state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Reporter cannot be pickled or copied: make another of the same credentials and options")

    def _counted(self, function: str, *arguments: int) -> Statistics:
        filled = _library.StatisticsStruct()
        self._complete(function, *arguments, filled)
        return _statistics.read(filled)

    def _complete(self, function: str, *arguments: Any) -> None:
        try:
            _call.complete(function, self._handle, *arguments)
        except HandleError as error:
            self.free()
            result = dataclasses.replace(error.result, message="the reporter is freed: make another")
            raise HandleError(result) from None
