"""The cases in which programs do the same work side by side, round after round."""

from dataclasses import dataclass

from clients import (
    BARE_UREQ, CLIENT, CLIENT_32, EASY, EASY_32, MULTI, ONCE, OPENSSL, PYTHON_OURS, PYTHON_REQUESTS, PYTHON_SDK, REPORTER,
    REPORTER_NONE, SOCKET, Contestant,
)


@dataclass(frozen=True)
class Length:
    """How long a case takes: requests of a run, and rounds of runs."""

    count: int
    rounds: int


@dataclass(frozen=True)
class Case:
    """Work that is the same for all contestants."""

    name: str
    title: str
    url: str
    contestants: tuple[Contestant, ...]
    reference: Contestant
    #: What is compared, best known by the figures' names: "rate", "cpu_us", "peak_kib", "median_s".
    figures: tuple[str, ...]
    full: Length
    short: Length
    concurrency: int = 1
    #: Client and server share one core, so that the rate tells what both cost.
    one_core: bool = False
    #: Each request is a program's start, report and end.
    cold: bool = False
    #: The certificate store is the platform's, with the server's CA in it.
    platform: bool = False


_RATE, _CPU, _PEAK, _START = "rate", "cpu_us", "peak_kib", "median_s"
_OF_32 = (CLIENT_32, REPORTER_NONE, REPORTER, MULTI, EASY_32)
_COLD = (ONCE, EASY, BARE_UREQ, OPENSSL)

CASES = (
    Case("https-serial", "HTTPS, one after another, client and server on one core", "https",
         (CLIENT, ONCE, EASY, BARE_UREQ, OPENSSL), EASY, (_RATE, _CPU, _PEAK), Length(10_000, 11), Length(4_000, 5), one_core=True),
    Case("http-serial", "HTTP, one after another, client and server on one core", "http",
         (CLIENT, ONCE, EASY, BARE_UREQ, SOCKET), EASY, (_RATE, _CPU, _PEAK), Length(10_000, 11), Length(4_000, 5), one_core=True),
    Case("https-python", "Python over HTTPS, one after another, client and server on one core", "https",
         (PYTHON_OURS, PYTHON_REQUESTS, PYTHON_SDK, EASY), PYTHON_SDK, (_RATE, _CPU, _PEAK), Length(5_000, 9), Length(2_000, 5),
         one_core=True),
    Case("cold", "Cold start over HTTPS, the same CA file", "https", _COLD, EASY, (_START, _CPU), Length(20, 15), Length(10, 7),
         cold=True),
    Case("cold-platform", "Cold start over HTTPS, the platform's store", "https", _COLD, EASY, (_START, _CPU), Length(20, 15),
         Length(10, 7), cold=True, platform=True),
    Case("https-32", "HTTPS, 32 at a time", "https", _OF_32, MULTI, (_RATE, _CPU, _PEAK), Length(20_000, 11), Length(12_000, 4),
         concurrency=32),
    Case("https-32-far", "HTTPS, 32 at a time, each answer after 50 ms", "far", _OF_32, MULTI, (_RATE, _CPU, _PEAK),
         Length(1_920, 9), Length(960, 3), concurrency=32),
    Case("reporter-feed", "HTTPS, 32 connections, reports that come in while others are sent", "https",
         (REPORTER, REPORTER_NONE, CLIENT_32), CLIENT_32, (_RATE, _CPU, _PEAK), Length(20_000, 11), Length(12_000, 5), concurrency=32),
)
