"""A classifier by scikit-learn's conventions."""

from typing import Any, Self

import numpy
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets

from danlu.base.errors import fail
from danlu.data.targets import Labels
from danlu.estimators.estimator import Estimator
from danlu.estimators.mistakes import as_value_errors
from danlu.estimators.samples import checked


class Classifier(ClassifierMixin, Estimator):
    """A net that learns classes, as scikit-learn's classifiers do: `danlu.fit` behind `fit`, `predict` and `score`.

    `net` is a name or a torch module; None takes the one that the data call for. Settings are those of `danlu.fit`, and
    None leaves one to danlu. Runs lie in `folder`, each fit in a folder of its own, else in a temporary one that a
    pickle takes along. After `fit`: `classes_`, `run_` (the `danlu.Run`, with scores, findings, history), and where X
    has columns `n_features_in_`, `feature_names_in_`.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = Classifier("mlp", epochs=20).fit(X, y)
    >>> model.score(X, y) > 0.9, model.predict_proba(X[:2]).shape
    (True, (2, 3))
    """

    classes_: "numpy.ndarray[Any, Any]"

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Train on X and their labels y [N], strings or whole numbers; a tenth of them is danlu's to choose by.

        X is an array [N, F], images [N, H, W] or [N, H, W, C], a pandas or polars DataFrame (numbers, categories,
        missing values), or texts. `sample_weight` [N] says how much each row of a table or an array counts in the loss.
        Raises EstimatorError, a ValueError, with all that is wrong with settings and data.
        """
        x, y = checked(self, X, y, numbers=False)
        check_classification_targets(y)
        classes = numpy.unique(y)
        with as_value_errors():
            if len(classes) < 2:
                fail("estimators.one-class", found=classes[0])
        if classes.dtype.kind in "iu" and classes[0] == 0 and classes[-1] >= len(classes):
            # Whole numbers from 0 on are all classes for danlu, also those that are not there.
            y = y.astype(numpy.float64)
        self.classes_ = classes
        return self._train(x, y, "classification", sample_weight)

    def predict(self, X: Any) -> "numpy.ndarray[Any, Any]":  # noqa: N803
        """The likeliest class of each sample, one of `classes_`: [N]."""
        found = self._answers(X)
        places = {label: place for place, label in enumerate(self.classes_.tolist())}
        return self.classes_[[places[label] for label in found.tolist()]]

    def predict_proba(self, X: Any) -> "numpy.ndarray[Any, Any]":  # noqa: N803
        """The probability of each class, float64 [N, C], in the order of `classes_`; each row sums to 1."""
        found = self._answers(X, probabilities=True)
        target = self.run_.preprocessing.target
        assert isinstance(target, Labels)
        return found[:, [target.values.index(label) for label in self.classes_.tolist()]]
