"""What a score is called in the language in force."""

from collections.abc import Mapping

from danlu.base.printable import printable
from danlu.base.words import catalogue, language

_SHARES = (
    "accuracy", "balanced_accuracy", "subset_accuracy", "f1", "f1_micro", "average_precision", "map", "iou", "miou",
    "bleu", "exact_match",
)  # fmt: skip
_BOUNDS: dict[str, tuple[float | None, float | None]] = {
    **dict.fromkeys(_SHARES, (0.0, 1.0)),
    **dict.fromkeys(("mae", "rmse", "mase"), (0.0, None)),
    "r2": (None, 1.0),
    "perplexity": (1.0, None),
}


def metric_name(name: str) -> str:
    """What a score is called; one that danlu has no word for keeps its own name. That of one target of several has the
    target's name behind a dot.

    >>> metric_name("accuracy"), metric_name("rouge"), metric_name("r2.height"), metric_name("map.red")
    ('accuracy', 'rouge', 'R² (height)', 'average precision (red)')
    """
    known = catalogue(language())
    metric, _, target = name.partition(".")
    if target and f"view.metric-{metric}" in known:
        return f"{known[f'view.metric-{_of_one(metric)}']} ({printable(target)})"
    return known.get(f"view.metric-{name}") or printable(name)


def metric_bounds(name: str) -> tuple[float | None, float | None]:
    """The least and the greatest value that a score can have; None where there is no such bound, or none is known.

    >>> metric_bounds("accuracy"), metric_bounds("r2.height"), metric_bounds("loss")
    ((0.0, 1.0), (None, 1.0), (None, None))
    """
    return _BOUNDS.get(name.partition(".")[0], (None, None))


def _of_one(metric: str) -> str:
    """What a score of all labels or classes is where it is that of one: the mean is over one."""
    return {"map": "average_precision", "miou": "iou"}.get(metric, metric)


def within_bounds(name: str, value: float | None) -> float | None:
    """The value, or the bound that it lies beyond: the end of an interval around a score may.

    >>> within_bounds("accuracy", 1.02), within_bounds("loss", -0.5), within_bounds("accuracy", None)
    (1.0, -0.5, None)
    """
    return within(value, *metric_bounds(name))


def within(value: float | None, least: float | None, most: float | None) -> float | None:
    """The value, or the bound that it lies beyond; a bound that is None is none.

    >>> within(1.5, None, 1.0), within(None, 0.0, 1.0)
    (1.0, None)
    """
    if value is None:
        return None
    value = value if least is None else max(least, value)
    return value if most is None else min(most, value)


def divided(score: Mapping[str, float]) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """The scores of all targets together, and those of each by its name, where there are several.

    >>> divided({"loss": 0.5, "r2": 0.8, "r2.height": 0.9})
    ({'loss': 0.5, 'r2': 0.8}, {'height': {'r2': 0.9}})
    """
    known = catalogue(language())
    whole: dict[str, float] = {}
    each: dict[str, dict[str, float]] = {}
    for name, value in score.items():
        metric, _, target = name.partition(".")
        if target and f"view.metric-{metric}" in known:
            each.setdefault(target, {})[_of_one(metric)] = value
        else:
            whole[name] = value
    return whole, each
