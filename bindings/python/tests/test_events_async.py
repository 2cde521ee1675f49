"""Tests events in asyncio tasks."""

import asyncio
import gc
import os
import time
from pathlib import Path
from typing import Any, Awaitable, Callable, List

import pytest

from nexmo_conversion import Channel, Event, EventKind, OutboxBusy, Reporter
from reporters import LONG_MS, in_file, in_memory, locked


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Runs a coroutine, which must neither hang nor leak a descriptor."""

    async def bounded() -> None:
        await asyncio.wait_for(main(), LONG_MS / 1000)

    # On first use, the library and the loop may open descriptors and keep them open.
    asyncio.run(bounded())
    before = descriptors()
    asyncio.run(bounded())
    gc.collect()
    deadline = time.monotonic() + LONG_MS / 1000
    # The library closes the descriptors of a reporter in the background.
    while descriptors() > before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def descriptors() -> int:
    """Returns the number of open descriptors of this process."""
    return len(os.listdir("/proc/self/fd"))


async def gathered(reporter: Reporter) -> List[Event]:
    """Returns all events until the iteration ends."""
    return [event async for event in reporter.events_async()]


async def ticks(count: int = 3) -> None:
    """Lets the other tasks run until they wait."""
    for _ in range(count):
        await asyncio.sleep(0)


def test_events_are_yielded_until_the_reporter_is_closed() -> None:
    async def main() -> None:
        with in_memory() as reporter:
            reporter.submit(Channel.SMS, "invalid", True)
            seen = []
            async for event in reporter.events_async():
                seen.append(event.delivered)
                assert reporter.statistics().events == 1
                if len(seen) < 3:
                    reporter.submit(Channel.VOICE, f"invalid {len(seen)}"[:7], False)
                else:
                    await asyncio.to_thread(reporter.close)
            assert seen == [True, False, False]
            assert reporter.statistics().events == 0

    run(main)


def test_events_during_close_are_yielded_too() -> None:
    async def main() -> None:
        with in_memory() as reporter:
            task = asyncio.create_task(gathered(reporter))
            await ticks()
            for message_id in ("a", "invalid", "b"):
                reporter.submit(Channel.SMS, message_id, True)
            await asyncio.to_thread(reporter.close, LONG_MS)
            assert [event.kind for event in await task] == [EventKind.REJECTED]

    run(main)


@pytest.mark.parametrize("end", [Reporter.close, Reporter.free])
@pytest.mark.parametrize("in_a_thread", [False, True])
def test_all_iterations_end_with_the_reporter(in_a_thread: bool, end: Callable[[Reporter], None]) -> None:
    async def main() -> None:
        reporter = in_memory()
        tasks = [asyncio.create_task(gathered(reporter)) for _ in range(3)]
        await ticks()
        if in_a_thread:
            await asyncio.to_thread(end, reporter)
        else:
            end(reporter)
        assert await asyncio.gather(*tasks) == [[], [], []]
        assert await gathered(reporter) == []
        reporter.free()

    run(main)


def test_a_cancelled_task_loses_no_event() -> None:
    async def main() -> None:
        with in_memory() as reporter:
            for _ in range(3):
                task = asyncio.create_task(gathered(reporter))
                await ticks()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            reporter.submit(Channel.SMS, "invalid", True)
            events = reporter.events_async()
            assert (await asyncio.wait_for(events.__anext__(), LONG_MS / 1000)).http_status == 420
            await events.aclose()

    run(main)


def test_no_reader_is_leaked() -> None:
    class Remembering(asyncio.SelectorEventLoop):
        def __init__(self) -> None:
            super().__init__()
            self.readers: List[int] = []

        def add_reader(self, fd: Any, callback: Any, *args: Any) -> None:  # type: ignore[override]
            self.readers.append(fd)
            super().add_reader(fd, callback, *args)

        def remove_reader(self, fd: Any) -> bool:
            self.readers.remove(fd)
            return super().remove_reader(fd)

    async def main() -> None:
        with in_memory() as reporter:
            tasks = [asyncio.create_task(gathered(reporter)) for _ in range(2)]
            await ticks()
            assert len(loop.readers) == len({*loop.readers, reporter.fileno()}) - 1 == 2
            tasks[0].cancel()
            reporter.submit(Channel.SMS, "invalid", True)
            await asyncio.to_thread(reporter.close, LONG_MS)
            await asyncio.wait(tasks)
            assert loop.readers == []

    loop = Remembering()
    try:
        loop.run_until_complete(asyncio.wait_for(main(), LONG_MS / 1000))
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


def test_leaving_the_loop_keeps_the_event() -> None:
    async def first(reporter: Reporter) -> Event:
        async for event in reporter.events_async():
            return event
        raise AssertionError

    async def main() -> None:
        with in_memory() as reporter:
            reporter.submit(Channel.SMS, "invalid", True)
            event = await first(reporter)
            with pytest.raises(ZeroDivisionError):
                async for again in reporter.events_async():
                    assert again == event
                    raise ZeroDivisionError
            async for again in reporter.events_async():
                reporter.acknowledge(again)
                break
            assert reporter.poll() is None

    run(main)


def test_the_loop_does_not_spin_while_the_task_is_busy() -> None:
    class Counting(asyncio.SelectorEventLoop):
        turns = 0

        def _run_once(self) -> None:
            self.turns += 1
            super()._run_once()  # type: ignore[misc]

    async def main() -> int:
        with in_memory() as reporter:
            reporter.submit(Channel.SMS, "invalid", True)
            await asyncio.to_thread(reporter.flush, LONG_MS)
            async for _ in reporter.events_async():
                # The descriptor is readable while the task handles this event.
                before = loop.turns
                await asyncio.sleep(0.1)
                return loop.turns - before
        raise AssertionError

    loop = Counting()
    try:
        assert loop.run_until_complete(asyncio.wait_for(main(), LONG_MS / 1000)) < 30
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def test_a_locked_outbox_raises_and_loses_no_event(tmp_path: Path) -> None:
    async def main() -> None:
        outbox = tmp_path / "outbox"
        with in_file(outbox, busy_timeout_ms=20) as reporter:
            reporter.submit(Channel.SMS, "invalid", True)
            reporter.flush(LONG_MS)
            events = reporter.events_async()
            event = await events.__anext__()
            with locked(outbox), pytest.raises(OutboxBusy):
                await events.__anext__()
            reporter.close(LONG_MS)
            assert await gathered(reporter) == [event]

    run(main)
