"""Nets of a user's own for every kind of samples, with what they are trained on; and nets that no program can hold."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy
import polars
import torch
from torch import Tensor, nn

COUNT = 48


def numbers() -> numpy.random.Generator:
    """The same numbers for each ground, whenever it is made."""
    return numpy.random.default_rng(0)


class Ground(NamedTuple):
    """What is trained on what, with further settings, and raw samples that the run can be asked with."""

    net: nn.Module
    data: Any
    settings: dict[str, Any]
    raw: Any


class Plain(nn.Module):
    """A single tensor, with all that differs between training and evaluation."""

    def __init__(self, inputs: int = 5, outputs: int = 3) -> None:
        super().__init__()
        self.first, self.norm, self.last = nn.Linear(inputs, 8), nn.BatchNorm1d(8), nn.Linear(8, outputs)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.norm(self.first(x)).relu()
        return self.last(nn.functional.dropout(hidden, 0.5, self.training))


class Several(nn.Module):
    """Several inputs of several types, and a dict of outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.pixels, self.head = nn.Embedding(9, 4), nn.Linear(16, 4), nn.Linear(9, 2)

    def forward(self, image: Tensor, age: Tensor, tokens: Tensor) -> dict[str, Tensor]:
        hidden = torch.cat([self.embedding(tokens).mean(1), self.pixels(image.flatten(1)), age[:, None]], 1)
        return {"hidden": hidden, "logits": self.head(hidden)}


class Reader(nn.Module):
    """Tokens of any number, read in both directions; `each` says whether every one gets an answer."""

    def __init__(self, words: int, outputs: int, *, each: bool = False) -> None:
        super().__init__()
        self.embedding, self.steps = nn.Embedding(words, 4), nn.LSTM(4, 6, batch_first=True, bidirectional=True)
        self.head, self.each = nn.Linear(12, outputs), each

    def forward(self, tokens: Tensor) -> Tensor:
        found = self.steps(self.embedding(tokens))[0]
        return self.head(found if self.each else found.mean(1))


class Attending(nn.Module):
    """Tokens up to the places it has embeddings for, through a transformer of torch's."""

    def __init__(self, words: int, outputs: int, most: int) -> None:
        super().__init__()
        self.embedding, self.places = nn.Embedding(words, 8), nn.Parameter(torch.randn(most, 8))
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, outputs)

    def forward(self, tokens: Tensor) -> Tensor:
        found = self.embedding(tokens) + self.places[: tokens.shape[1]]
        return self.head(self.layer(found).mean(1))


class Remembering(nn.Module):
    """A language model that hands its state on."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.embedding, self.steps, self.head = (
            nn.Embedding(words, 4),
            nn.GRU(4, 6, batch_first=True),
            nn.Linear(6, words),
        )

    def forward(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        found, state = self.steps(self.embedding(tokens), state)
        return self.head(found), state


class Masking(nn.Module):
    """A class for each pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            middle = x.mean((2, 3), keepdim=True)
        return self.layers(x - middle)


class Windows(nn.Module):
    """The rows of a window, one after the other."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.steps, self.head = nn.GRU(features, 6, batch_first=True), nn.Linear(6, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.steps(x)[1][-1])


def classes() -> tuple[Any, Any]:
    x = numbers().normal(size=(COUNT, 5))
    return x, [("ant", "bee", "cow")[row % 3] for row in range(COUNT)]


def single() -> Ground:
    x, y = classes()
    return Ground(Plain(), (x, y), {}, x[:5])


def several() -> Ground:
    draws = numbers()
    parts = {
        "image": draws.integers(0, 255, (COUNT, 1, 4, 4), dtype=numpy.uint8),
        "age": draws.random(COUNT).astype("float32") * 80,
        "tokens": draws.integers(0, 9, (COUNT, 3)),
    }
    few = {name: one[:5] for name, one in parts.items()}
    return Ground(Several(), (parts, (parts["age"] > 40).astype("int64")), {"outputs": "logits"}, few)


TEXTS = ["good day", "a bad day", "well met again"] * (COUNT // 3)


def texts() -> Ground:
    return Ground(Reader(40, 3), (TEXTS, ["p", "q", "r"] * (COUNT // 3)), {}, ["good", "met a day " * 5])


def attended() -> Ground:
    return Ground(Attending(40, 3, 64), (TEXTS, ["p", "q", "r"] * (COUNT // 3)), {}, ["good", "a bad day"])


def tags() -> Ground:
    rows = [["the", "cat", "sat"], ["a", "dog", "ran", "off"]] * (COUNT // 2)
    named = [["D", "N", "V"], ["D", "N", "V", "P"]] * (COUNT // 2)
    return Ground(Reader(40, 4, each=True), (rows, named), {}, [["the", "dog"], ["a"]])


def series() -> Ground:
    days = polars.date_range(polars.date(2020, 1, 1), polars.date(2020, 4, 29), eager=True)
    draws = numbers()
    columns = {name: draws.normal(size=len(days)) for name in ("a", "price")}
    rows = polars.DataFrame({"day": days, **columns})
    return Ground(Windows(2), rows, {"target": "price", "window": 5}, rows.tail(9))


def masks() -> Ground:
    images = numbers().integers(0, 255, (COUNT, 6, 6), dtype=numpy.uint8)
    return Ground(Masking(), (images, (images > 128).astype("int64")), {}, images[:3])


GROUNDS: dict[str, Callable[[], Ground]] = {
    "a single tensor": single,
    "several inputs, a dict of outputs": several,
    "texts": texts,
    "texts up to a length": attended,
    "tags": tags,
    "series": series,
    "masks": masks,
}


class Deciding(Plain):
    """What it does depends on what it sees."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) if float(x.sum()) > 0 else super().forward(-x)


class Drawing(Plain):
    """It draws numbers in evaluation, too."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x + torch.rand_like(x))


class Counting(Plain):
    """It goes through another library."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(torch.from_numpy(x.detach().numpy()[:, ::-1].copy()))


class Only(Plain):
    """There is one of it."""

    def __deepcopy__(self, memo: Any) -> Any:
        raise RuntimeError("there is only one of me")


NO_PROGRAM: dict[str, tuple[type[Plain], str, str]] = {
    "it decides by its input": (Deciding, "torch.export cannot follow this network", "torch.export 无法跟踪这个网络"),
    "it draws numbers": (Drawing, "does not give its outputs", "输出不一致"),
    "it leaves torch": (Counting, "torch.export cannot follow this network", "torch.export 无法跟踪这个网络"),
    "it cannot be copied": (Only, "could not be copied", "无法复制"),
}
