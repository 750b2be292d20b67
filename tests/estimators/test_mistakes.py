"""Mistakes are told at fit, in danlu's words and both languages, as ValueErrors."""

import re
from typing import Any

import numpy
import polars
import pytest
from sklearn.datasets import load_iris

import danlu
from danlu.base.words import say

X, Y = load_iris(return_X_y=True)

SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "net": ({"net": "mlq"}, "mlp"),
    "bounds": ({"epochs": -1}, "epochs"),
    "kind": ({"lr": "fast"}, "lr"),
    "unknown": ({"momentun": 0.5}, "momentum"),
    "section": ({"optim__momentun": 0.5}, "momentum"),
    "twice": ({"lr": 0.1, "learning_rate": 0.2}, "learning_rate"),
    "task": ({"task": "regression"}, "task"),
    "data": ({"data": "digits"}, "data"),
}


@pytest.mark.parametrize("wrong", [*SETTINGS])
def test_a_wrong_setting_is_told_at_fit(wrong: str, language: str, tmp_path: Any) -> None:
    settings, word = SETTINGS[wrong]
    model = danlu.Classifier(**{"net": "mlp", "folder": tmp_path, **settings})
    with pytest.raises(danlu.EstimatorError, match=word) as told:
        model.fit(X, Y)
    assert isinstance(told.value, danlu.UserError)
    assert isinstance(told.value, ValueError)
    assert not list(tmp_path.iterdir())


def test_all_that_is_wrong_is_told_together() -> None:
    with pytest.raises(danlu.EstimatorError, match=r"(?s)lr is -1.*epochs is -1"):
        danlu.Regressor("mlp", epochs=-1, lr=-1).fit(X, Y)


def test_values_that_are_not_finite_are_told_with_their_place(language: str) -> None:
    broken = X.copy()
    broken[7, 2] = numpy.nan
    told = re.escape(say("data.not-finite", count=1, row=8, column=3))
    with pytest.raises(danlu.EstimatorError, match=told):
        danlu.Classifier("mlp", epochs=1).fit(broken, Y)
    model = danlu.Classifier("mlp", epochs=1).fit(X, Y)
    with pytest.raises(danlu.EstimatorError, match=told):
        model.predict(broken)


WEIGHTS: dict[str, tuple[Any, str]] = {
    "too few": ([1.0], r"150.*\[1\]"),
    "below 0": ([-1.0] + [1.0] * 149, "-1"),
    "words": (["a"] * 150, "sample_weight"),
    "nothing": ([0] * 150, "zero"),
}


@pytest.mark.parametrize("wrong", [*WEIGHTS])
@pytest.mark.parametrize("framed", [False, True])
def test_weights_that_are_none_are_told(wrong: str, framed: bool) -> None:
    weights, word = WEIGHTS[wrong]
    x = polars.DataFrame(X) if framed else X
    with pytest.raises(danlu.EstimatorError, match=word):
        danlu.Classifier("mlp", epochs=1).fit(x, Y, sample_weight=weights)


def test_weights_beside_texts_are_refused() -> None:
    with pytest.raises(danlu.EstimatorError, match=r"data\.weight"):
        danlu.Classifier(epochs=1).fit(["good day", "bad day"] * 20, ["p", "n"] * 20, sample_weight=[1] * 40)


def test_one_class_is_none_to_choose_from(language: str) -> None:
    with pytest.raises(danlu.EstimatorError, match="setosa"):
        danlu.Classifier("mlp").fit(X[:50], ["setosa"] * 50)


@pytest.mark.parametrize("name", ["fit", "run_", "_hidden"])
def test_what_is_the_estimators_own_is_no_parameter(name: str, language: str) -> None:
    with pytest.raises(danlu.EstimatorError, match=name):
        danlu.Classifier(**{name: 3})
    with pytest.raises(danlu.EstimatorError, match=name):
        danlu.Classifier().set_params(**{name: 3})


def test_images_of_another_size_are_refused() -> None:
    images = numpy.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=numpy.uint8)
    model = danlu.Classifier("lenet5", epochs=1).fit(images, numpy.arange(40) % 2)
    with pytest.raises(danlu.EstimatorError, match="9, 9"):
        model.predict(numpy.zeros((2, 9, 9), dtype=numpy.uint8))
