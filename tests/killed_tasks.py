"""Trainings whose tasks, data or nets are of a kind of their own, for the harness that kills them and goes on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import polars
import torch
from torch import nn

import danlu
from danlu.base.seeds import stream

Module = Callable[[int], nn.Module]
"""A net with the first weights of a seed."""

SETTINGS: dict[str, Any] = {
    "schedule.name": "plateau",
    "schedule.patience": 0,
    "schedule.gamma": 0.7,
    "optim.name": "adam",
    "optim.lr": 0.01,
    "train.epochs": 8,
    "train.batch_size": 16,
    "train.ema": 0.9,
    "train.clip_norm": 1.0,
    "train.checkpoint_steps": 3,
    "train.weights": "best",
}
OWN_FILE = """
from torch import nn

class Net(nn.Module):
    def __init__(self, classes, hidden=16):
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(64, hidden), nn.BatchNorm1d(hidden), nn.Linear(hidden, classes)
        self.drop = nn.Dropout(0.3)

    def forward(self, x):
        return self.last(self.drop(self.norm(self.first(x.flatten(1))).relu()))
"""


class TwoInputs(nn.Module):
    """Two inputs by their names, with dropout and batch normalisation."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.left, self.right, self.norm = nn.Linear(3, 8), nn.Linear(2, 8), nn.BatchNorm1d(8)
        self.head = nn.Linear(8, 2)
        with torch.no_grad():
            for number, parameter in enumerate(self.parameters()):
                parameter.copy_(torch.randn(parameter.shape, generator=stream(seed, "net", number)) * 0.3)

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        both = self.norm(self.left(left) + self.right(right)).relu()
        return self.head(nn.functional.dropout(both, 0.3, self.training))


class KilledTask(NamedTuple):
    """A net (its name, or what makes one with the first weights of a seed), what makes the data and whether they are
    objects that a resume has to be given again, and further settings.
    """

    net: "str | Module"
    data: Callable[[Path], Any]
    given: bool = True
    settings: dict[str, Any] = {}  # noqa: RUF012  (nobody writes into it)


def draws() -> numpy.random.Generator:
    return numpy.random.default_rng(5)


def pictures(_: Path) -> Any:
    images = draws().integers(0, 255, (90, 8, 8), dtype=numpy.uint8)
    return images, (images > 128).astype("int64")


def tagged(_: Path) -> Any:
    words, tags = ["the", "cat", "sat", "a", "dog", "ran", "off"], ["D", "N", "V", "D", "N", "V", "P"]
    rows = [draws().permutation(7)[: 3 + row % 4].tolist() for row in range(150)]
    return [[words[at] for at in row] for row in rows], [[tags[at] for at in row] for row in rows]


def series(place: Path) -> Path:
    path = place / "series.csv"
    if not path.exists():
        days = polars.date_range(polars.date(2020, 1, 1), polars.date(2020, 6, 28), eager=True)
        values = draws().normal(size=len(days)).cumsum()
        polars.DataFrame({"day": days, "wind": draws().normal(size=len(days)), "temp": values}).write_csv(path)
    return path


def labels(_: Path) -> Any:
    x = draws().normal(size=(220, 4))
    return x, x[:, :3] > 0


def inputs(_: Path) -> Any:
    left, right = (draws().normal(size=(220, width)).astype("float32") for width in (3, 2))
    return {"left": left, "right": right}, (left[:, 0] > 0).astype("int64")


def book(place: Path) -> Path:
    path = place / "book.txt"
    if not path.exists():
        path.write_text("the time traveller, for so it will be convenient to speak of him, was expounding. " * 30)
    return path


def numbers(_: Path) -> Any:
    x = draws().normal(size=(220, 5))
    return x, x[:, 0] * 3 + numpy.abs(x[:, 1])


def own_file(place: Path) -> str:
    """The digits, beside which the net's file is put."""
    path = place / "my_nets.py"
    if not path.exists():
        path.write_text(OWN_FILE)
    return "digits"


TASKS: dict[str, KilledTask] = {
    "segmentation": KilledTask("unet", pictures, settings={"net.width": 4, "net.depth": 1}),
    "tagging": KilledTask("sequence-tagger", tagged, settings={"net.hidden": 8, "net.embedding": 8}),
    "series": KilledTask("lstm", series, given=False, settings={"target": "temp", "window": 7, "horizon": 2}),
    "several-labels": KilledTask("mlp", labels, settings={"net.dropout": 0.2}),
    "own-file": KilledTask("my_nets.py:Net", own_file, given=False, settings={"data.samples": 200}),
    "several-inputs": KilledTask(TwoInputs, inputs),
    "tabm": KilledTask("tabm", numbers, settings={"net.members": 4, "net.width": 16, "net.dropout": 0.2}),
    "transformer": KilledTask(
        "transformer-language-model",
        book,
        given=False,
        settings={"steps": 12, "net.embedding": 8, "net.heads": 2, "net.layers": 1, "net.dropout": 0.2},
    ),
}


def begin(name: str, folder: Path) -> None:
    """Begin the training of this name in `folder`, beside which its files stand."""
    task, place = TASKS[name], folder.parent
    net = task.net if isinstance(task.net, str) else task.net(0)
    data = task.data(place)
    net = str(place / net) if isinstance(net, str) and ".py" in net else net
    danlu.fit(net, data, folder=folder, progress=False, **{**SETTINGS, **task.settings})


def go_on(name: str, folder: Path, seed: int) -> None:
    """Go on with it; a net that was given as an object comes with other first weights."""
    task = TASKS[name]
    net = None if isinstance(task.net, str) else task.net(seed)
    data = task.data(folder.parent) if task.given else None
    danlu.resume(folder, net=net, data=data, progress=False)
