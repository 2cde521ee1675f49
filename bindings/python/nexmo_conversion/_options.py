"""Options for reports."""

import os
from dataclasses import dataclass, field
from typing import Optional, Union

from . import _abi, _values
from ._abi import OptionsFlag
from ._errors import wrong_type


@dataclass(frozen=True)
class Options:
    """Options for reports. A field that is None, 0 or False selects the default. Immutable.

    The library checks values and files when a report is made or a `Client` or `Reporter` is created. A value that
    cannot be passed to the library (a wrong type, a NUL, an unpaired surrogate, more than 32 bits) raises
    `InvalidArgument` immediately.
    """

    base_url: Optional[str] = None
    """The base URL of the service: https://host[:port][/prefix], or http:// for loopback, or for any host if
    `allow_plain_http` is True. None: https://api.nexmo.com."""
    proxy: Optional[str] = field(default=None, repr=False)
    """The URL of a proxy: http://[user:password@]host:port if it supports CONNECT, or
    socks5://[user:password@]host:port. The proxy resolves the service's name. User and password are percent-encoded. A
    remote proxy with an http:// `base_url` is rejected unless `allow_plain_http` is True. repr omits the URL, which may
    contain a password. None: no proxy, unless `proxy_from_environment` is True."""
    ca_file: "Union[str, os.PathLike[str], None]" = None
    """The path of a PEM file with the only certificates to trust. The library reads this file, the certificate store of
    the platform and the two files below again when they change. If the new content cannot be used, a `Client` or
    `Reporter` keeps the previous certificates, and `sms` and `voice` raise. None: the certificate store of the
    platform, or the built-in roots if there is no such store."""
    client_cert_file: "Union[str, os.PathLike[str], None]" = None
    """The path of a PEM file with the client certificate and its intermediates. Requires `client_key_file`. None: no
    client certificate."""
    client_key_file: "Union[str, os.PathLike[str], None]" = None
    """The path of a PEM file with the key of the client certificate, without a passphrase."""
    user_agent: Optional[str] = None
    """Text that is appended to "nexmo-conversion/VERSION " in the user-agent header: at most 256 bytes of visible ASCII
    and spaces."""
    connect_timeout_ms: int = 0
    """The time limit for resolving the host name and connecting, in milliseconds, 1 to 3600000. 0: 5000."""
    timeout_ms: int = 0
    """The time limit for the whole call, including all attempts, in milliseconds, 1 to 3600000. 0: 10000."""
    max_attempts: int = 0
    """The maximum number of requests for one report, 1 to 100. Retryable failures are retried after Retry-After or a
    random back-off, unless that delay would exceed `timeout_ms`. A `Reporter` ignores this field and retries until
    the report expires. 0: 1."""
    max_idle_connections: int = 0
    """The maximum number of idle connections kept for later calls, 1 to 1024; for a `Reporter` at least
    `max_in_flight`. 0: 32."""
    allow_plain_http: bool = False
    """Whether to allow http:// to hosts other than loopback. Anyone on the network can then read the credentials."""
    built_in_roots_only: bool = False
    """Whether to trust the root certificates built into the library instead of the platform's store."""
    sign_unix_seconds: bool = False
    """Whether to sign with the UNIX time of sending as the timestamp. The service then does not receive the time of the
    user's action."""
    proxy_from_environment: bool = False
    """Whether to use, if `proxy` is None, the proxy in the environment variable https_proxy, HTTPS_PROXY (http_proxy
    for an http:// `base_url`, never HTTP_PROXY), all_proxy or ALL_PROXY, unless no_proxy or NO_PROXY excludes the host.
    Ignored in CGI programs."""

    def __post_init__(self) -> None:
        struct(self)


def struct(options: Optional[Options]) -> Optional[_abi.OptionsStruct]:
    """Converts `options` for the library; None stays None. Raises if a value cannot be passed to it."""
    if options is None:
        return None
    if not isinstance(options, Options):
        raise wrong_type("options", options, "an Options, or None")
    return _abi.OptionsStruct(
        flags=_flags(options),
        base_url=_values.optional_text("base_url", options.base_url),
        proxy=_values.optional_text("proxy", options.proxy),
        ca_file=_values.optional_path("ca_file", options.ca_file),
        client_cert_file=_values.optional_path("client_cert_file", options.client_cert_file),
        client_key_file=_values.optional_path("client_key_file", options.client_key_file),
        user_agent=_values.optional_text("user_agent", options.user_agent),
        connect_timeout_ms=_values.number("connect_timeout_ms", options.connect_timeout_ms),
        timeout_ms=_values.number("timeout_ms", options.timeout_ms),
        max_attempts=_values.number("max_attempts", options.max_attempts),
        max_idle_connections=_values.number("max_idle_connections", options.max_idle_connections),
    )


def _flags(options: Options) -> int:
    names = ((flag, str(flag.name).lower()) for flag in OptionsFlag)
    return sum(flag for flag, name in names if _values.boolean(name, getattr(options, name)))
