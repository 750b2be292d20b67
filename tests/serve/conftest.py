"""A dashboard with a run and a study, and a reader who is let in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard_site import CANARY, Site, make_run, make_study, served


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs and a study; no test changes it."""
    place = tmp_path_factory.mktemp("dashboard") / "shown"
    make_run(place / "runs" / f"one-{CANARY}")
    make_run(place / "runs" / f"two-{CANARY}")
    make_study(place / "studies" / f"study-{CANARY}")
    return place


@pytest.fixture(scope="module")
def site(index: Path) -> Iterator[Site]:
    """Its dashboard, with a reader who has the cookie."""
    with served(index) as site:
        site.enter()
        yield site
