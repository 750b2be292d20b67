"""Raw samples: encoded again they are what the net saw, whatever kind of source they come from."""

from pathlib import Path
from typing import Any

import numpy
import polars
import pytest
import torch
from PIL import Image

from danlu.base.errors import UserError
from danlu.base.strict_json import to_json
from danlu.data import PARTS, Dataset, load
from danlu.data.raw import raw_samples
from danlu.data.vocabulary import Vocabulary

NUMBERS = numpy.random.default_rng(0)
ROWS = 90
X = NUMBERS.normal(size=(ROWS, 3)) * [1, 1e6, 1e-3]
BYTES = NUMBERS.integers(0, 256, (ROWS, 8, 9, 3), dtype=numpy.uint8)
THREE = numpy.arange(ROWS) % 3
TEXTS = [f"good day number {row}" for row in range(ROWS)]
TABLE = polars.DataFrame(
    {
        "id": list(range(100, 100 + ROWS)),
        "number": [None if row % 7 == 0 else row * 0.1 for row in range(ROWS)],
        "huge": [2**60 + row % 11 for row in range(ROWS)],
        "town": [("Ulm", "Bonn", None, "Köln")[row % 4] for row in range(ROWS)],
        "code": [f"00{row % 5}" for row in range(ROWS)],
        "day": [f"{row % 28 + 1:02}.01.2024" for row in range(ROWS)],
        "is": [row % 3 == 0 for row in range(ROWS)],
        "price": [row * 1.5 for row in range(ROWS)],
    }
)


def csv(place: Path) -> Any:
    TABLE.write_csv(place / "t.csv")
    return place / "t.csv"


def parquet(place: Path) -> Any:
    TABLE.with_columns(polars.col("day").str.to_date("%d.%m.%Y")).write_parquet(place / "t.parquet")
    return place / "t.parquet"


def apart(place: Path) -> Any:
    TABLE.head(60).write_csv(place / "train.csv")
    TABLE.tail(30).write_csv(place / "test.csv")
    return {"train": place / "train.csv", "test": place / "test.csv"}


def folder(place: Path) -> Any:
    for name in ("light", "dark"):
        (place / "pictures" / name).mkdir(parents=True)
        for number in range(20):
            side = 20 + number % 3
            pixels = NUMBERS.integers(0, 255, (side, 24, 3), dtype=numpy.uint8)
            picture, exif = Image.fromarray(pixels), Image.Exif()
            exif[0x0112] = 6 if number % 4 == 0 else 1
            picture.save(place / "pictures" / name / f"{number}.{'jpg' if number % 2 else 'png'}", exif=exif)
    return place / "pictures"


def deep(place: Path) -> Any:
    for name in ("light", "dark"):
        (place / "deep" / name).mkdir(parents=True)
        for number in range(12):
            pixels = NUMBERS.integers(0, 3000 if name == "light" else 300, (16, 16), dtype=numpy.uint16)
            Image.fromarray(pixels).save(place / "deep" / name / f"{number}.png")
    return place / "deep"


def book(place: Path) -> Any:
    (place / "book.txt").write_text(
        "the time traveller, for so it will be convenient to speak of him\n" * 40 + "Zebra ✓"
    )
    return place / "book.txt"


def given(source: Any) -> Any:
    def give(place: Path) -> Any:
        return source

    return give


CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "csv, classes": (csv, {"target": "is"}),
    "csv, numbers": (csv, {"target": "price"}),
    "csv, a fold": (csv, {"target": "price", "fold": (1, 3)}),
    "parquet": (parquet, {"target": "is"}),
    "files apart": (apart, {"target": "price"}),
    "frame": (given(TABLE), {"target": "is"}),
    "numbers": (given((X, THREE)), {}),
    "numbers, classes apart": (given({"train": (X[:60], THREE[:60]), "test": (X[60:], THREE[60:])}), {}),
    "numbers as they are": (given((X, X[:, :2])), {"standardise": False}),
    "one number": (given((X[:, 0], X[:, 1])), {}),
    "pictures": (given((BYTES, THREE)), {}),
    "pictures made smaller": (given((BYTES, ["a", "b", "c"] * 30)), {"image_size": 4}),
    "grey floats": (given((BYTES[..., 0] / 255, THREE == 1)), {}),
    "texts": (given((TEXTS, ["b", "a", "a"] * 30)), {"tokens": "words"}),
    "texts cut off": (given((TEXTS, ["b", "a", "a"] * 30)), {"steps": 6}),
    "folder": (folder, {}),
    "folder made smaller": (folder, {"image_size": 9}),
    "folder of 16 bits": (deep, {}),
    "book": (book, {"steps": 8}),
    "book of words": (book, {"steps": 5, "tokens": "words", "min_frequency": 2}),
    "digits": (given("digits"), {}),
    "digits, small": (given("digits"), {"image_size": 6}),
    "digits, themselves": (given("digits"), {"task": "reconstruction"}),
    "iris, refit": (given("iris"), {"refit": True}),
    "windows": (csv, {"target": "price", "window": 4, "time": "rows"}),
    "windows of two steps": (parquet, {"target": "price", "window": 3, "horizon": 2, "time": "rows", "group": "is"}),
    "breast-cancer": (given("breast-cancer"), {"samples": 50}),
}


