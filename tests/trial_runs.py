"""Small runs of each kind, to be tried out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

import danlu

ROWS = 120
KINDS = ("digits", "photos", "table", "prices", "arrays", "texts", "book", "itself", "masks", "tags", "series", "pairs")


def trained(kind: str, place: Path) -> danlu.Run:
    """A run of that kind in `place`, trained for an epoch or a few."""
    net, data, settings = _SOURCES[kind](place)
    return danlu.fit(net, data, folder=place / "runs" / kind, progress=False, **{"epochs": 2, **settings})


def _table(place: Path, target: str) -> tuple[str, Any, dict[str, Any]]:
    random = numpy.random.default_rng(0)
    lines = [f"sex,age,fare,{target}"]
    for row in range(ROWS):
        woman, age = row % 3 == 0, "" if row % 10 == 0 else f"{random.uniform(1, 70):.0f}"
        fare = random.uniform(5, 80)
        right = f"{10 * fare + row:.1f}" if target == "price" else "yes" if woman else "no"
        lines.append(f"{'female' if woman else 'male'},{age},{fare:.2f},{right}")
    path = place / f"{target}.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return "mlp", path, {"target": target, "epochs": 30, "lr": 0.1}


def _photos(place: Path) -> tuple[str, Any, dict[str, Any]]:
    random = numpy.random.default_rng(1)
    for name, value in (("dark", 40), ("light", 200)):
        (place / "photos" / name).mkdir(parents=True, exist_ok=True)
        for number in range(20):
            pixels = random.integers(0, 50, (12, 16, 3), dtype=numpy.uint8) + numpy.uint8(value)
            Image.fromarray(pixels).save(place / "photos" / name / f"{number}.png")
    return "mlp", place / "photos", {}


def _arrays(_: Path) -> tuple[str, Any, dict[str, Any]]:
    x = numpy.random.default_rng(2).normal(size=(ROWS, 3))
    return "linear-regression", (x, 5 * x[:, 0] + 100), {"epochs": 20, "lr": 0.1}


def _texts(_: Path) -> tuple[str, Any, dict[str, Any]]:
    source = (["good day", "bad day", "well met"] * 30, ["p", "q", "r"] * 30)
    return "sequence-classifier", source, {"epochs": 10, "optim.name": "adam", "lr": 0.01}


def _book(place: Path) -> tuple[str, Any, dict[str, Any]]:
    (place / "book.txt").write_text("the time traveller was expounding a recondite matter to us. " * 20)
    return "language-model", place / "book.txt", {"steps": 8, "batch_size": 4, "hidden": 16, "embedding": 8}


def _masks(_: Path) -> tuple[str, Any, dict[str, Any]]:
    images = numpy.random.default_rng(3).integers(0, 255, (60, 8, 8), dtype=numpy.uint8)
    return "unet", (images, (images > 128) * 7), {"width": 4, "depth": 1, "epochs": 30, "lr": 0.02}


def _tags(_: Path) -> tuple[str, Any, dict[str, Any]]:
    tokens = [["the", "cat", "sat"], ["a", "dog", "ran", "off"]] * 30
    tags = [["D", "N", "V"], ["D", "N", "V", "P"]] * 30
    return "sequence-tagger", (tokens, tags), {"hidden": 8, "embedding": 8, "epochs": 8, "lr": 0.05}


def _series(place: Path) -> tuple[str, Any, dict[str, Any]]:
    lines = ["day,town,temp"]
    for row in range(60):
        day = f"2024-{1 + row // 28:02d}-{1 + row % 28:02d}"
        lines += [f"{day},{town},{start + row % 7}" for town, start in (("Ulm", 10), ("Bonn", 30))]
    (place / "weather.csv").write_text("\n".join(lines), encoding="utf-8")
    return "gru", place / "weather.csv", {"target": "temp", "window": 4, "group": "town"}


def _pairs(_: Path) -> tuple[str, Any, dict[str, Any]]:
    words = ("tea", "cup", "sun", "ink")
    sources = [f"{one} {two}" for one in words for two in words] * 4
    settings: dict[str, Any] = {"task": "translation", "tokens": "characters", "hidden": 16, "embedding": 8}
    return "encoder-decoder", (sources, [text[::-1] for text in sources]), {**settings, "epochs": 4}


_SOURCES: dict[str, Callable[[Path], tuple[str, Any, dict[str, Any]]]] = {
    "digits": lambda _: ("softmax-regression", "digits", {"epochs": 20}),
    "photos": _photos,
    "table": lambda place: _table(place, "survived"),
    "prices": lambda place: _table(place, "price"),
    "arrays": _arrays,
    "texts": _texts,
    "book": _book,
    "masks": _masks,
    "tags": _tags,
    "series": _series,
    "pairs": _pairs,
    "itself": lambda _: ("autoencoder", "digits", {"epochs": 1}),
}
