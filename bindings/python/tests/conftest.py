"""Loads the library under test, and provides fixtures for all tests."""

import os
from pathlib import Path

import pytest

import nexmo_conversion
from sandbox import REQUIRED, Log


def pytest_configure(config: pytest.Config) -> None:
    missing = [name for name in REQUIRED if not os.environ.get(name)]
    if missing:
        raise pytest.UsageError(
            f"{', '.join(missing)} must be set: run `make test`, which builds the library and starts the sandbox"
        )
    nexmo_conversion.load(os.environ["NEXMO_LIBRARY"])


@pytest.fixture
def log() -> Log:
    """Returns a log of the requests of this test."""
    return Log()


@pytest.fixture
def root() -> Path:
    """Returns the root directory of the project."""
    return Path(__file__).resolve().parents[3]
