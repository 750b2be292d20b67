"""What a score is called in the language in force."""

from collections.abc import Mapping

from danlu.base.printable import printable
from danlu.base.words import catalogue, language


def metric_name(name: str) -> str:
    """What a score is called; one that danlu has no word for keeps its own name. That of one target of several has the
    target's name behind a dot.

    >>> metric_name("accuracy"), metric_name("rouge"), metric_name("r2.height")
    ('accuracy', 'rouge', 'R² (height)')
    """
    known = catalogue(language())
    metric, _, target = name.partition(".")
    if target and f"view.metric-{metric}" in known:
        return f"{known[f'view.metric-{metric}']} ({printable(target)})"
    return known.get(f"view.metric-{name}") or printable(name)


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
            each.setdefault(target, {})[metric] = value
        else:
            whole[name] = value
    return whole, each
