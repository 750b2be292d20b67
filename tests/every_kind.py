"""A training on every kind of data: what a net is trained on, and raw samples that it can be asked with."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import polars
from PIL import Image
from sklearn.datasets import load_digits

import danlu

NUMBERS = numpy.random.default_rng(0)
ROWS = 120
DIGITS: Any = load_digits().images  # pyright: ignore[reportAttributeAccessIssue]
TABLE = polars.DataFrame(
    {
        "a": NUMBERS.normal(size=ROWS),
        "b": NUMBERS.normal(size=ROWS) * 100,
        "town": [("Ulm", "Bonn", "Köln")[row % 3] for row in range(ROWS)],
        "kind": [("yes", "maybe", "no")[row % 3] for row in range(ROWS)],
        "price": NUMBERS.normal(size=ROWS) * 50 + 900,
    }
)
TEXT = "the time traveller, for so it will be convenient to speak of him, was expounding. " * 20


def write_pictures(folder: Path, scale: int = 1) -> None:
    for name, value in (("dark", 40), ("light", 200)):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(20):
            pixels = NUMBERS.integers(0, 50, (12, 12), dtype=numpy.uint8) // scale + numpy.uint8(value)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


def table(place: Path) -> tuple[str, Any, dict[str, Any], Any]:
    TABLE.drop("price").write_csv(place / "t.csv")
    return "mlp", place / "t.csv", {"target": "kind"}, TABLE.head(7)


def prices(place: Path) -> tuple[str, Any, dict[str, Any], Any]:
    TABLE.drop("kind").write_csv(place / "t.csv")
    return "mlp", place / "t.csv", {"target": "price"}, TABLE.head(7)


def series(place: Path) -> tuple[str, Any, dict[str, Any], Any]:
    days = polars.date_range(polars.date(2020, 1, 1), polars.date(2020, 4, 29), eager=True).alias("day")
    rows = TABLE.select("a", "town", "price").with_columns(days)
    rows.write_csv(place / "t.csv")
    return "lstm", place / "t.csv", {"target": "price", "window": 5}, rows.tail(11)


def pictures(place: Path) -> tuple[str, Any, dict[str, Any], Any]:
    write_pictures(place / "pictures")
    return "lenet5", place / "pictures", {}, NUMBERS.integers(0, 255, (5, 12, 12), dtype=numpy.uint8)


def book(place: Path) -> tuple[str, Any, dict[str, Any], Any]:
    (place / "book.txt").write_text(TEXT)
    return "language-model", place / "book.txt", {"steps": 8, "batch_size": 4}, ["the time", "for so"]


def digits(place: Path) -> tuple[str, Any, dict[str, Any], Any]:
    return "lenet5", "digits", {}, DIGITS[:3]


def arrays(place: Path) -> tuple[str, Any, dict[str, Any], Any]:
    x = TABLE.select("a", "b").to_numpy()
    return "mlp", (x, TABLE["price"].to_numpy()), {}, x[:7]


def texts(place: Path) -> tuple[str, Any, dict[str, Any], Any]:
    source = (["good day", "bad day", "well met"] * 30, ["p", "q", "r"] * 30)
    return "sequence-classifier", source, {}, ["good", "met"]


def itself(place: Path) -> tuple[str, Any, dict[str, Any], Any]:
    return "autoencoder", "digits", {}, DIGITS[:2]


Case = Callable[[Path], tuple[str, Any, dict[str, Any], Any]]
CASES: list[Case] = [table, prices, series, pictures, book, digits, arrays, texts, itself]


def trained(case: Case, place: Path) -> tuple[danlu.Run, Any]:
    net, data, settings, raw = case(place)
    return danlu.fit(net, data, epochs=1, folder=place / "run", progress=False, **settings), raw
