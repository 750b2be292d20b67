"""Nets of every kind with raw samples of the data they are for: what is exported in tests, and in the benchmark."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch import Tensor, nn

import danlu
from danlu import nets
from danlu.data import Dataset
from danlu.data.plain import to_plain
from danlu.data.preprocessing import Preprocessing
from danlu.ship import Answerer
from danlu.ship.export.interface import Interface
from danlu.ship.export.proof import Evidence
from danlu.ship.export.write import Exporting

SAMPLES = 60


@dataclass(frozen=True)
class Case:
    """A run as an export sees it, without a training: its answerer, and raw samples."""

    answerer: Answerer
    raw: Any
    net: dict[str, Any] | None = None

    def some(self, count: int) -> Any:
        if isinstance(self.raw, dict):
            return {name: column[:count] for name, column in self.raw.items()}
        return self.raw[:count]

    def exporting(self, *, raw: bool = False) -> Exporting:
        """What an export takes; nothing is known of a training."""
        about: dict[str, Any] = {
            "run": "case",
            "scores": {"test": {"accuracy": 0.5, "n": SAMPLES}},
            "data": {"sizes": {}},
        }
        return Exporting(self.answerer, self.some(8), Evidence("test", [(self.raw, None)]), about, raw, self.net)

    def interface(self, *, raw: bool = False) -> Interface:
        return Interface(to_plain(self.answerer.fitted), raw=raw)


def generator() -> numpy.random.Generator:
    return numpy.random.default_rng(7)


def settled(net: nn.Module) -> nn.Module:
    """The net with weights of its own and, where it normalises, statistics that are not 0 and 1."""
    draws = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in net.parameters():
            wide = 0.3 if parameter.ndim < 2 else (2.0 / parameter[0].numel()) ** 0.5
            parameter.copy_(torch.randn(parameter.shape, generator=draws) * wide)
        for layer in net.modules():
            if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d) and layer.running_mean is not None:
                assert layer.running_var is not None
                layer.running_mean.copy_(torch.randn(layer.running_mean.shape, generator=draws) * 0.2)
                layer.running_var.copy_(torch.rand(layer.running_var.shape, generator=draws) + 0.5)
                layer.weight.data.abs_().add_(0.5)
    return net.eval()


def case(net: nn.Module, data: Dataset, raw: Any, *, whole: bool = False) -> Case:
    found = nets.recipe_of(net)
    named = None if found is None else {"name": found[0], "options": found[1]}
    return Case(Answerer(Preprocessing.of(data), settled(net), torch.int64 if whole else torch.float32), raw, named)


def pictures(count: int, *shape: int) -> Any:
    """Smooth pictures: resizing them says something."""
    small = generator().integers(0, 256, (count, 4, 4, shape[2] if len(shape) == 3 else 1)).astype(numpy.float32)
    rows, columns = (numpy.linspace(0, 3.99, side).astype(int) for side in shape[:2])
    noise = generator().integers(-20, 20, (count, *shape[:2], small.shape[3]))
    large = (small[:, rows][:, :, columns] + noise).clip(0, 255).astype(numpy.uint8)
    return large if len(shape) == 3 else large[..., 0]


def labels(count: int, classes: int = 3) -> list[str]:
    return [["ant", "bee", "蜂鸟", "dog", "elk"][row % classes] for row in range(count)]


def grey(net: str = "lenet5", side: int = 28, **options: Any) -> Case:
    raw = pictures(SAMPLES, side, side)
    data = danlu.load((raw, labels(SAMPLES)))
    return case(built(net, data, **options), data, raw)


def colour(net: str, side: int = 32, **options: Any) -> Case:
    raw = pictures(SAMPLES, side, side, 3)
    data = danlu.load((raw, labels(SAMPLES)))
    return case(built(net, data, **options), data, raw)


def resized(channels: int = 3) -> Case:
    raw = pictures(SAMPLES, 20, 26, *([3] if channels == 3 else []))
    data = danlu.load((raw, labels(SAMPLES)), image_size=16)
    return case(built("small-resnet", data, width=4, blocks=(1, 1)), data, raw)


def digits() -> Case:
    import sklearn.datasets

    raw = sklearn.datasets.load_digits().images[:SAMPLES]
    data = danlu.load("digits")
    return case(built("lenet5", data), data, raw)


def built(name: str, data: Dataset, **options: Any) -> nn.Module:
    words = None if data.vocabulary is None else len(data.vocabulary)
    known = {key: value for key, value in options.items() if key in nets.option_names(name)}
    shape = tuple(data.sample_shape)
    return nets.build(name, known, sample_shape=shape, outputs=data.outputs, task=data.task, vocabulary=words)


def table(*, regression: bool = False) -> Case:
    """Numbers with gaps, flags, dates, categories with gaps; among the rows are categories that were not trained on."""
    draws = generator()
    ages = [None if row % 7 == 0 else float(draws.integers(1, 80)) for row in range(SAMPLES)]
    raw: dict[str, list[Any]] = {
        "age": ages,
        "fare": [round(float(draws.exponential(30)), 2) for _ in range(SAMPLES)],
        "deck of ship": [None if row % 5 == 0 else "ABC"[row % 3] for row in range(SAMPLES)],
        "性别": ["男" if row % 3 else "女" for row in range(SAMPLES)],
        "label": [float(row % 4) for row in range(SAMPLES)],  # a column that is called as an output is
        "sold": [f"2024-0{1 + row % 9}-11" for row in range(SAMPLES)],
        "paid": [row % 2 == 0 for row in range(SAMPLES)],
    }
    target = [float(row % 11) * 1000 for row in range(SAMPLES)] if regression else labels(SAMPLES, 2)
    data = danlu.load({**raw, "y": target}, target="y")
    seen = {name: [*column] for name, column in raw.items()}
    seen["deck of ship"][3], seen["性别"][4], seen["fare"][5] = "Z", "", float("nan")
    return case(built("mlp", data, hidden=(16,)), data, seen)


def numbers(net: str = "mlp", **options: Any) -> Case:
    x = generator().normal(3, 2, (SAMPLES, 6))
    data = danlu.load((x, x[:, 0] * 2 + x[:, 1]))
    return case(built(net, data, **options), data, x)


def limited() -> Case:
    found = numbers()
    fitted = found.answerer.fitted
    target: Any = fitted.target
    target = type(target)(target.mean, target.scale, (5.0,), (9.0,), limited=True)
    limited_fitted = Preprocessing(
        name=fitted.name, sample_shape=fitted.sample_shape, encoder=fitted.encoder, target=target
    )
    return Case(Answerer(limited_fitted, found.answerer.net, torch.float32), found.raw)


def one_logit() -> Case:
    x = generator().normal(0, 1, (SAMPLES, 5))
    data = danlu.load((x, [bool(value > 0) for value in x[:, 0]]))
    return case(built("logistic-regression", data), data, x)


def autoencoder() -> Case:
    raw = pictures(SAMPLES, 8, 8)
    data = danlu.load((raw, [0, 1] * (SAMPLES // 2)), task="reconstruction")
    return case(nets.Autoencoder(inputs=64, hidden=(16,), code=4), data, raw)


NAMES = ["Ann", "Bo", "Chu-Lee", "d'Arc", "Eve", "Fitzgerald", "Gu", "Ho", "Ivanović", "Jo"] * 6


def names_of(cell: str, *, bidirectional: bool = False, layers: int = 1, engine: str = "auto") -> Case:
    data = texts()
    options = {"bidirectional": bidirectional, "layers": layers, "engine": engine}
    net = built("sequence-classifier", data, cell=cell, hidden=12, embedding=8, dropout=0.3, **options)
    return case(net, data, [*NAMES[:-1], "Zoë?"], whole=True)


def texts() -> Dataset:
    from danlu.data.dataset import Origin
    from danlu.data.options import Options
    from danlu.data.targets import Labels
    from danlu.data.text.sequences import text_dataset

    y = torch.tensor([row % 3 for row in range(len(NAMES))])
    pools: dict[str, Any] = {"train": (NAMES, y)}
    return text_dataset("names", pools, Labels(("x", "y", "z")), Options(), "characters", Origin())


def language(cell: str = "lstm", engine: str = "auto") -> Case:
    from danlu.data.dataset import Origin
    from danlu.data.options import Options
    from danlu.data.text.corpus import Corpus, corpus_dataset

    text = "the cat sat on the mat. a dog ran off! " * 40
    data = corpus_dataset("cats", Corpus(text), Options(), Origin())
    net = built("language-model", data, cell=cell, hidden=12, embedding=8, engine=engine)
    raw = [text[start : start + 10 + start % 9] for start in range(SAMPLES)]
    return case(net, data, raw, whole=True)


class Own(nn.Module):
    """A net of a user's own, with dropout, normalisation, a residual sum and a recurrent layer over columns."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 12)
        self.norm = nn.BatchNorm1d(12)
        self.drop = nn.Dropout(0.5)
        self.steps = nn.GRU(3, 5, batch_first=True)
        self.last = nn.Linear(12 + 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        wide = self.drop(torch.relu(self.norm(self.first(x))))
        _, state = self.steps(x.reshape(x.shape[0], 2, 3))
        return self.last(torch.cat([wide, state[-1]], 1))


class Attention(nn.Module):
    """torch's own transformer encoder over tokens."""

    def __init__(self, tokens: int, classes: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(tokens, 16)
        layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.output = nn.Linear(16, classes)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.output(self.encoder(self.embed(tokens)).mean(1))


def own() -> Case:
    found = numbers()
    return Case(Answerer(found.answerer.fitted, settled(Own()), torch.float32), found.raw)


def attention() -> Case:
    data = texts()
    assert data.vocabulary is not None
    return case(Attention(len(data.vocabulary), 3), data, NAMES, whole=True)


CASES: dict[str, Callable[[], Case]] = {
    "lenet5": grey,
    "digits": digits,
    "table": table,
    "table-regression": lambda: table(regression=True),
    "resized": resized,
    "resized-grey": lambda: resized(1),
    "small-resnet": lambda: colour("small-resnet"),
    "small-densenet": lambda: colour("small-densenet"),
    "small-inception": lambda: colour("small-inception"),
    "googlenet": lambda: colour("googlenet", 32, aux=True),
    "densenet121": lambda: colour("densenet121"),
    "resnet18": lambda: colour("resnet18"),
    "regression": numbers,
    "limited": limited,
    "one-logit": one_logit,
    "mixture": lambda: numbers("mixture-density", hidden=(8,)),
    "autoencoder": autoencoder,
    "names-lstm": lambda: names_of("lstm"),
    "names-lstm-both": lambda: names_of("lstm", bidirectional=True, layers=2),
    "names-gru": lambda: names_of("gru"),
    "names-gru-both": lambda: names_of("gru", bidirectional=True, layers=2),
    "names-rnn-own": lambda: names_of("rnn", engine="own", bidirectional=True),
    "names-gru-own": lambda: names_of("gru", engine="own", layers=2),
    "language-lstm": language,
    "language-gru": lambda: language("gru", "own"),
    "own-module": own,
    "transformer": attention,
}
QUICK = ("lenet5", "table", "resized", "regression", "names-gru-both", "language-lstm", "own-module")
