"""Tests that reports arrive unchanged at the service."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable

import pytest

import nexmo_conversion
from nexmo_conversion import Acceptance, Credentials, Options, Result, SignatureMethod
from sandbox import ALL_AUTH, API_KEY, BASIC, QUERY, SIGNED, Log, auth_id, http_options, https_options, responding

REPORTS = [nexmo_conversion.sms, nexmo_conversion.voice]
ODD_IDS = [
    "100%",
    "%41%zz",
    "a&b",
    "a=b",
    "&delivered=false",
    "a+b",
    "a#b",
    "a?b",
    "a  b c",
    "/../a/./b//",
    "'\"<>\\^`{|}~-._",
    "ключ",
    "é e\u0301",
    "\U0001f511",
    "x" * 256,
    "é" * 128,
]


@pytest.mark.parametrize("credentials", ALL_AUTH, ids=auth_id)
@pytest.mark.parametrize("delivered", [True, False])
@pytest.mark.parametrize("report", REPORTS)
def test_a_report_arrives(report: Callable[..., Result], delivered: bool, credentials: Credentials, log: Log) -> None:
    result = report(credentials, "00A0B0C0", delivered, "2020-01-01 12:00:00", options=http_options())
    record = log.only()
    assert (record["status"], record["violations"]) == (200, [])
    assert (record["method"], record["channel"]) == ("POST", report.__name__)
    assert (record["api_key"], record["message_id"]) == (API_KEY, "00A0B0C0")
    assert (record["delivered"], record["timestamp"]) == (str(delivered).lower(), "2020-01-01 12:00:00")
    assert record["authentication"] == nexmo_conversion.Authentication(credentials.auth).name.lower()
    assert (result.status, result.http_status, result.attempts, result.acceptance) == (0, 200, 1, Acceptance.YES)
    assert 0 < result.elapsed_us < 10_000_000
    assert (result.retry_after_ms, result.message) == (None, "report accepted")


@pytest.mark.parametrize("method", SignatureMethod)
def test_each_signature_method_is_used(method: SignatureMethod, log: Log) -> None:
    nexmo_conversion.sms(SIGNED[method], "signed", True, options=http_options())
    assert log.only()["signature_method"] == method.name.lower().replace("hmac_", "").replace("_", "")


@pytest.mark.parametrize("credentials", ALL_AUTH, ids=auth_id)
@pytest.mark.parametrize("message_id", ODD_IDS)
def test_unusual_ids_arrive_unchanged(message_id: str, credentials: Credentials, log: Log) -> None:
    nexmo_conversion.sms(credentials, message_id, True, options=http_options())
    record = log.only()
    assert (record["message_id"], record["status"], record["violations"]) == (message_id, 200, [])


@pytest.mark.parametrize("credentials", ALL_AUTH, ids=auth_id)
def test_without_a_timestamp_only_a_signed_report_has_one(credentials: Credentials, log: Log) -> None:
    nexmo_conversion.voice(credentials, "no time", True, options=http_options())
    timestamp = log.only()["timestamp"]
    if credentials.signature_method:
        assert len(timestamp) == len("2020-01-01 12:00:00")
    else:
        assert timestamp is None


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_arrives_over_tls(report: Callable[..., Result], log: Log) -> None:
    report(BASIC, "over tls", True, options=https_options())
    assert (log.only()["scheme"], log.only()["status"]) == ("https", 200)


def test_a_path_may_name_the_ca_file(tmp_path: Any, log: Log) -> None:
    copy = tmp_path / "ключ ca.pem"
    given = https_options()
    with open(str(given.ca_file), "rb") as file:
        copy.write_bytes(file.read())
    nexmo_conversion.sms(BASIC, "path", True, options=Options(base_url=given.base_url, ca_file=copy))
    assert log.only()["status"] == 200


def test_the_callers_user_agent_is_appended(log: Log) -> None:
    nexmo_conversion.sms(QUERY, "agent", True, options=http_options(user_agent="shop/2"))
    assert dict(log.only()["headers"])["user-agent"] == f"nexmo-conversion/{nexmo_conversion.version()} shop/2"


def test_sign_unix_seconds(log: Log) -> None:
    options = http_options(sign_unix_seconds=True)
    before = int(time.time())
    nexmo_conversion.sms(SIGNED[SignatureMethod.HMAC_SHA256], "seconds", True, "2020-01-01 12:00:00", options=options)
    assert before <= int(log.only()["timestamp"]) <= int(time.time())


def test_built_in_roots_do_not_trust_the_sandbox() -> None:
    options = Options(base_url=https_options().base_url, built_in_roots_only=True)
    with pytest.raises(nexmo_conversion.TlsError):
        nexmo_conversion.sms(QUERY, "roots", True, options=options)


def test_allow_plain_http() -> None:
    rejected = Options(base_url="http://192.0.2.1", timeout_ms=1, connect_timeout_ms=1)
    with pytest.raises(nexmo_conversion.InvalidCall, match=r"^base_url "):
        nexmo_conversion.sms(QUERY, "plain", True, options=rejected)
    allowed = Options(base_url="http://192.0.2.1", timeout_ms=1, connect_timeout_ms=1, allow_plain_http=True)
    with pytest.raises(nexmo_conversion.NoResponse):
        nexmo_conversion.sms(QUERY, "plain", True, options=allowed)


def test_a_loop_keeps_its_connection(log: Log) -> None:
    for number in range(5):
        nexmo_conversion.sms(QUERY, f"loop {number}", True, options=http_options())
    assert len({record["connection"] for record in log.records()}) == 1


def test_threads_share_the_library(log: Log) -> None:
    def report(number: int) -> Result:
        kind = REPORTS[number % 2]
        return kind(ALL_AUTH[number % len(ALL_AUTH)], f"thread {number}", number % 3 == 0, options=http_options())

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(report, range(16 * 50)))
    assert all(result.acceptance is Acceptance.YES for result in results)
    arrived = {record["message_id"]: record for record in log.records()}
    assert len(log.records()) == len(arrived) == len(results)
    for number in range(len(results)):
        record = arrived[f"thread {number}"]
        assert (record["channel"], record["delivered"]) == (REPORTS[number % 2].__name__, str(number % 3 == 0).lower())


def test_other_threads_run_while_a_report_waits() -> None:
    # The server runs in a thread of this process and could not respond if the call held the GIL.
    with responding(204) as options:
        assert nexmo_conversion.sms(QUERY, "gil", True, options=options).http_status == 204
