"""What scikit-learn's estimators reach on the same folds: below these a network is not worth its trouble."""

import functools
import inspect
from collections.abc import Sequence
from typing import Any

import numpy
import torch

from danlu.base.errors import Faults, fail, nearest
from danlu.data import Dataset
from danlu.data.memory import MemoryDataset
from danlu.data.targets import measured_by
from danlu.study import nearest_text
from danlu.train.losses import AT_PLACES
from danlu.train.metrics import Metrics
from danlu.train.rare_class import rare_precision

NAMES = ("majority", "linear", "svm", "forest")


def check_baselines(names: Sequence[str], task: str) -> None:
    """UserError for a name there is not, or an estimator for another task."""
    faults = Faults()
    if task == "translation":
        for name in (name for name in names if name not in nearest_text.NAMES):
            fit = ", ".join(nearest_text.NAMES)
            faults.add("study.unknown-baseline", name=name, names=fit, hint=nearest(name, nearest_text.NAMES))
        faults.raise_if_any()
        return
    if task in AT_PLACES and (others := [name for name in names if name != "majority"]):
        fail("study.only-majority", names=", ".join(others))
    if names and task == "multi-label":
        fail("study.no-baseline-for-labels")
    for name in names:
        if name in NAMES:
            continue
        known = _estimators(task)
        if name not in known:
            fit = ", ".join(NAMES)
            faults.add("study.unknown-baseline", name=name, names=fit, hint=nearest(name, [*NAMES, *known]))
    faults.raise_if_any()


def is_random(name: str, task: str) -> bool:
    """Whether an estimator depends on a seed."""
    if name in NAMES or task == "translation":
        return name == "forest"
    return "random_state" in inspect.signature(_kind(name, task)).parameters


def baseline_scores(name: str, data: Dataset, seed: int) -> dict[str, float]:
    """The metrics of scikit-learn's estimator called `name` on the validation part, trained on the training part.

    "majority" says the commonest class, or the mean; "linear" is logistic or linear regression, "svm" the support
    vector machine with a Gaussian kernel, "forest" 100 random trees; any other name is that of a class of scikit-learn,
    with its own defaults. Those of translation are in `nearest_text`.
    """
    assert isinstance(data, MemoryDataset)
    if data.task == "translation":
        return nearest_text.written_scores(name, data)
    if data.task in AT_PLACES:
        return _most_frequent(data)
    x, y, inside, targets = _parts(data)
    model = _model(name, data.task, seed)
    model.fit(x, y)
    found = torch.from_numpy(numpy.asarray(model.predict(inside)))
    metrics = Metrics(**measured_by(data.limited(False).target), rare=data.rare_class)
    if data.task == "classification":
        found = torch.nn.functional.one_hot(found.long(), max(2, data.outputs)).float()
    metrics.update(found.reshape(len(targets), -1), targets)
    score = metrics.compute(float("nan"))
    if data.rare_class is not None:
        score["average_precision"] = rare_precision(
            _sureness(model, inside, data.rare_class), targets == data.rare_class
        )
    return score


def _most_frequent(data: MemoryDataset) -> dict[str, float]:
    """The scores of the class that most places of the training part have, said at each place."""
    counts, metrics = data.class_counts(), Metrics(**measured_by(data.target))
    assert counts is not None
    one = torch.zeros(data.outputs)
    one[counts.index(max(counts))] = 1.0
    for _, targets in data.batches("validation", 256, device=torch.device("cpu")):
        if data.task == "tagging":
            metrics.update(one.expand(*targets.shape, data.outputs), targets)
        else:
            metrics.update(one.view(1, -1, 1, 1).expand(len(targets), -1, *targets.shape[1:]), targets)
    return metrics.compute(float("nan"))


def _sureness(model: Any, samples: Any, label: int) -> torch.Tensor:
    """How much a classifier says for class `label`, [N]: its probability, or what it decides by."""
    if label not in (classes := list(model.classes_)):
        return torch.zeros(len(samples))
    place = classes.index(label)
    if hasattr(model, "predict_proba"):
        return torch.from_numpy(model.predict_proba(samples)[:, place])
    found = torch.from_numpy(numpy.asarray(model.decision_function(samples)))
    return found[:, place] if found.ndim == 2 else found * (1 if place else -1)


def _parts(data: MemoryDataset) -> tuple[Any, Any, Any, torch.Tensor]:
    device = torch.device("cpu")
    parts: list[tuple[torch.Tensor, torch.Tensor]] = []
    for part in ("train", "validation"):
        batches = list(data.batches(part, 4096, device=device, dtype=torch.float64))
        parts.append((torch.cat([x.flatten(1) for x, _ in batches]), torch.cat([y for _, y in batches])))
    (x, y), (inside, targets) = parts
    flat = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    return x.numpy(), flat.numpy(), inside.numpy(), targets


def _model(name: str, task: str, seed: int) -> Any:
    kind, options = _kind(name, task), dict[str, Any]()
    if is_random(name, task):
        options["random_state"] = seed
    if name == "linear" and task == "classification":
        options["max_iter"] = 2000
    return kind(**options)


def _kind(name: str, task: str) -> Any:
    import sklearn.dummy
    import sklearn.ensemble
    import sklearn.linear_model
    import sklearn.svm

    kinds = {
        "majority": (sklearn.dummy.DummyClassifier, sklearn.dummy.DummyRegressor),
        "linear": (sklearn.linear_model.LogisticRegression, sklearn.linear_model.LinearRegression),
        "svm": (sklearn.svm.SVC, sklearn.svm.SVR),
        "forest": (sklearn.ensemble.RandomForestClassifier, sklearn.ensemble.RandomForestRegressor),
    }
    return kinds[name][task != "classification"] if name in kinds else _estimators(task)[name]


@functools.cache
def _estimators(task: str) -> dict[str, Any]:
    """All classes of scikit-learn that can be trained for the task without being told more, by name."""
    import sklearn.utils

    kind = "classifier" if task == "classification" else "regressor"
    every: list[tuple[str, Any]] = sklearn.utils.all_estimators(type_filter=kind)
    return {
        name: estimator
        for name, estimator in every
        if all(
            parameter.default is not parameter.empty or parameter.kind is parameter.VAR_KEYWORD
            for parameter in inspect.signature(estimator).parameters.values()
        )
    }
