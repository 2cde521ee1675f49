"""A reporter: stores reports, and sends them in the background until the service has accepted them."""

import contextlib
import dataclasses
import weakref
from typing import Any, AsyncGenerator, Generator, NoReturn, Optional, Union

from . import (
    _abi,
    _call,
    _credentials,
    _errors,
    _event,
    _library,
    _log,
    _options,
    _reporter_options,
    _statistics,
    _values,
    _wait,
)
from ._abi import Status
from ._credentials import Credentials
from ._errors import Cancelled, Closed, Error, InvalidHandle, Pending, ReporterError, Suspended
from ._event import Event
from ._options import Options
from ._reporter_options import ReporterOptions
from ._result import Result
from ._statistics import Statistics
from ._timestamp import Timestamp

CLOSE_TIMEOUT_MS = 2000
"""The time limit of `Reporter.close` unless another is given, in milliseconds."""

_ENDS = (Closed, Cancelled, InvalidHandle)
"""What `Reporter.poll` raises when there will be no more events."""


class Reporter:
    """Stores reports within microseconds, and sends them in the background until the service has accepted them.

        with Reporter(credentials, ReporterOptions("/var/lib/shop/conversions")) as reporter:
            reporter.submit(Channel.SMS, "00A0B0C0", True)

    credentials: the account that reports.
    reporter_options: where and how reports are kept.
    options: how to report. None: all defaults. Its `max_attempts` is ignored: a reporter retries as long as it takes.

    Creating a reporter checks all three, reads the files that the options name, opens the outbox or creates it, and
    begins to send what is in it. Raises a subclass of `InvalidCall` (`WrongType` for a type; `NullPointer` if the
    outbox is None with a durability other than `Durability.NONE`) or of `OutboxError`, or `SystemFailure`. Of the
    processes and reporters that share an outbox, one sends; when it ends, another takes over.

    Leaving `with` closes the reporter as `close` does, with its limit of 2 s, and frees it. Reports that are pending
    then are logged as a warning instead of raised, because they stay in the outbox file. Without a file they are lost:
    there, call `flush` or `close` first.

    Threads: create one reporter and share it; its methods may be called from any thread, concurrently. The library's
    own threads never run Python.
    Processes: after a fork, parent and child each continue with the reporter and the same outbox file; without a file
    the child's outbox begins empty. What one of them closes or frees stays open in the other. A reporter cannot be
    pickled: give another process the credentials and options.

    A reporter that is dropped is freed when it is collected, or when the process ends. Reports in an outbox file are
    not lost then.
    """

    def __init__(
        self, credentials: Credentials, reporter_options: ReporterOptions, options: Optional[Options] = None
    ) -> None:
        handle = _abi.Handle()
        keeping = _reporter_options.check(reporter_options)
        _call.complete(
            "nexmo_reporter_new", _credentials.struct(credentials), _options.struct(options), keeping, handle
        )
        self._api_key = credentials.api_key
        # From the beginning of `close` on; in the library, when its wait has ended.
        self._is_closed = False
        self._waits = _wait.Waits()
        # The library never reuses a handle, and rejects one that was freed. So a call needs no lock against `free`.
        self._handle = handle.value
        self._free = weakref.finalize(self, _library.functions().nexmo_reporter_free, self._handle)

    def submit(self, channel: int, message_id: str, delivered: bool, timestamp: Timestamp = None) -> None:
        """Submits a report, to be sent in the background.

        channel: a `Channel`.
        message_id: the message-id that the SMS API returned, the event_id of the Verify API, or the call-id that the
            Text-To-Speech or Text-To-Speech-Prompt API returned; 1 to 256 bytes of UTF-8, without control characters or
            white space at its ends.
        delivered: True if the user completed the action, otherwise False; nothing else is accepted.
        timestamp: when the user did: a datetime with a time zone, whose fraction of a second is dropped, or a str
            "yyyy-MM-dd HH:mm:ss" in UTC. None: now.

        When it returns, the report is stored as durably as the reporter's `Durability` says. It is sent at once, and
        again until the service accepts it, rejects it, or it expires. A pending report for the same message is
        replaced; whichever was submitted last is the last that the service receives.

        Raises, and the report was not stored unless `acceptance` is `Acceptance.UNKNOWN`: a subclass of `InvalidCall`
        if an argument is invalid, `Closed`, `InvalidHandle` after `free`; `OutboxError` or the subclass that says why
        the outbox did not store it; `InternalError` after a bug in the library, which frees the reporter.

        Threads: any, concurrently. Blocks for some microseconds; for up to `busy_timeout_ms` while others have the
        outbox locked; with `Durability.POWER` until the disk has the report. Never for the network.
        """
        conversion = _call.conversion(message_id, delivered, timestamp)
        channel = _values.number("channel", channel)
        if self._is_closed and self._free.alive:
            raise Closed(Result(Status.CLOSED, message="the reporter is closed: submit to another"))
        self._complete("nexmo_reporter_submit", channel, *conversion)

    def poll(self, timeout_ms: int = 0) -> Optional[Event]:
        """Waits for an event and returns the oldest one, or None if the time limit expires.

        timeout_ms: the time limit in milliseconds; 0 checks once, -1 is no limit.

        The same event is returned, in every thread and process, until `acknowledge` removes it: use one consumer per
        outbox, or handle events idempotently. A closed reporter still returns its events.

        Raises `Closed` if the reporter is closed and has no more events, `Cancelled` if it is freed during the call,
        `InvalidHandle` after `free`, `InvalidArgument` if timeout_ms is below -1, `OutboxError` if the outbox cannot be
        read. Nothing is lost then.

        Threads: any. Blocks the calling thread only, for up to timeout_ms, and `busy_timeout_ms` for the outbox.
        Python's signal handlers run at least every 500 ms.
        """
        written = _abi.EventStruct()
        for slice_ms in _wait.slices(_values.number("timeout_ms", timeout_ms)):
            self._complete("nexmo_reporter_poll", slice_ms, written)
            event = _event.read(written)
            if event is not None:
                return event
        return None

    def acknowledge(self, event: Union[Event, int]) -> None:
        """Removes an event, and no other, from the outbox.

        event: an `Event`, or its id.

        Succeeds too if the event is already gone: acknowledged by another process, discarded because there were more
        than 10000, or lost with its outbox. Works after `close` too.

        Raises `InvalidArgument` if no event can have this id, `OutboxError` if the outbox cannot be written (the event
        is kept), `InvalidHandle` after `free`.

        Threads: any. Blocks for up to `busy_timeout_ms`.
        """
        event_id = event.id if isinstance(event, Event) else _values.number("event", event, bits=64)
        self._complete("nexmo_reporter_acknowledge", event_id)

    def events(self, timeout_ms: int = 0) -> Generator[Event, None, None]:
        """Yields events, the oldest first, and acknowledges each one when the loop asks for the next.

            for event in reporter.events():
                handle(event)

        timeout_ms: how long to wait for each event, in milliseconds. 0: until none is left; -1: until the reporter is
            closed and has none left.

        Leaving the loop by `break`, `return` or an exception leaves that event unacknowledged, so that it is returned
        again; if it has been handled, call `acknowledge` first.

        Ends when the time limit expires, and when the reporter is closed and has no more events, or is freed; an event
        that the loop held when the reporter was freed is not acknowledged. Raises what else `poll` and `acknowledge`
        raise, such as `OutboxBusy`; call again to continue.

        Threads: use one consumer per outbox. Blocks as `poll` and `acknowledge` do.
        """
        return self._events(_values.number("timeout_ms", timeout_ms))

    def _events(self, timeout_ms: int) -> Generator[Event, None, None]:
        with contextlib.suppress(*_ENDS):
            while (event := self.poll(timeout_ms)) is not None:
                yield event
                self.acknowledge(event)

    async def events_async(self) -> AsyncGenerator[Event, None]:
        """Yields events to a task of asyncio until the reporter is closed and has none left.

            async for event in reporter.events_async():
                await handle(event)

        As `events(-1)`, except that the task waits for the file descriptor, so that the loop runs other tasks
        meanwhile. The task may be cancelled; nothing is lost, and the event that it held is returned again.

        Blocks the loop for no longer than a `poll` and an `acknowledge`. `flush` and `close` would block it:
        `await asyncio.to_thread(reporter.close)`.
        """
        with contextlib.suppress(*_ENDS):
            while True:
                event = self.poll()
                if event is None:
                    await self._waits.readable(self.fileno())
                else:
                    yield event
                    self.acknowledge(event)

    def log_events(self) -> int:
        """Writes each event as a warning to the logger "nexmo_conversion", acknowledges it, and returns how many there
        were.

        The warnings are written by the calling thread and contain no secret. Raises and blocks as `poll` and
        `acknowledge` do.
        """
        count = 0
        for event in self.events():
            _log.warn(event)
            count += 1
        return count

    def fileno(self) -> int:
        """Returns a file descriptor that is readable while an event waits to be acknowledged, and once a closed
        reporter has no more events. For select, poll and selectors, which accept the reporter itself.

        It belongs to the reporter: do not read, write or close it, and stop watching it before `free`. In a forked
        child it is closed; call again there.

        Raises `InvalidHandle` after `free`, `SystemFailure` if the system has no file descriptor available,
        `OutboxError` if the outbox cannot be opened in a forked child.

        Threads: any. Blocks for up to `busy_timeout_ms` after a fork, otherwise never.
        """
        descriptor: int = _library.functions().nexmo_reporter_fd(self._handle)
        if descriptor < 0:
            status = -descriptor
            raise self._explained(_errors.of(Result(status, message=_library.status_describe(status))))
        return descriptor

    def flush(self, timeout_ms: int) -> None:
        """Waits until the reports that were submitted to this outbox before the call, by any process, are no longer
        pending.

        timeout_ms: the time limit in milliseconds; 0 checks once, -1 is no limit.

        Returns when none is pending, even if some were rejected: events and `statistics` show their outcome. The
        reports are sent without waiting for a back-off, but not before the time that the service asked for.

        Raises `Pending` if some are still pending when the time limit expires or the reporter is closed, `Suspended` if
        the reporter is suspended and a probe did not end that, or the service asked for a wait. They are sent in the
        background, or by the next reporter that opens the outbox; the message gives their number. Raises `Cancelled`
        if the reporter is freed during the call, `InvalidArgument` if timeout_ms is below -1, `OutboxError`, and
        `InvalidHandle` after `free`.

        A flush of a closed reporter does not wait, and a `close` on another thread ends a flush once its own wait is
        over.

        Threads: any. Blocks the calling thread only, for up to timeout_ms, and `busy_timeout_ms` for the outbox. Python's
        signal handlers run meanwhile: on the main thread, a wait of more than 500 ms is made by a separate thread,
        which goes on if a handler raises.
        """
        _wait.interruptibly(
            lambda limit_ms: self._complete("nexmo_reporter_flush", limit_ms), _values.number("timeout_ms", timeout_ms)
        )

    def statistics(self) -> Statistics:
        """Returns the number of reports and their outcomes, and what the reporter does. Works after `close` too.

        Raises `OutboxError` if the outbox cannot be read, and `InvalidHandle` after `free`.

        Threads: any. Blocks for up to `busy_timeout_ms`; the time does not depend on the number of reports.
        """
        written = _abi.StatisticsStruct()
        self._complete("nexmo_reporter_statistics", written)
        return _statistics.read(written)

    def close(self, timeout_ms: int = CLOSE_TIMEOUT_MS) -> None:
        """Closes the reporter: it accepts no more reports, waits as `flush` does, and then cancels what is in flight.

        timeout_ms: the time limit in milliseconds; 0 checks once, -1 is no limit.

        Returns if no report is pending any more. Raises `Pending` or `Suspended` if some are: they stay in the outbox,
        and the next reporter that opens it sends them; with `Durability.NONE` they are lost. The reporter is closed
        whatever is raised, KeyboardInterrupt included, except for `InvalidArgument`, `WrongType`, `Forked` and
        `InvalidHandle`. It can still be polled, acknowledge events and give its statistics. A second call does not
        wait, and ends the wait of the first.

        Threads: any. Blocks the calling thread only, for up to timeout_ms and half a second. Python's signal handlers
        run at least every 500 ms.
        """
        timeout_ms = _values.number("timeout_ms", timeout_ms)
        if timeout_ms < -1:
            self._complete("nexmo_reporter_close", timeout_ms)  # It returns an error, and closes nothing.
        was_closed, self._is_closed = self._is_closed, True
        suspended: Optional[Suspended] = None
        try:
            if not was_closed:
                self.flush(timeout_ms)
        except Suspended as error:
            suspended = error
        except ReporterError:
            pass  # What is pending when the reporter is closed counts.
        except _errors.InvalidCall:
            self._is_closed = was_closed
            raise
        except BaseException:
            with contextlib.suppress(Error):
                self._close_in_library()
            raise
        try:
            self._close_in_library()
        except Pending as pending:
            if suspended is None:
                raise
            # A close without time makes no probe, so it does not say Suspended; but it says whether reports are lost.
            message = f"the reporter is suspended: the service accepts no reports of the account; {pending}"
            raise Suspended(dataclasses.replace(suspended.result, message=message)) from None

    def free(self) -> None:
        """Frees the reporter, and closes it first, without waiting, if it is open. A second call does nothing.

        Calls in progress on other threads that wait raise `Cancelled`. Reports that are still pending stay in the
        outbox; with `Durability.NONE` they are lost.

        Threads: any. Blocks for up to half a second, while what is in flight is cancelled. Never raises.
        """
        self._free()
        self._waits.end()

    def __enter__(self) -> "Reporter":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.close()
        except (Cancelled, InvalidHandle):
            pass  # It was freed before, or during the call.
        except ReporterError as error:
            _log.warn(error)
        finally:
            self.free()

    def __repr__(self) -> str:
        if not hasattr(self, "_free"):  # The constructor has failed, or is running.
            return "<Reporter, not created>"
        state = ", freed" if not self._free.alive else ", closed" if self._is_closed else ""
        return f"<Reporter of {self._api_key!r}{state}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Reporter cannot be pickled or copied: create another with the same credentials and options")

    def _close_in_library(self) -> None:
        self._complete("nexmo_reporter_close", 0)

    def _complete(self, function: str, *arguments: Any) -> None:
        try:
            _call.complete(function, self._handle, *arguments)
        except InvalidHandle as error:
            raise self._explained(error) from None

    def _explained(self, error: Error) -> Error:
        """`error`, with what an invalid handle means here. A bug in the library frees the reporter too."""
        if not isinstance(error, InvalidHandle):
            return error
        self.free()
        return InvalidHandle(dataclasses.replace(error.result, message="the reporter is freed: create another"))
