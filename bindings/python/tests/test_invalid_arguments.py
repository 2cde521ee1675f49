"""Tests invalid arguments: those that the package rejects, and those that the library rejects."""

from datetime import date, time
from decimal import Decimal
from typing import Any, Dict

import pytest

import nexmo_conversion
from nexmo_conversion import Acceptance, Client, Credentials, InvalidCall, Options, SignatureMethod, Status, WrongType
from sandbox import QUERY, Log, http_options

TEXTS = ["base_url", "proxy", "ca_file", "client_cert_file", "client_key_file", "user_agent"]
NUMBERS = ["connect_timeout_ms", "timeout_ms", "max_attempts", "max_idle_connections"]
FLAGS = ["allow_plain_http", "built_in_roots_only", "sign_unix_seconds", "proxy_from_environment"]
BAD_TEXTS = ["\0", "a\0", "a\0b", "\ud800", "a\udfffb", "\udcff"]


def error_of(arguments: Dict[str, Any], log: Log) -> InvalidCall:
    """Returns the error of a report that is valid except for `arguments`. No request may be sent."""
    fine = {"credentials": QUERY, "message_id": "a", "delivered": True, "options": http_options()}
    with pytest.raises(InvalidCall) as caught:
        nexmo_conversion.sms(**{**fine, **arguments})
    assert log.records() == []
    assert str(caught.value).startswith(f"{next(iter(arguments))} ")
    return caught.value


@pytest.mark.parametrize("text", BAD_TEXTS)
@pytest.mark.parametrize("name", ["message_id", "timestamp"])
def test_text_that_c_cannot_hold(name: str, text: str, log: Log) -> None:
    error = error_of({name: text}, log)
    assert not isinstance(error, TypeError)
    assert ("NUL" in str(error)) == ("\0" in text)


@pytest.mark.parametrize("text", BAD_TEXTS)
def test_text_of_credentials_that_c_cannot_hold(text: str) -> None:
    with pytest.raises(InvalidCall, match=r"^api_key contains an? "):
        Credentials.query(text, "s3cret")
    with pytest.raises(InvalidCall, match=r"^api_secret contains an? "):
        Credentials.basic("abcd1234", text)
    with pytest.raises(InvalidCall, match=r"^signature_secret contains an? "):
        Credentials.signature("abcd1234", text, SignatureMethod.HMAC_MD5)


@pytest.mark.parametrize("text", BAD_TEXTS)
@pytest.mark.parametrize("name", TEXTS)
def test_text_of_options_that_c_cannot_hold(name: str, text: str) -> None:
    with pytest.raises(InvalidCall, match=rf"^{name} contains an? "):
        Options(**{name: text})  # type: ignore[arg-type]


@pytest.mark.parametrize("delivered", [1, 0, None, "true", "", 1.0, [], object()])
def test_delivered_must_be_a_bool(delivered: object, log: Log) -> None:
    error = error_of({"delivered": delivered}, log)
    assert isinstance(error, WrongType)
    assert str(error) == f"delivered is of type {type(delivered).__name__}: give True or False"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("message_id", None),
        ("message_id", b"a"),
        ("message_id", 7),
        ("timestamp", b"2020-01-01 12:00:00"),
        ("timestamp", 1_577_880_000),
        ("timestamp", 0.5),
        ("timestamp", date(2020, 1, 1)),
        ("timestamp", time(12)),
        ("credentials", None),
        ("credentials", ("abcd1234", "s3cret")),
        ("options", {"timeout_ms": 5}),
        ("options", QUERY),
    ],
)
def test_arguments_of_wrong_type(name: str, value: object, log: Log) -> None:
    error = error_of({name: value}, log)
    assert isinstance(error, TypeError)
    assert f"{name} is of type {type(value).__name__}: give " in str(error)


