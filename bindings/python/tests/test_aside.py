"""What was set aside is told once: by poll, by its descriptor, and in the log."""

import logging
import threading
from pathlib import Path

import pytest

from nexmo_conversion import Aside, Channel, Reason, Reporter, SetAside, _aside, _library
from reporters import LONG_MS, held, in_file, in_memory, is_readable
from sandbox import Log

REFUSED = Aside(Reason.REFUSED, 420, Channel.SMS, "invalid", True, "2020-01-01 12:00:00", "refused")


def refuse(reporter: Reporter, times: int = 1) -> None:
    """Has the sandbox refuse so many reports, one after the other."""
    for number in range(times):
        reporter.submit_sms("invalid", number % 2 == 0, f"2020-01-01 12:00:{number:02}")
        with pytest.raises(SetAside):
            reporter.flush(LONG_MS)


def test_each_is_handed_out_once_the_oldest_first(tmp_path: Path) -> None:
    with in_file(tmp_path / "outbox") as reporter, in_file(tmp_path / "outbox") as other:
        refuse(reporter, 3)
        first, second, third = other.poll(), reporter.poll(), other.poll()
        assert (reporter.poll(), other.poll()) == (None, None)
    assert first and second and third
    assert [aside.timestamp[-2:] for aside in (first, second, third)] == ["00", "01", "02"]
    assert [aside.delivered for aside in (first, second, third)] == [True, False, True]
    assert (first.reason, first.http_status, first.channel) == (Reason.REFUSED, 420, Channel.SMS)
    assert (first.message_id, first.timestamp) == ("invalid", "2020-01-01 12:00:00")
    assert first.message


def test_everything_is_fetched_one_after_the_other() -> None:
    with in_memory() as reporter:
        assert list(reporter.poll_all()) == []
        refuse(reporter, 3)
        asides = reporter.poll_all()
        next(asides)
        # What the iteration did not come to stays aside.
        assert reporter.statistics().aside == 2
        assert len(list(asides)) == 2
        assert reporter.statistics().aside == 0


def test_what_is_aside_stays_there_across_a_restart(tmp_path: Path) -> None:
    with in_file(tmp_path / "outbox") as reporter:
        refuse(reporter)
    with in_file(tmp_path / "outbox") as reporter:
        assert is_readable(reporter, LONG_MS)
        reporter.close(0)
        assert len(list(reporter.poll_all())) == 1


def test_a_message_id_of_the_greatest_length_comes_back_whole() -> None:
    name = "é" * 128
    with held() as server, in_memory(server.options, most_reports=1, when_full=1) as reporter:
        reporter.submit_voice(name, False)
        reporter.submit_voice("another", True)
        aside = reporter.poll()
        server.let_go()
    assert aside and (aside.message_id, aside.channel) == (name, Channel.VOICE)


def test_the_descriptor_is_readable_while_something_is_aside() -> None:
    with in_memory() as reporter:
        descriptor = reporter.fileno()
        assert descriptor >= 0 and descriptor == reporter.fileno()
        assert not is_readable(reporter)
        refuse(reporter, 2)
        assert is_readable(reporter, LONG_MS)
        assert reporter.poll()
        assert is_readable(reporter)
        assert reporter.poll() and reporter.poll() is None
        assert not is_readable(reporter)


def test_the_descriptor_tells_of_what_was_dropped() -> None:
    with held() as server, in_memory(server.options, most_reports=1, when_full=1) as reporter:
        reporter.submit_sms("0", True)
        server.wait()
        reporter.submit_sms("1", True)
        assert is_readable(reporter, LONG_MS)
        server.let_go()


def test_the_descriptor_tells_of_what_another_reporter_had_refused(tmp_path: Path) -> None:
    with in_file(tmp_path / "outbox") as reporter, in_file(tmp_path / "outbox") as other:
        refuse(reporter)
        assert is_readable(other, LONG_MS)
        assert other.poll()


def test_the_log_is_told_on_the_thread_that_asks(caplog: pytest.LogCaptureFixture) -> None:
    with in_memory() as reporter:
        assert reporter.log_aside() == 0
        refuse(reporter, 2)
        assert (reporter.log_aside(), reporter.log_aside()) == (2, 0)
    assert len(caplog.records) == 2
    for record in caplog.records:
        assert (record.name, record.levelno) == ("nexmo_conversion", logging.WARNING)
        assert record.thread == threading.get_ident()
        assert record.message.startswith("the report on sms 'invalid' was refused: ")
        assert "s3cret" not in record.message and "\n" not in record.message


def test_nothing_is_logged_by_itself(caplog: pytest.LogCaptureFixture, log: Log) -> None:
    with in_memory() as reporter:
        refuse(reporter)
        reporter.poll()
    assert caplog.records == []


def test_a_log_that_nobody_set_up_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    logger = logging.getLogger("nexmo_conversion")
    logger.propagate = False
    try:
        with in_memory() as reporter:
            refuse(reporter)
            assert reporter.log_aside() == 1
    finally:
        logger.propagate = True
    assert capsys.readouterr() == ("", "")


def test_a_sentence_stays_on_its_line() -> None:
    aside = Aside(Reason.DROPPED, 0, Channel.VOICE, "a\u2028b'c", True, "2020-01-01 12:00:00", "the outbox was full")
    assert str(aside) == "the report on voice \"a\\u2028b'c\" was dropped: the outbox was full"


def test_numbers_of_a_newer_library_are_taken_as_they_are() -> None:
    filled = _library.AsideStruct(reason=77, channel=9, message_id=b"a", message=b"why")
    aside = _aside.read(filled)
    assert aside and (aside.reason, aside.channel) == (77, 9)
    assert str(aside) == "the report on number 9 'a' was number 77: why"


def test_an_aside_never_changes() -> None:
    with pytest.raises(AttributeError):
        REFUSED.reason = 2  # type: ignore[misc]
