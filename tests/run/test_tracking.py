"""Tracking as a training sees it, with a tracker of the tests' own: what is told, and that nothing ends a training."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.base.errors import UserError
from danlu.ship.trackers import courier, registry
from danlu.ship.trackers.registry import TRACKERS, TrackerKind, check_trackers
from danlu.ship.trackers.tracker import Tracked, Tracker

TOLD: list["Notebook"] = []


class Notebook(Tracker):
    """Keeps what it is told; `fails` names the call that fails, `hangs` the one that never returns."""

    fails = ""
    hangs = ""

    def __init__(self, run: Tracked) -> None:
        self.run, self.handle = run, run.handle or f"h{len(TOLD)}"
        self.steps = self.epochs = run.resumed_at if run.handle else 0
        self.values: dict[int, dict[str, float]] = {}
        self.texts: dict[str, str] = {}
        self.images: list[str] = []
        self.files: list[str] = []
        self.state = ""
        TOLD.append(self)
        self._call("open")

    def _call(self, name: str) -> None:
        if name == self.fails:
            raise OSError("no space at https://me:hidden@tracker.org/api?key=hidden")
        if name == self.hangs:
            time.sleep(600)

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        self._call("numbers")
        assert step >= max(self.values, default=0)
        self.values.setdefault(step, {}).update(values)

    def text(self, name: str, text: str, step: int) -> None:
        self.texts[name] = text

    def picture(self, name: str, png: bytes, step: int) -> None:
        assert png.startswith(b"\x89PNG")
        self.images.append(name)

    def file(self, path: Path, name: str) -> None:
        self.files.append(name)

    def flush(self) -> None:
        pass

    def end(self, state: str, final: Mapping[str, float]) -> None:
        self._call("end")
        self.state = state


@pytest.fixture(autouse=True)
def notebook(monkeypatch: pytest.MonkeyPatch) -> type[Notebook]:
    TOLD.clear()

    class Fresh(Notebook):
        pass

    monkeypatch.setitem(TRACKERS, "mlflow", TrackerKind(Fresh, "json"))  # a package that is there
    monkeypatch.setattr(courier, "_GLANCE", 0.05)
    return Fresh


def fitted(folder: Path, **settings: Any) -> danlu.Run:
    settings = {"epochs": 2, "track": ["mlflow"], "progress": False, **settings}
    return danlu.fit("mlp", "digits", hidden=[16], folder=folder, **settings)


def test_losses_scores_findings_images_settings_and_files_are_told(tmp_path: Path) -> None:
    run = fitted(tmp_path / "run", lr=1e4, momentum=0.0, **{"track.every": 10})
    (told,) = TOLD
    history, steps = run.history, sorted(told.values)
    losses = {step: values["loss"] for step, values in told.values.items() if "loss" in values}
    assert list(losses) == [step for step in history["step"] if step % 10 == 0]
    assert all(repr(losses[step]) == repr(history["loss"][step - 1]) for step in losses)
    assert {"train/loss", "validation/accuracy", "epoch", "final/test/accuracy"} <= set(told.values[steps[-1]])
    assert told.values[steps[-1]]["final/test/accuracy"] == run.score["test"]["accuracy"]
    assert set(told.texts) == {f"findings/{finding.rule}" for finding in run.findings} and run.findings
    assert "curves" in told.images and "confusion" in told.images
    assert {"recipe.toml", "journal.jsonl", "report.html"} <= set(told.files)
    assert told.run.settings["optim.lr"] == 1e4 and not any(key.startswith("track") for key in told.run.settings)
    assert told.state in ("finished", "diverged") and told.run.name == "run"


@pytest.mark.slow
def test_the_weights_are_the_same_bits_with_and_without(tmp_path: Path) -> None:
    tracked, alone = fitted(tmp_path / "a"), fitted(tmp_path / "b", track=[])
    assert tracked.recipe.fingerprint() == alone.recipe.fingerprint()
    pairs = zip(tracked.net().state_dict().values(), alone.net().state_dict().values(), strict=True)
    assert all(bool((one == other).all()) for one, other in pairs)


@pytest.mark.every(3)
@pytest.mark.parametrize("call", ["open", "numbers", "end"])
def test_a_tracker_that_fails_is_told_once_and_ends_nothing(
    call: str, tmp_path: Path, notebook: type[Notebook], capsys: pytest.CaptureFixture[str]
) -> None:
    notebook.fails = call
    assert fitted(tmp_path / "run").finished
    said = capsys.readouterr().err
    assert said.count("no longer tracks") == 1 and "https://tracker.org/…" in said and "hidden" not in said


@pytest.mark.slow
def test_a_tracker_that_hangs_is_waited_for_no_longer_than_its_patience(
    tmp_path: Path, notebook: type[Notebook], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook.hangs = "numbers"
    monkeypatch.setattr(courier.Courier.wait, "__defaults__", (0.5,))
    assert fitted(tmp_path / "run").finished
    assert capsys.readouterr().err.count("gave no answer") == 1


@pytest.mark.slow
def test_a_resume_goes_on_with_the_same_run_and_tells_nothing_twice(tmp_path: Path) -> None:
    def stop(event: object) -> None:
        if isinstance(event, danlu.StepDone) and event.step == 100:
            raise KeyboardInterrupt("by the test")

    settings: dict[str, Any] = {"checkpoint_steps": 40, "track.every": 1}
    with pytest.raises(KeyboardInterrupt, match="by the test"):
        fitted(tmp_path / "run", listeners=[stop], **settings)
    danlu.resume(tmp_path / "run", progress=False)
    first, second = TOLD
    assert first.state == "interrupted" and not first.files and second.state == "finished"
    assert second.handle == first.handle
    losses = [[step for step, values in told.values.items() if "loss" in values] for told in TOLD]
    assert losses[0][0] == 1 and losses[1][0] == 81  # after the checkpoint of step 80
    assert losses[1] == list(range(81, losses[1][-1] + 1))


@pytest.mark.slow
def test_a_study_is_a_group_of_runs_and_goes_on_with_its_trackers(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"vary": {"lr": [1e-5, 0.1]}, "seeds": 2, "epochs": 3, "progress": False}
    study = danlu.compare("softmax-regression", "iris", folder=tmp_path / "s", track=["mlflow"], **settings)
    parent, *members = TOLD
    assert [told.run.parent for told in members] == [parent.handle] * 4
    assert {told.run.group for told in TOLD} == {"s"} and all(told.state == "finished" for told in TOLD)
    assert {tuple(told.run.settings.items()) for told in members} == {
        (("optim.lr", member.factors["optim.lr"]), ("seed", member.seed), ("fold", 0)) for member in study.members
    }
    assert all(sorted(told.values) == [1, 2, 3] for told in members)
    assert "forest" in parent.images and "effects" in parent.texts
    study.more(1, progress=False)  # nobody names the trackers again
    again, *new = TOLD[5:]
    assert again.handle == parent.handle and {told.run.settings["seed"] for told in new} == {2} and len(new) == 2


def test_study_folders_are_those_of_an_untracked_study(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"vary": {"lr": [1e-5, 0.1]}, "seeds": 2, "epochs": 1, "progress": False}
    danlu.compare("softmax-regression", "iris", folder=tmp_path / "s", track=["mlflow"], **settings)
    assert len(danlu.compare("softmax-regression", "iris", folder=tmp_path / "s", **settings).members) == 4
    assert "track" not in (tmp_path / "s" / "study.json").read_text()


def test_mistakes_are_told_before_anything_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_is_there", lambda package: package != "wandb")
    with pytest.raises(UserError, match='no tracker "mlfow".*Did you mean "mlflow"') as caught:
        fitted(tmp_path / "run", track="mlfow,wandb")
    assert "danlu[track]" in str(caught.value) and len(caught.value.faults) == 2
    with pytest.raises(UserError, match="wandb, which is not installed"):
        danlu.compare("mlp", "digits", vary={"lr": [1, 2]}, track="wandb", folder=tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()
    assert check_trackers(["mlflow", "mlflow"]) == ("mlflow",)
