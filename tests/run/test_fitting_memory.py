"""train.fit_memory: a run in portions comes to what the whole batches come to, is told, and goes on bit for bit."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor, nn

import danlu
from danlu.base.errors import UserError
from danlu.base.memory import OutOfMemoryError
from danlu.base.recipe import Recipe
from danlu.base.words import speaking
from danlu.run.fitting_memory import expected_portions
from danlu.run.interrupt import Interrupted
from danlu.run.setup import set_up
from interruption import assert_same_end, interrupt_at

X = numpy.random.default_rng(0).normal(size=(130, 4)).astype("float32")
DATA = (X, (X.sum(1) > 0).astype("int64"))
SHORT: dict[str, Any] = {"batch_size": 16, "epochs": 4, "lr": 0.1, "progress": False}


class Sized(nn.Module):
    """Holds so many samples at once in training, from call `at` on `then`; and so many in evaluation."""

    def __init__(self, most: int = 10**9, at: int = 10**9, then: int = 0, answers: int = 10**9) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.2), nn.Linear(8, 2))
        self.most, self.at, self.then, self.answers = most, at, then, answers

    def forward(self, x: Tensor) -> Tensor:
        self.at -= self.training and torch.is_grad_enabled()
        most = (self.then if self.at < 0 else self.most) if self.training else self.answers
        if len(x) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB.")
        return self.layers(x)


def sized(*given: int, answers: int = 10**9) -> Sized:
    torch.manual_seed(0)
    return Sized(*given, answers=answers)


def plain(most: int = 10**9) -> nn.Module:
    net = sized(most)
    net.layers = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    for parameter in net.parameters():
        nn.init.normal_(parameter, generator=torch.Generator().manual_seed(1))
    return net


def chosen(run: danlu.Run) -> list[tuple[int, int, bool]]:
    lines = (run.folder / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    told = [record for record in map(json.loads, lines) if record["kind"] == "micro-batch"]
    assert all(record["batch"] == 16 for record in told)
    return [(record["step"], record["samples"], record["ran_out"]) for record in told]


@pytest.mark.every(2)
@pytest.mark.parametrize("most", [16, 8, 5, 1])
def test_a_run_in_portions_comes_to_the_same(most: int, tmp_path: Path) -> None:
    whole = danlu.fit(plain(), DATA, folder=tmp_path / "whole", **SHORT)
    run = danlu.fit(plain(most), DATA, fit_memory=True, folder=tmp_path / "run", **SHORT)
    assert chosen(run) == [(1, {16: 16, 8: 8, 5: 4, 1: 1}[most], False)]
    for name, tensor in whole.net().state_dict().items():
        torch.testing.assert_close(run.net().state_dict()[name], tensor, rtol=1e-5, atol=1e-6)
    assert run.history["loss"].to_list() == pytest.approx(whole.history["loss"].to_list(), rel=1e-5)
    noisy = {"initial-loss", "unshuffled"} if most < 8 else set[str]()  # which look at portions of a few samples
    assert {one.rule for one in run.findings} - noisy == {one.rule for one in whole.findings}


def test_memory_that_runs_out_is_told_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = danlu.fit(sized(8, 30, 4), DATA, fit_memory=True, folder=tmp_path / "run", **{**SHORT, "progress": True})
    (first, second) = chosen(run)
    assert (first, second[1:]) == ((1, 8, False), (4, True))
    told = " ".join(capsys.readouterr().err.split())
    assert "memory holds 8 samples at once, so each batch of 16" in told
    assert f"memory ran out in step {second[0]}" in told
    assert "batch normalisation (layers.1) takes its statistics over a portion" in told


@pytest.mark.every(3)
@pytest.mark.parametrize("moment", [15, 20, "validation"])
def test_a_resume_goes_on_in_the_portions_that_were_used(
    moment: int | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the step that memory ended is done over, with memory enough this time."""
    settings = {**SHORT, "fit_memory": True, "checkpoint_steps": 10, "keep": 5, "epochs": 6}
    whole = danlu.fit(sized(8, 26, 4), DATA, folder=tmp_path / "whole", **settings)
    assert 10 < chosen(whole)[1][0] <= 15
    interrupt_at(monkeypatch, moment)
    with pytest.raises(Interrupted, match="run"):
        danlu.fit(sized(8, 26, 4), DATA, folder=tmp_path / "run", **settings)
    if moment == 15:  # killed there, rather: nothing was saved after step 10
        shutil.rmtree(tmp_path / "run" / "checkpoints" / "step-00000015")
    run = danlu.resume(tmp_path / "run", net=sized(), data=DATA, progress=False)
    assert_same_end(run, whole)


