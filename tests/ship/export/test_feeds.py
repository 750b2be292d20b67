"""Raw samples become inputs as a run takes them, and what it refuses is refused in the same words; without torch."""

import subprocess
import sys
from typing import Any

import numpy
import pytest
import torch

import danlu
from danlu.base.errors import UserError
from danlu.data.plain import to_plain
from danlu.data.preprocessing import Preprocessing
from danlu.ship.export.feeds import feeds_of
from danlu.ship.export.interface import MISSING, UNSEEN, Interface
from danlu.ship.export.program import front_of

ROWS = 40


def interface_of(data: Any, *, raw: bool = False) -> Interface:
    return Interface(to_plain(Preprocessing.of(data)), raw=raw)


@pytest.fixture(scope="module")
def table() -> Any:
    columns = {
        "size": [None if row % 6 == 0 else row % 9 for row in range(ROWS)],
        "kind": [None if row % 5 == 0 else "abc"[row % 3] for row in range(ROWS)],
        "large": [2**60 + row for row in range(ROWS)],
        "y": [float(row) for row in range(ROWS)],
    }
    return danlu.load(columns, target="y")


def test_cells_are_codes_numbers_and_gaps(table: Any) -> None:
    raw = {"size": [1, None], "kind": ["b", "never"], "large": [2**60 + 1, 2**60 + 40]}
    feeds = feeds_of(raw, interface_of(table))
    assert feeds.arrays["kind"].tolist() == ["b", "never"]
    assert numpy.isnan(feeds.arrays["size"]).tolist() == [False, True]
    assert feeds.arrays["large"].tolist() == [1.0, 40.0]  # too large for floats: the offset is taken first
    assert '"never"' in feeds.notes[1]
    codes = feeds_of({**raw, "kind": ["b", None]}, interface_of(table, raw=True)).arrays["kind"]
    assert codes.tolist() == [1, MISSING]
    assert feeds_of(raw, interface_of(table, raw=True)).arrays["kind"].tolist() == [1, UNSEEN]


def test_what_the_program_makes_of_them_is_what_the_encoder_makes(table: Any) -> None:
    raw = {"size": [1, None, 8, 3], "kind": ["b", "never", None, "c"], "large": [2**60 + row for row in (1, 5, 9, 39)]}
    interface = interface_of(table, raw=True)
    feeds = feeds_of(raw, interface)
    front = front_of(Preprocessing.of(table), resizes=False)
    encoded = front([torch.from_numpy(feeds.arrays[one.name]) for one in interface.inputs])
    assert torch.equal(encoded, table.encode(raw))


def test_an_empty_category_leaves_another_mark_for_what_is_missing() -> None:
    plain = {"input": "table", "task": "regression", "encoder": {"columns": []}}
    from danlu.data.table.fitted import CategoryColumn

    interface = Interface(plain)
    assert interface.missing_mark(CategoryColumn("a", ("x",), missing=True)) == ""
    assert interface.missing_mark(CategoryColumn("a", ("", "x"), missing=True)) == "missing"


@pytest.mark.parametrize(
    "raw",
    [
        {"size": [1], "kind": ["a"]},
        {"size": ["wide"], "kind": ["a"], "large": [1]},
        {"size": [float("inf")], "kind": ["a"], "large": [1]},
        [1, 2, 3],
    ],
)
def test_rows_that_a_run_refuses_are_refused_in_its_words(raw: Any, table: Any) -> None:
    with pytest.raises(UserError, match=".") as ours:
        feeds_of(raw, interface_of(table))
    with pytest.raises(UserError, match=".") as theirs:
        table.encode(raw)
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("raw", [numpy.zeros((2, 5)), numpy.full((2, 3), numpy.nan), [["a", "b", "c"]], [[1, 2], [3]]])
def test_numbers_that_a_run_refuses_are_refused_in_its_words(raw: Any) -> None:
    data = danlu.load((numpy.random.default_rng(0).normal(size=(ROWS, 3)), [0, 1] * (ROWS // 2)))
    with pytest.raises(UserError, match=".") as ours:
        feeds_of(raw, interface_of(data))
    with pytest.raises(UserError, match=".") as theirs:
        data.encode(raw)
    assert str(ours.value) == str(theirs.value)


def test_pixels_that_are_no_bytes_are_refused() -> None:
    pictures = numpy.random.default_rng(0).integers(0, 256, (ROWS, 6, 6), dtype=numpy.uint8)
    interface = interface_of(danlu.load((pictures, [0, 1] * (ROWS // 2))))
    assert feeds_of(pictures.astype(float), interface).arrays["pictures"].dtype == numpy.uint8
    with pytest.raises(UserError, match="whole numbers from 0 to 255"):
        feeds_of(pictures / 255, interface)


def test_none_of_it_imports_torch() -> None:
    program = "import sys; from danlu.ship.export import open_exported; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
