"""Several targets and several labels a sample: what is taken for them, what is told, and what is refused."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

import danlu
from danlu.data.label_sets import LabelSets
from danlu.data.plain import from_plain, to_plain
from danlu.data.preprocessing import Preprocessing
from danlu.data.raw import raw_samples
from danlu.data.targets import Quantities

NUMBERS = [round(0.37 * row % 5, 3) for row in range(30)]


def table(**columns: list[Any]) -> dict[str, list[Any]]:
    return {"x": NUMBERS, **{name: (values * 30)[:30] for name, values in columns.items()}}


@pytest.mark.parametrize(
    ("columns", "target", "task", "names"),
    [
        ({"a": [1.5, 2.0, 4.0], "b": [3, 9, 4, 7]}, "a,b", "regression", ("a", "b")),
        ({"a": [0, 1, 1], "b": [1, 0]}, ["a", "b"], "multi-label", ("a", "b")),
        ({"a": [True, False], "b": ["yes", "No", "no"]}, "a,b", "multi-label", ("a", "b")),
        ({"a": [0, 1], "b": [0, 2, 5]}, [-2, -1], "regression", ("a", "b")),
        ({"tags": ["red;round", "red", "big", "round ; big", ";"]}, "tags", "multi-label", ("big", "red", "round")),
        ({"tags": ["u|v", "u", "v"]}, "tags", "multi-label", ("u", "v")),
        ({"kind": ["Smith; Jones", "Meier", "Li"]}, "kind", "classification", ("Li", "Meier", "Smith; Jones")),
        ({"a,b": ["u", "v", "u"]}, "a,b", "classification", ("u", "v")),
        ({"a": ["u", "v", "u"]}, ["a"], "classification", ("u", "v")),
    ],
)
def test_what_is_told_from_the_targets(columns: dict[str, Any], target: Any, task: str, names: tuple[str, ...]) -> None:
    data = danlu.load(table(**columns), target)
    assert data.task == task
    found = data.target.names if isinstance(data.target, Quantities) else data.classes
    assert found == names
    again = from_plain(to_plain(Preprocessing.of(data)))
    assert again.target == data.target


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_the_task_overrides(task: str) -> None:
    if task == "classification":
        assert danlu.load(table(tags=["u|v", "u", "v"]), "tags", task=task).classes == ("u", "u|v", "v")
    else:
        assert danlu.load(table(a=[0, 1], b=[1, 0, 0]), "a,b", task=task).task == "regression"


@pytest.mark.parametrize(
    ("columns", "target", "task", "fault"),
    [
        ({"a": [1.5, 2.0]}, "a,c", "auto", 'there is no column "c"'),
        ({"a": [1.5, 2.0]}, "a,a", "auto", "named twice"),
        ({"a": [1.5, 2.0]}, "a,x", "auto", "all columns are to be predicted"),
        ({"a": [1.5, 2.0], "b": ["u", "v", "w"]}, "a,b", "auto", "predict it alone"),
        ({"a": [1.5, 2.0], "b": [3.0]}, "a,b", "auto", "every target is 3"),
        ({"a": [1.5, None], "b": [3.0, 4.0]}, "a,b", "auto", "missing or not finite"),
        ({"a": [0, 1], "b": [0, 2]}, "a,b", "multi-label", "needs 0 and 1"),
        ({"a": [0, 1], "b": [0, 1, 1]}, "a,b", "classification", "does not fit"),
        ({"a": [0], "b": [1]}, "a,b", "auto", "every target is"),
        ({"tags": ["u;v", "u", "v", None]}, "tags", "auto", "cells without a label"),
        ({"tags": ["u", "v"]}, "tags", "multi-label", "cells with several labels"),
    ],
)
def test_what_cannot_be_taken_is_said_in_one_sentence(columns: Any, target: str, task: str, fault: str) -> None:
    with pytest.raises(danlu.UserError, match=fault):
        danlu.load(table(**columns), target, task=task)


@pytest.mark.parametrize("kind", [bool, numpy.int64, numpy.uint8])
def test_arrays_of_flags_are_labels(kind: type[Any]) -> None:
    y = numpy.array([[1, 0, 1], [0, 1, 0], [1, 1, 0]] * 10).astype(kind)
    data = danlu.load((numpy.arange(60.0).reshape(30, 2), y))
    assert (data.task, data.classes, data.outputs) == ("multi-label", ("0", "1", "2"), 3)
    _, targets = next(data.batches("train", 64, device=torch.device("cpu")))
    assert targets.dtype == torch.float32 and set(targets.unique().tolist()) == {0.0, 1.0}


@pytest.mark.parametrize("y", [[[0, 2], [1, 0]], [[0.5, 1.0], [1.0, 0.0]], [["a", "b"], ["b", "a"]], [0, 1]])
def test_arrays_that_are_no_flags_are_refused_as_labels(y: Any) -> None:
    with pytest.raises(danlu.UserError, match="booleans, or 0 and 1"):
        danlu.load((numpy.arange(20.0), y * 10), task="multi-label")


def test_labels_that_the_training_part_lacks_and_samples_with_one_label_each_are_told() -> None:
    y = numpy.eye(4, dtype=bool)[numpy.arange(30) % 3]
    told = [note.id for note in danlu.load((numpy.arange(30.0), y)).notes]
    assert "data.labels-never" in told and "data.labels-one-each" in told


def test_raw_samples_bear_their_own_answers(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    rows = [f"{number},{'u;v' if at % 3 else 'v'}" for at, number in enumerate(NUMBERS)]
    file.write_text("\n".join(["x,tags", *rows]))
    assert set(raw_samples(danlu.load(file, "tags"), "test").targets or ()) == {"u;v", "v"}
    several = danlu.load(table(a=[1.5, 2.0, 4.0], b=[3, 9, 4, 7]), "a,b")
    assert all(len(row) == 2 for row in raw_samples(several, "test").targets or ())
    switches = danlu.load(table(a=[True, False], b=["yes", "no", "no"]), "a,b")
    assert all(set(row) <= {0.0, 1.0} for row in raw_samples(switches, "test").targets or ())


def test_a_threshold_decides() -> None:
    target = LabelSets(("a", "b"), (0.2, 0.9))
    assert target.decode(torch.tensor([[-1.0, 1.0], [-2.0, 3.0]])).tolist() == [["a"], ["b"]]
