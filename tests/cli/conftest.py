"""The command line as a test types it: in one process, in an empty working directory, with what it printed and left."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from danlu.cli.main import main


@dataclass(frozen=True)
class Answer:
    """What one command line gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on standard output."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def faults(self) -> list[str]:
        """The messages on standard error, one a fault."""
        return [line.removeprefix("✖ ") for line in self.err.splitlines() if line.startswith("✖ ")]


Type = Callable[..., Answer]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory; no data root and no cache but empty ones."""
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.delenv("DANLU_DATA", raising=False)
    monkeypatch.delenv("DANLU_LANG", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return place


@pytest.fixture
def type_in(work: Path, capfd: pytest.CaptureFixture[str]) -> Type:
    """`type_in("fit", "--data", "digits")` is what `danlu fit --data digits` answers."""

    def typed(*tokens: str | Path) -> Answer:
        capfd.readouterr()
        code = main([str(token) for token in tokens])
        return Answer(code, *capfd.readouterr())

    return typed
