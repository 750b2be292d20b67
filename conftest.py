"""What holds for every test and every example in a docstring, whatever machine they run on."""

from collections.abc import Iterator

import hypothesis
import pytest

from danlu.base.words import use_language

# No deadline: nothing is timed, and a machine may be busy.
hypothesis.settings.register_profile("danlu", deadline=None, print_blob=True)
hypothesis.settings.load_profile("danlu")


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """English and no data root of the developer's; a test that wants another language or place says so itself."""
    monkeypatch.setenv("DANLU_LANG", "en")
    monkeypatch.delenv("DANLU_DATA", raising=False)
    use_language(None)
    yield
    use_language(None)
