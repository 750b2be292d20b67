"""The command line as a test types it: in one process, in an empty working directory, with what it printed and left."""

from pathlib import Path

import pytest

from command_line import Answer, Type
from danlu.cli.main import main


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory; no data root and no cache but empty ones."""
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.delenv("DANLU_DATA", raising=False)
    monkeypatch.delenv("DANLU_LANG", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    return place


@pytest.fixture
def type_in(work: Path, capfd: pytest.CaptureFixture[str]) -> Type:
    """`type_in("fit", "--data", "digits")` is what `danlu fit --data digits` answers."""

    def typed(*tokens: str | Path) -> Answer:
        capfd.readouterr()
        code = main([str(token) for token in tokens])
        return Answer(code, *capfd.readouterr())

    return typed


@pytest.fixture(params=["en", "zh"])
def language(request: pytest.FixtureRequest) -> str:
    """Either language in turn."""
    return str(request.param)
