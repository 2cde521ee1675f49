"""Describes the machine and the versions of the measured software."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from paths import PROGRAMS, ROOT

Facts = dict[str, str]


def facts() -> Facts:
    return {
        "Machine": f"{_cpu()}, {len(_processors())} cores, {_memory_gib():.0f} GiB; {_after('/etc/os-release', 'PRETTY_NAME=')}, "
                   f"Linux {platform.release()}, {' '.join(platform.libc_ver())}",
        "Other load": f"a load average of {os.getloadavg()[0]:.1f} over the minute before the run",
        "This library": f"{_after('Cargo.toml', 'version = ')}, commit {_output('git', 'describe', '--always', '--dirty')}, {_output('rustc', '--version')}",
        "libcurl": _output("curl-config", "--version").removeprefix("libcurl ") + " with " + _linked("curl_easy", "ssl"),
        "OpenSSL": _output("openssl", "version"),
        "ureq": _locked("ureq") + " with rustls " + _locked("rustls"),
        "nginx": _output("nginx", "-v").removeprefix("nginx version: nginx/"),
        "Python": f"{platform.python_version()}, vonage {version('vonage')}, requests {version('requests')}",
        "C compiler": _output("cc", "--version").splitlines()[0] + ", -O2",
        "valgrind": _output("valgrind", "--version").removeprefix("valgrind-"),
    }


def _output(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
    return done.stdout.strip()


def _after(path: str, beginning: str) -> str:
    """Finds the first line that starts with `beginning`, and returns the rest of that line without quotation marks."""
    lines = (ROOT / path).read_text().splitlines()
    return next(line.removeprefix(beginning).strip('"') for line in lines if line.startswith(beginning))


def _processors() -> "list[str]":
    return re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)


def _cpu() -> str:
    return (_processors() or [platform.machine()])[0]


def _memory_gib() -> float:
    return int(_after("/proc/meminfo", "MemTotal:").split()[0]) / 2**20


def _locked(package: str) -> str:
    """Returns the version of a package that bare ureq uses, and that of this library if it differs."""
    def of(folder: Path) -> str:
        return re.search(rf'name = "{package}"\nversion = "(.*)"', (folder / "Cargo.lock").read_text()).group(1)  # type: ignore[union-attr]
    ours, bare = of(ROOT), of(ROOT / "benches" / "ureq")
    return bare if ours == bare else f"{bare} (in this library {ours})"


def _linked(program: str, library: str) -> str:
    """Returns the file name of a shared library that a program loads, directly or indirectly."""
    found = re.search(rf"lib{library}\S*", _output("ldd", str(PROGRAMS / program)))
    return found.group(0) if found else "no " + library
