"""A table whose rows are kept on the disk is the table in memory: the same samples, encoder, order and weights."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import polars
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from danlu.base.errors import UserError
from danlu.base.words import speaking
from danlu.data import load
from danlu.data.large import dataset, files, store_builder
from danlu.data.memory import MemoryDataset
from danlu.data.raw import raw_samples
from danlu.data.readers import table_blocks
from danlu.data.table import frames, many_cells

CPU = torch.device("cpu")
ROWS = 160


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", 2500)
    monkeypatch.setattr(frames, "PARQUET_ROWS", 37)
    monkeypatch.setattr(dataset, "AT_A_TIME", 23)


def columns(rows: int = ROWS, seed: int = 0) -> dict[str, list[str]]:
    """Columns of every kind, some with gaps, as a CSV spells them."""
    random = numpy.random.default_rng(seed)
    numbers = random.normal(size=(rows, 3))
    whole = random.integers(0, 900, rows)
    words = random.choice(["red", "green", "blue, dark", ""], rows)
    days = random.integers(0, 4000, rows)
    return {
        "id": [str(n + 1) for n in range(rows)],
        "size": [f"{n:.4f}" for n in numbers[:, 0]],
        "gaps": ["" if n > 1 else f"{n:.2e}" for n in numbers[:, 1]],
        "odd": ["unknown" if n % 50 == 7 else str(one) for n, one in enumerate(whole)],
        "price": [f'"${one},{one % 900 + 100}.50"' if one else "$0.50" for one in whole],
        "day": [str(numpy.datetime64(int(day), "D")) for day in days],
        "german": [f"{day % 28 + 1}.{day % 12 + 1}.2021" for day in days],
        "long": [str(2**60 + int(one)) for one in whole],
        "colour": [f'"{word}"' for word in words],
        "code": [f"{one % 7:03}" for one in whole],
        "open": [str(bool(one % 3)) for one in whole],
        "note": [f"note {n}" for n in range(rows)],
        "same": ["4"] * rows,
        "kind": [("many", "few", "none")[int(n > 0) + int(n > 1)] for n in numbers[:, 2]],
        "amount": [f"{n:.6f}" for n in numbers.sum(1)],
        "group": [str(one % 40) for one in whole],
    }  # fmt: skip


def text(table: dict[str, list[str]], separator: str = ",") -> str:
    return (
        "\n".join([separator.join(table), *(separator.join(row) for row in zip(*table.values(), strict=True))]) + "\n"
    )


def same(path: Any, **options: Any) -> MemoryDataset:
    """Assert that both ways make the same data set; that on the disk."""
    small, big = load(path, stream=False, **options), load(path, stream=True, **options)
    assert isinstance(small, MemoryDataset) and isinstance(big, MemoryDataset)
    assert big.on_disk and not small.on_disk
    assert big.encoder == small.encoder
    assert big.target == small.target
    assert (big.sizes, big.sample_shape) == (small.sizes, small.sample_shape)
    assert torch.equal(big.x, small.x) and torch.equal(big.y, small.y)
    assert big.numbers is not None and small.numbers is not None and torch.equal(big.numbers, small.numbers)
    assert (big.lines is None) == (small.lines is None)
    assert big.lines is None or (small.lines is not None and torch.equal(big.lines, small.lines))
    assert big.columns == small.columns
    assert big.fingerprint() == small.fingerprint()
    assert big.recipe is not None and small.recipe is not None
    assert big.recipe.stream and replace(big.recipe, stream=None) == replace(small.recipe, stream=None)
    told = [str(note) for note in big.notes if note.id != "large.streamed"]
    assert told == [str(note) for note in small.notes]
    return big


OPTIONS: dict[str, dict[str, Any]] = {
    "classes": {"target": "kind"},
    "a number": {"target": "amount"},
    "a whole number": {"target": "group", "task": "regression"},
    "several numbers": {"target": ["amount", "size"]},
    "not standardised": {"target": "amount", "standardise": False},
    "by group": {"target": "kind", "group": "group"},
    "by time": {"target": "amount", "time": "day"},
    "as they stand": {"target": "kind", "time": "rows"},
    "weighted": {"target": "kind", "weight": "group"},
    "some columns": {"target": "kind", "columns": ["size", "colour", "day"]},
    "without columns": {"target": "kind", "drop": ["size", "note"]},
    "another split": {"target": "kind", "validation": 0.3, "test": 0.05, "split_seed": 4},
    "some samples": {"target": "kind", "samples": 50},
    "a fold": {"target": "kind", "fold": (1, 4)},
    "refitted": {"target": "amount", "refit": True},
}


@pytest.mark.every(12)
@pytest.mark.parametrize("options", OPTIONS)
def test_a_csv_on_the_disk_is_the_csv_in_memory(tmp_path: Path, options: str) -> None:
    (tmp_path / "t.csv").write_text(text(columns()), encoding="utf-8")
    same(tmp_path / "t.csv", **OPTIONS[options])


@pytest.mark.slow
@settings(
    max_examples=25, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 99),
    rows=st.integers(30, 200),
    block=st.integers(150, 4000),
    chosen=st.sets(
        st.sampled_from(["size", "gaps", "odd", "price", "day", "german", "long", "colour", "code", "note"]), min_size=1
    ),
    target=st.sampled_from(["kind", "amount"]),
    regular=st.sampled_from([60, 10_000]),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_any_table_is_the_same_both_ways(
    seed: int, rows: int, block: int, chosen: set[str], target: str, regular: int, end: str, tmp_path_factory: Any
) -> None:
    path = tmp_path_factory.mktemp("table") / "t.csv"
    table = {name: cells for name, cells in columns(rows, seed).items() if name in chosen or name == target}
    path.write_bytes(text(table).replace("\n", end).encode())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(table_blocks, "BLOCK_BYTES", block)
        patched.setattr(many_cells, "MOST_REGULAR", regular)
        try:
            load(path, target=target, stream=False)
        except UserError as error:
            with pytest.raises(UserError, match=".") as caught:
                load(path, target=target, stream=True)
            assert {one.id for one in error.faults} & {one.id for one in caught.value.faults}
            return
        same(path, target=target)


@pytest.mark.every(4)
@pytest.mark.parametrize("form", ["parquet", "tsv", "semicolons", "quoted over lines", "blank rows", "without names"])
def test_other_forms(tmp_path: Path, form: str) -> None:
    table = columns()
    path = tmp_path / {"parquet": "t.parquet", "tsv": "t.tsv"}.get(form, "t.csv")
    options: dict[str, Any] = {"target": "kind"}
    if form == "parquet":
        typed = {"size": [float(one) for one in table["size"]], "long": [int(one) for one in table["long"]]}
        texts = {name: table[name] for name in ("odd", "german", "colour", "kind")}
        frame = polars.DataFrame({**typed, **texts, "day": polars.Series(table["day"]).str.to_date()})
        frame.with_columns(
            open=polars.col("size") > 0, named=polars.col("colour").cast(polars.Categorical)
        ).write_parquet(path)
    elif form == "quoted over lines":
        table["colour"] = [f'"two\nlines {n % 3}"' for n in range(ROWS)]
        path.write_text(text(table), encoding="utf-8")
    elif form == "blank rows":
        lines = text(table).splitlines()
        path.write_text("\n".join([*lines[:50], "," * 15, *lines[50:]]), encoding="utf-8")
    elif form == "without names":
        path.write_text(text(table).partition("\n")[2], encoding="utf-8")
        options = {"target": "13", "header": False}
    else:
        path.write_text(text(table, "\t" if form == "tsv" else ";"), encoding="utf-8")
    same(path, **options)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["pattern", "folder", "parts", "no answers", "given"])
def test_several_files(tmp_path: Path, layout: str) -> None:
    for n, name in enumerate(("train", "test") if layout in ("parts", "no answers", "given") else ("a", "b", "c")):
        table = columns(150, seed=n)
        if layout == "no answers" and name == "test":
            del table["kind"]
        (tmp_path / f"{name}.csv").write_text(text(table), encoding="utf-8")
    if layout == "given":
        same(tmp_path / "train.csv", target="kind", test_path=tmp_path / "test.csv")
    else:
        same(str(tmp_path / "*.csv") if layout == "pattern" else tmp_path, target="kind")


def test_samples_come_back_as_they_were_read(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text(columns()), encoding="utf-8")
    data = load(tmp_path / "t.csv", target="amount", stream=True)
    raw = raw_samples(data, "test", [0, 5])
    assert raw.samples["colour"][0] in ("red", "green", "blue, dark", None)
    small = raw_samples(load(tmp_path / "t.csv", target="amount", stream=False), "test", [0, 5])
    assert raw.targets == small.targets
    assert torch.equal(data.encode(raw.samples), data.encode(small.samples))


def test_batches_are_those_in_memory_in_every_precision(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text(columns()), encoding="utf-8")
    small, big = (load(tmp_path / "t.csv", target="amount", stream=stream) for stream in (False, True))
    for dtype in (torch.float32, torch.float64):
        how: dict[str, Any] = {"shuffle": True, "epoch": 2, "start": 1, "device": CPU, "dtype": dtype}
        for one, other in zip(small.batches("train", 32, **how), big.batches("train", 32, **how), strict=True):
            assert one[0].dtype == other[0].dtype == dtype
            assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])


def files_in(cache: Path) -> dict[str, int]:
    files = (file for file in cache.rglob("*") if file.is_file() and file.suffix != ".lock")
    return {str(file.relative_to(cache)): file.stat().st_ino for file in files}


@pytest.mark.slow
def test_what_is_kept_is_used_again_until_it_is_damaged_or_the_table_changes(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text(columns()), encoding="utf-8")
    first = load(path, target="kind", stream=True)
    kept = files_in(cache)
    assert len(kept) == 4 and not any(".tmp-" in name for name in kept)
    load(path, target="kind", stream=True)
    assert files_in(cache) == kept
    for name in kept:
        content = bytearray((cache / name).read_bytes())
        content[len(content) // 2] ^= 1
        (cache / name).write_bytes(content)
        again = load(path, target="kind", stream=True)
        assert torch.equal(again.x, first.x) and again.encoder == first.encoder  # type: ignore[attr-defined]  # pyright: ignore
    path.write_text(text(columns(seed=1)), encoding="utf-8")
    same(path, target="kind")
    assert len(list((cache / "tables").glob("*/*"))) == 1


def test_a_table_is_kept_on_the_disk_where_memory_is_too_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.csv").write_text(text(columns()), encoding="utf-8")
    assert not load(tmp_path / "t.csv", target="kind").on_disk  # type: ignore[attr-defined]  # pyright: ignore
    monkeypatch.setattr(files, "SMALL_BYTES", 0)
    monkeypatch.setattr(files, "available_memory", lambda: 10_000)
    data = load(tmp_path / "t.csv", target="kind")
    assert isinstance(data, MemoryDataset) and data.on_disk
    assert "data.stream" in str(next(note for note in data.notes if note.id == "large.streamed"))
    assert not load(tmp_path / "t.csv", target="kind", stream=False).on_disk  # type: ignore[attr-defined]  # pyright: ignore


def _csv(path: Path, **changed: list[str]) -> Path:
    path.write_text(text({**columns(), **changed}), encoding="utf-8")
    return path


def _gz(path: Path) -> Path:
    (path / "t.csv.gz").write_bytes(gzip.compress(text(columns()).encode()))
    return path / "t.csv.gz"


def _blanks(path: Path) -> Path:
    (path / "t.dat").write_text(
        "\n".join(["a b kind", *(f"{n} {n % 7} {n % 2}" for n in range(400))]), encoding="utf-8"
    )
    return path / "t.dat"


def _latin(path: Path) -> Path:
    (path / "t.csv").write_bytes(text({**columns(), "note": ["é"] * ROWS}).encode("latin-1"))
    return path / "t.csv"


def _ragged(path: Path) -> Path:
    lines = text(columns()).splitlines()
    lines[133] += ",1"
    (path / "t.csv").write_text("\n".join(lines), encoding="utf-8")
    return path / "t.csv"


def _pairs(path: Path) -> Path:
    (path / "t.csv").write_text(text({name: columns()[name] for name in ("note", "kind")}), encoding="utf-8")
    return path / "t.csv"


def _infinite(path: Path) -> Path:
    return _csv(path / "t.csv", size=["inf" if n == 150 else f"{n}.5" for n in range(ROWS)])


def _huge(path: Path) -> Path:
    return _csv(path / "t.csv", size=["1e300" if n == 150 else f"{n}.5" for n in range(ROWS)])


def _gap_in_target(path: Path) -> Path:
    return _csv(path / "t.csv", kind=["" if n == 150 else "xy"[n % 2] for n in range(ROWS)])


def _plain(path: Path) -> Path:
    return _csv(path / "t.csv")


WRONG: dict[str, tuple[Callable[[Path], Path], dict[str, Any], str]] = {
    "packed": (_gz, {}, "large.not-in-blocks"),
    "separated by blanks": (_blanks, {}, "large.no-blocks"),
    "in another encoding": (_latin, {}, "large.no-blocks"),
    "a line too long": (_ragged, {}, "data.ragged"),
    "pairs of texts": (_pairs, {}, "large.two-texts"),
    "infinite": (_infinite, {}, "data.infinite"),
    "too large for float32": (_huge, {"standardise": False}, "data.too-large"),
    "a gap in the target": (_gap_in_target, {}, "data.target-missing"),
    "types": (_plain, {"types": {"code": "category"}}, "large.setting"),
    "windows": (_plain, {"window": 4}, "large.setting"),
    "tags": (_plain, {"task": "tagging"}, "large.setting"),
    "no such target": (_plain, {"target": "nothing"}, "data.target-unknown"),
    "no target": (_plain, {"target": None}, "data.target-needed"),
    "an array": (lambda path: (numpy.zeros((9, 2)), numpy.zeros(9)), {"target": None}, "large.no-table"),  # type: ignore[dict-item]
    "no table": (lambda path: "digits", {"target": None}, "large.no-table"),  # type: ignore[dict-item]
}  # fmt: skip


@pytest.mark.every(8)
@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_in_both_languages(tmp_path: Path, case: str, cache: Path) -> None:
    make, options, phrase = WRONG[case]
    with pytest.raises(UserError, match=".") as caught:
        load(make(tmp_path), **{"target": "kind", "stream": True, **options})
    assert phrase in [fault.id for fault in caught.value.faults]
    with speaking("en"):
        english = str(caught.value)
    with speaking("zh"):
        assert str(caught.value) != english
    assert not list(cache.rglob(".tmp-*")) and not list(cache.rglob("encoded-*"))


@pytest.mark.slow
@pytest.mark.parametrize("column", ["price", "note"])
def test_a_column_too_varied_to_be_told_is_refused_unless_it_is_left_out(
    tmp_path: Path, column: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many_cells, "MOST_OTHERS", 85)
    path = _csv(tmp_path / "t.csv")
    if column == "note":  # text is dropped whether or not all of it is known, and cannot be a target
        with pytest.raises(UserError, match="note") as caught:
            load(path, target="note", drop=["price"], stream=True)
        assert caught.value.faults[0].id == "large.varied"
    else:
        with pytest.raises(UserError, match=r"data\.drop"):
            load(path, target="kind", stream=True)
    data = load(path, target="kind", drop=["price"], stream=True)
    assert data.encoder == load(path, target="kind", drop=["price"], stream=False).encoder


def test_a_full_disk_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setattr(store_builder, "free_bytes", lambda place: 1000)
    with pytest.raises(UserError, match="XDG_CACHE_HOME"):
        load(_csv(tmp_path / "t.csv"), target="kind", stream=True)
    assert not [file for file in cache.rglob("*") if file.is_file()]
