"""Tests where the library is loaded from. Each test runs another Python process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Dict

import pytest

import nexmo_conversion

PACKAGE = Path(nexmo_conversion.__file__).parent
LIBRARY = Path(os.environ["NEXMO_LIBRARY"]).resolve()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Returns the path of a copy of the package without the library."""
    copy = tmp_path / "site" / "nexmo_conversion"
    ignored = shutil.ignore_patterns("*.so*", "*.dylib", "__pycache__")
    shutil.copytree(PACKAGE, copy, ignore=ignored)
    return copy


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Creates a directory that contains the library under each of its names, to be the current directory."""
    decoys = tmp_path / "current"
    decoys.mkdir()
    for name in ("libnexmo_conversion.so.1", "libnexmo_conversion.so", "libnexmo_conversion.dylib"):
        shutil.copy(LIBRARY, decoys / name)
    return decoys


def run(package: Path, directory: Path, code: str, **environment: str) -> str:
    """Returns the output of a program that uses this package, in this directory."""
    surroundings: Dict[str, str] = {**os.environ, "PYTHONPATH": str(package.parent), **environment}
    program = f"import nexmo_conversion\nfrom nexmo_conversion import *\n{code}"
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(
        command, cwd=directory, env=surroundings, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


EXPECT_NONE = """
try:
    version()
except LibraryNotFound as error:
    assert isinstance(error, OSError)
    print(error)
"""


def test_the_current_directory_and_the_environment_are_not_searched(package: Path, directory: Path) -> None:
    names = ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "NEXMO_LIBRARY_PATH", "NEXMO_CONVERSION_LIBRARY"]
    environment = {name: str(directory) for name in names}
    seen = run(package, directory, EXPECT_NONE, **environment)
    assert f"in {package}:" in seen
    assert "libnexmo_conversion." in seen
    assert "nexmo_conversion.load(path)" in seen


@pytest.mark.parametrize("name", ["libnexmo_conversion.so.1", "libnexmo_conversion.so"])
def test_the_library_is_loaded_from_the_directory_of_the_package(package: Path, tmp_path: Path, name: str) -> None:
    shutil.copy(LIBRARY, package / name)
    seen = run(package, tmp_path, "print(version(), nexmo_conversion._library._loaded[0])")
    assert seen == f"{nexmo_conversion.version()} {package / name}"


def test_nothing_is_loaded_before_the_first_use(package: Path, tmp_path: Path) -> None:
    code = "Credentials.query('k', 's'), Options(), Status.OK\nassert nexmo_conversion._library._loaded is None"
    assert run(package, tmp_path, code) == ""


def test_the_library_is_loaded_from_a_path(package: Path, directory: Path) -> None:
    code = f"load({str(LIBRARY)!r})\nload()\nload({str(LIBRARY)!r})\nprint(version())"
    assert run(package, directory, code) == nexmo_conversion.version()


def test_a_path_may_be_relative_or_a_symbolic_link(package: Path, directory: Path) -> None:
    (directory / "link.so").symlink_to("libnexmo_conversion.so.1")
    code = "import pathlib\nload(pathlib.Path('link.so'))\nload('libnexmo_conversion.so.1')\nprint(version())"
    assert run(package, directory, code) == nexmo_conversion.version()


def test_a_second_path_is_an_error(package: Path, directory: Path) -> None:
    code = f"""
load({str(LIBRARY)!r})
try:
    load("libnexmo_conversion.so")
except LibraryError as error:
    print(error)
version()
"""
    assert run(package, directory, code).startswith(f"{LIBRARY} is already loaded: ")


@pytest.mark.parametrize("path", ["/nonexistent/libnexmo_conversion.so", "/", "", "libnexmo_conversion.so", "a\0b"])
def test_a_missing_file_is_an_error(package: Path, tmp_path: Path, path: str) -> None:
    code = f"""
try:
    load({path!r})
except LibraryNotFound as error:
    print(repr(str(error)))
assert nexmo_conversion._library._loaded is None
load({str(LIBRARY)!r})
"""
    assert "There is no file " in run(package, tmp_path, code)


def test_a_file_that_is_not_a_library_is_an_error(package: Path, tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("no library")
    code = "try:\n    load('text.so')\nexcept LibraryError as error:\n    print(error)"
    assert f"{tmp_path / 'text.so'} cannot be loaded: " in run(package, tmp_path, code)


def test_another_library_is_an_error(package: Path, tmp_path: Path) -> None:
    # An extension module is a library that exists in every Python installation.
    code = """
import _ctypes
try:
    load(_ctypes.__file__)
except LibraryError as error:
    print(error)
"""
    assert " has no function nexmo_" in run(package, tmp_path, code)


def test_a_path_of_wrong_type_is_an_error(package: Path, tmp_path: Path) -> None:
    code = "try:\n    load(7)\nexcept TypeError as error:\n    print('rejected')"
    assert run(package, tmp_path, code) == "rejected"


def test_concurrent_threads_load_the_library_once(package: Path, tmp_path: Path) -> None:
    shutil.copy(LIBRARY, package / "libnexmo_conversion.so.1")
    code = """
import threading
barrier, seen = threading.Barrier(16), []
def use():
    barrier.wait()
    seen.append((version(), id(nexmo_conversion._library.functions())))
threads = [threading.Thread(target=use) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(seen), len(set(seen)))
"""
    assert run(package, tmp_path, code) == "16 1"
