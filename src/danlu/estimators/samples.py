"""X and y as scikit-learn hands them over, checked by its conventions, in the form that danlu takes."""

import inspect
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite, check_consistent_length, column_or_1d
from sklearn.utils.validation import validate_data

from danlu.base.keywords import home_of
from danlu.base.memory import memory_guard
from danlu.data import load
from danlu.data.arrays import EXACT
from danlu.data.given_parts import is_text_list
from danlu.data.preprocessing import Preprocessing
from danlu.data.sample_weights import checked_weights
from danlu.data.table.frames import is_frame
from danlu.data.text.encoders import TextEncoder

_validate: Any = validate_data  # scikit-learn's annotations are of its defaults only

Data = tuple[Any, dict[str, Any]]
"""What `danlu.fit` takes as its data, and the settings that go with it."""


def checked(estimator: BaseEstimator, x: Any, y: Any, *, numbers: bool) -> tuple[Any, Any]:
    """X and y to train on: X as it is where it is a frame or texts, else an array, also of a sparse matrix; y [N], or
    [N, T] where it holds `numbers`, unless beside texts.

    What scikit-learn keeps of X, `n_features_in_` and `feature_names_in_`, is kept in `estimator` where X has columns.
    Raises ValueError and TypeError in scikit-learn's words.
    """
    for name in ("n_features_in_", "feature_names_in_"):
        vars(estimator).pop(name, None)
    x = _dense(x)
    if y is None:
        _validate(estimator, numpy.zeros((2, 1)), y)  # which refuses
    if is_frame(x):
        _validate(estimator, x, skip_check_array=True)
    texts = _texts(x)
    if texts or is_frame(x):
        y = numpy.asarray(y, dtype=numpy.float64) if numbers else y
        several = numbers and not texts and y.ndim == 2 and y.shape[1] > 1
        y = y if several else column_or_1d(y, warn=True)
        assert_all_finite(y, input_name="y")
        check_consistent_length(x, y)
        return texts or x, y
    options = {"allow_nd": True, "ensure_2d": _is_flat(x), "ensure_min_samples": 2}
    options |= {"ensure_all_finite": False}  # danlu says where they stand
    found, y = _validate(estimator, x, y, multi_output=numbers, y_numeric=numbers, **options)
    return _rounded(found), y


def data_of(x: Any, y: "numpy.ndarray[Any, Any]", weights: Any) -> Data:
    """Checked X and y as the data of a run: a frame gets y as one more column, `target`, or several, and how much each
    row counts as another.
    """
    if not is_frame(x):
        return (x, y), {}
    several = y.ndim == 2
    columns = [(f"target{place + 1}", own) for place, own in enumerate(y.T)] if several else [("target", y)]
    columns += [] if weights is None else [("weight", _weights(weights, len(y)))]
    added: dict[str, Any] = {}
    for wanted, values in columns:
        added[_free_name(wanted, [*map(str, x.columns), *added])] = values.tolist()
    names = [*added]
    settings: dict[str, Any] = {} if weights is None else {"data.weight": names.pop()}
    settings["data.target"] = names if several else names[0]
    if hasattr(x, "with_columns"):
        import polars

        return x.with_columns(polars.Series(name, values) for name, values in added.items()), settings
    return x.assign(**added), settings


def _free_name(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name = f"{name}_"
    return name


def weighted(data: Any, weights: Any, settings: Mapping[str, Any]) -> Data:
    """Arrays, loaded by the settings of data that stand among `settings`, with how much each sample counts, which no
    recipe can hold; and the other settings.
    """
    others, given = dict(settings), dict[str, Any]()
    known = inspect.signature(load).parameters
    for name, value in settings.items():
        section, _, key = (home_of(name, value) or [name])[0].partition(".")
        if section == "data" and key in known:
            given[key] = others.pop(name)
    return load(data, weights=_weights(weights, len(data[0])), **given), others


def _weights(given: Any, count: int) -> "numpy.ndarray[Any, Any]":
    return checked_weights(numpy.asarray(given), count, "sample_weight").numpy()


def to_be_answered(estimator: BaseEstimator, x: Any, fitted: Preprocessing, columns: Sequence[str] | None) -> Any:
    """X to predict, checked against what `estimator` was fitted to; an array takes on the `columns` of a frame that it
    was fitted to.
    """
    x = _dense(x)
    if isinstance(fitted.encoder, TextEncoder):
        return _texts(x) or x
    if is_frame(x):
        _validate(estimator, x, skip_check_array=True, reset=False)
        return x
    options = {"allow_nd": True, "ensure_2d": _is_flat(x), "ensure_all_finite": False, "reset": False}
    found = _validate(estimator, x, dtype="numeric" if columns is None else None, **options)
    return _rounded(found) if columns is None else dict(zip(columns, found.T, strict=True))


def _dense(x: Any) -> Any:
    """A sparse matrix of SciPy's, as encoders of scikit-learn give it, with its zeros written out: a net takes these
    too. Anything else as it is.
    """
    with memory_guard("data"):
        return x.toarray() if hasattr(x, "toarray") and hasattr(x, "nnz") else x


def _texts(x: Any) -> list[str] | None:
    """Texts, one a sample; None where X is something else."""
    items = x.to_list() if hasattr(x, "to_list") else x  # a column of a frame
    return list(map(str, items)) if is_text_list(items) and numpy.ndim(items) == 1 else None


def _is_flat(x: Any) -> bool:
    """Whether X is to be rows of numbers, and not images or sequences of them."""
    return len(x.shape if hasattr(x, "shape") else numpy.asarray(x).shape) <= 2


def _rounded(x: "numpy.ndarray[Any, Any]") -> "numpy.ndarray[Any, Any]":
    """Whole numbers that no float64 holds exactly as the nearest one: danlu refuses them, scikit-learn rounds."""
    if x.dtype.kind not in "iu" or x.dtype.itemsize < 8 or not x.size or max(-int(x.min()), int(x.max())) <= EXACT:
        return x
    return x.astype(numpy.float64)
