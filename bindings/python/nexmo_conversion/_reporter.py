"""A reporter, which stores reports and sends them in the background until the service accepts them."""

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
"""The default time limit of `Reporter.close` in milliseconds."""

_ENDS = (Closed, Cancelled, InvalidHandle)
"""The exceptions that `Reporter.poll` raises when there will be no more events."""


class Reporter:
    """A reporter that stores reports within microseconds and sends them in the background until the service accepts
    them.

        with Reporter(credentials, ReporterOptions("/var/lib/shop/conversions")) as reporter:
            reporter.submit(Channel.SMS, "00A0B0C0", True)

    credentials: the credentials of the account.
    reporter_options: the options for the outbox.
    options: the options for reports. None: all defaults. `max_attempts` is ignored: a reporter retries until a
    report expires.

    Creating a reporter checks these arguments, reads the files that the options name, opens or creates the outbox, and
    starts to send the reports in it. Raises a subclass of `InvalidCall` (`WrongType` for an argument of the wrong type;
    `NullPointer` if the outbox is None with a durability other than `Durability.NONE`) or of `OutboxError`, or
    `SystemFailure`. One of the reporters that share an outbox sends; when it ends or cannot send, another takes over.

    Leaving `with` calls `close` with its default time limit of 2 s, and frees the reporter. If reports are pending, it
    logs a warning instead of raising, because they stay in the outbox file. Without a file they are lost: call `flush`
    or `close` first.

    Threads: create one reporter and share it. Its methods may be called from any thread, concurrently. The threads of
    the library never run Python code.
    Processes: after a fork, parent and child can both use the reporter with the same outbox file; without a file the
    child starts with an empty outbox. Closing or freeing it in one process does not affect the other. A reporter cannot
    be pickled: pass the credentials and options to another process instead.

    A reporter that is not freed explicitly is freed when it is garbage-collected or when the process exits. Reports in
    an outbox file are not lost then.
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
        # True as soon as `close` begins. The library closes the reporter only after `close` has waited for reports.
        self._is_closed = False
        self._waits = _wait.Waits()
        # The library never reuses a handle and rejects freed ones, so a call needs no lock against a concurrent `free`.
        self._handle = handle.value
        self._free = weakref.finalize(self, _library.functions().nexmo_reporter_free, self._handle)

    def submit(self, channel: int, message_id: str, delivered: bool, timestamp: Timestamp = None) -> None:
        """Submits a report, to be sent in the background.

        channel: a `Channel`.
        message_id: the message-id that the SMS API returned, the event_id of the Verify API, or the call-id that the
            Text-To-Speech or Text-To-Speech-Prompt API returned; 1 to 256 bytes of UTF-8, without control characters
            and without leading or trailing white space.
        delivered: True if the user completed the action, otherwise False; nothing else is accepted.
        timestamp: the time of the action: a datetime with a time zone, whose fraction of a second is dropped, or a str
            "yyyy-MM-dd HH:mm:ss" in UTC. None: now.

        When this method returns, the report is stored with the `Durability` of the reporter. The reporter sends it
        in the background, and retries until the service accepts or rejects it or it expires. The report replaces a
        pending report for the same message; the report that is submitted last is also the last that the service
        receives.

        Raises a subclass of `InvalidCall` if an argument is invalid, `Closed` after `close`, `InvalidHandle` after
        `free`, `OutboxError` or one of its subclasses if the outbox cannot store the report, and `InternalError` after
        a bug in the library, which frees the reporter. If this method raises, the report was not stored, unless
        `acceptance` is `Acceptance.UNKNOWN`.

        Threads: any, concurrently. Blocks for a few microseconds, for up to `busy_timeout_ms` while the outbox is
        locked elsewhere, and with `Durability.POWER` until the disk has the report. Never blocks for the network.
        """
        conversion = _call.conversion(message_id, delivered, timestamp)
        channel = _values.number("channel", channel)
        if self._is_closed and self._free.alive:
            raise Closed(Result(Status.CLOSED, message="the reporter is closed: submit to another"))
        self._complete("nexmo_reporter_submit", channel, *conversion)

    def poll(self, timeout_ms: int = 0) -> Optional[Event]:
        """Waits for an event and returns the oldest one, or None if the time limit expires.

        timeout_ms: the time limit in milliseconds. 0: check once; -1: no limit.

        The same event is returned, in every thread and process, until `acknowledge` removes it: use one consumer per
        outbox, or handle events idempotently. A closed reporter still returns its events.

        Raises `Closed` if the reporter is closed and has no more events, `Cancelled` if it is freed during the call,
        `InvalidHandle` after `free`, `InvalidArgument` if timeout_ms is below -1, and `OutboxError` if the outbox
        cannot be read. No event is lost in these cases.

        Threads: any. Blocks only the calling thread, for up to timeout_ms, and up to `busy_timeout_ms` for the outbox.
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
        """Removes exactly this event from the outbox.

        event: an `Event`, or its id.

        Also succeeds if the event is already gone because another process acknowledged it, because it was discarded
        when there were more than 10000 events, or because its outbox was lost. Also works after `close`.

        Raises `InvalidArgument` if no event can have this id, `OutboxError` if the outbox cannot be written (the event
        is then kept), and `InvalidHandle` after `free`.

        Threads: any. Blocks for up to `busy_timeout_ms`.
        """
        event_id = event.id if isinstance(event, Event) else _values.number("event", event, bits=64)
        self._complete("nexmo_reporter_acknowledge", event_id)

    def events(self, timeout_ms: int = 0) -> Generator[Event, None, None]:
        """Yields events, the oldest first, and acknowledges each event when the loop asks for the next.

            for event in reporter.events():
                handle(event)

        timeout_ms: the time to wait for each event, in milliseconds. 0: end when no event is left; -1: end when the
            reporter is closed and no event is left.

        Leaving the loop by `break`, `return` or an exception does not acknowledge the current event, so it is returned
        again; call `acknowledge` first if it has been handled.

        Ends when the time limit expires, when the reporter is closed and has no more events, or when it is freed; the
        current event is not acknowledged if the reporter is freed. Also raises the other errors of `poll` and
        `acknowledge`, such as `OutboxBusy`; call this method again to continue.

        Threads: use one consumer per outbox. Blocks like `poll` and `acknowledge`.
        """
        return self._events(_values.number("timeout_ms", timeout_ms))

    def _events(self, timeout_ms: int) -> Generator[Event, None, None]:
        with contextlib.suppress(*_ENDS):
            while (event := self.poll(timeout_ms)) is not None:
                yield event
                self.acknowledge(event)

    async def events_async(self) -> AsyncGenerator[Event, None]:
        """Yields events to an asyncio task until the reporter is closed and has no more events.

            async for event in reporter.events_async():
                await handle(event)

        Works like `events(-1)`, but the task waits for the file descriptor, so the loop runs other tasks meanwhile. If
        the task is cancelled, no event is lost, and the current event is returned again.

        Blocks the loop for no longer than a `poll` and an `acknowledge`. `flush` and `close` would block the loop: use
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
        """Writes each event as a warning to the logger "nexmo_conversion", acknowledges it, and returns the number of
        events.

        The calling thread writes the warnings, which contain no secret. Raises and blocks like `poll` and
        `acknowledge`.
        """
        count = 0
        for event in self.events():
            _log.warn(event)
            count += 1
        return count

    def fileno(self) -> int:
        """Returns a file descriptor that is readable while there is an unacknowledged event, and once the
        reporter is closed. select, poll and selectors accept the reporter itself.

        The descriptor belongs to the reporter: do not read, write or close it, and stop watching it before `free`. It
        is closed in a forked child, which must call this method again.

        Raises `InvalidHandle` after `free`, `SystemFailure` if the system has no file descriptor available, and
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

        timeout_ms: the time limit in milliseconds. 0: check once; -1: no limit.

        Returns when no report is pending, even if some were rejected: events and `statistics` show the outcomes. The
        reports are sent without waiting for a back-off, but not before the time that the service asked for.

        Raises `Pending` if reports are still pending when the time limit expires or the reporter is closed, and
        `Suspended` if the reporter is suspended and a probe failed or the service asked for a delay. Pending reports
        are sent in the background, or by the next reporter that opens the outbox; the message contains their number.
        Raises `Cancelled` if the reporter is freed during the call, `InvalidArgument` if timeout_ms is below -1,
        `OutboxError`, and `InvalidHandle` after `free`.

        A flush of a closed reporter does not wait. If another thread calls `close`, the flush ends when `close` has
        finished waiting.

        Threads: any. Blocks only the calling thread, for up to timeout_ms, and `busy_timeout_ms` for the outbox.
        Python's signal handlers run meanwhile: on the main thread, a wait of more than 500 ms is made by a separate
        thread. That thread continues to wait if a handler raises.
        """
        _wait.interruptibly(
            lambda limit_ms: self._complete("nexmo_reporter_flush", limit_ms), _values.number("timeout_ms", timeout_ms)
        )

    def statistics(self) -> Statistics:
        """Returns the number of reports by outcome, and the state of the reporter. Also works after `close`.

        Raises `OutboxError` if the outbox cannot be read, and `InvalidHandle` after `free`.

        Threads: any. Blocks for up to `busy_timeout_ms`. The duration does not depend on the number of reports.
        """
        written = _abi.StatisticsStruct()
        self._complete("nexmo_reporter_statistics", written)
        return _statistics.read(written)

    def close(self, timeout_ms: int = CLOSE_TIMEOUT_MS) -> None:
        """Closes the reporter: stops accepting reports, waits like `flush`, and then cancels the reports in flight.

        timeout_ms: the time limit in milliseconds. 0: check once; -1: no limit.

        Returns if no report is pending. Otherwise raises `Pending` or `Suspended`: the reports stay in the outbox, and
        the next reporter that opens it sends them; with `Durability.NONE` they are lost. The reporter is closed even if
        this method raises, including KeyboardInterrupt, except for `InvalidArgument`, `WrongType`, `Forked` and
        `InvalidHandle`. `poll`, `acknowledge` and `statistics` still work. A second call does not wait, and ends the
        wait of the first.

        Threads: any. Blocks only the calling thread, for up to timeout_ms and half a second. Python's signal handlers
        run at least every 500 ms.
        """
        timeout_ms = _values.number("timeout_ms", timeout_ms)
        if timeout_ms < -1:
            self._complete("nexmo_reporter_close", timeout_ms)  # The call fails and closes nothing.
        was_closed, self._is_closed = self._is_closed, True
        suspended: Optional[Suspended] = None
        try:
            if not was_closed:
                self.flush(timeout_ms)
        except Suspended as error:
            suspended = error
        except ReporterError:
            pass  # The flush failed, but the reports may no longer be pending when the reporter is closed.
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
            # With a time limit of 0, nexmo_reporter_close sends no probe and returns PENDING instead of SUSPENDED. The
            # message of `pending` says whether reports are lost.
            message = f"the reporter is suspended: the service accepts no reports from this account; {pending}"
            raise Suspended(dataclasses.replace(suspended.result, message=message)) from None

    def free(self) -> None:
        """Frees the reporter, after closing it without waiting if it is open. A second call does nothing.

        Waiting calls on other threads raise `Cancelled`. Pending reports stay in the outbox; with `Durability.NONE`
        they are lost.

        Threads: any. Blocks for up to half a second. Never raises.
        """
        self._free()
        self._waits.end()

    def __enter__(self) -> "Reporter":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.close()
        except (Cancelled, InvalidHandle):
            pass  # The reporter was freed before or during the call.
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
        """Returns `error` unless the handle is invalid, for example after a bug in the library. Otherwise, frees the
        reporter and returns an error that says that the reporter is freed."""
        if not isinstance(error, InvalidHandle):
            return error
        self.free()
        return InvalidHandle(dataclasses.replace(error.result, message="the reporter is freed: create another"))
