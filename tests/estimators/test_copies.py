"""A fitted estimator that was pickled, copied or moved gives the same answers; its run lies where it was asked to."""

import copy
import gc
import os
import pickle
import pickletools
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy
import pytest
import torch
from sklearn.datasets import load_diabetes, load_iris

import danlu

X, Y = load_iris(return_X_y=True)


def fitted(**settings: Any) -> Any:
    return danlu.Classifier("mlp", epochs=2, **settings).fit(X, Y)


@pytest.mark.slow
def test_a_pickle_answers_alike_when_the_temporary_folder_is_gone() -> None:
    model = fitted()
    answers, content, folder = model.predict_proba(X), pickle.dumps(model), model.run_.folder
    assert folder.is_dir()
    del model
    gc.collect()
    assert not folder.exists()
    loaded = pickle.loads(content)
    assert (loaded.predict_proba(X) == answers).all()
    assert loaded.run_.folder != folder
    assert loaded.run_.score["validation"]
    assert (pickle.loads(pickle.dumps(loaded)).predict_proba(X) == answers).all()


@pytest.mark.slow
def test_a_pickle_answers_alike_in_another_process(tmp_path: Path) -> None:
    model = danlu.Regressor("mlp", epochs=2).fit(*load_diabetes(return_X_y=True))
    joblib.dump(model, tmp_path / "model.joblib")
    program = "import joblib, sklearn.datasets as d; x, _ = d.load_diabetes(return_X_y=True)"
    program += "\nprint(*map(float.hex, map(float, joblib.load('model.joblib').predict(x[:20]))))"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    expected = [float(answer).hex() for answer in model.predict(load_diabetes().data[:20])]
    assert done.stdout.split() == expected, done.stderr


def test_a_pickle_holds_no_object_of_a_run() -> None:
    strings = [value for _, value, _ in pickletools.genops(pickle.dumps(fitted())) if isinstance(value, str)]
    assert {name for name in strings if name.startswith(("danlu", "torch"))} == {"danlu.estimators.classifier"}


def test_runs_lie_in_the_folder_each_in_its_own(tmp_path: Path) -> None:
    model = fitted(folder=tmp_path / "runs")
    model.fit(X, Y)
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["run-1", "run-2"]
    content, answers = pickle.dumps(model), model.predict_proba(X)
    assert str(tmp_path / "runs" / "run-2").encode() in content
    del model
    gc.collect()
    assert (pickle.loads(content).predict_proba(X) == answers).all()
    assert danlu.Run(tmp_path / "runs" / "run-1").finished


@pytest.mark.slow
def test_the_folder_lives_as_long_as_somebody_holds_the_run() -> None:
    run = fitted().run_
    gc.collect()
    assert run.folder.is_dir()
    assert run.evaluate((X, Y))["accuracy"] > 0


def test_a_copy_has_a_run_of_its_own() -> None:
    model = fitted()
    double = copy.deepcopy(model)
    answers = model.predict_proba(X)
    del model
    gc.collect()
    assert (double.predict_proba(X) == answers).all()


@pytest.mark.slow
def test_a_forked_copy_leaves_the_folder_alone() -> None:
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    program = "import os, sys, gc, danlu, sklearn.datasets as d; m = danlu.Classifier('mlp', epochs=1)"
    program += "\nm.fit(*d.load_iris(return_X_y=True)); folder = m.run_.folder; child = os.fork()"
    program += "\nif not child: del m; gc.collect(); os._exit(0)"
    program += "\nos.waitpid(child, 0); print(folder.is_dir(), folder)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    stood, folder = done.stdout.split()
    assert stood == "True"
    assert not Path(folder).exists()


def test_a_module_is_needed_again_and_comes_along() -> None:
    model = danlu.Classifier(torch.nn.Linear(4, 3), epochs=2).fit(X, Y)
    assert (pickle.loads(pickle.dumps(model)).predict_proba(X) == model.predict_proba(X)).all()


def test_a_damaged_pickle_is_told(language: str) -> None:
    state = fitted().__getstate__()
    with pytest.raises(danlu.UserError, match="pickle"):
        danlu.Classifier().__setstate__({**state, "run_": state["run_"][:-30]})


def test_an_estimator_that_was_not_fitted_is_pickled_too() -> None:
    model = pickle.loads(pickle.dumps(danlu.Classifier("mlp", hidden=[4])))
    assert model.get_params()["hidden"] == [4]
    assert isinstance(model.fit(X, Y).predict(X), numpy.ndarray)
