"""The plain data behind each kind of picture, of a made-up run and study, as they were found right.

To write them anew after a change that is meant:  PYTHONPATH=src:tests python tests/view/info/test_golden.py
"""

import dataclasses
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from danlu.base.graphs import NetGraph
from danlu.nets.expression import expression_graph
from danlu.store.records import PredictionsMade
from danlu.view.info.curves import curves
from danlu.view.info.effects import folds, forest, pairs, sweep
from danlu.view.info.flow import flow
from danlu.view.info.fold import fold
from danlu.view.info.level_curves import factor_curves
from danlu.view.info.predictions import predictions
from danlu.view.info.surface import contour, levels, read_surface
from view_samples import bowl, class_predictions, number_predictions, sample_run, sample_study

FOLDER = Path(__file__).with_name("golden")


def predicted(record: dict[str, Any], part: str) -> Any:
    return getattr(predictions(PredictionsMade.from_json(record)), part)


def net() -> NetGraph:
    drawn = sample_run().history.net
    assert drawn is not None
    return drawn


KINDS: dict[str, Callable[[], Any]] = {
    "curves": lambda: curves({"run": sample_run().drawn}),
    "flow": lambda: flow(sample_run().history.layers),
    "net": lambda: fold(net()),
    "expression": lambda: expression_graph("(w*x + b - y)**2", {"w": 2, "x": 3, "b": 1, "y": 5}),
    "confusion": lambda: predicted(class_predictions(), "confusion"),
    "calibration": lambda: predicted(class_predictions(), "calibration"),
    "residuals": lambda: predicted(number_predictions(), "residuals"),
    "worst": lambda: predicted(number_predictions(), "worst"),
    "surface": lambda: read_surface(bowl().record()),
    "contour": lambda: [contour(bowl(), level) for level in levels(bowl(), 3)],
    "forest": lambda: forest(sample_study().effects),
    "sweep": lambda: sweep(sample_study().members, "optim.lr", "accuracy"),
    "slopes": lambda: pairs(sample_study().members, "net.activation", "sigmoid", "relu", "accuracy"),
    "level-curves": lambda: factor_curves(sample_study().curves, sample_study().factors, "net.activation"),
    "folds": lambda: folds(sample_study().members, "accuracy"),
}


def plain(value: Any) -> Any:
    """As JSON gives it back: lists for tuples, words for keys."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    return [plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def assert_alike(found: Any, golden: Any, place: str = "") -> None:
    """Equal, but for the last digits of numbers."""
    if isinstance(golden, dict):
        assert found.keys() == golden.keys(), place
        for key in golden:
            assert_alike(found[key], golden[key], f"{place}.{key}")
    elif isinstance(golden, list):
        assert len(found) == len(golden), place
        for at, (one, other) in enumerate(zip(found, golden, strict=True)):
            assert_alike(one, other, f"{place}[{at}]")
    elif isinstance(golden, float):
        assert found == pytest.approx(golden, rel=1e-9, abs=1e-12), place
    else:
        assert found == golden, place


@pytest.mark.parametrize("kind", KINDS)
def test_the_info_is_as_it_was(kind: str) -> None:
    golden = json.loads((FOLDER / f"{kind}.json").read_text(encoding="utf-8"))
    assert_alike(plain(KINDS[kind]()), golden)


def test_every_golden_file_has_its_kind() -> None:
    assert {file.stem for file in FOLDER.iterdir()} == set(KINDS)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or KINDS:
        text = json.dumps(plain(KINDS[name]()), ensure_ascii=False, indent=1, allow_nan=False)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")
