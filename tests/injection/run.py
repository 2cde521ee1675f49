"""Makes the system calls of a client and a reporter fail, and checks the outcome of each fault.

Usage: nexmo-sandbox --log FILE --response message=rejected:status=420 -- python3 run.py LIFE INJECT LIBRARY [options]

A life runs life.c in one mode, in two or three processes that share an outbox. Each life first runs without a fault, to
record its call sites. It then runs again for each call site and each fault that FAULTS lists for the call: once with a
single fault and, for some faults, once with the same fault in all later calls of the same name. The last process of a
life has no faults; it opens the outbox and sends the remaining reports. docs/testing.md lists the checks.
"""

import argparse
import concurrent.futures
import dataclasses
import errno
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

# The time by which a call may exceed its limit on a busy machine. It is shorter than a hang.
MARGIN_MS = 6_000
HANG_MS = 12_000

# The time limit of a process, which makes many calls with their own limits.
PROCESS_S = 180

SHORTAGE = ["EMFILE", "ENFILE", "ENOMEM"]
FAULTS = {
    "open": [*SHORTAGE, "EIO", "EINTR", "EACCES", "ENOSPC", "hang"],
    "close": ["EIO", "EINTR", "hang"],
    "read": ["EIO", "EINTR", "short", "hang"],
    "pread": ["EIO", "EINTR", "ENOMEM", "short", "hang"],
    "write": ["ENOSPC", "EDQUOT", "EIO", "EINTR", "short", "hang"],
    "pwrite": ["ENOSPC", "EDQUOT", "EFBIG", "EIO", "EINTR", "short", "hang"],
    "fsync": ["EIO", "ENOSPC", "EINTR", "hang"],
    "ftruncate": ["EIO", "ENOSPC", "EINTR", "hang"],
    "mmap": ["ENOMEM", "EAGAIN", "ENODEV"],
    "fcntl": ["EINTR", "ENOMEM", "EINVAL"],
    "lock": ["ENOLCK", "EIO", "EINTR", "EAGAIN", "hang"],
    "unlock": ["ENOLCK", "EIO", "EINTR", "hang"],
    "dup": ["EMFILE"],
    "stat": ["EIO", "ENOMEM", "EACCES", "hang"],
    "statfs": ["EIO", "ENOSYS", "ENOMEM", "hang"],
    "access": ["EIO", "ENOMEM", "EACCES"],
    "fchmod": ["EIO", "EPERM"],
    "unlink": ["EIO", "EACCES", "EROFS", "hang"],
    "rename": ["EIO", "EACCES", "ENOSPC", "hang"],
    "readlink": ["EIO", "ENOMEM"],
    "socket": [*SHORTAGE, "ENOBUFS", "EAFNOSUPPORT", "EACCES"],
    "connect": ["ECONNREFUSED", "ENETUNREACH", "ETIMEDOUT", "EADDRNOTAVAIL", "EINTR", "EAGAIN", "EACCES"],
    "send": ["ECONNRESET", "EPIPE", "EINTR", "ENOBUFS", "ENOMEM", "short"],
    "recv": ["ECONNRESET", "ETIMEDOUT", "EINTR", "ENOMEM", "short"],
    "setsockopt": ["EINVAL", "ENOMEM", "ENOPROTOOPT"],
    "getsockopt": ["ENOBUFS", "ENOMEM"],
    "shutdown": ["ENOTCONN", "ENOBUFS"],
    "poll": ["EINTR", "ENOMEM"],
    "getaddrinfo": ["EAI_NONAME", "EAI_AGAIN", "EAI_FAIL", "EAI_MEMORY", "EAI_SYSTEM", "hang"],
    "pthread_create": ["EAGAIN", "ENOMEM", "EPERM"],
    "eventfd": SHORTAGE,
    "inotify_init": SHORTAGE,
    "inotify_add_watch": ["ENOSPC", "ENOMEM", "EACCES"],
    "getrandom": ["EINTR"],
    "futex": ["EINTR", "EAGAIN", "ENOSYS"],
}
OF_GETADDRINFO = {"EAI_NONAME": 2, "EAI_AGAIN": 3, "EAI_FAIL": 4, "EAI_MEMORY": 10, "EAI_SYSTEM": 11}

