"""Nets of the tasks whose samples, or answers, are more than a row and a class: cases as in `export_cases`."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, cast

import torch
from torch import Tensor, nn

import danlu
import export_cases
from danlu import nets
from danlu.base.token_numbers import END
from danlu.data import Dataset
from danlu.data.label_sets import LabelSets
from danlu.data.preprocessing import Preprocessing
from danlu.data.raw import raw_samples
from danlu.data.several_encoder import layout_of
from danlu.nets.call_form import call_as
from danlu.ship import Answerer
from export_cases import CASES, NAMES, SAMPLES, Case, built, case, generator, numbers, pictures, settled, texts

DAY = date(2023, 1, 1)


def with_thresholds(found: Case) -> Case:
    """Labels whose thresholds are not all the same, as a training chooses them."""
    fitted = found.answerer.fitted
    assert isinstance(fitted.target, LabelSets)
    chosen = replace(fitted.target, thresholds=(0.3, 0.55, 0.7))
    return replace(found, answerer=replace(found.answerer, fitted=replace(fitted, target=chosen)))


def label_cells() -> Case:
    """A table whose target holds several labels a cell."""
    draws = generator()
    raw: dict[str, list[Any]] = {
        "size": [None if row % 9 == 0 else float(draws.normal(5, 2)) for row in range(SAMPLES)],
        "kind": [None if row % 7 == 0 else "abc"[row % 3] for row in range(SAMPLES)],
    }
    cells = [("red;round", "red", ";", "蓝;round", "蓝")[row % 5] for row in range(SAMPLES)]
    data = danlu.load({**raw, "y": cells}, target="y")
    return with_thresholds(case(built("mlp", data, hidden=(16,)), data, raw))


def label_pictures() -> Case:
    raw = pictures(SAMPLES, 12, 12, 3)
    data = danlu.load((raw, generator().integers(0, 2, (SAMPLES, 3)).astype(bool)))
    return with_thresholds(case(built("small-resnet", data, width=4, blocks=(1, 1)), data, raw))


def two_series(horizon: int = 2) -> Dataset:
    """Two series by days, one behind the other, with a gap, a column of numbers and one of names with gaps."""
    draws, rows = generator(), range(45)
    one = {
        "day": [str(DAY + timedelta(row + (row > 30))) for row in rows],
        "wind": [None if row % 8 == 3 else float(draws.integers(0, 9)) for row in rows],
        "sky": [None if row % 6 == 1 else ("clear", "rain", "云")[row % 3] for row in rows],
    }
    names = ["Ulm"] * len(rows) + ["Bonn"] * len(rows)
    temperatures = [*draws.normal(10, 4, len(rows)).tolist(), *draws.normal(300, 4, len(rows)).tolist()]
    table = {name: [*column, *column] for name, column in one.items()}
    return danlu.load(
        {**table, "town": names, "temp": temperatures}, target="temp", window=5, horizon=horizon, group="town"
    )


def windows(net: str, horizon: int = 2, **options: Any) -> Case:
    data = two_series(horizon)
    raw = raw_samples(data, "train", range(data.sizes["train"])).samples
    return case(built(net, data, **options), data, raw)


def masks(side: int = 13, *, resized: bool = False) -> Case:
    """A U-Net whose masks hold other numbers than 0, 1, 2."""
    raw = pictures(24, side, side, 3)
    values = raw[..., 0].astype(int) // 100 * 7
    data = danlu.load((raw, values), **({"image_size": 16} if resized else {}))
    return case(built("unet", data, width=4, depth=2), data, raw)


def tags(net: str, **options: Any) -> Case:
    sentences = [["the", "Katze", "sat"], ["a", "dog", "ran", "off", "!"], ["", "猫"]] * 20
    own = [["D", "N", "V"], ["D", "N", "V", "P", "X"], ["X", "N"]] * 20
    data = danlu.load((sentences, own))
    return case(built(net, data, **options), data, [*sentences[:-1], ["an", "unmet", "word"]], whole=True)


def writes(net: str, kind: str = "characters", *, seed: int, spread: float = 3.0, **options: Any) -> Case:
    """Pairs of texts, some with tokens that were not trained on; the net's weights are drawn, so that it writes many
    different texts, of which some end and some do not.
    """
    words = ("tea", "cup", "sun", "猫", "ink", "oak")
    sources = [f"{one} {two}" for one in words for two in words] * 3
    data = danlu.load((sources, [text[::-1] for text in sources]), task="translation", tokens=kind)
    raw = [*sources[:40], "an unmet one", "x"]
    found = case(built(net, data, embedding=8, **options), data, raw, whole=True)
    draws, made = torch.Generator().manual_seed(seed), cast(nets.RecurrentEncoderDecoder, found.answerer.net)
    with torch.no_grad():
        for parameter in made.parameters():
            wide = 0.3 if parameter.ndim < 2 else (2.0 / parameter[0].numel()) ** 0.5
            parameter.copy_(torch.randn(parameter.shape, generator=draws) * wide * spread)
        while not bool((made.translate(found.answerer.encode(raw)) == END).any()):
            made.output.bias[END] += 0.2
    return found


class Beside(nn.Module):
    """A picture, numbers, flags and whole numbers, each in an input of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.look, self.weigh = nn.Conv2d(3, 4, 3), nn.Linear(2, 4)
        self.embed, self.head = nn.Embedding(5, 4), nn.Linear(4, 3)

    def forward(self, image: Tensor, size: Tensor, wet: Tensor, words: Tensor) -> dict[str, Tensor]:
        seen = self.look(image).relu().mean((2, 3)) + self.weigh(size) + self.embed(words).mean(1)
        return {"logits": self.head((seen * (1 + wet[:, None])).tanh())}


