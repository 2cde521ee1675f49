"""Waits that leave Python and asyncio responsive."""

import asyncio
import contextlib
import math
import os
import threading
import time
from typing import Callable, Iterator, List, Set

SLICE_MS = 500
"""The maximum duration of a wait inside the library, in milliseconds. Python's signal handlers, such as that of Ctrl-C,
run after each wait."""


def slices(timeout_ms: int) -> Iterator[int]:
    """Yields the time limits of the calls that together wait for `timeout_ms`; -1 means no limit."""
    left = math.inf if timeout_ms == -1 else float(timeout_ms)
    end = time.monotonic() + left / 1000
    while left > SLICE_MS:
        yield SLICE_MS
        left = max(0.0, (end - time.monotonic()) * 1000)
    # A value below -1 is passed on, so that the library rejects it.
    yield math.ceil(left)


def interruptibly(call: Callable[[int], None], timeout_ms: int) -> None:
    """Calls `call` with `timeout_ms`. Python runs signal handlers only on the main thread, and not while that thread is
    in the library. If the main thread makes a call that may take longer than a slice, another thread therefore executes
    the call, and continues it if a handler raises."""
    if 0 <= timeout_ms <= SLICE_MS or threading.current_thread() is not threading.main_thread():
        return call(timeout_ms)
    raised: List[BaseException] = []

    def work() -> None:
        try:
            call(timeout_ms)
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=work, name="nexmo-wait", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # No thread can be started, or the interpreter is shutting down.
        return call(timeout_ms)
    while thread.is_alive():
        thread.join(SLICE_MS / 1000)
    if raised:
        raise raised[0]
    return None


class Waits:
    """The asyncio tasks that wait for a reporter's file descriptor. `end` wakes these tasks when the reporter is freed,
    because freeing the reporter does not make the descriptor readable."""

    def __init__(self) -> None:
        self._has_ended = False
        self._wakes: Set[Callable[[], None]] = set()

    def end(self) -> None:
        """Ends all current and later waits. May be called from any thread."""
        self._has_ended = True
        for wake in tuple(self._wakes):
            wake()

    async def readable(self, descriptor: int) -> None:
        """Waits until `descriptor` is readable. Stops watching it if the task is cancelled."""
        loop, event = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            # A closed loop has no task to wake.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)

        # Uses a duplicate, because a loop has only one reader for each descriptor and other tasks may watch the same
        # one.
        duplicate = os.dup(descriptor)
        self._wakes.add(wake)
        try:
            loop.add_reader(duplicate, event.set)
            if not self._has_ended:
                await event.wait()
        finally:
            self._wakes.discard(wake)
            loop.remove_reader(duplicate)
            os.close(duplicate)