# Faults that are never repeated, and the call whose faults are never repeated. A repeated EINTR would be retried
# endlessly, a repeated hang would exceed every limit, and a lock whose release always fails would never be free.
NEVER_REPEATED = {"EINTR", "hang", "unlock"}

# The additional time that a call may take while no lock can be acquired, because SQLite retries for this long
# (docs/limitations.md).
LOCKS_FAIL_MS = 22_000

OK, CLOSED, TLS, PENDING = 0, 6, 22, 70
# Statuses that no system fault explains. They mean an invalid call, another account or version, or a bug.
UNEXPLAINED = {1, 2, 3, 5, 7, 64, 65, 99}


@dataclasses.dataclass(frozen=True)
class Mode:
    """The parameters of a life, among them the connection, the trusted certificates and the durability."""

    scheme: str = "http"
    ca_file: str = ""
    store: str = ""
    durability: int = 0
    crashes: bool = False
    submits: int = 30
    is_trusted: bool = True


SANDBOX_CA = os.environ.get("NEXMO_SANDBOX_CA", "")
OTHER_CA = str(Path(__file__).parent.parent / "data" / "ca.pem")
MODES = {
    "process": Mode(),
    "power": Mode(durability=1, crashes=True),
    "ca_file": Mode("https", ca_file=SANDBOX_CA),
    "store": Mode("https", store=SANDBOX_CA),
    "wrong_ca_file": Mode("https", ca_file=OTHER_CA, is_trusted=False, submits=3),
    "wrong_store": Mode("https", store=OTHER_CA, is_trusted=False, submits=3),
}
# Each mode with each process in which faults are injected. With untrusted certificates, faults in the second process
# would add no new case.
LIVES = [(name, phase) for name in MODES for phase in ("first", "second") if phase == "first" or MODES[name].is_trusted]


@dataclasses.dataclass(frozen=True)
class Case:
    """A fault in one process of a life."""

    mode: str
    phase: str
    call: str
    site: str
    occurrence: int
    fault: str
    repeats: bool

    @property
    def name(self):
        repeats = "repeated" if self.repeats else "once"
        return "/".join([self.mode, self.phase, self.call, self.site, str(self.occurrence), self.fault, repeats])

    @classmethod
    def parse(cls, name):
        mode, phase, call, site, occurrence, fault, repeats = name.split("/")
        return cls(mode, phase, call, site, int(occurrence), fault, repeats == "repeated")

    def environment(self):
        number = OF_GETADDRINFO.get(self.fault) or getattr(errno, self.fault, self.fault)
        return {
            "INJECT_SITE": self.site,
            "INJECT_OCCURRENCE": str(self.occurrence),
            "INJECT_FAULT": str(number),
            "INJECT_REPEAT": "1" if self.repeats else "",
            "INJECT_HANG_MS": str(HANG_MS),
        }


@dataclasses.dataclass
class Call:
    name: str
    subject: str
    status: int
    acceptance: int
    elapsed_ms: int
    limit_ms: int
    message: str


STATISTICS = ["submitted", "accepted", "rejected", "expired", "replaced", "dropped", "damaged", "pending", "events",
              "events_discarded", "outbox_resets", "outbox_errors"]


class Process:
    """The output of a process, and how the process ended."""

    def __init__(self, output="", errors="", code=0):
        self.errors, self.code = errors, code
        self.steps = []
        self.calls, self.statistics, self.events, self.acknowledged = [], [], [], []
        self.bystander, self.has_ended = None, False
        # The fault to inject, if any, and the name of the thread in which it occurred, if it did.
        self.case, self.thread = None, None
        for line in output.splitlines():
            kind, *fields = line.split("\t")
            self.steps.append((kind, fields))
            if kind == "call":
                name, subject, *numbers, message = fields
                self.calls.append(Call(name, subject, *map(int, numbers), message))
            elif kind == "statistics":
                self.statistics.append(dict(zip(STATISTICS, map(int, fields[:-1]))))
            elif kind == "event":
                self.events.append((int(fields[0]), fields[2]))
            elif kind == "acknowledged":
                self.acknowledged.append(int(fields[0]))
            elif kind == "bystander":
                self.bystander = (int(fields[0]), int(fields[1]), fields[2])
            elif kind == "end":
                self.has_ended = True

    def submits(self):
        return [call for call in self.calls if call.name == "submit"]


