"""An estimator answers as the run does that `danlu.fit` makes of the same data, whatever form these have."""

from typing import Any

import numpy
import polars
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.datasets import load_diabetes, load_digits, load_iris

import danlu

IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
DIGITS = load_digits()
SETTINGS: dict[str, Any] = {"epochs": 3, "lr": 0.02, "hidden": [8]}


def as_fitted(net: Any, x: Any, y: Any, **settings: Any) -> danlu.Run:
    return danlu.fit(net, (x, y), test=0, progress=False, **settings)


@pytest.fixture(autouse=True)
def here(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.every(3)
@pytest.mark.parametrize("y", [IRIS[1], numpy.array(["a", "b", "c"])[IRIS[1]], IRIS[1] + 5], ids=["0..", "text", "5.."])
def test_classes_and_probabilities_are_those_of_fit(y: Any) -> None:
    model = danlu.Classifier("mlp", **SETTINGS).fit(IRIS[0], y)
    run = as_fitted("mlp", IRIS[0], y, **SETTINGS)
    assert (model.predict(IRIS[0]) == run.predict(IRIS[0])).all()
    assert (model.predict_proba(IRIS[0]) == run.predict_proba(IRIS[0])).all()
    assert model.classes_.tolist() == sorted(set(y.tolist()))
    assert model.score(IRIS[0], y) == run.evaluate((IRIS[0], y))["accuracy"]
    assert model.n_features_in_ == 4


def test_numbers_are_those_of_fit() -> None:
    x, y = DIABETES
    model = danlu.Regressor("mlp", **SETTINGS).fit(x, y)
    assert (model.predict(x) == as_fitted("mlp", x, y, **SETTINGS).predict(x)).all()
    pairs = danlu.Regressor("mlp", epochs=3).fit(x, numpy.stack([y, -y], axis=1))
    assert pairs.predict(x[:5]).shape == (5, 2)


@pytest.mark.slow
def test_images_are_those_of_fit() -> None:
    images, y = DIGITS.images[:300].astype(numpy.uint8), DIGITS.target[:300]
    model = danlu.Classifier("lenet5", epochs=1).fit(images, y)
    assert (model.predict_proba(images) == as_fitted("lenet5", images, y, epochs=1).predict_proba(images)).all()
    assert not hasattr(model, "n_features_in_")
    colours = numpy.stack([images] * 3, axis=-1)
    assert danlu.Classifier("lenet5", epochs=1).fit(colours, y).predict(colours[:4]).shape == (4,)


def test_texts_are_those_of_fit() -> None:
    texts, y = ["abba", "baab", "aabb", "b"] * 10 + ["xyzz", "zyx", "y", "zxyx"] * 10, ["first"] * 40 + ["second"] * 40
    settings = {"hidden": 8, "embedding": 8, "epochs": 2}
    model = danlu.Classifier("sequence-classifier", **settings).fit(texts, y)
    run = as_fitted("sequence-classifier", texts, y, **settings)
    assert (model.predict_proba(numpy.array(texts)) == run.predict_proba(texts)).all()
    assert (model.predict_proba(polars.Series(texts)) == run.predict_proba(texts)).all()


def test_a_frame_with_categories_and_gaps_is_a_table() -> None:
    colours = numpy.array(["red", "green", None], dtype=object)[numpy.arange(90) % 3]
    sizes = [None if row % 10 == 0 else row / 9 for row in range(90)]
    frame = polars.DataFrame({"colour": colours.tolist(), "target": sizes})
    y = numpy.array(["yes", "no", "no"])[numpy.arange(90) % 3]
    model = danlu.Classifier("mlp", epochs=20).fit(frame, y)
    joined = frame.with_columns(target_=polars.Series(y.tolist()))
    run = danlu.fit("mlp", joined, target="target_", test=0, epochs=20, progress=False)
    assert (model.predict_proba(frame) == run.predict_proba(frame)).all()
    assert model.score(frame, y) == 1
    assert model.feature_names_in_.tolist() == ["colour", "target"]
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        assert (model.predict(frame.to_numpy()) == model.predict(frame)).all()


def test_weights_of_samples_are_those_of_fit() -> None:
    (x, y), weights = IRIS, numpy.arange(150) % 4
    model = danlu.Classifier("mlp", validation=0.2, **SETTINGS).fit(x, y, sample_weight=weights)
    data = danlu.load((x, y), weights=weights, task="classification", validation=0.2, test=0)
    run = danlu.fit("mlp", data, progress=False, **SETTINGS)
    assert (model.predict_proba(x) == run.predict_proba(x)).all()
    assert (model.predict_proba(x) != model.fit(x, y).predict_proba(x)).any()
    frame = polars.DataFrame(x, schema=["a", "b", "c", "weight"])
    table = danlu.Regressor("mlp", **SETTINGS).fit(frame, x[:, 0], sample_weight=weights.tolist())
    joined = frame.with_columns(target=x[:, 0], weight_=weights)
    run = danlu.fit("mlp", joined, target="target", weight="weight_", test=0, progress=False, **SETTINGS)
    assert (table.predict(frame) == run.predict(frame)).all()


def test_several_numbers_a_row_of_a_frame() -> None:
    frame = polars.DataFrame(IRIS[0], schema=["a", "b", "c", "target1"])
    y = numpy.stack([IRIS[0][:, 0] * 3, IRIS[0][:, 1]], axis=1)
    for given in (y, polars.DataFrame(y)):
        model = danlu.Regressor("mlp", epochs=3).fit(frame, given)
        assert model.predict(frame).shape == (150, 2)
        assert model.run_.preprocessing.targets == ("target1_", "target2")


def test_a_sparse_matrix_is_written_out() -> None:
    x, y = numpy.where(IRIS[0] > 3, IRIS[0], 0), IRIS[1]
    model = danlu.Classifier("mlp", **SETTINGS).fit(csr_array(x), y)
    assert (model.predict_proba(csr_array(x)) == danlu.Classifier("mlp", **SETTINGS).fit(x, y).predict_proba(x)).all()


def test_another_frame_is_refused() -> None:
    frame = polars.DataFrame(IRIS[0], schema=["a", "b", "c", "d"])
    model = danlu.Classifier("mlp", epochs=1).fit(frame, IRIS[1])
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame.rename({"a": "A"}))
    with pytest.raises(ValueError, match="same order"):
        model.predict(frame.select("b", "a", "c", "d"))


