"""How to report."""

import os
from dataclasses import dataclass, field
from typing import Optional, Union

from . import _abi, _values
from ._abi import OptionsFlag
from ._errors import wrong_type


@dataclass(frozen=True)
class Options:
    """How to report. Every field that is None, 0 or False selects the default. Immutable.

    The library checks ranges and files when a report is made, or a `Client` or `Reporter` created. A value that cannot
    be passed to it (wrong type, a NUL, an unpaired surrogate, more than 32 bits) raises `InvalidArgument` immediately.
    """

    base_url: Optional[str] = None
    """https://host[:port][/prefix] of the service; http:// only to loopback, unless `allow_plain_http` is True. None:
    https://api.nexmo.com."""
    proxy: Optional[str] = field(default=None, repr=False)
    """http://[user:password@]host:port of a proxy that supports CONNECT, or socks5://[user:password@]host:port. The
    proxy resolves the service's name. User and password are percent-encoded. A remote proxy is rejected with an http://
    `base_url`, unless `allow_plain_http` is True. Not shown by repr, because it may contain a password. None: none,
    unless `proxy_from_environment` is True."""
    ca_file: "Union[str, os.PathLike[str], None]" = None
    """Path of a PEM file with the certificates to trust, in place of all others. A `Client` or `Reporter` reads it
    once, like the two files below; `sms` and `voice` read it again when it changes. None: the platform's store, or the
    built-in roots where there is no such store."""
    client_cert_file: "Union[str, os.PathLike[str], None]" = None
    """Path of a PEM file with the client certificate and its intermediates. Requires `client_key_file`. None: none."""
    client_key_file: "Union[str, os.PathLike[str], None]" = None
    """Path of a PEM file with the key of the client certificate, without a passphrase."""
    user_agent: Optional[str] = None
    """Appended to "nexmo-conversion/VERSION " in the user-agent header: at most 256 bytes of visible ASCII and
    spaces."""
    connect_timeout_ms: int = 0
    """Time limit for resolving the host name and connecting, in milliseconds, 1 to 3600000. 0: 5000."""
    timeout_ms: int = 0
    """Time limit for the whole call, all attempts included, in milliseconds, 1 to 3600000. 0: 10000."""
    max_attempts: int = 0
    """The most requests made for one report, 1 to 100. Retryable failures are retried after Retry-After, or after a
    random back-off; a wait that would exceed `timeout_ms` is not begun. A `Reporter` ignores this field: it retries as
    long as it takes. 0: 1."""
    max_idle_connections: int = 0
    """The most idle connections kept for later calls, 1 to 1024; for a `Reporter` at least `max_in_flight`. 0: 32."""
    allow_plain_http: bool = False
    """Allows http:// to hosts other than loopback, where anyone on the network can read the credentials."""
    built_in_roots_only: bool = False
    """Trusts the root certificates built into the library instead of the platform's store."""
    sign_unix_seconds: bool = False
    """Signs with the UNIX time of sending as timestamp. The service then does not learn the time of the event."""
    proxy_from_environment: bool = False
    """Where `proxy` is None, takes it from the environment variables https_proxy (http_proxy for an http:// `base_url`)
    or all_proxy, in lower case, unless no_proxy excludes the host. Ignored in CGI programs."""

    def __post_init__(self) -> None:
        struct(self)


def struct(options: Optional[Options]) -> Optional[_abi.OptionsStruct]:
    """`options` as the library takes them, or None. Raises if a value cannot be passed to it."""
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