class RequestLog:
    """Reads the ids of the accepted reports from the sandbox's request log."""

    def __init__(self, path):
        self.file = open(path, encoding="utf-8")
        self.lock = threading.Lock()
        self.accepted = set()
        self.rest = ""

    def accepted_of(self, prefix):
        with self.lock:
            *lines, self.rest = (self.rest + self.file.read()).split("\n")
            for line in lines:
                request = json.loads(line)
                if request["status"] == 200:
                    self.accepted.add(request["message_id"])
            return {message_id for message_id in self.accepted if message_id.startswith(prefix)}


def problems_of_process(process, mode, is_last):
    """Yields the problems of a single process."""
    if process.code is None:
        yield f"the process did not exit within {PROCESS_S} s"
    elif process.code != 0:
        yield f"the process exited with {process.code}"
    elif not process.has_ended and not mode.crashes:
        yield "the process exited before its last step"
    if process.errors:
        yield f"the process wrote to standard error: {process.errors[:300]}"
    more_ms = MARGIN_MS + (HANG_MS if process.thread == "main" else 0)
    if process.case and process.case.call == "lock" and process.case.repeats:
        more_ms += LOCKS_FAIL_MS
    for call in process.calls:
        what = f"{call.name} {call.subject} returned {call.status} ({call.message})"
        if call.elapsed_ms > call.limit_ms + more_ms:
            yield f"{what} after {call.elapsed_ms} ms; its limit is {call.limit_ms} ms"
        if call.status in UNEXPLAINED:
            yield what
        if is_last and call.status not in (OK, CLOSED, PENDING):
            yield f"{what} although no fault was injected"
        if call.status == TLS and mode.is_trusted:
            yield f"{what} although the server is trusted"
    for counts in process.statistics:
        outcomes = ["accepted", "rejected", "expired", "replaced", "dropped", "damaged", "pending"]
        if counts["submitted"] != sum(counts[name] for name in outcomes):
            yield f"the statistics do not add up: {counts}"
    if process.bystander:
        failed, longest_ms, message = process.bystander
        if failed:
            yield f"{failed} reports of a client without faults failed: {message}"
        if longest_ms > MARGIN_MS:
            yield f"a report of a client without faults took {longest_ms} ms"
    elif not mode.crashes and process.code == 0:
        yield "the client without faults printed nothing"
    has_flushed = False
    for kind, fields in process.steps:
        if kind == "call" and fields[0] == "submit":
            has_flushed = False
        elif kind == "call" and fields[0] == "flush":
            has_flushed = fields[2] == "0"
        elif kind == "statistics" and has_flushed and int(fields[STATISTICS.index("pending")]):
            yield "a flush returned OK although reports are pending"


