"""The fitted preprocessing as JSON and back: the same numbers in, the same answers out, for every kind of data."""

import json
from pathlib import Path
from typing import Any

import numpy
import polars
import pytest
import torch

from danlu.base.strict_json import to_json
from danlu.data import Dataset, load
from danlu.data.plain import from_plain, to_plain
from danlu.data.preprocessing import Preprocessing

NUMBERS = numpy.random.default_rng(0)
X = NUMBERS.normal(size=(60, 3)) * [1, 1e6, 1e-3]
BYTES = NUMBERS.integers(0, 256, (60, 8, 9, 3), dtype=numpy.uint8)
THREE = numpy.arange(60) % 3
TABLE = polars.DataFrame(
    {
        "number": [None if row % 7 == 0 else row * 0.1 for row in range(60)],
        "town": [("Ulm", "Bonn", None, "Köln")[row % 4] for row in range(60)],
        "day": [f"2024-01-{row % 28 + 1:02}" for row in range(60)],
        "is": [row % 3 == 0 for row in range(60)],
        "y": [row * 1.5 for row in range(60)],
    }
)
TEXTS = ["good day", "bad day", "what a day"] * 20
CONSTANT = numpy.concatenate([X, numpy.full((60, 1), 7.0)], axis=1)

CASES: list[tuple[Any, dict[str, Any], Any]] = [
    (TABLE, {"target": "y"}, TABLE.head(5)),
    (TABLE, {"target": "is"}, TABLE.head(5)),
    ((X, THREE), {}, X[:4]),
    ((X, X[:, 1]), {}, X[:4]),
    ((X, X[:, :2]), {"standardise": False}, X[:4]),
    ((CONSTANT, numpy.where(THREE == 1, -1, 1)), {}, CONSTANT[:4]),
    ((X[:, :, None] * 1e3, THREE), {}, X[:4, :, None]),
    ((BYTES, THREE), {}, BYTES[:4]),
    ((BYTES, ["a", "b", "c"] * 20), {"image_size": 4}, BYTES[:4]),
    ((BYTES[..., 0] / 255, THREE == 1), {}, BYTES[:4, ..., 0] / 255),
    ((TEXTS, ["b", "a", "a"] * 20), {"tokens": "words"}, ["a new day", "good"]),
    ("digits", {}, numpy.full((2, 8, 8), 9.0)),
    ("digits", {"task": "reconstruction"}, numpy.full((2, 8, 8), 9.0)),
    ("iris", {}, None),
]


def both(data: Dataset) -> tuple[Preprocessing, Preprocessing]:
    fitted = Preprocessing.of(data)
    text = to_json(to_plain(fitted))
    return fitted, from_plain(json.loads(text))


@pytest.mark.parametrize(("source", "options", "raw"), CASES)
def test_it_comes_back_bit_for_bit(source: Any, options: dict[str, Any], raw: Any) -> None:
    data = load(source, **options)
    fitted, again = both(data)
    assert (again.task, again.outputs, again.sample_shape) == (data.task, data.outputs, tuple(data.sample_shape))
    assert (again.classes, again.target) == (data.classes, data.target)
    if raw is not None:
        assert torch.equal(fitted.encode(raw), again.encode(raw))
        assert fitted.encode(raw).dtype == again.encode(raw).dtype
        assert [str(one) for one in fitted.remarks(raw)] == [str(one) for one in again.remarks(raw)]
    outputs = torch.arange(data.outputs).remainder(data.outputs)
    if data.task in ("regression", "reconstruction"):
        outputs = torch.linspace(-1, 1, data.outputs).unsqueeze(0)
    one, other = fitted.decode(outputs), again.decode(outputs)
    assert numpy.array_equal(numpy.asarray(one), numpy.asarray(other))
    assert numpy.asarray(one).dtype == numpy.asarray(other).dtype


def test_a_language_model_keeps_its_vocabulary(tmp_path: Path) -> None:
    (tmp_path / "book.txt").write_text("the time traveller, for so it will be convenient to speak of him. " * 20)
    fitted, again = both(load(tmp_path / "book.txt", steps=8))
    assert fitted.vocabulary is not None
    assert again.vocabulary is not None
    assert again.vocabulary.tokens == fitted.vocabulary.tokens
    assert torch.equal(fitted.encode(["time %"]), again.encode(["time %"]))
    assert again.decode(again.encode("time")[0]) == "time"


def test_no_name_in_a_file_is_looked_up_anywhere() -> None:
    plain = to_plain(Preprocessing.of(load("iris")))
    plain["encoder"]["kind"] = "os.system"
    with pytest.raises(KeyError, match=r"os\.system"):
        from_plain(plain)
