"""Every test here hears English, unless it asks for `language`."""

from collections.abc import Iterator

import pytest

from danlu.base.words import use_language


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    use_language("en")
    yield
    use_language(None)


@pytest.fixture(params=["en", "zh"])
def language(request: pytest.FixtureRequest, english: None) -> str:
    use_language(request.param)
    return request.param
