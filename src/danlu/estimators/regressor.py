"""A regressor by scikit-learn's conventions."""

from typing import Any, Self

import numpy
from sklearn.base import RegressorMixin
from sklearn.utils import Tags

from danlu.estimators.estimator import Estimator
from danlu.estimators.samples import checked


class Regressor(RegressorMixin, Estimator):
    """A net that learns numbers, as scikit-learn's regressors do: `danlu.fit` behind `fit`, `predict` and `score`.

    `net` is a name or a torch module; None takes the one that the data call for. Settings are those of `danlu.fit`, and
    None leaves one to danlu. Runs lie in `folder`, each fit in a folder of its own, else in a temporary one that a
    pickle takes along. After `fit`: `run_` (the `danlu.Run`, with scores, findings, history), and where X has columns
    `n_features_in_`, `feature_names_in_`.

    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = Regressor("mlp", epochs=10).fit(X, y)
    >>> model.score(X, y) > 0.3, model.predict(X[:2]).shape
    (True, (2,))
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Train on X and their numbers y [N], or [N, T]; a tenth of them is danlu's to choose by.

        X is an array [N, F], images [N, H, W] or [N, H, W, C], a pandas or polars DataFrame (numbers, categories,
        missing values), or texts (y is one number each then). `sample_weight` [N] says how much each row of a table or
        an array counts in the loss. Raises EstimatorError, a ValueError, with all that is wrong with settings and data.
        """
        x, y = checked(self, X, y, numbers=True)
        return self._train(x, y, "regression", sample_weight)

    def predict(self, X: Any) -> "numpy.ndarray[Any, Any]":  # noqa: N803
        """Numbers in the unit of y: float64 [N], or [N, T]."""
        return self._answers(X)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
