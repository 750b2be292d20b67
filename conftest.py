"""What holds for every test and every example in a docstring, on whatever machine they run."""

import hypothesis
import pytest

# No deadline: nothing is timed, and a machine may be busy.
hypothesis.settings.register_profile("danlu", deadline=None, print_blob=True)
hypothesis.settings.load_profile("danlu")


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the developer's language nor their data root reaches a test."""
    monkeypatch.setenv("DANLU_LANG", "en")
    monkeypatch.delenv("DANLU_DATA", raising=False)
