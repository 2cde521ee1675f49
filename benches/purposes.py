"""Attributes the instructions of one request to purposes, with callgrind and the line table of the library.

Each instruction is attributed to the innermost function of its inline stack that matches a pattern in PURPOSES. The
instructions of a function that matches none, such as memcpy, are attributed to its callers, in proportion to the
instructions that it executes for each.
"""

import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from paths import BUILD, GATE, PROFILED
from process import Failed
from server import Server

#: The purposes, each with a pattern. A function has the first purpose whose pattern matches part of `file function`.
PURPOSES = tuple((name, re.compile(pattern)) for name, pattern in (
    ("allocation", r"libc\S* (_?_?(malloc|calloc|realloc|c?free)|_int_\w+|unlink_chunk|sysmalloc|alloc_perturb)\b"
                   r"|/alloc/src/(alloc|raw_vec/mod)\.rs "),
    ("reading the clock", r"libc\S* \S*clock_gettime|/sys/pal/unix/time\.rs |/std/src/time\.rs "),
    ("system calls", r"libc\S* (__)?(send|recv|poll|errno_location)\b|src/transport/socket\.rs |src/os/mod\.rs .*(_at_once|wait)"
                     r"|/std/src/(net|sys/(net|fd))/|/std/src/io/error"),
    ("handle and process", r"src/ffi/handle\.rs |src/os/fork/|src/os/mod\.rs |libc\S* pthread_setcancelstate"),
    ("request: timestamp as text", r"src/timestamp\.rs .*(text|digit\b|fmt)"),
    ("validation of the arguments", r"src/(text|conversion|timestamp)\.rs |/chrono-|src/ffi/(c_string|conversion)\.rs "),
    ("C interface and result", r"src/ffi/|src/panic\.rs |src/outcome\.rs |libc\S* nexmo_|ld-linux"),
    ("signature", r"src/auth/signature\.rs |/(sha2|sha1|md-5|hmac|digest|block-buffer|crypto-common|hybrid-array|hex)-"),
    ("request: query and headers", r"src/(request|auth/\w+|options/\w+)\.rs |/percent-encoding-"),
    ("wiping", r"src/secret\.rs |/zeroize-"),
    ("response: head", r"src/transport/response_head\.rs |/httparse-"),
    ("response: body and status", r"src/transport/response_body\.rs |src/response\.rs "),
    ("attempts, deadlines and pool", r"src/client\.rs |src/transport/(http|pool|deadline|cancel|certificate_watch)\.rs |src/sync\.rs "),
    ("buffers: own and ureq's", r"src/transport/(connection|connector)\.rs |/ureq-"),
    ("TLS: records", r"/rustls-"),
    ("TLS: encryption", r"/ring-|/ring_core|aes|gcm|ghash"),
))
OTHER = "other"

#: The measured requests: a name, the method of authentication, and the key of the URL in `Server.urls`.
REQUESTS = (("HTTP", "query", "http"), ("HTTPS", "query", "https"), ("HTTP, signed", "signature", "http"))

Function = tuple[str, str]
Shares = dict[str, float]


@dataclass
class Profile:
    """The instructions that a callgrind file counts. An object file and a name identify a function."""

    own: "dict[tuple[Function, int], int]" = field(default_factory=lambda: defaultdict(int))
    #: The instructions that each function and its callees execute, for each address from which it is called.
    calls: "dict[Function, dict[tuple[Function, int], int]]" = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))


def run(server: Server, count: int) -> "dict[str, Shares]":
    """Returns the instructions per request for each kind of request and purpose."""
    return {name: _measure(method, server.urls[url], str(server.ca) if url == "https" else "-", count) for name, method, url in REQUESTS}


