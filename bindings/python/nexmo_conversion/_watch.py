"""How a task of asyncio waits for what is set aside."""

import asyncio
import contextlib
import os
from typing import Callable, Iterator, Optional, Set

from ._aside import Aside
from ._errors import HandleError, OutboxBusy


class Bell:
    """Wakes one task, when a descriptor can be read, or when any thread rings."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wakes the task, or has its next wait end at once."""
        # A loop that is closed has no task left to wake.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._rung.set)

    async def wait(self, descriptor: int) -> None:
        """Waits until `descriptor` can be read, or somebody rings. Leaves nothing behind when it is cancelled."""
        # A loop has one reader for each descriptor, and others may watch the same one; so this is one of its own.
        own = os.dup(descriptor)
        try:
            self._loop.add_reader(own, self._rung.set)
            await self._rung.wait()
        finally:
            self._loop.remove_reader(own)
            os.close(own)
        self._rung.clear()


class Ending:
    """That a reporter is closed or freed, of which those who watch it are told."""

    def __init__(self) -> None:
        self.is_reached = False
        self._bells: Set[Bell] = set()

    def reach(self) -> None:
        """Tells all who watch. Call from any thread."""
        self.is_reached = True
        for bell in tuple(self._bells):
            bell.ring()

    @contextlib.contextmanager
    def rings(self) -> Iterator[Bell]:
        """A bell for the running task that the ending rings."""
        bell = Bell()
        self._bells.add(bell)
        try:
            yield bell
        finally:
            self._bells.discard(bell)


class Watch:
    """Each report that is set aside, as soon as it is, for `async for`; see `Reporter.watch`."""

    def __init__(self, poll: Callable[[], Optional[Aside]], fileno: Callable[[], int], ending: Ending) -> None:
        self._poll = poll
        self._fileno = fileno
        self._ending = ending

    def __aiter__(self) -> "Watch":
        return self

    async def __anext__(self) -> Aside:
        try:
            with self._ending.rings() as bell:
                return await self._next(bell)
        except HandleError:
            # The reporter was freed, and the rest is for whoever next opens the outbox.
            raise StopAsyncIteration from None

    async def _next(self, bell: Bell) -> Aside:
        while True:
            # Asked before the look, so that what is set aside meanwhile is not missed.
            is_last_look = self._ending.is_reached
            aside = self._look(is_last_look)
            if aside is not None:
                return aside
            if is_last_look:
                raise StopAsyncIteration
            await bell.wait(self._fileno())

    def _look(self, is_last_look: bool) -> Optional[Aside]:
        try:
            return self._poll()
        except OutboxBusy:
            # The reporter looks for itself now and then, and has the descriptor readable again, until it is closed.
            if is_last_look:
                raise
            return None
