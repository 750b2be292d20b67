"""A run that has ended is trained further, and ends as if it had been one training from the beginning."""

import hashlib
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import danlu
from danlu.store.run_history import RunHistory
from danlu.train.checkpoint import load_newest
from dying import die_inside_a_save, forked
from interruption import assert_same_end, interrupt_at

QUIET: dict[str, Any] = {"progress": False}
ADAM: dict[str, Any] = {"optim.name": "adam", "optim.lr": 0.01}
MLP: dict[str, Any] = {"net": "mlp", "batch_size": 40, "dropout": 0.4, **ADAM, **QUIET}
TRAININGS: dict[str, dict[str, Any]] = {
    "dropout, adam, a moving average": {**MLP, "ema": 0.9},
    "momentum, clipping": {"net": "mlp", "momentum": 0.9, "nesterov": True, "clip_norm": 1.0, **QUIET},
    "products, a decay": {"net": "mlp", "momentum": 0.9, "weight_decay": 1e-3, **QUIET},
    "augmented images": {"net": "lenet5", "data.augment": ["crop:1"], "batch_size": 100, **ADAM, **QUIET},
    "a schedule that waits": {**MLP, "schedule.name": "plateau", "schedule.patience": 0},
    "steps down": {**MLP, "schedule.name": "step", "schedule.every": 2, "schedule.gamma": 0.5, "schedule.warmup": 9},
    "float64": {**MLP, "precision": "float64", "optim.name": "nadam"},
}