class Both(nn.Module):
    """Two inputs by their places."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(3, 1), nn.Linear(1, 1)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.left(left) + self.right(right[:, None])


def several(net: nn.Module, given: Any, y: Any) -> Case:
    data = danlu.load((given, y))
    call_as(settled(net), layout_of(data.encoder), None, tuple(data.sample_shape), torch.float32)
    raw = given if isinstance(given, dict) else {str(place): one for place, one in enumerate(given)}
    return Case(Answerer(Preprocessing.of(data), net, torch.float32), raw)


def several_by_name() -> Case:
    draws = generator()
    given = {
        "image": pictures(SAMPLES, 6, 6, 3).transpose(0, 3, 1, 2).copy(),
        "size": draws.normal(100, 30, (SAMPLES, 2)),
        "wet": draws.integers(0, 2, SAMPLES).astype(bool),
        "words": draws.integers(0, 5, (SAMPLES, 4)),
    }
    return several(Beside(), given, [row % 3 for row in range(SAMPLES)])


def several_by_place() -> Case:
    draws = generator()
    left, right = draws.normal(3, 2, (SAMPLES, 3)).astype("float32"), draws.normal(9, 4, SAMPLES)
    return several(Both(), (left, right), left[:, 0] + right)


def tabm() -> Case:
    return numbers("tabm", members=4, depth=2, width=16)


def names_transformer() -> Case:
    data = texts()
    net = built("transformer-classifier", data, embedding=8, heads=2, layers=1)
    return case(net, data, [*NAMES[:-1], "Zoë?"], whole=True)


def language_transformer() -> Case:
    found = CASES["language-lstm"]()
    vocabulary = found.answerer.fitted.vocabulary
    assert vocabulary is not None
    net = nets.TransformerLanguageModel(len(vocabulary), embedding=8, heads=2, layers=1)
    name, options = nets.recipe_of(net) or ("", {})
    return replace(found, answerer=replace(found.answerer, net=settled(net)), net={"name": name, "options": options})


TASKS: dict[str, Callable[[], Case]] = {
    "labels": label_cells,
    "labels-pictures": label_pictures,
    "series-lstm": lambda: windows("lstm", shortcut="last"),
    "series-gru": lambda: windows("gru", shortcut="linear"),
    "series-rnn": lambda: windows("rnn", horizon=1),
    "series-tcn": lambda: windows("tcn", width=8),
    "series-mlp": lambda: windows("mlp", hidden=(16,)),
    "masks": masks,
    "masks-resized": lambda: masks(20, resized=True),
    "tags-lstm": lambda: tags("sequence-tagger", hidden=8, embedding=8),
    "tags-gru": lambda: tags("sequence-tagger", cell="gru", hidden=8, embedding=8, layers=2),
    "tags-transformer": lambda: tags("transformer-tagger", embedding=8, heads=2, layers=1),
    "writes-gru": lambda: writes("encoder-decoder", hidden=8, seed=0),
    "writes-lstm": lambda: writes(
        "encoder-decoder", "words", hidden=8, cell="lstm", layers=2, attention="additive", seed=4
    ),
    "writes-rnn": lambda: writes(
        "encoder-decoder", hidden=8, cell="rnn", attention="none", bidirectional=False, seed=2
    ),
    "writes-transformer": lambda: writes("transformer-encoder-decoder", heads=2, layers=1, seed=7, spread=2.0),
    "several-inputs": several_by_name,
    "several-by-place": several_by_place,
    "tabm": tabm,
    "names-transformer": names_transformer,
    "language-transformer": language_transformer,
}
ALL = {**CASES, **TASKS}
QUICK = (*export_cases.QUICK, "labels", "series-lstm", "masks", "tags-lstm", "several-inputs")
