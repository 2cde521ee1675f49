"""Who reports, and how that is proved."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Optional

from . import _library, _values
from ._errors import wrong_type


class Authentication(IntEnum):
    """How a request proves who sent it."""

    QUERY = 0
    """api_key and api_secret in the query, as the API's page shows."""
    BASIC = 1
    """The header Authorization: Basic, which keeps the secret out of the URLs that servers log."""
    SIGNATURE = 2
    """A signature made with the signature secret, which itself never leaves the machine."""


class SignatureMethod(IntEnum):
    """How a signature is made, as the account's settings say."""

    MD5HASH = 1
    """MD5 of the parameters with the secret behind them."""
    MD5 = 2
    """HMAC-MD5."""
    SHA1 = 3
    """HMAC-SHA-1."""
    SHA256 = 4
    """HMAC-SHA-256."""
    SHA512 = 5
    """HMAC-SHA-512."""


@dataclass(frozen=True)
class Credentials:
    """The account that reports. Make it with `query`, `basic` or `signature`; it never changes or shows a secret.

    api_key: 1 to 256 bytes of UTF-8, no control characters, no white space at its ends; with `basic` no colon. Each
    secret: 1 to 256 bytes, no control characters. These bounds are checked by the library when a report is made; a
    value that cannot be passed to it at all (wrong type, a NUL, half of a surrogate pair) raises `CallerError` at once.
    """

    api_key: str
    api_secret: Optional[str] = field(default=None, repr=False)
    signature_secret: Optional[str] = field(default=None, repr=False)
    auth: int = Authentication.QUERY
    signature_method: int = 0

    @classmethod
    def query(cls, api_key: str, api_secret: str) -> "Credentials":
        """Sends key and secret in the query, as the API's page shows. Servers may write them to their logs."""
        return cls(api_key, _required("api_secret", api_secret), auth=Authentication.QUERY)

    @classmethod
    def basic(cls, api_key: str, api_secret: str) -> "Credentials":
        """Sends key and secret in the header Authorization: Basic, out of the URLs that servers log."""
        return cls(api_key, _required("api_secret", api_secret), auth=Authentication.BASIC)

    @classmethod
    def signature(cls, api_key: str, signature_secret: str, signature_method: int) -> "Credentials":
        """Signs each request by a `SignatureMethod`, which must be the one that the account's settings name."""
        return cls(
            api_key,
            signature_secret=_required("signature_secret", signature_secret),
            auth=Authentication.SIGNATURE,
            signature_method=signature_method,
        )

    def __post_init__(self) -> None:
        struct(self)


def _required(name: str, secret: Optional[str]) -> str:
    if secret is None:
        raise wrong_type(name, secret, "a str")
    return secret


def struct(credentials: Credentials) -> _library.CredentialsStruct:
    """`credentials` as the library takes them; refused are values that cannot be passed to it."""
    if not isinstance(credentials, Credentials):
        raise wrong_type("credentials", credentials, "a Credentials")
    return _library.CredentialsStruct(
        api_key=_values.text("api_key", credentials.api_key),
        api_secret=_values.optional_text("api_secret", credentials.api_secret),
        signature_secret=_values.optional_text("signature_secret", credentials.signature_secret),
        auth=_values.number("auth", credentials.auth),
        signature_method=_values.number("signature_method", credentials.signature_method),
    )
