"""Predictions from their record."""

from collections.abc import Callable
from typing import Any

import pytest

import view_samples as made
from danlu.store.records import PredictionsMade
from danlu.view.figures.pages import read_predictions
from danlu.view.info.predictions import predictions


def test_counts_and_shares_are_the_journals() -> None:
    told = predictions(PredictionsMade.from_json(made.class_predictions()))
    assert told.confusion is not None
    assert told.calibration is not None
    assert told.confusion.accuracy == 0.8
    assert told.calibration.confidence == pytest.approx((0.75, 0.9)), "an empty bin is left out"
    assert told.calibration.accuracy == (0.5, 0.875)
    assert told.calibration.error == pytest.approx((abs(2 - 3.0) + abs(14 - 14.4)) / 20)
    assert [one.loss for one in told.worst] == [4.0, 2.0]


def test_residuals_are_actual_minus_predicted() -> None:
    told = predictions(PredictionsMade.from_json(made.number_predictions()))
    assert told.residuals is not None
    assert told.residuals.residual == (0.5, -1.0, 0.0)
    assert told.confusion is None


@pytest.mark.parametrize("confusion", [[[1, 2], [3]], [[1, 2, 3], [4, 5, 6]], [[1]]])
def test_a_confusion_that_is_no_square_is_refused(confusion: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="a row and a column for each class"):
        PredictionsMade.from_json(made.class_predictions() | {"confusion": confusion})


NONE = [{"actual": "cat", "predicted": "cat", "loss": float("inf")}]


@pytest.mark.parametrize(
    ("record", "change", "broken"),
    [
        (made.class_predictions, {}, False),
        (made.class_predictions, {"worst": NONE}, False),  # some rows alone hold no numbers
        (
            made.class_predictions,
            {"worst": NONE, "calibration": {"confidence": [0.0], "right": [9], "samples": [20]}},
            True,
        ),
        (made.class_predictions, {"worst": NONE, "calibration": None}, False),
        (made.class_predictions, {"worst": NONE, "calibration": None, "confusion": [[9, 0], [11, 0]]}, True),
        (made.number_predictions, {"worst": NONE}, False),
        (made.number_predictions, {"worst": NONE, "residuals": {"predicted": ["NaN"], "actual": [1.0]}}, True),
    ],
)
def test_outputs_that_are_no_numbers_predict_nothing(
    record: Callable[[], dict[str, Any]], change: dict[str, Any], broken: bool
) -> None:
    told = record() | change
    assert predictions(PredictionsMade.from_json(told)).broken == broken
    assert (read_predictions(made.sample_run(told)) == []) == broken