def test_all_samples_are_trained_on_or_chosen_by() -> None:
    sizes = danlu.Classifier("mlp", epochs=1).fit(*IRIS).run_.samples.sizes
    assert sizes == {"train": 135, "validation": 15, "test": 0}
    sizes = danlu.Classifier("mlp", epochs=1, test=0.2, data={"validation": 0.3}).fit(*IRIS).run_.samples.sizes
    assert sizes == {"train": 75, "validation": 45, "test": 30}


def test_a_module_is_trained_as_a_copy() -> None:
    net = torch.nn.Linear(4, 3)
    before = net.weight.clone()
    model = danlu.Classifier(net, epochs=5, lr=0.1).fit(*IRIS)
    assert torch.equal(net.weight, before)
    assert model.score(*IRIS) > 0.7
    again = model.predict_proba(IRIS[0])
    assert (model.fit(*IRIS).predict_proba(IRIS[0]) == again).all()


def test_it_says_nothing_unless_asked(capfd: pytest.CaptureFixture[str]) -> None:
    danlu.Classifier("mlp", epochs=1).fit(*IRIS).predict(IRIS[0])
    assert capfd.readouterr() == ("", "")
    danlu.Classifier("mlp", epochs=1, verbose=True).fit(*IRIS)
    assert "".join(capfd.readouterr())


def test_whole_numbers_that_no_float_holds_are_rounded() -> None:
    x = numpy.array([[2**60 + row, row] for row in range(40)])
    model = danlu.Classifier("mlp", epochs=20).fit(x, numpy.arange(40) // 20)
    assert (model.predict(x) == model.predict(x.astype(numpy.float64))).all()