def _measure(method: str, url: str, ca_file: str, count: int) -> Shares:
    file = BUILD / "callgrind.out"
    limits = ["--zero-before=*begin_counting", "--toggle-collect=nexmo_client_report"]
    command = ["valgrind", "--tool=callgrind", "--dump-instr=yes", f"--callgrind-out-file={file}", *limits,
               str(GATE / "calls"), "client", method, url, ca_file, str(count)]
    environment = {"PATH": "/usr/bin:/bin", "LD_LIBRARY_PATH": str(PROFILED.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise Failed(f"{' '.join(command)}:\n{done.stderr[-2000:]}")
    return shares(file, PROFILED, count)


def shares(file: Path, library: Path, count: int) -> Shares:
    """Returns the instructions per request for each purpose, from a profile of `count` requests."""
    profile = read(file)
    sums: Shares = {name: 0.0 for name, _ in PURPOSES} | {OTHER: 0.0}
    attribution = Attribution(profile, library)
    for (function, address), instructions in profile.own.items():
        for purpose, share in attribution.of(function, address).items():
            sums[purpose] += share * instructions / count
    return sums


class Attribution:
    """Finds the purposes of an instruction."""

    def __init__(self, profile: Profile, library: Path) -> None:
        self._callers = profile.calls
        self._library = library.name
        addresses = {address for (file, _), address in profile.own if Path(file).name.startswith(library.name)}
        addresses |= {address for sites in profile.calls.values() for (file, _), address in sites if Path(file).name.startswith(library.name)}
        self._frames = dict(_inline_frames(library, sorted(addresses)))
        self._of_function: "dict[Function, Shares]" = {}

    def of(self, function: Function, address: int) -> Shares:
        """Returns the share of each purpose in the instruction at `address`."""
        file, name = Path(function[0]).name, function[1]
        frames = self._frames.get(address, []) if file.startswith(self._library) else []
        for frame in (*frames, f"{file} {name}"):
            for purpose, pattern in PURPOSES:
                if pattern.search(frame):
                    return {purpose: 1.0}
        return self._of_callers(function)

    def _of_callers(self, function: Function) -> Shares:
        if function not in self._of_function:
            # Ends the recursion: a recursive function is not counted as its own caller.
            self._of_function[function] = {}
            sums: Shares = defaultdict(float)
            for (caller, address), instructions in self._callers.get(function, {}).items():
                for purpose, share in self.of(caller, address).items():
                    sums[purpose] += share * instructions
            total = sum(sums.values())
            self._of_function[function] = {purpose: part / total for purpose, part in sums.items()} if total else {OTHER: 1.0}
        return self._of_function[function]


def _inline_frames(library: Path, addresses: "list[int]") -> "Iterator[tuple[int, list[str]]]":
    """Yields each address with its inline stack, innermost first, as `file function`."""
    command = ["addr2line", "--inlines", "--functions", "--demangle", "--addresses", "--exe", str(library)]
    done = subprocess.run(command, input="\n".join(map(hex, addresses)), capture_output=True, text=True, check=True)
    lines = iter(done.stdout.splitlines())
    address, frames = -1, list[str]()
    for line in lines:
        if re.fullmatch(r"0x[0-9a-f]+", line):
            if address >= 0:
                yield address, frames
            address, frames = int(line, 16), []
        else:
            frames.append(f"{next(lines).split(':')[0]} {line}")
    yield address, frames


def read(path: Path) -> Profile:
    """Reads a callgrind file that was written with --dump-instr=yes. Its names and addresses are compressed."""
    profile, names = Profile(), dict[tuple[str, str], str]()
    here: "dict[str, str]" = {}
    callee: "dict[str, str]" = {}
    address, is_call = 0, False
    for line in path.read_text().splitlines():
        if assigned := re.fullmatch(r"(c?)(ob|fn)=(\(\d+\))?\s*(.*)", line):
            side, kind, number, name = assigned.groups()
            name = names.setdefault((kind, number), name) if number else name
            (callee if side else here)[kind] = name
        elif line.startswith("calls="):
            is_call = True
        elif cost := re.fullmatch(r"(\*|[+-]\d+|0x[0-9a-f]+) \S+ (\d+)", line):
            position, instructions = cost.groups()
            address = {"*": address}.get(position) or (int(position, 16) if position.startswith("0x") else address + int(position))
            function = (here["ob"], here["fn"])
            if is_call:
                profile.calls[callee.get("ob", here["ob"]), callee["fn"]][function, address] += int(instructions)
                is_call, callee = False, {}
            else:
                profile.own[function, address] += int(instructions)
    return profile
