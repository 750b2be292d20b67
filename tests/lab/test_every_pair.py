"""Every net on every sort of data it is for, with every verb, a few steps each: no pair is ever untried."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch

import danlu
from danlu.base.strict_json import to_json
from danlu.nets import names
from danlu.study.compare import planned
from danlu.study.costs import with_costs

SAMPLES = 32


def numbers(*shape: int) -> torch.Tensor:
    """Samples that differ, between 0 and 1, the same in every process."""
    return (torch.arange(SAMPLES * torch.Size(shape).numel()) * 7919 % 1009 / 1009).reshape(SAMPLES, *shape)


def kinds(count: int) -> torch.Tensor:
    return torch.arange(SAMPLES) % count


def pictures(channels: int, side: int, classes: int = 3) -> Callable[[Path], Any]:
    return lambda _: ((numbers(channels, side, side) * 255).to(torch.uint8), kinds(classes))


def table(target: str) -> Callable[[Path], Any]:
    def written(folder: Path) -> Any:
        marks = {"two": "ab", "three": "abc", "number": ""}[target]
        rows = [f"{x},{x * 37 % 11},{marks[x % len(marks)] if marks else x / 3}" for x in range(SAMPLES)]
        (folder / "table.csv").write_text("\n".join(["x,z,y", *rows]) + "\n")
        return danlu.load(folder / "table.csv", target="y")

    return written


def series(folder: Path) -> Any:
    """Daily values of two places."""
    rows = [f"2020-01-{day + 1:02},{place},{day * 37 % 11 + at}" for at, place in enumerate("ab") for day in range(30)]
    (folder / "series.csv").write_text("\n".join(["date,place,y", *rows]) + "\n")
    return danlu.load(folder / "series.csv", target="y", window=4, horizon=2, group="place")


def words(_: Path) -> Any:
    return ["abba" if at % 2 else "xyz" * (1 + at % 3) for at in range(SAMPLES)], [
        "p" if at % 2 else "q" for at in range(SAMPLES)
    ]


def text(folder: Path) -> Any:
    (folder / "book.txt").write_text("it was the best of times, it was the worst of times\n" * 30)
    return folder / "book.txt"


class Streamed(torch.utils.data.Dataset[Any]):
    def __len__(self) -> int:
        return SAMPLES

    def __getitem__(self, at: int) -> Any:
        return numbers(1, 8, 8)[at], int(kinds(3)[at])


DATA: dict[str, Callable[[Path], Any]] = {
    "grey": pictures(1, 8),
    "colour": pictures(3, 32),
    "vectors": lambda _: (numbers(5), kinds(3)),
    "two classes": table("two"),
    "three classes": table("three"),
    "regression": table("number"),
    "several numbers": lambda _: (numbers(5), numbers(2)),
    "series": series,
    "words": words,
    "tokens": lambda _: ((numbers(6) * 10).long() + 1, kinds(2)),
    "text": text,
    "streamed": lambda _: Streamed(),
    "masks": lambda _: ((numbers(1, 9, 9) * 255).to(torch.uint8), (numbers(9, 9) * 3).long()),
    "tagged": lambda _: ([["the", "run"], ["to", "run"]] * (SAMPLES // 2), [["a", "n"], ["p", "v"]] * (SAMPLES // 2)),
    "pairs": lambda _: ([f"{at} {at * 7}" for at in range(SAMPLES)], [f"{at * 7} {at}" for at in range(SAMPLES)]),
}
EVERY_TABLE = ("vectors", "two classes", "three classes")
FOR: dict[str, tuple[str, ...]] = {
    "linear-regression": ("regression", "several numbers", "series"),
    "logistic-regression": ("two classes",),
    "softmax-regression": ("grey", "colour", *EVERY_TABLE, "streamed"),
    "mlp": ("grey", "colour", *EVERY_TABLE, "regression", "several numbers", "series", "streamed"),
    "lenet5": ("grey", "colour", "streamed"),
    "small-inception": ("colour",),
    "googlenet": ("colour",),
    "small-resnet": ("grey", "colour", "streamed"),
    "resnet18": ("grey", "colour"),
    "resnet34": ("colour",),
    "resnet50": ("colour",),
    "resnet101": ("colour",),
    "small-densenet": ("grey", "colour"),
    "densenet121": ("colour",),
    "densenet169": ("colour",),
    "sequence-classifier": ("words", "tokens"),
    "language-model": ("text",),
    "transformer-classifier": ("words", "tokens"),
    "transformer-language-model": ("text",),
    "tabm": ("grey", *EVERY_TABLE, "regression", "several numbers", "series", "streamed"),
    "sequence-tagger": ("tagged",),
    "transformer-tagger": ("tagged",),
    "encoder-decoder": ("pairs",),
    "transformer-encoder-decoder": ("pairs",),
    "unet": ("masks",),
    "mixture-density": ("regression", "several numbers"),
    "rnn": ("series",),
    "gru": ("series",),
    "lstm": ("series",),
    "tcn": ("series",),
    "autoencoder": ("grey", "colour"),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "sequence-classifier": {"embedding": 4, "hidden": 4},
    "language-model": {"embedding": 4, "hidden": 4, "data.steps": 10},
    "sequence-tagger": {"embedding": 4, "hidden": 4},
    "transformer-tagger": {"embedding": 8, "heads": 2},
    "encoder-decoder": {"embedding": 4, "hidden": 4},
    "transformer-encoder-decoder": {"embedding": 8, "heads": 2},
    "unet": {"width": 2, "depth": 2},
    "tabm": {"members": 2, "width": 8, "embedding": 2},
    "transformer-classifier": {"embedding": 8, "heads": 2},
    "transformer-language-model": {"embedding": 8, "heads": 2, "data.steps": 10},
}
TRAIN: dict[str, Any] = {"epochs": 1, "batch_size": 8, "progress": False}
LR = [1e-4, 1e-3]


def fitted(net: str, data: Any, folder: Path) -> danlu.Run:
    return danlu.fit(net, data, **TRAIN, **OPTIONS.get(net, {}), folder=folder / "run")


def fit(net: str, data: Any, folder: Path) -> None:
    run = fitted(net, data, folder)
    assert run.finished
    assert run.score["test"]


def compare(net: str, data: Any, folder: Path) -> None:
    study = danlu.compare(net, data, vary={"lr": LR}, seeds=2, folder=folder / "study", **TRAIN, **OPTIONS.get(net, {}))
    assert len(study.members) == 4, study.failed
    assert study.best
    assert danlu.resume(study.folder, **({} if study.best.recipe.data.name != "custom" else {"data": data})).finished


def plan(net: str, data: Any, folder: Path) -> None:
    settings = {key: value for key, value in TRAIN.items() if key != "progress"}
    made, _, _ = planned(net, data, vary={"lr": LR}, seeds=2, **settings, **OPTIONS.get(net, {}))
    rows = with_costs(made)
    assert sum(row["members"] for row in rows) == 4
    assert all(row["seconds"] > 0 for row in rows)


def check(net: str, data: Any, folder: Path) -> None:
    settings = {key: value for key, value in TRAIN.items() if key != "progress"}
    with mock.patch("danlu.lab.check.rates.lr_find", partial(danlu.lr_find, points=8, steps=8)):
        found = danlu.check(net, data, **settings, **OPTIONS.get(net, {}))
    assert len(found.lines) == 7
    assert str(found)


def cure(net: str, data: Any, folder: Path) -> None:
    run = fitted(net, data, folder)
    finding = {
        "rule": "lr-too-high",
        "severity": "warning",
        "where": [],
        "since": 1,
        "evidence": {},
        "title": "",
        "why": "",
    }
    found = {"kind": "findings", "findings": [finding | {"remedies": [{"change": {"optim.lr": 1e-4}}]}]}
    with (run.folder / "journal.jsonl").open("a") as journal:
        journal.write(to_json(found) + "\n")
    proof = danlu.cure(run.folder, data=data, seeds=2, folder=folder / "cure", progress=False)
    assert proof.study
    assert not proof.study.failed
    assert str(proof)


def lr_find(net: str, data: Any, folder: Path) -> None:
    settings = {key: value for key, value in TRAIN.items() if key != "progress"}
    test = danlu.lr_find(net, data, points=8, steps=8, **settings, **OPTIONS.get(net, {}))
    assert len(test.losses) == 8


def search(net: str, data: Any, folder: Path) -> None:
    settings = {**TRAIN, **OPTIONS.get(net, {})}
    found = danlu.search(net, data, space={"lr": (1e-4, 1e-3)}, trainings=4, folder=folder / "search", **settings)
    assert len(found.trials) == 4
    assert found.best, [trial.state for trial in found.trials]


def draw(net: str, data: Any, folder: Path) -> None:
    run = fitted(net, data, folder)
    for kind in ("curves", "net"):
        danlu.draw(run, kind=kind, file=folder / f"{kind}.svg")
    danlu.draw(run.net(), run.data)


def landscape(net: str, data: Any, folder: Path) -> None:
    run = fitted(net, data, folder)
    surface = danlu.landscape(run, points=3)
    assert len(surface.losses) == 3
    danlu.draw(surface, file=folder / "surface.svg")


VERBS = (fit, compare, plan, check, cure, lr_find, search, draw, landscape)
PAIRS = [(net, data) for net, every in FOR.items() for data in every]
QUICK = {  # one of each way in which a net is trained, and of each sort of data that is small
    ("mlp", "two classes"), ("sequence-classifier", "words"), ("language-model", "text"), ("autoencoder", "grey"),
    ("lstm", "series"),
    ("mixture-density", "several numbers"), ("softmax-regression", "streamed"), ("linear-regression", "regression"),
}  # fmt: skip


def marked(net: str, data: str, verb: Callable[..., None]) -> Any:
    marks = [] if (net, data) in QUICK else [pytest.mark.slow]
    return pytest.param(net, data, verb, id=f"{net}-{data}-{verb.__name__}", marks=marks)


@pytest.mark.every(12)
@pytest.mark.parametrize(("net", "data", "verb"), [marked(*pair, verb) for pair in PAIRS for verb in VERBS])
def test_a_net_and_data_it_is_for(
    net: str, data: str, verb: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if data == "tokens":  # an array does not say how many there are
        monkeypatch.setitem(OPTIONS, net, {**OPTIONS[net], "vocabulary": 12})
    verb(net, DATA[data](tmp_path), tmp_path)


def test_no_net_and_no_sort_of_data_is_left_out() -> None:
    assert list(FOR) == names()
    assert {data for _, data in PAIRS} == DATA.keys()
    assert {*PAIRS} >= QUICK
