"""scikit-learn's own checks of an estimator, all of them, and its tools around both estimators."""

from typing import Any

import numpy
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import danlu

IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
TWICE = "what is given twice stands in two batches, what weighs 2 in one"
NOT_KEPT = {f"check_sample_weight_equivalence_on_{kind}_data": TWICE for kind in ("dense", "sparse")}


@pytest.mark.every(8)
@pytest.mark.filterwarnings("ignore::danlu.DataWarning")  # some checks ask for samples far from those trained on
@parametrize_with_checks(
    [danlu.Classifier("mlp", epochs=20), danlu.Regressor("mlp", epochs=20)], expected_failed_checks=lambda _: NOT_KEPT
)
def test_scikit_learn_finds_an_estimator_that_keeps_its_conventions(estimator: Any, check: Any) -> None:
    check(estimator)


def test_it_stands_in_a_pipeline_and_a_grid_search() -> None:
    steps = make_pipeline(StandardScaler(), danlu.Classifier("mlp", epochs=5))
    grid = {"classifier__lr": [1e-6, 0.05], "classifier__hidden": [[4], [16]], "classifier__optim__momentum": [0.8]}
    found = GridSearchCV(steps, grid, cv=2, n_jobs=1).fit(*IRIS)
    assert found.best_params_["classifier__lr"] == 0.05
    best = found.best_estimator_[-1].run_.recipe
    assert (best.optim.lr, best.optim.momentum) == (0.05, 0.8)
    assert list(best.net.options["hidden"]) == found.best_params_["classifier__hidden"]
    assert found.score(*IRIS) > 0.8


@pytest.mark.slow
def test_it_is_cross_validated_in_several_processes() -> None:
    scores = cross_val_score(danlu.Regressor("mlp", epochs=10), *DIABETES, cv=3, n_jobs=2)
    assert (scores > 0.2).all()


def test_a_fold_without_a_class_in_the_middle_keeps_its_columns() -> None:
    x, y = IRIS
    model = danlu.Classifier("mlp", epochs=20).fit(x[y != 1], y[y != 1])
    assert model.classes_.tolist() == [0, 2]
    assert model.classes_.dtype == y.dtype == model.predict(x).dtype
    assert model.predict_proba(x).shape == (150, 2)
    assert (model.predict(x) == model.classes_[model.predict_proba(x).argmax(1)]).all()
    assert model.score(x[y != 1], y[y != 1]) == 1


def test_probabilities_of_all_folds_come_together() -> None:
    found = cross_val_predict(danlu.Classifier("mlp", epochs=3), *IRIS, cv=2, method="predict_proba")
    assert found.shape == (150, 3)
    assert numpy.allclose(found.sum(1), 1)


def test_a_clone_has_every_setting_and_no_run() -> None:
    model = danlu.Classifier("mlp", epochs=2, hidden=[8], data__validation=0.2, optim={"name": "adam"}).fit(*IRIS)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "run_")
    assert repr(copy).startswith("Classifier(data__validation=0.2, epochs=2, hidden=[8], net='mlp',")
    assert model.run_.recipe.data.validation == 0.2
    assert model.run_.recipe.optim.name == "adam"


def test_parameters_are_set_by_name() -> None:
    model = danlu.Regressor().set_params(net="linear-regression", momentum=0.5, epochs=3)
    assert model.get_params()["momentum"] == 0.5
    assert model.fit(*DIABETES).run_.recipe.optim.momentum == 0.5
    assert model.run_.recipe.net.name == "linear-regression"
    assert model.run_.epochs == 3
