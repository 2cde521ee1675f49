"""Who runs against whom: each an ordinary program that a user would write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from paths import BUILD, PROGRAMS, ROOT

PYTHON = BUILD / "venv" / "bin" / "python"
UREQ = ROOT / "target" / "ureq" / "release" / "bare-ureq"


@dataclass(frozen=True)
class Contestant:
    """A program, and what it is given beside the arguments that all take."""

    name: str
    program: tuple[str, ...]
    more: tuple[str, ...] = ()
    #: How much of a case's work it does, where a whole share would take minutes.
    share: float = 1.0
    environment: Mapping[str, str] = field(default_factory=dict)

    def command(self, url: str, ca_file: str, count: int, concurrency: int, warm_up: int) -> "list[str]":
        numbers = [max(1, round(count * self.share)), concurrency, max(0, round(warm_up * self.share))]
        return [*self.program, url, ca_file, *map(str, numbers), *self.more]


def _c(program: str) -> "tuple[str, ...]":
    return (str(PROGRAMS / program),)


def _python(program: str) -> "tuple[str, ...]":
    return (str(PYTHON), str(PROGRAMS_SOURCE / f"{program}.py"))


PROGRAMS_SOURCE = Path(__file__).resolve().parent / "programs"
OUTBOX = BUILD / "outbox"
OURS_IN_PYTHON = {"PYTHONPATH": str(ROOT / "bindings" / "python")}

CLIENT = Contestant("our client", _c("conversion_client"))
CLIENT_32 = Contestant("our client, 32 threads", _c("conversion_client"))
ONCE = Contestant("our one-call functions", _c("conversion_once"))
REPORTER = Contestant("our reporter, process", _c("conversion_reporter"), ("process", str(OUTBOX / "reports")))
REPORTER_NONE = Contestant("our reporter, none", _c("conversion_reporter"), ("none",))
EASY = Contestant("libcurl easy", _c("curl_easy"))
EASY_32 = Contestant("libcurl easy, 32 threads", _c("curl_easy"))
MULTI = Contestant("libcurl multi", _c("curl_multi"))
BARE_UREQ = Contestant("bare ureq", (str(UREQ),))
SOCKET = Contestant("raw socket", _c("raw_socket"))
OPENSSL = Contestant("raw OpenSSL", _c("raw_openssl"))
PYTHON_OURS = Contestant("our client in Python", _python("conversion"), environment=OURS_IN_PYTHON)
PYTHON_REQUESTS = Contestant("requests", _python("requests_session"), share=0.1)
PYTHON_SDK = Contestant("the official SDK", _python("vonage_sdk"), share=0.1)


def environment(contestant: Contestant, ca_file: str) -> "Mapping[str, str]":
    """Python's `requests` is told whom to trust by its environment, with the SDK there is no other way."""
    return {**contestant.environment, "REQUESTS_CA_BUNDLE": ca_file}


def names(contestants: "Sequence[Contestant]") -> "list[str]":
    return [each.name for each in contestants]
