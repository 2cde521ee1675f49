"""Tests the options of a client by their effect on the server."""

import base64
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Dict

import pytest

import nexmo_conversion
from nexmo_conversion import Acceptance, Client, InvalidCall, NoResponse, Options, RateLimited, Status, Unavailable
from proxy import NAME, Proxy, proxy
from sandbox import BASIC, QUERY, Log, holding, http_options, https_options, responding

DATA = Path(__file__).resolve().parents[3] / "tests" / "data"
VARIABLES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]
VARIABLES += [*map(str.upper, VARIABLES), "REQUEST_METHOD"]


def by_name(**others: Any) -> Options:
    """Returns options for the sandbox with a host name that only the proxy can resolve."""
    return Options(base_url=f"http://{NAME}", allow_plain_http=True, **others)


# --- max_attempts ---


def test_a_retryable_failure_is_retried(log: Log) -> None:
    with Client(QUERY, http_options(max_attempts=3)) as client:
        result = client.sms("twice", True)
    assert log.statuses() == [503, 503, 200]
    assert (result.attempts, result.http_status, result.acceptance) == (3, 200, Acceptance.YES)


def test_max_attempts_limits_the_attempts() -> None:
    with responding(503, {"retry-after": "0"}) as towards:
        for attempts in (0, 1, 4):
            options = Options(base_url=towards.base_url, max_attempts=attempts)
            with Client(QUERY, options) as client, pytest.raises(Unavailable) as caught:
                client.sms("a", True)
            assert caught.value.result.attempts == max(attempts, 1)
            with pytest.raises(Unavailable) as caught:
                nexmo_conversion.sms(QUERY, "a", True, options=options)
            assert caught.value.result.attempts == max(attempts, 1)


def test_a_retry_delay_beyond_the_timeout_is_returned_to_the_caller(log: Log) -> None:
    with Client(QUERY, http_options(max_attempts=9, timeout_ms=5000)) as client, pytest.raises(RateLimited) as caught:
        client.voice("throttled", True)
    assert (caught.value.result.attempts, caught.value.result.retry_after_ms) == (1, 7000)
    assert len(log.records()) == 1


def test_a_permanent_failure_is_not_retried(log: Log) -> None:
    with Client(QUERY, http_options(max_attempts=9)) as client, pytest.raises(nexmo_conversion.NotEnabled):
        client.sms("not-enabled", True)
    assert len(log.records()) == 1


# --- max_idle_connections ---


@pytest.mark.parametrize(("kept", "made"), [(0, 2), (1, 3), (2, 2)])
def test_max_idle_connections_limits_idle_connections(kept: int, made: int) -> None:
    together = threading.Barrier(2)
    with holding(lambda: together.wait(60)) as server, ThreadPoolExecutor(2) as pool:
        with Client(QUERY, server.options(max_idle_connections=kept)) as client:
            for _ in range(2):
                for call in [pool.submit(client.sms, "a", True) for _ in range(2)]:
                    call.result(60)
        assert server.connections == made


# --- proxy ---


def test_the_proxy_resolves_the_name(log: Log) -> None:
    with proxy() as through:
        with Client(QUERY, by_name(proxy=through.url)) as client:
            client.sms("a", True)
            client.voice("b", True)
        assert through.targets == [f"{NAME}:80"]
        nexmo_conversion.sms(QUERY, "c", True, options=by_name(proxy=through.url))
        assert through.targets == [f"{NAME}:80"] * 2
    assert log.statuses() == [200] * 3
    assert dict(log.records()[0]["headers"])["host"] == NAME


def test_tls_is_tunnelled_through_the_proxy(log: Log) -> None:
    options = https_options()
    with proxy() as through, Client(BASIC, https_options(proxy=through.url)) as client:
        client.sms("a", True)
        assert f"https://{through.targets[0]}" == options.base_url
    assert (log.only()["scheme"], log.only()["status"]) == ("https", 200)


def test_the_proxy_receives_user_and_password(log: Log) -> None:
    with proxy() as through:
        with Client(QUERY, by_name(proxy=f"http://us%40er:p%3A%C3%A9@{through.address}")) as client:
            client.sms("a", True)
        scheme, token = str(through.asked[0].authorization).split(" ")
    assert (scheme, base64.b64decode(token).decode()) == ("Basic", "us@er:p:é")
    assert "proxy-authorization" not in dict(log.only()["headers"])


@pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway"])
def test_a_proxy_that_rejects_the_tunnel(status: str, log: Log) -> None:
    with proxy(status) as through, Client(QUERY, by_name(proxy=through.url)) as client:
        with pytest.raises(NoResponse) as caught:
            client.sms("a", True)
        assert through.targets == [f"{NAME}:80"]
    assert (caught.value.status, caught.value.result.acceptance) == (Status.PROXY, Acceptance.NO)
    assert log.records() == []


