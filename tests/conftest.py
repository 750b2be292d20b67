"""What every test may ask for: the real data, and a language that no other test has changed."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from danlu.base.places import OVERVIEW_VARIABLE, PROGRAM_VARIABLE
from danlu.base.words import use_language
from real_data import DATA_VARIABLE, failing_cases, real_data


def pytest_configure() -> None:
    """Thousands of trainings of a moment draw no poster, and keep no program of their nets; the tests of both ask for
    them."""
    os.environ.setdefault(OVERVIEW_VARIABLE, "0")
    os.environ.setdefault(PROGRAM_VARIABLE, "0")


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Every test hears English, unless it asks for `language`."""
    use_language("en")
    yield
    use_language("en")


@pytest.fixture(params=["en", "zh"])
def language(request: pytest.FixtureRequest, english: None) -> str:
    """Runs the test once in each language."""
    use_language(request.param)
    return request.param


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with the real data sets."""
    root = real_data()
    if not root.is_dir():
        pytest.skip(f"no real data: {root} does not exist (name a folder with ${DATA_VARIABLE})")
    return root


@pytest.fixture(scope="session")
def cases_root() -> Path:
    """The folder with small inputs on which danlu once went wrong."""
    root = failing_cases()
    if not root.is_dir():
        pytest.skip(f"no cases: {root} does not exist (name the folder of data beside it with ${DATA_VARIABLE})")
    return root
