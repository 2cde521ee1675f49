"""The credentials of an account."""

from dataclasses import dataclass, field
from typing import Optional

from . import _abi, _values
from ._abi import Authentication
from ._errors import wrong_type


@dataclass(frozen=True)
class Credentials:
    """The credentials of an account. Create them with `query`, `basic` or `signature`. Immutable; repr shows no secret.

    api_key: 1 to 256 bytes of UTF-8, without control characters and without leading or trailing white space; with
        `basic`, also without a colon.
    Each secret: 1 to 256 bytes, without control characters.

    The library checks these limits when a report is made or a `Client` or `Reporter` is created. A value that cannot be
    passed to the library (a wrong type, a NUL, an unpaired surrogate) raises `InvalidArgument` immediately.
    """

    api_key: str
    api_secret: Optional[str] = field(default=None, repr=False)
    signature_secret: Optional[str] = field(default=None, repr=False)
    auth: int = Authentication.QUERY
    signature_method: int = 0

    @classmethod
    def query(cls, api_key: str, api_secret: str) -> "Credentials":
        """Returns credentials that are sent in the query, as in the API documentation. Servers may log the secret."""
        return cls(api_key, _required("api_secret", api_secret), auth=Authentication.QUERY)

    @classmethod
    def basic(cls, api_key: str, api_secret: str) -> "Credentials":
        """Returns credentials that are sent in an Authorization: Basic header, which keeps them out of URLs that
        servers log."""
        return cls(api_key, _required("api_secret", api_secret), auth=Authentication.BASIC)

    @classmethod
    def signature(cls, api_key: str, signature_secret: str, signature_method: int) -> "Credentials":
        """Returns credentials that sign each request with the `SignatureMethod` that is configured for the account."""
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


def struct(credentials: Credentials) -> _abi.CredentialsStruct:
    """Converts `credentials` for the library. Raises if a value cannot be passed to it."""
    if not isinstance(credentials, Credentials):
        raise wrong_type("credentials", credentials, "a Credentials")
    return _abi.CredentialsStruct(
        api_key=_values.text("api_key", credentials.api_key),
        api_secret=_values.optional_text("api_secret", credentials.api_secret),
        signature_secret=_values.optional_text("signature_secret", credentials.signature_secret),
        auth=_values.number("auth", credentials.auth),
        signature_method=_values.number("signature_method", credentials.signature_method),
    )
