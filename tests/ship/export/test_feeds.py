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
from export_tasks import ALL

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


def front_says(data_or_case: Any, raw: Any) -> torch.Tensor:
    """What the program makes of raw samples in front of the net."""
    fitted = data_or_case.answerer.fitted
    interface = Interface(to_plain(fitted), raw=True)
    feeds = feeds_of(raw, interface)
    return front_of(fitted, resizes=False)([torch.from_numpy(feeds.arrays[one.name]) for one in interface.inputs])


@pytest.mark.parametrize("name", ["series-lstm", "tags-lstm", "several-inputs", "several-by-place", "labels", "masks"])
def test_of_every_task_the_program_encodes_as_the_run_does(name: str) -> None:
    case = ALL[name]()
    assert torch.equal(front_says(case, case.raw), case.answerer.encode(case.raw))


def test_a_table_is_all_of_its_windows() -> None:
    """Two series that take turns, a gap in both, a name that was not trained on; the last target is not known yet."""
    case = ALL["series-lstm"]()
    days = [day for day in range(16) if day != 8]
    rows = [(day, town) for day in days for town in ("Ulm", "Bonn")]
    table = {
        "day": [f"2023-03-{1 + day:02d}" for day, _ in rows],
        "town": [town for _, town in rows],
        "wind": [None if day == 3 else float(day % 5) for day, _ in rows],
        "sky": ["hail" if day == 15 else "rain" for day, _ in rows],
        "temp": [None if day == 15 and town == "Bonn" else float(day) for day, town in rows],
    }
    wanted = case.answerer.encode(table)
    assert torch.equal(front_says(case, table), wanted)
    feeds = feeds_of(table, case.interface())
    assert feeds.count == len(wanted) == 2 * 4 + 3 + 2
    assert list(feeds.notes) == [6]  # of Ulm's last window
    parts = [{name: column[half::2] for name, column in table.items()} for half in (0, 1)]
    assert torch.equal(case.answerer.encode(parts), wanted)
    assert torch.equal(front_says(case, parts), wanted)


REFUSED: dict[str, tuple[str, Any]] = {
    "a window too short": (
        "series-lstm",
        {"day": ["2023-01-01"], "town": ["Ulm"], "sky": ["rain"], "wind": [1], "temp": [2]},
    ),
    "a column missing": ("series-lstm", {"day": ["2023-01-01"] * 6, "temp": [2] * 6}),
    "a day twice": (
        "series-lstm",
        {"day": ["2023-01-01"] * 6, "town": ["Ulm"] * 6, "sky": ["rain"] * 6, "wind": [1] * 6, "temp": [2] * 6},
    ),
    "no texts": ("tags-lstm", [3, 4]),
    "no samples": ("tags-lstm", []),
    "an input missing": ("several-by-place", {"0": numpy.zeros((2, 3))}),
    "another shape": ("several-by-place", (numpy.zeros((2, 4)), numpy.zeros(2))),
    "not as many": ("several-by-place", (numpy.zeros((2, 3)), numpy.zeros(3))),
    "no numbers": ("several-by-place", (numpy.full((2, 3), numpy.nan), numpy.zeros(2))),
    "no arrays": ("several-by-place", 3),
    "words that are not whole": (
        "several-inputs",
        {
            "image": numpy.zeros((1, 3, 6, 6), numpy.uint8),
            "size": numpy.zeros((1, 2)),
            "wet": numpy.array([True]),
            "words": numpy.full((1, 4), 0.5),
        },
    ),
    "too large for floats": (
        "several-inputs",
        {
            "image": numpy.zeros((1, 3, 6, 6), numpy.uint8),
            "size": numpy.zeros((1, 2)),
            "wet": numpy.array([True]),
            "words": numpy.full((1, 4), 2**24 + 1),
        },
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_a_run_refuses_is_refused_in_its_words(case: str) -> None:
    name, raw = REFUSED[case]
    made = ALL[name]()
    with pytest.raises(UserError, match=".") as ours:
        feeds_of(raw, made.interface())
    with pytest.raises(UserError, match=".") as theirs:
        made.answerer.encode(raw)
    assert str(ours.value) == str(theirs.value)


def test_none_of_it_imports_torch() -> None:
    program = "import sys; from danlu.ship.export import open_exported; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