def test_a_proxy_that_refuses_the_connection(log: Log) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with Client(QUERY, by_name(proxy=f"http://127.0.0.1:{port}")) as client, pytest.raises(NoResponse) as caught:
        client.sms("a", True)
    assert (caught.value.status, caught.value.result.acceptance) == (Status.PROXY, Acceptance.NO)
    assert log.records() == []


@pytest.mark.parametrize(
    ("flag", "variables", "is_used"),
    [
        (False, {"http_proxy": "", "https_proxy": "", "all_proxy": ""}, False),
        (True, {"http_proxy": ""}, True),
        (True, {"all_proxy": ""}, True),
        (True, {"http_proxy": "", "no_proxy": "else.test"}, True),
        (True, {}, False),
        (True, {"https_proxy": ""}, False),
        (True, {"ALL_PROXY": ""}, True),
        (True, {"HTTP_PROXY": ""}, False),
        (True, {"http_proxy": "", "no_proxy": "else.test, 127.0.0.1"}, False),
        (True, {"http_proxy": "", "no_proxy": "*"}, False),
        (True, {"http_proxy": "", "all_proxy": "", "REQUEST_METHOD": "GET"}, False),
    ],
)
def test_the_environment_is_used_only_if_enabled(
    flag: bool, variables: Dict[str, str], is_used: bool, monkeypatch: pytest.MonkeyPatch, log: Log
) -> None:
    with proxy() as through:
        set_environment(monkeypatch, through, variables)
        with Client(QUERY, http_options(proxy_from_environment=flag)) as client:
            client.sms("a", True)
        assert len(through.asked) == is_used
        nexmo_conversion.sms(QUERY, "a", True, options=http_options(proxy_from_environment=flag))
        assert len(through.asked) == 2 * is_used
    assert log.statuses() == [200, 200]


def set_environment(monkeypatch: pytest.MonkeyPatch, through: Proxy, variables: Dict[str, str]) -> None:
    """Removes the proxy variables from the environment, then sets `variables`. An empty value stands for the URL of the
    proxy."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value or through.url)


def test_the_option_proxy_overrides_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy() as given, proxy() as named:
        set_environment(monkeypatch, named, {"http_proxy": ""})
        with Client(QUERY, by_name(proxy=given.url, proxy_from_environment=True)) as client:
            client.sms("a", True)
        assert (given.targets, named.targets) == ([f"{NAME}:80"], [])


def test_an_invalid_proxy_in_the_environment_is_an_error(monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
    monkeypatch.delenv("REQUEST_METHOD", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("http_proxy", "proxy")
    with pytest.raises(InvalidCall, match=r"^proxy ") as caught:
        Client(QUERY, http_options(proxy_from_environment=True))
    assert caught.value.status == Status.INVALID_ARGUMENT
    assert log.records() == []


# --- client certificate ---


def test_a_client_certificate_that_is_not_requested_is_ignored(log: Log) -> None:
    pair = {"client_cert_file": DATA / "client.pem", "client_key_file": str(DATA / "client-key.pem")}
    with Client(BASIC, https_options(**pair)) as client:
        client.sms("a", True)
    nexmo_conversion.voice(BASIC, "a", True, options=https_options(**pair))
    assert log.statuses() == [200, 200]


@pytest.mark.parametrize(
    ("certificate", "key", "name", "problem"),
    [
        ("client.pem", None, "client_key_file", "is missing"),
        (None, "client-key.pem", "client_cert_file", "is missing"),
        ("nowhere.pem", "client-key.pem", "client_cert_file", "cannot be read"),
        ("client.pem", "nowhere.pem", "client_key_file", "cannot be read"),
        ("client-key.pem", "client-key.pem", "client_cert_file", "contains no certificate"),
        ("client.pem", "client.pem", "client_key_file", "contains no usable key"),
        ("bad_inputs.tsv", "client-key.pem", "client_cert_file", "contains no certificate"),
        ("client.pem", "bad_inputs.tsv", "client_key_file", "contains no usable key"),
        ("ca.pem", "client-key.pem", "client_key_file", "does not match the client certificate"),
    ],
)
def test_an_unusable_client_certificate_is_an_error_with_a_reason(
    certificate: Any, key: Any, name: str, problem: str
) -> None:
    options = https_options(client_cert_file=certificate and DATA / certificate, client_key_file=key and DATA / key)
    with pytest.raises(InvalidCall, match=rf"^{name} .*{problem}") as caught:
        Client(BASIC, options)
    assert (caught.value.status, caught.value.result.acceptance) == (Status.INVALID_ARGUMENT, Acceptance.NO)
    with pytest.raises(InvalidCall, match=rf"^{name} .*{problem}"):
        nexmo_conversion.sms(BASIC, "a", True, options=options)