def seen(data: Dataset, part: str) -> torch.Tensor:
    if data.vocabulary is not None and data.task == "language":
        corpus: Any = data
        windows = corpus.corpora[part][: data.sizes[part] * corpus.steps]
        return windows.view(data.sizes[part], corpus.steps)
    return torch.cat([x for x, _ in data.batches(part, 50, device=torch.device("cpu"))])


@pytest.mark.every(3)
@pytest.mark.parametrize("name", CASES)
def test_encoded_again_they_are_what_the_net_saw(name: str, tmp_path: Path) -> None:
    source, options = CASES[name]
    data = load(source(tmp_path), **options)
    for part in PARTS:
        if not data.sizes[part]:
            continue
        raw, wanted = raw_samples(data, part), seen(data, part)
        assert len(raw) == data.sizes[part]
        encoded = data.encode(raw.samples)
        if raw.kind == "texts":
            encoded = encoded[:, : wanted.shape[1]]
        assert torch.equal(encoded, wanted.to(encoded.dtype))
        some = raw_samples(data, part, [1, 0])
        if raw.targets is not None:
            assert some.targets == [raw.targets[1], raw.targets[0]]
            targets = torch.cat([y for _, y in data.batches(part, 50, device=torch.device("cpu"), dtype=torch.float64)])
            assert numpy.array_equal(numpy.array(raw.targets), data.decode(targets)) or numpy.allclose(
                numpy.array(raw.targets, dtype=float), numpy.array(data.decode(targets), dtype=float)
            )


def test_rows_of_a_table_are_plain_values(tmp_path: Path) -> None:
    data = load(csv(tmp_path), target="price", test=0.5)
    raw = raw_samples(data, "test")
    to_json(raw.samples)
    rows = {value: number for number, value in enumerate(TABLE["price"])}
    first = rows[raw.targets[0]]  # pyright: ignore[reportOptionalSubscript]
    assert raw.samples["town"][0] == TABLE["town"][first]
    assert raw.samples["day"][0] == TABLE["day"][first]
    assert raw.samples["is"][0] is TABLE["is"][first]
    assert raw.samples["huge"][0] == TABLE["huge"][first]
    assert "id" not in raw.samples  # which the net never sees


def test_pictures_keep_the_sizes_of_their_files(tmp_path: Path) -> None:
    raw = raw_samples(load(folder(tmp_path), image_size=9), "train")
    assert {picture.shape for picture in raw.samples} >= {(3, 20, 24), (3, 24, 20), (3, 21, 24)}
    assert all(picture.dtype == numpy.uint8 for picture in raw.samples)


def test_a_source_that_has_changed_or_gone_is_told(tmp_path: Path) -> None:
    data = load(csv(tmp_path), target="price")
    TABLE.with_columns(polars.col("number") * 2).write_csv(tmp_path / "t.csv")
    with pytest.raises(UserError, match="has changed"):
        raw_samples(data, "test")
    (tmp_path / "t.csv").unlink()
    with pytest.raises(UserError, match=r"t\.csv"):
        raw_samples(data, "test")


def test_what_a_users_own_code_reads_is_told() -> None:
    class Own(torch.utils.data.Dataset[Any]):
        def __len__(self) -> int:
            return 40

        def __getitem__(self, row: int) -> Any:
            return torch.zeros(3), row % 2

    with pytest.raises(UserError, match="your own code"):
        raw_samples(load(Own()), "test")


def test_a_stream_of_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("danlu.data.folder.load.HELD_BYTES", 1)
    data = load(folder(tmp_path))
    assert torch.equal(data.encode(raw_samples(data, "test").samples), seen(data, "test"))


def test_unknown_tokens_stay_unknown() -> None:
    assert Vocabulary.of(["ab"], "characters").encode("a\ufffd").tolist() == [2, 1]
    assert Vocabulary.of([["a"]], "words").encode("a \ufffd").tolist() == [2, 1]
