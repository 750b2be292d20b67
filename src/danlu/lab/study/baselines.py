"""What scikit-learn's estimators reach on the same folds: below these a network is not worth its trouble."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy
import torch

from danlu.base.errors import Faults, nearest
from danlu.data import Dataset
from danlu.data.memory import MemoryDataset
from danlu.train.metrics import Metrics

NAMES = ("majority", "linear", "svm", "forest")


def check_baselines(names: Sequence[str]) -> None:
    """UserError for a name there is not."""
    faults = Faults()
    for name in names:
        if name not in NAMES:
            faults.add("study.unknown-baseline", name=name, names=", ".join(NAMES), hint=nearest(name, NAMES))
    faults.raise_if_any()


def baseline_scores(name: str, data: Dataset, seed: int) -> dict[str, float]:
    """The metrics of scikit-learn's estimator called `name` on the validation part, trained on the training part.

    "majority" says the commonest class, or the mean; "linear" is logistic or linear regression, "svm" the support
    vector machine with a Gaussian kernel, "forest" 100 random trees.
    """
    assert isinstance(data, MemoryDataset)
    x, y, inside, targets = _parts(data)
    model = _model(name, data.task, seed)
    model.fit(x, y)
    found = torch.from_numpy(numpy.asarray(model.predict(inside)))
    metrics = Metrics(data.task, data.outputs, data.target_scale if data.task == "regression" else None)
    if data.task == "classification":
        found = torch.nn.functional.one_hot(found.long(), max(2, data.outputs)).float()
    metrics.update(found.reshape(len(targets), -1), targets)
    return metrics.compute(float("nan"))


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
    import sklearn.dummy
    import sklearn.ensemble
    import sklearn.linear_model
    import sklearn.svm

    classifies = task == "classification"
    models: dict[str, Callable[[], Any]] = {
        "majority": sklearn.dummy.DummyClassifier if classifies else sklearn.dummy.DummyRegressor,
        "linear": (lambda: sklearn.linear_model.LogisticRegression(max_iter=2000))
        if classifies
        else sklearn.linear_model.LinearRegression,
        "svm": sklearn.svm.SVC if classifies else sklearn.svm.SVR,
        "forest": lambda: (
            sklearn.ensemble.RandomForestClassifier if classifies else sklearn.ensemble.RandomForestRegressor
        )(random_state=seed),
    }
    return models[name]()