def problems(mode, processes, accepted_before_last, accepted, quarantined):
    """Yields the problems of a life. `processes` is in the order of their runs, and the last process had no fault."""
    if not mode.is_trusted:
        wrong = {message_id for message_id in accepted_before_last if not message_id.endswith("bystander")}
        if wrong:
            yield f"an untrusted server received {sorted(wrong)}"
    for call in (call for process in processes for call in process.calls if call.name == "report"):
        if call.status == OK and (call.acceptance != 2 or call.subject not in accepted):
            yield f"report {call.subject} returned OK but was not accepted"
        if call.status != OK and call.acceptance == 0 and call.subject in accepted:
            yield f"report {call.subject} was accepted although its result says that it was not ({call.message})"
    submits = [call for process in processes for call in process.submits()]
    events = [event for process in processes for event in process.events]
    handled = set()
    for process in processes:
        for kind, fields in process.steps:
            if kind == "acknowledged":
                handled.add(int(fields[0]))
            elif kind == "event" and int(fields[0]) in handled:
                yield f"event {fields[0]} was returned after it was acknowledged"
    with_event = {message_id for _, message_id in events}
    lost = [call.subject for call in submits if call.status == OK and call.subject not in accepted | with_event]
    last = processes[-1].statistics[-1] if processes[-1].statistics else {}
    resets = sum(max((counts["outbox_resets"] for counts in process.statistics), default=0) for process in processes)
    counted = last.get("damaged", 0) + last.get("events_discarded", 0)
    if counted < len(lost):
        yield f"{len(lost)} reports were lost, but only {counted} are counted: {lost}"
    if resets or quarantined:
        yield f"an intact outbox was replaced {resets} times; the quarantined files are {quarantined}"
    for call in submits:
        if call.status != OK and call.acceptance == 0 and call.subject in accepted | with_event - {"rejected"}:
            yield f"submit {call.subject} failed, but the report was sent ({call.message})"
    if last:
        stored = sum(call.status == OK for call in submits)
        unknown = sum(call.status != OK and call.acceptance == 1 for call in submits)
        if not stored <= last["submitted"] <= stored + unknown:
            yield f"{stored} reports were stored and {unknown} more may have been, but {last['submitted']} are counted"
        received = {message_id for message_id in accepted if "late-" in message_id or "early-" in message_id}
        if last["accepted"] > len(received):
            yield f"{last['accepted']} reports are counted as accepted, but the service accepted {len(received)}"
    if last.get("pending"):
        yield f"{last['pending']} reports are still pending"


