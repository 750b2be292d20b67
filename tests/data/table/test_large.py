"""A table whose rows are kept on the disk is the table in memory: the same samples, encoder, order and weights."""

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

import danlu
from danlu.base.errors import UserError
from danlu.base.words import speaking
from danlu.data import load
from danlu.data.memory import MemoryDataset
from danlu.data.raw import raw_samples
from danlu.data.readers import large_files, table_blocks
from danlu.data.table import frames, large, many_cells, store_builder

CPU = torch.device("cpu")
ROWS = 400


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_blocks, "BLOCK_BYTES", 900)
    monkeypatch.setattr(frames, "PARQUET_ROWS", 37)
    monkeypatch.setattr(large, "AT_A_TIME", 23)


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


@pytest.mark.parametrize("options", OPTIONS)
def test_a_csv_on_the_disk_is_the_csv_in_memory(tmp_path: Path, options: str) -> None:
    (tmp_path / "t.csv").write_text(text(columns()), encoding="utf-8")
    same(tmp_path / "t.csv", **OPTIONS[options])


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
            with pytest.raises(UserError) as caught:
                load(path, target=target, stream=True)
            assert {one.id for one in error.faults} & {one.id for one in caught.value.faults}
            return
        same(path, target=target)