def test_watching_changes_no_bit(tmp_path: Path) -> None:
    settings = {**SHORT, "fit_memory": True, "precision": "float64"}
    runs = [danlu.fit(sized(8, 26, 4), DATA, watch=on, folder=tmp_path / str(on), **settings) for on in (True, False)]
    assert chosen(runs[0]) == chosen(runs[1])
    for name, tensor in runs[0].net().state_dict().items():
        assert torch.equal(tensor, runs[1].net().state_dict()[name])
    assert not [one for one in runs[0].findings if one.severity == "error"]


def test_validation_and_answers_come_in_portions(tmp_path: Path) -> None:
    whole = danlu.fit(sized(), DATA, folder=tmp_path / "whole", **SHORT)
    run = danlu.fit(sized(answers=3), DATA, folder=tmp_path / "run", **SHORT)
    assert run.score["test"]["accuracy"] == whole.score["test"]["accuracy"]
    assert run.score["test"]["loss"] == pytest.approx(whole.score["test"]["loss"], rel=1e-6)
    assert run.predict(X).tolist() == whole.predict(X).tolist()


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "lbfgs": ({"optim.name": "lbfgs", "batch_size": 16}, "line search computes", "线搜索"),
    "exact": ({"exact": True, "batch_size": 16}, "is for one process", "只用于单进程"),
}


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("case", REFUSED)
def test_what_it_does_not_go_with_is_refused(case: str, language: str, tmp_path: Path) -> None:
    settings, english, chinese = REFUSED[case]
    with speaking(language), pytest.raises(UserError, match=english if language == "en" else chinese):
        danlu.fit("mlp", DATA, fit_memory=True, folder=tmp_path / "run", progress=False, **settings)
    assert list(tmp_path.iterdir()) == []


def test_running_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("the time traveller, for so it will be convenient. " * 40, encoding="utf-8")
    with pytest.raises(UserError, match="cannot be used on running text"):
        danlu.fit("language-model", tmp_path / "book.txt", fit_memory=True, steps=8, batch_size=4, progress=False)


def test_where_one_sample_is_too_much_the_error_says_so(tmp_path: Path) -> None:
    net: Any = plain(2)
    net.at, net.then = 30, 0
    with pytest.raises(OutOfMemoryError, match=r"can do no more here.*danlu resume"):
        danlu.fit(net, DATA, fit_memory=True, folder=tmp_path / "run", **SHORT)


def test_members_of_a_study_fit_their_memory_each(tmp_path: Path) -> None:
    study = danlu.compare(
        lambda: plain(8), DATA, vary={"lr": [0.1, 0.2]}, seeds=2, jobs=1, folder=tmp_path / "s",
        **{**SHORT, "epochs": 1}, fit_memory=True,
    )  # fmt: skip
    assert len(study.members) == 4
    assert not study.failed


@pytest.mark.parametrize("free", [2**40, 2**14])
def test_a_cpu_s_portions_are_told_by_what_a_few_samples_take(free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("danlu.run.fitting_memory.available_memory", lambda: free)
    recipe = Recipe(net={"name": "mlp", "hidden": [500]}, train={"batch_size": 16, "fit_memory": True})
    portions = expected_portions(set_up(recipe, DATA))
    assert portions == 1 if free == 2**40 else 2 <= portions <= 16


OWN = {
    "sum": nn.CrossEntropyLoss(reduction="sum"),
    "weights": nn.CrossEntropyLoss(weight=torch.tensor([1.0, 9.0])),
    "ignored": nn.CrossEntropyLoss(ignore_index=0),
}


@pytest.mark.every(3)
@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("settings", [{"fit_memory": True}, {"accumulate": 2}, {"exact": True}], ids=str)
def test_a_loss_whose_portions_make_up_something_else_is_refused(
    name: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="is no mean over samples"):
        danlu.fit(plain(), DATA, loss=OWN[name], folder=tmp_path / "run", **{**SHORT, **settings})
    danlu.fit(plain(), DATA, loss=OWN[name], folder=tmp_path / "run", **SHORT)


@pytest.mark.parametrize("settings", [{"fit_memory": True}, {"accumulate": 2}, {"exact": True}], ids=str)
def test_a_mean_of_one_s_own_is_taken(settings: dict[str, Any], tmp_path: Path) -> None:
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    danlu.fit(plain(), DATA, loss=loss, folder=tmp_path / "run", **{**SHORT, **settings, "epochs": 1})


def test_more_epochs_begin_in_the_portions_that_the_run_ended_with(tmp_path: Path) -> None:
    run = danlu.fit(sized(8, 26, 4), DATA, fit_memory=True, folder=tmp_path / "run", **SHORT)
    more = run.fit(epochs="+1", folder=tmp_path / "more", progress=False)
    assert len(chosen(run)) == 2
    assert chosen(more) == chosen(run)