class Runner:
    def __init__(self, arguments):
        self.life, self.inject, self.library = (str(Path(path).resolve()) for path in arguments)
        self.http, self.https = os.environ["NEXMO_SANDBOX_HTTP"], os.environ["NEXMO_SANDBOX_HTTPS"]
        self.log = RequestLog(os.environ["NEXMO_SANDBOX_LOG"])
        self.folder = tempfile.mkdtemp(prefix="nexmo-injection-")
        self.number, self.lock = 0, threading.Lock()

    def process(self, phase, mode, prefix, folder, case=None, record=None, with_right_trust=False):
        base_url = self.http if mode.scheme == "http" else self.https
        note = folder / "note"
        environment = {
            "PATH": os.environ["PATH"],
            "LD_PRELOAD": self.inject,
            "LD_LIBRARY_PATH": str(Path(self.library).parent),
            "INJECT_NOTE": str(note),
            "INJECT_RECORD": str(record or ""),
            "INJECT_STORE": mode.store,
            "LIFE_BASE_URL": f"{mode.scheme}://conversion.test:{base_url.rsplit(':', 1)[1]}",
            "LIFE_CA_FILE": SANDBOX_CA if with_right_trust and not mode.is_trusted else mode.ca_file,
            "LIFE_OUTBOX": str(folder / "outbox"),
            "LIFE_BYSTANDER_URL": self.http,
            "LIFE_PREFIX": prefix,
            "LIFE_SUBMITS": str(mode.submits),
            "LIFE_DURABILITY": str(mode.durability),
            "LIFE_CRASHES": "1" if mode.crashes and phase == "first" else "",
            **(case.environment() if case else {}),
        }
        started = subprocess.Popen([self.life, phase], env=environment, cwd=folder, text=True, errors="replace",
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            output, errors = started.communicate(timeout=PROCESS_S)
            code = started.returncode
        except subprocess.TimeoutExpired:
            started.kill()
            (output, errors), code = started.communicate(), None
        process = Process(output, errors, code)
        process.case = case
        if case and note.exists():
            process.thread = note.read_text().strip()
            note.unlink()
        return process

    def run(self, mode_name, phase, case=None, record=None):
        """Runs a life. Returns its problems, whether the fault occurred, and the processes."""
        mode = MODES[mode_name]
        with self.lock:
            self.number += 1
            prefix = f"life-{self.number}-"
        folder = Path(self.folder) / prefix
        folder.mkdir()
        disturbed = {"case": case, "record": record}
        processes, found = [], []
        phases = ["first", "second"] if phase == "first" else ["first", "second", "second"]
        accepted_before_last = set()
        for index, name in enumerate(phases):
            is_disturbed = index == (0 if phase == "first" else 1)
            is_last = index == len(phases) - 1
            if is_last:
                accepted_before_last = self.log.accepted_of(prefix)
            process = self.process(name, mode, prefix, folder, with_right_trust=is_last, **(disturbed if is_disturbed else {}))
            processes.append(process)
            own = problems_of_process(process, mode, is_last)
            found += [f"process {index + 1}: {problem}" for problem in own]
        quarantined = [path.name for path in folder.iterdir() if ".corrupt" in path.name]
        found += problems(mode, processes, accepted_before_last, self.log.accepted_of(prefix), quarantined)
        shutil.rmtree(folder)
        return found, any(process.thread for process in processes), processes

    def sites(self):
        """Runs each life without a fault. Returns the call sites of each life, except those that the mode "process" or
        an earlier life with the same trust has reached."""
        known = {True: set(), False: set()}
        result = []
        for mode_name, phase in LIVES:
            record = Path(self.folder) / f"{mode_name}-{phase}"
            found, _, _ = self.run(mode_name, phase, record=record)
            if found:
                sys.exit(f"{mode_name}/{phase} without a fault: " + "; ".join(found))
            seen = known[MODES[mode_name].is_trusted]
            for line in record.read_text().splitlines():
                call, site, count, stack = line.split("\t")
                if site not in seen:
                    seen.add(site)
                    result.append((mode_name, phase, call, site, int(count), stack.split()))
                if mode_name == "process":
                    known[False].add(site)
        return result

    def stack(self, frames):
        """Returns the functions of a call site, innermost first, without those of Rust's standard library."""
        try:
            command = ["addr2line", "-Cfse", self.library, *frames]
            lines = subprocess.run(command, capture_output=True, text=True, timeout=120).stdout.splitlines()
        except (OSError, subprocess.TimeoutExpired):
            return frames
        names = [f"{name} ({where})" for name, where in zip(lines[::2], lines[1::2])]
        return [name for name in names if not name.startswith(("core::", "std::", "alloc::", "<core::", "<std::"))]


def cases_of(sites, generator):
    """Yields the cases of each call site: every fault at its first call, some faults also at all later calls of the
    same name, and a random fault at its second and at its last call."""
    for mode, phase, call, site, count, _ in sites:
        faults = FAULTS[call]
        for fault in faults:
            yield Case(mode, phase, call, site, 1, fault, False)
        for fault in faults:
            if not {fault, call} & NEVER_REPEATED and (fault == "short" or fault == faults[0] or fault in ("EIO", "ENOSPC")):
                yield Case(mode, phase, call, site, 1, fault, True)
        for occurrence in sorted({2, count} if count > 1 else ()):
            yield Case(mode, phase, call, site, occurrence, generator.choice(faults), False)


def check_the_checks():
    """Checks, with fabricated output, that the checks accept correct output and detect violations."""
    line = "call\tsubmit\ta\t0\t1\t0\t1000\tstored"
    counts = "statistics\t1\t1\t0\t0\t0\t0\t0\t0\t0\t0\t0\t0\t"
    end = "bystander\t0\t1\t\nend"
    mode = MODES["process"]

    def is_noticed(output, accepted=("early-a",), mode=mode, quarantined=(), **ending):
        process = Process(output.replace("\ta\t", "\tearly-a\t"), **ending)
        found = list(problems_of_process(process, mode, True))
        return bool(found + list(problems(mode, [process], set(accepted), set(accepted), quarantined)))

    whole = "\n".join([line, counts, end])
    assert not is_noticed(whole)
    assert is_noticed(whole, accepted=())
    assert is_noticed(whole, code=-11) and is_noticed(whole, code=None) and is_noticed(whole, errors="text")
    assert is_noticed(whole, mode=MODES["wrong_store"]) and is_noticed(whole, quarantined=["outbox.corrupt"])
    assert is_noticed(whole.replace("\t0\t1000", "\t20000\t1000"))
    assert is_noticed(whole.replace("statistics\t1\t1", "statistics\t2\t1"))
    assert is_noticed(whole.replace("statistics\t1\t1\t0", "statistics\t2\t2\t0"))
    assert is_noticed(whole.replace("a\t0\t1", "a\t61\t0"))
    assert is_noticed(whole.replace("a\t0\t1", "a\t99\t0"), accepted=())
    assert is_noticed(whole.replace("bystander\t0\t1", "bystander\t1\t1"))
    assert is_noticed(whole.replace("bystander\t0\t1", "bystander\t0\t20000"))
    assert is_noticed(whole + "\nevent\t1\t1\tx\nacknowledged\t1\nevent\t1\t1\tx")


def run_cases(runner, cases, jobs, deadline):
    """Runs the cases. Returns the number of runs, the number of faults that occurred, and the violations."""
    ran, occurred, violations = 0, 0, []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:

        def run(case):
            if deadline and time.monotonic() > deadline:
                return None
            return case, runner.run(case.mode, case.phase, case)

        for outcome in pool.map(run, cases):
            if outcome is None:
                continue
            case, (found, has_occurred, _) = outcome
            ran += 1
            occurred += has_occurred
            if found:
                violations.append((case, found))
                print(f"VIOLATION {case.name}", *found, sep="\n    ", flush=True)
    return ran, occurred, violations


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", nargs=3, metavar="LIFE INJECT LIBRARY")
    parser.add_argument("--sample", type=int, help="run this number of cases, chosen at random")
    parser.add_argument("--seconds", type=float, help="start no case after this many seconds")
    seed = int(os.environ.get("NEXMO_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--jobs", type=int, default=8 * (os.cpu_count() or 1))
    parser.add_argument("--case", action="append", help="run only the case with this printed name, and show its output")
    parser.add_argument("--filter", help="run only the cases whose names contain this text")
    arguments = parser.parse_args()
    check_the_checks()
    runner = Runner(arguments.program)
    try:
        if arguments.case:
            is_wrong = False
            for case in map(Case.parse, arguments.case):
                found, has_occurred, processes = runner.run(case.mode, case.phase, case)
                for index, process in enumerate(processes):
                    print(f"process {index + 1}, fault in thread {process.thread}")
                    print("\n".join("\t".join([kind, *fields]) for kind, fields in process.steps))
                print(f"{case.name}: the fault " + ("occurred" if has_occurred else "did not occur"), *found, sep="\n    ")
                is_wrong |= bool(found)
            return int(is_wrong)
        started = time.monotonic()
        print(f"seed {arguments.seed} (NEXMO_TEST_SEED)", flush=True)
        generator = random.Random(arguments.seed)
        sites = runner.sites()
        cases = [case for case in cases_of(sites, generator) if not arguments.filter or arguments.filter in case.name]
        total = len(cases)
        # Cases that hang come first, so the other cases run meanwhile.
        generator.shuffle(cases)
        if arguments.sample:
            cases = cases[: arguments.sample]
        cases.sort(key=lambda case: case.fault != "hang")
        deadline = started + arguments.seconds if arguments.seconds else None
        ran, occurred, violations = run_cases(runner, cases, arguments.jobs, deadline)
        frames = {(mode, phase, site): stack for mode, phase, _, site, _, stack in sites}
        for case, _ in violations[:10]:
            print(f"stack of {case.name}:", *runner.stack(frames[case.mode, case.phase, case.site])[:14], sep="\n    ")
        kinds = len({(case.call, case.fault) for case in cases})
        print(f"{len(sites)} call sites of {len({site[2] for site in sites})} calls in {len(LIVES)} lives; {total} cases, "
              f"{kinds} kinds of faults; {ran} runs, in {occurred} of which the fault occurred; "
              f"{len(violations)} violations; {time.monotonic() - started:.0f} s; seed {arguments.seed}")
        return int(bool(violations))
    finally:
        shutil.rmtree(runner.folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
