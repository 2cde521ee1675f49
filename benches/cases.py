"""The cases, each of which lists clients that do the same work and the figures by which they are compared."""

from dataclasses import dataclass

from clients import (
    BARE_UREQ, CURL_EASY, CURL_EASY_32, CURL_MULTI, OUR_CLIENT, OUR_CLIENT_32, OUR_ONE_CALL, OUR_PYTHON, OUR_REPORTER, OUR_REPORTER_NONE,
    PYTHON_REQUESTS, PYTHON_SDK, RAW_OPENSSL, RAW_SOCKET, Client,
)


@dataclass(frozen=True)
class Length:
    """The number of requests in each run, and the number of rounds."""

    count: int
    rounds: int


@dataclass(frozen=True)
class Case:
    """Work that several clients do, and how it is measured."""

    name: str
    title: str
    #: A key of `Server.urls`.
    url: str
    clients: tuple[Client, ...]
    reference: Client
    #: The figures to compare, each one of "rate", "cpu_us", "peak_kib" and "median_s".
    figures: tuple[str, ...]
    full: Length
    short: Length
    concurrency: int = 1
    #: Whether client and server share one core, so that the rate reflects their total cost.
    one_core: bool = False
    #: Whether each request is made by a new process.
    cold: bool = False
    #: Whether the CA is in the system's certificate store instead of a separate file.
    system_store: bool = False


_RATE, _CPU, _PEAK, _START = "rate", "cpu_us", "peak_kib", "median_s"
_CONCURRENT = (OUR_CLIENT_32, OUR_REPORTER_NONE, OUR_REPORTER, CURL_MULTI, CURL_EASY_32)
_COLD = (OUR_ONE_CALL, CURL_EASY, BARE_UREQ, RAW_OPENSSL)

CASES = (
    Case("https-serial", "HTTPS, sequential, client and server on one core", "https",
         (OUR_CLIENT, OUR_ONE_CALL, CURL_EASY, BARE_UREQ, RAW_OPENSSL), CURL_EASY, (_RATE, _CPU, _PEAK), Length(10_000, 11),
         Length(4_000, 5), one_core=True),
    Case("http-serial", "HTTP, sequential, client and server on one core", "http",
         (OUR_CLIENT, OUR_ONE_CALL, CURL_EASY, BARE_UREQ, RAW_SOCKET), CURL_EASY, (_RATE, _CPU, _PEAK), Length(10_000, 11),
         Length(4_000, 5), one_core=True),
    Case("https-python", "Python over HTTPS, sequential, client and server on one core", "https",
         (OUR_PYTHON, PYTHON_REQUESTS, PYTHON_SDK, CURL_EASY), PYTHON_SDK, (_RATE, _CPU, _PEAK), Length(5_000, 9), Length(2_000, 5),
         one_core=True),
    Case("cold", "Cold start over HTTPS, with a CA file", "https", _COLD, CURL_EASY, (_START, _CPU), Length(20, 15), Length(10, 7),
         cold=True),
    Case("cold-system", "Cold start over HTTPS, with the system's certificate store", "https", _COLD, CURL_EASY, (_START, _CPU),
         Length(20, 15), Length(10, 7), cold=True, system_store=True),
    Case("https-32", "HTTPS, 32 concurrent requests", "https", _CONCURRENT, CURL_MULTI, (_RATE, _CPU, _PEAK), Length(20_000, 11),
         Length(12_000, 4), concurrency=32),
    Case("https-32-delayed", "HTTPS, 32 concurrent requests, each response after 50 ms", "delayed", _CONCURRENT, CURL_MULTI,
         (_RATE, _CPU, _PEAK), Length(1_920, 9), Length(960, 3), concurrency=32),
    Case("reporter-feed", "HTTPS, 32 connections, submitting while the reporter sends", "https",
         (OUR_REPORTER, OUR_REPORTER_NONE, OUR_CLIENT_32), OUR_CLIENT_32, (_RATE, _CPU, _PEAK), Length(20_000, 11), Length(12_000, 5),
         concurrency=32),
)
