"""Tests that no secret is revealed."""

import base64
import traceback
from urllib.parse import quote

import pytest

import nexmo_conversion
from nexmo_conversion import Client, Credentials, Durability, Error, NotEnabled, Options, Reporter, ReporterOptions
from sandbox import ALL_AUTH, API_KEY, API_SECRET, SIGNATURE_SECRET, Log, auth_id, http_options

BASIC_TOKEN = base64.b64encode(f"{API_KEY}:{API_SECRET}".encode()).decode()


def assert_shows_no_secret(shown: str) -> None:
    for secret in (API_SECRET, SIGNATURE_SECRET, BASIC_TOKEN):
        assert secret not in shown
        assert quote(secret) not in shown


@pytest.mark.parametrize("credentials", ALL_AUTH, ids=auth_id)
def test_credentials_do_not_show_their_secrets(credentials: Credentials) -> None:
    for shown in (repr(credentials), str(credentials), f"{credentials}", repr([credentials])):
        assert_shows_no_secret(shown)
        assert API_KEY in shown


def test_options_do_not_show_a_proxys_password() -> None:
    assert "pa55" not in repr(Options(proxy="http://me:pa55@proxy.test:3128"))


@pytest.mark.parametrize("credentials", ALL_AUTH, ids=auth_id)
def test_a_response_that_repeats_the_request_reveals_no_secret(credentials: Credentials, log: Log) -> None:
    with pytest.raises(NotEnabled) as caught:
        nexmo_conversion.sms(credentials, "leak", True, options=http_options())
    assert_shows_everything_but_secrets(caught.value)
    assert log.only()["status"] == 402


def assert_shows_everything_but_secrets(error: Error) -> None:
    trace = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    for shown in (str(error), repr(error), repr(error.result), error.description, repr(error.args), trace):
        assert_shows_no_secret(shown)


@pytest.mark.parametrize("secret", ["s3cret\0", "s3cret\ud800", b"s3cret"])
def test_an_error_of_the_package_does_not_show_the_secret(secret: str) -> None:
    with pytest.raises(Error) as caught:
        Credentials.query(API_KEY, secret)
    error = caught.value
    assert_shows_no_secret(f"{error!s} {error!r} {error.__context__!r} {error.__cause__!r}")


def test_an_error_of_the_library_does_not_show_the_secret() -> None:
    with pytest.raises(Error, match=r"^api_secret ") as caught:
        nexmo_conversion.sms(Credentials.query(API_KEY, f"{API_SECRET}\n"), "a", True, options=http_options())
    assert_shows_everything_but_secrets(caught.value)


@pytest.mark.parametrize("credentials", ALL_AUTH, ids=auth_id)
def test_a_client_does_not_show_or_keep_a_secret(credentials: Credentials) -> None:
    with Client(credentials, http_options(proxy="http://me:pa55@127.0.0.1:3128")) as client:
        for shown in (repr(client), str(client), f"{client}", repr([client]), repr(vars(client))):
            assert_shows_no_secret(shown)
            assert "pa55" not in shown
        assert API_KEY in repr(client)


@pytest.mark.parametrize("credentials", ALL_AUTH, ids=auth_id)
def test_a_reporter_does_not_show_or_keep_a_secret(credentials: Credentials) -> None:
    options = http_options(proxy="http://me:pa55@127.0.0.1:3128")
    with Reporter(credentials, ReporterOptions(durability=Durability.NONE), options) as reporter:
        for shown in (repr(reporter), f"{reporter}", repr(vars(reporter)), repr(reporter.statistics())):
            assert_shows_no_secret(shown)
            assert "pa55" not in shown
        assert API_KEY in repr(reporter)


def test_a_client_reveals_no_secret_in_an_error(log: Log) -> None:
    with Client(ALL_AUTH[0], http_options()) as client, pytest.raises(NotEnabled) as caught:
        client.voice("leak", True)
    assert_shows_everything_but_secrets(caught.value)
    assert log.only()["status"] == 402


def test_an_invalid_proxy_does_not_show_its_password() -> None:
    with pytest.raises(Error, match=r"^proxy ") as caught:
        Client(ALL_AUTH[0], http_options(proxy=f"http://me:{API_SECRET}@proxy.test:0"))
    assert_shows_everything_but_secrets(caught.value)


def test_credentials_and_options_are_immutable() -> None:
    with pytest.raises(AttributeError):
        ALL_AUTH[0].api_secret = "other"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        Options().timeout_ms = 1  # type: ignore[misc]