def files(folder: Path) -> dict[str, str]:
    """A hash of everything that lies in a folder."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def fitted(folder: Path, epochs: int, settings: dict[str, Any], **more: Any) -> danlu.Run:
    return danlu.fit(data="digits", epochs=epochs, folder=folder, **{**settings, **more})


@pytest.mark.every(8)
@pytest.mark.parametrize("name", TRAININGS)
def test_further_epochs_are_those_of_one_training(tmp_path: Path, name: str) -> None:
    whole = fitted(tmp_path / "whole", 5, TRAININGS[name])
    parent = fitted(tmp_path / "parent", 3, TRAININGS[name])
    before = files(parent.folder)
    further = parent.fit(epochs="+2", folder=tmp_path / "further", **QUIET)
    assert_same_end(whole, further)
    assert [epoch.validation for epoch in epochs(further)] == [epoch.validation for epoch in epochs(whole)]
    assert [finding.rule for finding in further.findings] == [finding.rule for finding in whole.findings]
    assert further.recipe == whole.recipe
    assert files(parent.folder) == before, "the old run is never changed"


def epochs(run: danlu.Run) -> Any:
    return RunHistory.read(run.folder / "journal.jsonl").epochs


def test_a_net_of_ones_own_goes_on_as_a_copy(tmp_path: Path) -> None:
    def net() -> nn.Module:
        torch.manual_seed(3)
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 10))

    whole = fitted(tmp_path / "whole", 3, {"net": net(), **QUIET})
    own = net()
    parent = fitted(tmp_path / "parent", 2, {"net": own, **QUIET})
    weight = own[1].weight.detach().clone()
    further = parent.fit(epochs="+1", folder=tmp_path / "further", **QUIET)
    assert_same_end(whole, further)
    assert torch.equal(own[1].weight, weight)
    with pytest.raises(danlu.UserError, match=r"danlu\.Run\(folder, net=Sequential"):
        danlu.Run(parent.folder).fit(epochs="+1", **QUIET)
    again = danlu.Run(parent.folder, net=net()).fit(epochs="+1", folder=tmp_path / "again", **QUIET)
    assert_same_end(whole, again)


def test_again_and_again(tmp_path: Path) -> None:
    whole = fitted(tmp_path / "whole", 4, MLP)
    run = fitted(tmp_path / "1", 1, MLP)
    for generation in range(2, 5):
        run = run.fit(epochs="+1", folder=tmp_path / str(generation), **QUIET)
    assert_same_end(whole, run)
    assert run.epochs == 4


def test_the_new_run_notes_where_it_comes_from(tmp_path: Path) -> None:
    parent = fitted(tmp_path / "parent", 2, MLP)
    further = parent.fit(epochs="+1", folder=tmp_path / "further", **QUIET)
    told = further.as_dict()["parent"]
    weights = load_newest(parent.folder / "checkpoints").checkpoint
    assert weights is not None
    assert told == {
        "name": "parent",
        "folder": str(parent.folder),
        "weights": weights.hashes["weights"],
        "epoch": 2,
        "further": True,
    }
    assert f"Trained further from {parent.folder}, after its epoch 2." in str(further)
    assert "Trained further from" in (further.folder / "report.html").read_text(encoding="utf-8")
    assert parent.parent is None
    shutil.rmtree(parent.folder)
    assert len(danlu.Run(further.folder).history) == 96, "the curve is whole without the parent"


def test_without_a_folder_it_gets_a_name_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    parent = fitted(tmp_path / "parent", 1, MLP)
    assert parent.fit(epochs="+1", **QUIET).folder.parent == tmp_path / "runs"
    assert parent.fit(epochs="+1", name="called", **QUIET).folder == tmp_path / "runs" / "called"


def test_a_cosine_runs_once_more_over_the_new_epochs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = {**MLP, "schedule.name": "cosine"}
    parent = fitted(tmp_path / "parent", 2, settings)
    further = parent.fit(epochs="+3", folder=tmp_path / "further")
    assert "the schedule cosine runs once more, over the 3 new epochs" in capsys.readouterr().err
    assert further.recipe.schedule.restarts == (2,)
    assert further.history["lr"][64] == pytest.approx(0.01)
    assert_same_end(fitted(tmp_path / "whole", 5, {**settings, "schedule.restarts": [2]}), further)


def test_a_cosine_can_be_stretched(tmp_path: Path) -> None:
    settings = {**MLP, "schedule.name": "cosine"}
    parent = fitted(tmp_path / "parent", 2, settings)
    further = parent.fit(epochs="+2", schedule="extended", folder=tmp_path / "further", **QUIET)
    whole = fitted(tmp_path / "whole", 4, settings)
    assert further.recipe == whole.recipe
    assert further.history["lr"].to_list()[64:] == whole.history["lr"].to_list()[64:]
    assert further.history["lr"].to_list()[:64] == parent.history["lr"].to_list()


@pytest.mark.every(2)
@pytest.mark.parametrize("settings", [MLP, {"net": "lenet5", "batch_size": 100, **ADAM, **QUIET}])
def test_rate_and_schedule_may_change(tmp_path: Path, settings: dict[str, Any]) -> None:
    parent = fitted(tmp_path / "parent", 1, settings)
    slower = parent.fit(epochs="+1", lr=0.001, folder=tmp_path / "slower", **QUIET)
    assert slower.history["lr"].to_list()[-1] == pytest.approx(0.001)
    assert slower.recipe.optim.lr == 0.001
    falling = parent.fit(epochs="+1", folder=tmp_path / "falling", **QUIET, **{"schedule.name": "cosine"})
    rates = falling.history["lr"].to_list()[parent.steps :]
    assert rates[0] == pytest.approx(0.01)
    assert rates == sorted(rates, reverse=True)
    assert rates[-1] < 0.001


def test_patience_is_counted_anew_after_an_early_stop(tmp_path: Path) -> None:
    settings = {**MLP, "optim.lr": 1e-12}
    parent = fitted(tmp_path / "parent", 50, settings, patience=2)
    assert (parent.epochs, parent.as_dict()["stopped_early"]) == (3, True)
    further = parent.fit(epochs="+9", folder=tmp_path / "further", **QUIET)
    assert (further.epochs, further.as_dict()["stopped_early"]) == (5, True)
    assert further.recipe.train.epochs == 12, "nine more than were done, not than were planned"
    longer = parent.fit(epochs="+9", patience=4, folder=tmp_path / "longer", **QUIET)
    assert longer.epochs == 7


def test_patience_is_no_older_after_a_resume(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = fitted(tmp_path / "parent", 50, {**MLP, "optim.lr": 1e-12}, patience=2)
    whole = parent.fit(epochs="+9", folder=tmp_path / "whole", **QUIET)
    interrupt_at(monkeypatch, 130)
    with pytest.raises(danlu.Interrupted, match="broken"):
        parent.fit(epochs="+9", folder=tmp_path / "broken", **QUIET)
    assert_same_end(whole, danlu.resume(tmp_path / "broken", **QUIET))


@pytest.mark.every(4)
@pytest.mark.parametrize("moment", [65, 80, 96, "validation"])
def test_interrupted_on_the_way_it_is_resumed_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int | str
) -> None:
    whole = fitted(tmp_path / "whole", 3, MLP)
    parent = fitted(tmp_path / "parent", 2, MLP)
    interrupt_at(monkeypatch, moment)
    with pytest.raises(danlu.Interrupted, match="further"):
        parent.fit(epochs="+1", folder=tmp_path / "further", **QUIET)
    shutil.rmtree(parent.folder)
    resumed = danlu.resume(tmp_path / "further", **QUIET)
    assert_same_end(whole, resumed)
    assert resumed.parent is not None


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the process is killed in a fork")
def test_killed_inside_any_save_it_begins_again_or_goes_on_exactly(tmp_path: Path) -> None:
    settings = {**MLP, "checkpoint_steps": 10}
    whole = fitted(tmp_path / "whole", 2, settings)
    parent = fitted(tmp_path / "parent", 1, settings)
    kills, begun, resumed = 0, 0, 0
    for moment in (*range(1, 21), *range(23, 1000, 7)):
        folder = tmp_path / "further" / str(moment)

        def further(moment: int = moment, folder: Path = folder) -> None:
            die_inside_a_save(moment)
            parent.fit(epochs="+1", folder=folder, **QUIET)

        _, status = os.waitpid(forked(further), 0)
        if not os.WIFSIGNALED(status):
            assert os.WEXITSTATUS(status) == 0
            break
        assert os.WTERMSIG(status) == signal.SIGKILL
        kills += 1
        if (folder / "recipe.toml").exists():
            resumed += 1
            run = danlu.resume(folder, **QUIET)
        else:
            begun += 1
            run = parent.fit(epochs="+1", folder=folder, **QUIET)
        assert_same_end(whole, run)
        assert len(run.history) == 64
    assert kills > 20
    assert begun > 5
    assert resumed > 5


@pytest.mark.every(3)
@pytest.mark.parametrize("epochs", [20, "20", "+0", "+x", "", None, "-3", 2.5, "+1.5"], ids=repr)
def test_how_many_more_is_said_with_a_plus_sign(tmp_path: Path, epochs: Any) -> None:
    parent = fitted(tmp_path / "parent", 1, MLP)
    with pytest.raises(danlu.UserError, match=r"how many more epochs.*\+20"):
        parent.fit(epochs=epochs, folder=tmp_path / "further", **QUIET)
    assert not (tmp_path / "further").exists()


def refused(parent: danlu.Run, match: str, **settings: Any) -> None:
    with pytest.raises(danlu.UserError, match=match):
        parent.fit(**{"epochs": "+1", "folder": parent.folder.with_name("further"), **QUIET, **settings})
    assert not parent.folder.with_name("further").exists()


def test_what_cannot_change_is_refused(tmp_path: Path) -> None:
    parent = fitted(tmp_path / "parent", 1, MLP)
    refused(parent, r"train\.batch_size, optim\.name: .*--from", batch_size=10, **{"optim.name": "sgd"})
    refused(parent, "extended or restarted", schedule="cosine")
    refused(parent, "learning_rates", learning_rates=3)
    refused(parent, "10,000,001 epochs", epochs="+10000000")
    refused(parent, "optim.lr", lr=-1)
    refused(parent, "give one of them", **{"train.epochs": 3})
    refused(parent, "follows the validation loss", schedule="restarted", **{"schedule.name": "plateau"})
    parent.fit(epochs="+1", batch_size=40, folder=tmp_path / "same", **QUIET)


def test_an_unfinished_run_is_to_be_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_at(monkeypatch, 5)
    with pytest.raises(danlu.Interrupted, match="parent"):
        fitted(tmp_path / "parent", 1, MLP)
    refused(danlu.Run(tmp_path / "parent"), "danlu resume")


def test_a_run_that_diverged_is_no_beginning(tmp_path: Path) -> None:
    parent = fitted(tmp_path / "parent", 1, {"net": "mlp", "lr": 1e20, **QUIET})
    refused(parent, "diverged at step")


def test_a_damaged_or_missing_last_state_is_refused(tmp_path: Path) -> None:
    parent = fitted(tmp_path / "parent", 1, MLP, checkpoint_steps=10)
    last = parent.folder / "checkpoints" / "step-00000032"
    content = bytearray((last / "optimizer.safetensors").read_bytes())
    content[len(content) // 2] ^= 1
    (last / "optimizer.safetensors").write_bytes(content)
    refused(parent, "optimizer.safetensors.*never scored|optimizer.safetensors.*not what was scored")
    shutil.rmtree(last)
    refused(parent, "last step, 32, is gone")
    shutil.rmtree(parent.folder / "checkpoints")
    refused(parent, "last step, 32, is gone")


def test_other_data_are_refused_and_moved_ones_taken(tmp_path: Path) -> None:
    table = "a,b,y\n" + "".join(f"{row % 7},{row % 5},{row % 2}\n" for row in range(200))
    (tmp_path / "t.csv").write_text(table)
    run = danlu.fit("mlp", tmp_path / "t.csv", target="y", epochs=2, folder=tmp_path / "parent", **QUIET)
    (tmp_path / "t.csv").rename(tmp_path / "u.csv")
    refused(danlu.Run(run.folder), r"--epochs \+1 --data PATH")
    moved = danlu.Run(run.folder, data=tmp_path / "u.csv").fit(epochs="+1", folder=tmp_path / "moved", **QUIET)
    assert moved.recipe.data.path == str(tmp_path / "u.csv")
    (tmp_path / "t.csv").write_text(table.replace("3,3,1", "3,4,1"))
    refused(danlu.Run(run.folder), "no longer the one this run began with")


def test_a_training_that_a_listener_stopped_goes_on_in_the_middle_of_its_epoch(tmp_path: Path) -> None:
    def stop(event: object) -> danlu.Stop | None:
        return danlu.Stop("enough") if isinstance(event, danlu.StepDone) and event.step == 40 else None

    whole = fitted(tmp_path / "whole", 3, MLP)
    parent = fitted(tmp_path / "parent", 9, MLP, listeners=[stop])
    assert (parent.epochs, parent.steps) == (1, 40)
    assert_same_end(whole, parent.fit(epochs="+2", folder=tmp_path / "further", **QUIET))


def test_metrics_of_ones_own_are_given_again(tmp_path: Path) -> None:
    def none(outputs: torch.Tensor, targets: torch.Tensor) -> float:
        return 0.5

    parent = fitted(tmp_path / "parent", 1, MLP, metrics={"none": none})
    refused(parent, "none")
    further = parent.fit(epochs="+1", metrics={"none": none}, folder=tmp_path / "further", **QUIET)
    assert further.score["test"]["none"] == 0.5


def test_a_language_model_goes_on(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("the time traveller for so it will be convenient to speak of him\n" * 50)
    small: dict[str, Any] = {"batch_size": 8, "hidden": 16, "embedding": 8, "dropout": 0.3, **QUIET}
    book = tmp_path / "book.txt"
    whole = danlu.fit("language-model", book, epochs=3, folder=tmp_path / "whole", **small)
    parent = danlu.fit("language-model", book, epochs=2, folder=tmp_path / "parent", **small)
    further = parent.fit(epochs="+1", folder=tmp_path / "further", **QUIET)
    assert_same_end(whole, further)
    assert [text.epoch for text in further.texts] == [1, 2, 3]
