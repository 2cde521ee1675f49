"""The compared programs and their commands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from paths import BUILD, PROGRAMS, ROOT

PYTHON = BUILD / "venv" / "bin" / "python"
PYTHON_PROGRAMS = Path(__file__).resolve().parent / "programs"
UREQ = ROOT / "target" / "ureq" / "release" / "bare-ureq"
OUTBOX = BUILD / "outbox"
OUR_PACKAGE = {"PYTHONPATH": str(ROOT / "bindings" / "python")}


@dataclass(frozen=True)
class Client:
    """A program, with extra arguments that follow the arguments of all programs."""

    name: str
    program: tuple[str, ...]
    extra: tuple[str, ...] = ()
    #: The share of a case's requests that the program makes. It is less than 1 for a program that is much slower.
    share: float = 1.0
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, url: str, ca_file: str, count: int, concurrency: int, warm_up: int) -> "list[str]":
        numbers = [max(1, round(count * self.share)), concurrency, max(0, round(warm_up * self.share))]
        return [*self.program, url, ca_file, *map(str, numbers), *self.extra]

    def environment_with(self, ca_file: str) -> "dict[str, str]":
        """Returns the environment, with the CA file in a variable that `requests` reads. The SDK uses `requests`."""
        return {**self.environment, "REQUESTS_CA_BUNDLE": ca_file}


def _c(program: str) -> "tuple[str, ...]":
    return (str(PROGRAMS / program),)


def _python(program: str) -> "tuple[str, ...]":
    return (str(PYTHON), str(PYTHON_PROGRAMS / f"{program}.py"))


OUR_CLIENT = Client("our client", _c("conversion_client"))
OUR_CLIENT_32 = Client("our client, 32 threads", _c("conversion_client"))
OUR_ONE_CALL = Client("our one-call functions", _c("conversion_one_call"))
OUR_REPORTER = Client("our reporter, process", _c("conversion_reporter"), ("process", str(OUTBOX / "reports")))
OUR_REPORTER_NONE = Client("our reporter, none", _c("conversion_reporter"), ("none",))
CURL_EASY = Client("libcurl easy", _c("curl_easy"))
CURL_EASY_32 = Client("libcurl easy, 32 threads", _c("curl_easy"))
CURL_MULTI = Client("libcurl multi", _c("curl_multi"))
BARE_UREQ = Client("bare ureq", (str(UREQ),))
RAW_SOCKET = Client("raw socket", _c("raw_socket"))
RAW_OPENSSL = Client("raw OpenSSL", _c("raw_openssl"))
OUR_PYTHON = Client("our client in Python", _python("conversion"), environment=OUR_PACKAGE)
PYTHON_REQUESTS = Client("requests", _python("requests_session"), share=0.1)
PYTHON_SDK = Client("the official SDK", _python("vonage_sdk"), share=0.1)
