"""How to report."""

import os
from dataclasses import dataclass, field
from enum import IntFlag
from typing import Optional, Union

from . import _library, _values
from ._errors import wrong_type


class Flag(IntFlag):
    """The bits of nexmo_options.flags."""

    ALLOW_PLAIN_HTTP = 1
    PROXY_FROM_ENVIRONMENT = 2
    BUILT_IN_ROOTS_ONLY = 4
    SIGN_UNIX_SECONDS = 8


@dataclass(frozen=True)
class Options:
    """How to report. What stays None, 0 or False takes its default.

    Ranges and files are checked by the library when a report or a `Client` is made; a value that cannot be passed to it
    at all (wrong type, a NUL, half of a surrogate pair, more than 32 bits) raises `CallerError` at once.
    """

    base_url: Optional[str] = None
    """https://host[:port][/prefix] of the service; http:// towards loopback only, unless `allow_plain_http` is True.
    None: https://api.nexmo.com."""
    proxy: Optional[str] = field(default=None, repr=False)
    """http://[user:password@]host:port of a proxy that knows CONNECT, or socks5://[user:password@]host:port. The proxy
    looks up the service's name. Percent-encode what a URL cannot hold of user and password. None: no proxy, unless
    `proxy_from_environment` is True. A proxy on another machine is refused with an http:// `base_url`, unless
    `allow_plain_http` is True. Not shown by repr, for it may hold a password."""
    ca_file: "Union[str, os.PathLike[str], None]" = None
    """Path of a PEM file with the certificates to trust, in place of all others. A `Client` reads it once; `sms` and
    `voice` read it again when it changes. None: the platform's store; where that is missing, the roots built into the
    library."""
    client_cert_file: "Union[str, os.PathLike[str], None]" = None
    """Path of a PEM file with the certificate to show to a server that asks for one, and those between it and a root.
    Goes with `client_key_file`. None: no certificate is shown."""
    client_key_file: "Union[str, os.PathLike[str], None]" = None
    """Path of a PEM file with the key of that certificate, without a passphrase."""
    user_agent: Optional[str] = None
    """Follows "nexmo-conversion/VERSION " in the user-agent header: at most 256 bytes of visible ASCII and spaces."""
    connect_timeout_ms: int = 0
    """Limit for looking up the host's name and connecting, in milliseconds, 1 to 3600000. 0: 5000."""
    timeout_ms: int = 0
    """Limit over everything, all attempts and the waits between them included, in milliseconds, 1 to 3600000.
    0: 10000."""
    attempts: int = 0
    """The most requests to make for one report, 1 to 100. What can succeed later is tried again after a wait: as long
    as the service asks for, or else at random up to 200 ms, doubled each time. A wait that would pass `timeout_ms` is
    not begun. 0: 1."""
    connections: int = 0
    """The most idle connections to keep for the next reports, 1 to 1024. 0: 32."""
    allow_plain_http: bool = False
    """Allows http:// towards other machines, which shows the credentials to everybody on the way."""
    built_in_roots_only: bool = False
    """Trusts the roots built into the library rather than the platform's store."""
    sign_unix_seconds: bool = False
    """Signs the seconds since 1970 of the moment of sending as timestamp. The price: the service is not told the time
    of the event."""
    proxy_from_environment: bool = False
    """Where `proxy` is None, takes it from the environment, by names in lower case: https_proxy (http_proxy for an http://
    `base_url`) or all_proxy, unless no_proxy excepts the host. Nothing is taken in a CGI program."""

    def __post_init__(self) -> None:
        struct(self)


def struct(options: Optional[Options]) -> Optional[_library.OptionsStruct]:
    """`options` as the library takes them, None for none; refused are values that cannot be passed to it."""
    if options is None:
        return None
    if not isinstance(options, Options):
        raise wrong_type("options", options, "an Options, or None")
    return _library.OptionsStruct(
        flags=_flags(options),
        base_url=_values.optional_text("base_url", options.base_url),
        proxy=_values.optional_text("proxy", options.proxy),
        ca_file=_values.optional_path("ca_file", options.ca_file),
        client_cert_file=_values.optional_path("client_cert_file", options.client_cert_file),
        client_key_file=_values.optional_path("client_key_file", options.client_key_file),
        user_agent=_values.optional_text("user_agent", options.user_agent),
        connect_timeout_ms=_values.number("connect_timeout_ms", options.connect_timeout_ms),
        timeout_ms=_values.number("timeout_ms", options.timeout_ms),
        attempts=_values.number("attempts", options.attempts),
        connections=_values.number("connections", options.connections),
    )


def _flags(options: Options) -> int:
    names = ((flag, str(flag.name).lower()) for flag in Flag)
    return sum(flag for flag, name in names if _values.boolean(name, getattr(options, name)))
