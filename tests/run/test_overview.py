"""The poster that a run leaves unasked: which runs have one, and that nothing it meets reaches the training."""

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import danlu
from danlu.base.places import OVERVIEW_VARIABLE
from danlu.base.words import use_language
from danlu.run import pictures
from danlu.study import alone
from danlu.view.info.run import RunInfo
from danlu.view.overview import Overview
from danlu.view.overview import overview as poster
from task_matrix import TASKS, ground_of, trained

NET, DATA = "softmax-regression", "digits"
SETTINGS: dict[str, Any] = {"epochs": 1, "progress": False}
A4 = (1240, 1753)


@pytest.fixture(autouse=True)
def wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OVERVIEW_VARIABLE, "1")


def posters(folder: Path) -> list[str]:
    return sorted(path.parent.relative_to(folder).as_posix() for path in folder.rglob("overview.png"))


def size(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as image:
        return image.size


@pytest.mark.every(16)
@pytest.mark.parametrize("name", TASKS)
def test_a_run_of_every_task_has_one(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    use_language("zh" if len(name) % 2 else "en")
    run = trained(ground_of(TASKS[name], tmp_path), tmp_path / "run")
    assert size((run.folder / "overview.png").read_bytes()) == A4
    assert "overview.png" not in capfd.readouterr().err


@pytest.mark.slow
def test_it_is_what_draw_draws_and_a_run_that_goes_on_has_its_own(tmp_path: Path) -> None:
    run = danlu.fit(NET, DATA, folder=tmp_path / "run", **SETTINGS)
    first = (run.folder / "overview.png").read_bytes()
    asked = danlu.draw(run.folder, kind="overview")
    assert asked.file_content(".png") == first
    assert asked._repr_html_().startswith('<img src="data:image/png;base64,')  # pyright: ignore
    further = run.fit(epochs="+1", folder=tmp_path / "further", progress=False)
    assert (further.folder / "overview.png").read_bytes() != first


def test_of_a_study_the_best_run_has_one(tmp_path: Path) -> None:
    study = danlu.compare(NET, DATA, vary={"optim.lr": [0.01, 0.1]}, seeds=2, folder=tmp_path / "study", **SETTINGS)
    assert study.best is not None
    assert posters(tmp_path) == [f"study/{study.best.run.name}"]


def test_members_that_are_trained_one_by_one_have_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rprop has no stacked form."""
    trained_alone: list[Path] = []
    drawn: list[str] = []

    def fit(*given: Any, folder: Path, **more: Any) -> danlu.Run:
        trained_alone.append(folder)
        return danlu.fit(*given, folder=folder, **more)

    def overview(info: RunInfo) -> Overview:
        drawn.append(info.name)
        return poster(info)

    monkeypatch.setattr(alone, "fit", fit)
    monkeypatch.setattr(pictures, "overview", overview)
    place = tmp_path / "study"
    asked: dict[str, Any] = {"vary": {"lr": [0.001, 0.01]}, "seeds": 1, "jobs": 1, "optim.name": "rprop"}
    study = danlu.compare("mlp", "iris", folder=place, **asked, **SETTINGS)
    assert len(trained_alone) == 2
    assert study.best is not None
    assert drawn == [study.best.run.name]


def test_an_estimators_temporary_run_has_none(tmp_path: Path) -> None:
    x, y = torch.rand(40, 3).numpy(), (torch.arange(40) % 2).numpy()
    kept = danlu.Classifier(NET, epochs=1, folder=tmp_path).fit(x, y)
    gone = danlu.Classifier(NET, epochs=1).fit(x, y)
    assert (kept.run_.folder / "overview.png").is_file()
    assert not (gone.run_.folder / "overview.png").exists()


@pytest.mark.every(3)
@pytest.mark.parametrize("word", ["0", "off", " No "])
def test_the_environment_switches_it_off(word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OVERVIEW_VARIABLE, word)
    danlu.fit(NET, DATA, folder=tmp_path / "run", **SETTINGS)
    assert posters(tmp_path) == []


@pytest.mark.every(3)
@pytest.mark.parametrize("error", [RuntimeError("no room"), ImportError("No module named 'matplotlib'"), MemoryError()])
def test_a_picture_that_fails_leaves_the_run_whole_and_is_told(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], language: str
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(pictures, "overview", broken)
    run = danlu.fit(NET, DATA, folder=tmp_path / "run", **SETTINGS)
    assert run.finished
    assert (run.folder / "report.html").is_file()
    assert posters(tmp_path) == []
    told = capfd.readouterr().err
    assert "overview.png" in told
    assert (str(error) or type(error).__name__) in told


def test_a_picture_changes_no_bit_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = danlu.fit(NET, DATA, folder=tmp_path / "with", **SETTINGS)
    state = torch.get_rng_state()
    monkeypatch.setenv(OVERVIEW_VARIABLE, "0")
    without = danlu.fit(NET, DATA, folder=tmp_path / "without", **SETTINGS)
    assert torch.equal(state, torch.get_rng_state())
    ours, theirs = with_it.net().state_dict(), without.net().state_dict()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