@pytest.mark.parametrize("value", [None, b"abcd1234", 7])
def test_credentials_of_wrong_type(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^api_key is of type "):
        Credentials.query(value, "s3cret")
    with pytest.raises(TypeError, match=r"^api_secret is of type "):
        Credentials.query("abcd1234", value)
    with pytest.raises(TypeError, match=r"^api_secret is of type "):
        Credentials.basic("abcd1234", value)
    with pytest.raises(TypeError, match=r"^signature_secret is of type "):
        Credentials.signature("abcd1234", value, SignatureMethod.HMAC_MD5)


@pytest.mark.parametrize("value", [None, "md5", True, 1.0])
def test_a_signature_method_of_wrong_type(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^signature_method is of type "):
        Credentials.signature("abcd1234", "sign4ture", value)


@pytest.mark.parametrize("name", TEXTS)
def test_texts_of_options_of_wrong_type(name: str) -> None:
    for value in (b"text", 7, ["text"]):
        with pytest.raises(TypeError, match=rf"^{name} is of type "):
            Options(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_options(name: str) -> None:
    for value in (None, "5", 5.0, True, Decimal(5)):
        with pytest.raises(TypeError, match=rf"^{name} is of type "):
            Options(**{name: value})  # type: ignore[arg-type]
    # ctypes would truncate the first number to 5.
    for number in (2**32 + 5, 2**31, -(2**31) - 1):
        with pytest.raises(InvalidCall, match=rf"^{name} is out of range"):
            Options(**{name: number})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", FLAGS)
def test_flags_of_options(name: str) -> None:
    for value in (None, 1, 0, "yes"):
        with pytest.raises(TypeError, match=rf"^{name} is of type "):
            Options(**{name: value})  # type: ignore[arg-type]


def test_a_rejected_argument_is_an_error_with_a_result() -> None:
    with pytest.raises(nexmo_conversion.Error) as caught:
        nexmo_conversion.sms(QUERY, "a\0b", True)
    error = caught.value
    assert (error.status, error.name, error.retryable) == (Status.INVALID_ARGUMENT, "NEXMO_ERR_INVALID_ARGUMENT", False)
    assert (error.result.acceptance, error.result.attempts, error.result.message) == (Acceptance.NO, 0, str(error))
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"proxy": "https://127.0.0.1:3128"}, "proxy"),
        ({"client_cert_file": "/nonexistent"}, "client_key_file"),
        ({"client_key_file": "/nonexistent"}, "client_cert_file"),
        ({"client_cert_file": "/nonexistent", "client_key_file": "/nonexistent"}, "client_cert_file"),
        ({"max_attempts": 101}, "max_attempts"),
        ({"max_attempts": -1}, "max_attempts"),
        ({"max_idle_connections": 1025}, "max_idle_connections"),
        ({"timeout_ms": -1}, "timeout_ms"),
        ({"connect_timeout_ms": 3_600_001}, "connect_timeout_ms"),
        ({"user_agent": "é"}, "user_agent"),
        ({"ca_file": "/nonexistent"}, "ca_file"),
    ],
)
def test_the_library_checks_the_values_of_options(given: Dict[str, Any], name: str, log: Log) -> None:
    options = http_options(**given)
    with pytest.raises(InvalidCall, match=rf"^{name} ") as caught:
        nexmo_conversion.sms(QUERY, "a", True, options=options)
    assert caught.value.status == Status.INVALID_ARGUMENT
    with pytest.raises(InvalidCall, match=rf"^{name} ") as caught:
        Client(QUERY, options)
    assert caught.value.status == Status.INVALID_ARGUMENT
    assert log.records() == []


def test_the_library_checks_the_values_of_credentials(log: Log) -> None:
    unknown = Credentials.signature("abcd1234", "sign4ture", 9)
    with pytest.raises(InvalidCall, match=r"^signature_method "):
        nexmo_conversion.sms(unknown, "a", True, options=http_options())
    with pytest.raises(InvalidCall, match=r"^api_secret ") as caught:
        nexmo_conversion.sms(Credentials("abcd1234"), "a", True, options=http_options())
    assert caught.value.status == Status.NULL_POINTER
    with pytest.raises(InvalidCall, match=r"^auth "):
        nexmo_conversion.sms(Credentials("abcd1234", "s3cret", auth=3), "a", True, options=http_options())
    assert log.records() == []
