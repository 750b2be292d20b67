"""Every task with everything that danlu does: what works, and what is refused, by the phrase that says why."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy
import torch
from torch import nn

import danlu
import every_kind

NUMBERS = numpy.random.default_rng(0)
VERBS = ("fit", "resume", "watch", "check", "compare", "predict", "evaluate", "export", "report", "try")


class TwoInputs(nn.Module):
    """Two inputs that go by their names."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(3, 8), nn.Linear(2, 8)
        self.head = nn.Linear(8, 2)

    def forward(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        return self.head((self.left(left) + self.right(right)).relu())


class Ground(NamedTuple):
    """What is trained on what, with further settings, and raw samples that the run can be asked with."""

    net: Any
    data: Any
    settings: dict[str, Any]
    raw: Any


class Task(NamedTuple):
    """A task by its name in both languages, how its ground is made in a folder, and what is refused, by verb."""

    en: str
    zh: str
    ground: Callable[[Path], Any]
    refused: Mapping[str, str] = MappingProxyType({})


def several_numbers(_: Path) -> Ground:
    x = NUMBERS.normal(size=(90, 4))
    return Ground("mlp", (x, x[:, :2] * 3.0), {}, x[:5])


def several_labels(_: Path) -> Ground:
    x = NUMBERS.normal(size=(90, 4))
    return Ground("mlp", (x, x[:, :3] > 0), {}, x[:5])


def segmentation(_: Path) -> Ground:
    images = NUMBERS.integers(0, 255, (40, 8, 8), dtype=numpy.uint8)
    return Ground("unet", (images, (images > 128).astype("int64")), {"width": 4, "depth": 1}, images[:3])


def tagging(_: Path) -> Ground:
    tokens = [["the", "cat", "sat"], ["a", "dog", "ran", "off"]] * 30
    tags = [["D", "N", "V"], ["D", "N", "V", "P"]] * 30
    return Ground("sequence-tagger", (tokens, tags), {"hidden": 8, "embedding": 8}, [["the", "dog"]])


def translation(place: Path) -> Ground:
    rows = [f"{number:02} {word},{word[::-1]} {number:02}" for number in range(30) for word in ("cat", "dog", "hen")]
    (place / "pairs.csv").write_text("\n".join(["source,target", *rows]), encoding="utf-8")
    return Ground("encoder-decoder", place / "pairs.csv", {"hidden": 8, "embedding": 8}, ["07 cat", "11 dog"])


def transformer_translation(place: Path) -> Ground:
    _, data, _, raw = translation(place)
    return Ground("transformer-encoder-decoder", data, {"embedding": 8, "heads": 2}, raw)


def several_inputs(_: Path) -> Ground:
    left, right = (NUMBERS.normal(size=(80, width)).astype("float32") for width in (3, 2))
    parts = {"left": left, "right": right}
    return Ground(TwoInputs, (parts, (left[:, 0] > 0).astype("int64")), {}, {name: x[:4] for name, x in parts.items()})


def transformer(place: Path) -> Ground:
    _, data, settings, raw = every_kind.book(place)
    return Ground("transformer-language-model", data, settings | {"embedding": 8, "heads": 2}, raw)


NOT_SCORED = {"evaluate": "ship.not-evaluated"}
TASKS: dict[str, Task] = {
    "classes": Task("classes, from a table", "分类（表格）", every_kind.table),
    "numbers": Task("numbers, from a table", "回归（表格）", every_kind.prices),
    "several-numbers": Task("several numbers", "多个目标", several_numbers),
    "several-labels": Task("several labels", "多标签", several_labels),
    "images": Task("classes of images", "图像分类", every_kind.digits),
    "segmentation": Task("a class for each pixel", "语义分割", segmentation),
    "texts": Task("classes of texts", "文本分类", every_kind.texts),
    "tagging": Task("a tag for each token", "词元标注", tagging),
    "translation": Task("translation, recurrent", "翻译（循环网络）", translation),
    "transformer-translation": Task("translation, transformer", "翻译（Transformer）", transformer_translation),
    "language": Task("language, recurrent", "语言模型（循环网络）", every_kind.book, NOT_SCORED),
    "transformer": Task("language, transformer", "语言模型（Transformer）", transformer, NOT_SCORED),
    "reconstruction": Task("reconstruction", "重建", every_kind.itself, NOT_SCORED),
    "series": Task("time series", "时间序列", every_kind.series),
    "several-inputs": Task(
        "a net of several inputs",
        "多输入网络",
        several_inputs,
        {"try": "ship.cannot-try-files"},
    ),
}


def net_of(ground: Ground) -> Any:
    """The net as `fit` takes it: by name, or built anew with the same first weights."""
    if isinstance(ground.net, str):
        return ground.net
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return ground.net()


def ground_of(task: Task, place: Path) -> Ground:
    """The ground in `place`."""
    return Ground(*task.ground(place))


def trained(ground: Ground, folder: Path, **more: Any) -> danlu.Run:
    """A run of two epochs."""
    return danlu.fit(
        net_of(ground), ground.data, **{"epochs": 2, "folder": folder, "progress": False} | ground.settings | more
    )


def a_few(raw: Any) -> int:
    """How many samples there are in what a run is asked with."""
    return len(next(iter(raw.values())) if isinstance(raw, dict) else raw)
