"""The machine, and the versions of all that was measured on it."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from paths import PROGRAMS, ROOT

Facts = dict[str, str]


def facts() -> Facts:
    """What a reader needs to know to judge the figures."""
    return {
        "Machine": f"{_cpu()}, {len(_processors())} cores, {_memory_gib():.0f} GiB; {_first('/etc/os-release', 'PRETTY_NAME=')}, "
                   f"Linux {platform.release()}, {' '.join(platform.libc_ver())}",
        "Other work on it": f"a load of {os.getloadavg()[0]:.1f} in the minute before the run",
        "This library": f"{_first('Cargo.toml', 'version = ')}, commit {_said('git', 'describe', '--always', '--dirty')}, {_said('rustc', '--version')}",
        "libcurl": _said("curl-config", "--version").removeprefix("libcurl ") + " with " + _linked("curl_easy", "ssl"),
        "OpenSSL": _said("openssl", "version"),
        "ureq": _locked("ureq") + " with rustls " + _locked("rustls"),
        "nginx": _said("nginx", "-v").removeprefix("nginx version: nginx/"),
        "Python": f"{platform.python_version()}, vonage {version('vonage')}, requests {version('requests')}",
        "C compiler": _said("cc", "--version").splitlines()[0] + ", -O2",
        "valgrind": _said("valgrind", "--version").removeprefix("valgrind-"),
    }


def _said(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
    return done.stdout.strip()


def _first(path: str, beginning: str) -> str:
    """What follows the beginning in the first line that has it."""
    lines = (ROOT / path).read_text().splitlines()
    return next(line.removeprefix(beginning).strip('"') for line in lines if line.startswith(beginning))


def _processors() -> "list[str]":
    return re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)


def _cpu() -> str:
    return (_processors() or [platform.machine()])[0]


def _memory_gib() -> float:
    return int(_first("/proc/meminfo", "MemTotal:").split()[0]) / 2**20


def _locked(package: str) -> str:
    """The version that bare ureq is built of, which is the library's own."""
    def of(folder: Path) -> str:
        return re.search(rf'name = "{package}"\nversion = "(.*)"', (folder / "Cargo.lock").read_text()).group(1)  # type: ignore[union-attr]
    ours, bare = of(ROOT), of(ROOT / "benches" / "ureq")
    return bare if ours == bare else f"{bare} (in this library {ours})"


def _linked(program: str, library: str) -> str:
    """The file of a shared library that a program is linked with."""
    found = re.search(rf"lib{library}\S*", _said("ldd", str(PROGRAMS / program)))
    return found.group(0) if found else "no " + library
