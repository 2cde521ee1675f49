"""Tasks of asyncio watch for what is set aside."""

import asyncio
import gc
import os
import time
from pathlib import Path
from typing import Any, Awaitable, Callable, List

import pytest

from nexmo_conversion import Aside, OutboxBusy, Reason, Reporter, SetAside, Watch
from nexmo_conversion._watch import Bell
from reporters import LONG_MS, in_file, in_memory, locked


def run(main: Callable[[], Awaitable[None]]) -> None:
    """Runs a coroutine, which must not hang, and must leave no descriptor behind."""

    async def bounded() -> None:
        await asyncio.wait_for(main(), LONG_MS / 1000)

    # The first time the library and the loop may open what they keep for good.
    asyncio.run(bounded())
    before = descriptors()
    asyncio.run(bounded())
    gc.collect()
    deadline = time.monotonic() + LONG_MS / 1000
    # The library ends what it has of a reporter by itself.
    while descriptors() > before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def descriptors() -> int:
    """How many this process has open."""
    return len(os.listdir("/proc/self/fd"))


async def gathered(reporter: Reporter) -> List[Aside]:
    """Everything that a watch gives until it ends."""
    return [aside async for aside in reporter.watch()]


async def ticks(count: int = 3) -> None:
    """Lets the other tasks come to where they wait."""
    for _ in range(count):
        await asyncio.sleep(0)


def test_what_is_set_aside_is_given_until_the_reporter_is_closed() -> None:
    async def main() -> None:
        with in_memory() as reporter:
            reporter.submit_sms("invalid", True)
            seen = []
            async for aside in reporter.watch():
                seen.append(aside.delivered)
                if len(seen) < 3:
                    reporter.submit_sms("invalid", False)
                else:
                    await asyncio.to_thread(reporter.close)
            assert seen == [True, False, False]

    run(main)


def test_what_is_set_aside_while_it_closes_is_given_too() -> None:
    async def main() -> None:
        with in_memory() as reporter:
            task = asyncio.create_task(gathered(reporter))
            await ticks()
            for message_id in ("a", "invalid", "b"):
                reporter.submit_sms(message_id, True)
            await asyncio.to_thread(reporter.close, LONG_MS)
            assert [aside.reason for aside in await task] == [Reason.REFUSED]

    run(main)


@pytest.mark.parametrize("end", [Reporter.close, Reporter.free])
def test_all_watches_end_with_the_reporter(end: Callable[[Reporter], object]) -> None:
    async def main() -> None:
        reporter = in_memory()
        tasks = [asyncio.create_task(gathered(reporter)) for _ in range(3)]
        await ticks()
        end(reporter)
        assert await asyncio.gather(*tasks) == [[], [], []]
        assert await gathered(reporter) == []
        reporter.free()

    run(main)


def test_a_watch_ends_when_another_thread_frees_the_reporter() -> None:
    async def main() -> None:
        reporter = in_memory()
        task = asyncio.create_task(gathered(reporter))
        await ticks()
        await asyncio.to_thread(reporter.free)
        assert await task == []

    run(main)


def test_of_several_watches_one_gets_each() -> None:
    async def main() -> None:
        with in_memory() as reporter:
            tasks = [asyncio.create_task(gathered(reporter)) for _ in range(3)]
            await ticks()
            for channel in (reporter.submit_sms, reporter.submit_voice):
                channel("invalid", True)
            await asyncio.to_thread(reporter.close, LONG_MS)
            assert sum(len(asides) for asides in await asyncio.gather(*tasks)) == 2

    run(main)


def test_a_watch_that_is_cancelled_loses_nothing() -> None:
    async def main() -> None:
        with in_memory() as reporter:
            for _ in range(3):
                task = asyncio.create_task(gathered(reporter))
                await ticks()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            reporter.submit_sms("invalid", True)
            assert (await asyncio.wait_for(reporter.watch().__anext__(), LONG_MS / 1000)).http_status == 420

    run(main)


def test_a_watch_leaves_no_reader_behind() -> None:
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
            reporter.submit_sms("invalid", True)
            await asyncio.to_thread(reporter.close, LONG_MS)
            await asyncio.wait(tasks)
            assert loop.readers == []

    loop = Remembering()
    try:
        loop.run_until_complete(asyncio.wait_for(main(), LONG_MS / 1000))
        loop.run_until_complete(loop.shutdown_default_executor())
    finally:
        loop.close()


def test_a_task_may_leave_the_loop_and_watch_again() -> None:
    async def main() -> None:
        with in_memory() as reporter:
            for submit in (reporter.submit_sms, reporter.submit_voice):
                submit("invalid", True)
            seen = []
            for watch in (reporter.watch(), reporter.watch()):
                async for aside in watch:
                    seen.append(aside.channel)
                    break
            assert sorted(seen) == [1, 2]

    run(main)


def test_the_loop_does_not_spin_while_the_task_is_busy() -> None:
    class Counting(asyncio.SelectorEventLoop):
        turns = 0

        def _run_once(self) -> None:
            self.turns += 1
            super()._run_once()  # type: ignore[misc]

    async def main() -> int:
        with in_memory() as reporter:
            for submit in (reporter.submit_sms, reporter.submit_voice):
                submit("invalid", True)
                with pytest.raises(SetAside):
                    await asyncio.to_thread(reporter.flush, LONG_MS)
            async for _ in reporter.watch():
                # Another report is aside, so the descriptor is readable all the time that the task takes for this one.
                assert reporter.statistics().aside == 1
                before = loop.turns
                await asyncio.sleep(0.1)
                return loop.turns - before
        raise AssertionError

    loop = Counting()
    try:
        assert loop.run_until_complete(asyncio.wait_for(main(), LONG_MS / 1000)) < 30
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def test_a_watch_outlasts_a_lock_while_the_reporter_is_open(tmp_path: Path) -> None:
    async def main() -> None:
        outbox = tmp_path / "outbox"
        with in_file(outbox, lock_wait_ms=20) as reporter:
            reporter.submit_sms("invalid", True)
            with pytest.raises(SetAside):
                reporter.flush(LONG_MS)
            with locked(outbox):
                with pytest.raises(OutboxBusy):
                    reporter.poll()
                task = asyncio.create_task(gathered(reporter))
                await ticks()
                assert not task.done()
            await asyncio.to_thread(reporter.close, LONG_MS)
            assert len(await task) == 1

    run(main)


def test_a_watch_of_a_closed_reporter_tells_of_a_lock(tmp_path: Path) -> None:
    async def main() -> None:
        outbox = tmp_path / "outbox"
        with in_file(outbox, lock_wait_ms=1) as reporter:
            reporter.submit_sms("invalid", True)
            reporter.close(LONG_MS)
            with locked(outbox), pytest.raises(OutboxBusy):
                await gathered(reporter)
            assert len(await gathered(reporter)) == 1

    run(main)


def test_a_bell_may_be_rung_when_its_loop_is_closed() -> None:
    async def made() -> Bell:
        return Bell()

    asyncio.run(made()).ring()


def test_a_watch_is_made_anywhere_and_used_in_a_loop() -> None:
    with in_memory() as reporter:
        watch = reporter.watch()
        assert isinstance(watch, Watch) and watch.__aiter__() is watch
        reporter.close()

        async def rest() -> List[Aside]:
            return [aside async for aside in watch]

        assert asyncio.run(rest()) == []
