"""What a net was like at moments of its training: kept from what is computed anyhow, the same after a resume."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Sampler, TensorDataset

import danlu
from danlu.data import Dataset
from danlu.run.interrupt import Interrupted
from danlu.run.listeners import moments
from danlu.run.listeners.first_filters import first_filters
from danlu.run.listeners.moments import AnswerCollector, MomentTaker
from danlu.store.run_history import RunHistory
from interruption import assert_same_end, interrupt_at

QUICK: dict[str, Any] = {"epochs": 3, "batch_size": 16, "progress": False}


def hear_nothing(taker: MomentTaker) -> None:
    """What stands for the collector of a training that keeps no moments."""


def quick(**more: Any) -> dict[str, Any]:
    return {**QUICK, **more}


def history(run: danlu.Run) -> RunHistory:
    return RunHistory.read(run.folder / "journal.jsonl")


def few_digits() -> Dataset:
    return danlu.load("digits", samples=600)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> danlu.Run:
    return danlu.fit("lenet5", few_digits(), folder=tmp_path_factory.mktemp("moments") / "digits", **QUICK)


def test_confusion_and_answers_are_those_of_the_validation(digits: danlu.Run) -> None:
    told, data = history(digits), few_digits()
    assert [one.epoch for one in told.moments] == [1, 2, 3]
    assert told.followed is not None
    assert len(told.followed.samples) == min(moments.FOLLOWED, data.sizes["validation"])
    for moment, epoch in zip(told.moments, told.epochs, strict=True):
        assert moment.confusion is not None
        assert epoch.validation is not None
        assert sum(map(sum, moment.confusion)) == data.sizes["validation"]
        right = sum(moment.confusion[at][at] for at in range(10)) / data.sizes["validation"]
        assert right == pytest.approx(epoch.validation["accuracy"])
    (x, y), *_ = data.batches("validation", 10_000, device=torch.device("cpu"))
    places = list(told.followed.samples)
    assert list(told.followed.actual) == y[places].tolist()
    likely = digits.net().eval()(x[places]).softmax(1)
    assert told.moments[-1].answers == likely.argmax(1).tolist()
    assert told.moments[-1].likely == pytest.approx(likely[range(len(y[places])), y[places]].tolist(), abs=1e-3)


def test_samples_that_say_most_are_pictured_and_filters_kept(digits: danlu.Run) -> None:
    told = history(digits)
    assert told.pictured is not None
    assert len(told.pictured.samples) == 32
    assert all(base64.b64decode(one.png).startswith(b"\x89PNG") for one in told.pictured.samples)
    assert all(len(moment.filters) == 6 for moment in told.moments)
    kept = sum(len(line) for line in (digits.folder / "journal.jsonl").read_text().splitlines() if '"moment"' in line)
    assert kept < 100_000


def test_the_training_does_not_notice(digits: danlu.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MomentTaker, "collector", hear_nothing)
    plain = danlu.fit("lenet5", few_digits(), folder=tmp_path / "plain", **QUICK)
    assert not history(plain).moments
    assert_same_end(digits, plain)


def test_a_resume_keeps_the_same_moments(digits: danlu.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt_at(monkeypatch, "validation")
    with pytest.raises(Interrupted, match="parts"):
        danlu.fit("lenet5", few_digits(), folder=tmp_path / "parts", **QUICK)
    resumed = history(danlu.resume(tmp_path / "parts", progress=False))
    whole = history(digits)
    assert resumed.moments == whole.moments
    assert resumed.followed == whole.followed
    assert resumed.pictured == whole.pictured


def test_two_inputs_have_a_boundary(tmp_path: Path) -> None:
    told = history(danlu.fit("mlp", "moons", folder=tmp_path / "moons", **QUICK))
    assert told.followed is not None
    assert len(told.followed.inputs) == len(told.followed.samples)
    for moment in told.moments:
        assert moment.boundary is not None
        values = numpy.array(moment.boundary.values)
        assert values.shape == (25, 25)
        assert 0 <= values.min() < values.max() <= 1


def test_numbers_are_in_the_unit_of_the_target(tmp_path: Path) -> None:
    x = numpy.linspace(-1, 1, 200)[:, None]
    data = danlu.load((x, 1000 * x[:, 0] + 5000))
    run = danlu.fit("mlp", data, folder=tmp_path / "run", **quick(epochs=20))
    told = history(run)
    assert told.followed is not None
    assert 4000 <= min(told.followed.actual) <= max(told.followed.actual) <= 6001
    off = [
        abs(one - actual)
        for one, actual in zip(told.moments[-1].answers or (), told.followed.actual, strict=True)
        if one
    ]
    assert max(off) < 1000
    assert told.moments[-1].likely is None
    assert told.moments[-1].confusion is None


@pytest.mark.every(2)
@pytest.mark.parametrize("epochs", [24, 60])
def test_no_more_than_two_dozen_are_kept_the_ends_among_them(epochs: int, tmp_path: Path) -> None:
    x = numpy.random.default_rng(0).normal(size=(40, 3))
    run = danlu.fit("mlp", danlu.load((x, ["a", "b"] * 20)), folder=tmp_path / "run", **quick(epochs=epochs))
    kept = [one.epoch for one in history(run).moments]
    assert len(kept) == 24
    assert {kept[0], kept[-1]} == {1, epochs}


def test_a_training_that_ends_early_keeps_its_last_moment(tmp_path: Path) -> None:
    run = danlu.fit("mlp", "digits", folder=tmp_path / "run", **quick(epochs=200, patience=1, lr=1e-30))
    assert history(run).moments[-1].epoch == run.epochs < 200


def test_a_validation_part_in_another_order_each_time_tells_nothing_more(tmp_path: Path) -> None:
    """A loader that draws its order from torch has the same one each time; this one keeps a state of its own."""

    class Turning(Sampler[int]):
        turns = 0

        def __iter__(self) -> Iterator[int]:
            self.turns += 1
            return iter([(at + self.turns) % 64 for at in range(64)])

        def __len__(self) -> int:
            return 64

    data = TensorDataset(torch.randn(64, 4), torch.arange(64) % 2)
    loaders = (DataLoader(data, batch_size=16), DataLoader(data, batch_size=16, sampler=Turning()))
    run = danlu.fit(nn.Linear(4, 2), loaders, folder=tmp_path / "run", epochs=3, progress=False, watch=False)
    assert len(history(run).moments) == 1
    assert history(run).pictured is None


def test_answers_that_are_none_of_the_task_tell_nothing_and_stop_nothing() -> None:
    data, followed = danlu.load((numpy.zeros((20, 3)), ["a", "b"] * 10)), torch.tensor([0])
    for outputs, whole in ((torch.eye(2), True), (torch.eye(900)[[5, 700]], False), (torch.ones(3, 2), False)):
        collector = AnswerCollector(data, followed)
        list(collector.seen([(torch.zeros(2, 3), torch.tensor([0, 1]))]))
        collector.add(outputs, torch.tensor([0, 1]))
        assert (collector.told() is not None) == whole, outputs.shape


def test_the_first_layer_over_pixels_is_drawn() -> None:
    assert first_filters(nn.Sequential(nn.Flatten(), nn.Linear(64, 5)), (1, 8, 8))[0] == "1"
    assert len(first_filters(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 50)), (3, 8, 8))[1]) == 16
    assert first_filters(nn.Conv2d(3, 8, 1), (3, 8, 8)) == ("", ())
    assert first_filters(nn.Conv2d(5, 8, 3), (5, 8, 8)) == ("", ())
    colours = nn.Conv2d(3, 1, (2, 4), bias=False)
    nn.init.constant_(colours.weight, 0.5)
    _, (png,) = first_filters(colours, (3, 8, 8))
    image = Image.open(io.BytesIO(base64.b64decode(png)))
    assert (image.mode, image.size, image.getcolors()) == ("RGB", (4, 2), [(8, (255, 255, 255))])
    broken = nn.Conv2d(1, 2, 3)
    nn.init.constant_(broken.weight, torch.nan)
    assert first_filters(broken, (1, 8, 8)) == ("", ())
