"""Names of numbers as people read them, in the language in force."""

import math
import re
from collections.abc import Sequence

from danlu.base.metric_names import metric_name
from danlu.base.words import say

_LINES_AT_ONCE = 0.02


def short(value: float | None, digits: int = 4) -> str:
    """A number as people read it, in the terminal, on paper and, by `danlu.short`, on the page.

    >>> short(0.97512), short(3.1e-7), short(61706.2), short(None), short(-math.inf)
    ('0.9751', '3.1e-07', '61,706', '–', '-∞')
    """
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if abs(value) >= 1000 and (abs(value) < 1e6 or (value == int(value) and abs(value) < 1e15)):
        return f"{value:,.0f}"
    if value and not 1e-3 <= abs(value) < 1e6:
        mantissa, _, exponent = f"{value:.{digits - 3}e}".partition("e")
        return f"{mantissa}e{exponent}"
    text = f"{value:.{digits}g}"
    return text if abs(float(text)) < 1000 else f"{float(text):,.0f}"


def score_text(value: float | None) -> str:
    """A score as people read it: with four digits behind the point, so that scores below each other can be compared.

    >>> score_text(0.9), score_text(3.1e-7), score_text(23456.7), score_text(None), score_text(math.nan)
    ('0.9000', '3.1e-07', '23,457', '–', 'nan')
    """
    if value is not None and math.isnan(value):
        return "nan"
    if value is None or not math.isfinite(value) or not (value == 0 or 1e-3 <= abs(value) < 1000):
        return short(value)
    return f"{value:.4f}"


def score_label(part: str, metric: str) -> str:
    """What a score is called: its part of the data and its metric.

    >>> score_label("test", "f1")
    'test · F1'
    """
    return f"{say(f'page.part-{part}')} · {metric_name(metric)}"


def last_parts(keys: Sequence[str]) -> list[str]:
    """Settings without their sections, where they can be told apart without them.

    >>> last_parts(["optim.lr", "train.epochs"]), last_parts(["optim.name", "net.name"])
    (['lr', 'epochs'], ['optim.name', 'net.name'])
    """
    parts = [key.rpartition(".")[2] for key in keys]
    return parts if len({*parts}) == len(parts) else [*keys]


def told_apart(names: Sequence[str], most: int = 22) -> list[str]:
    """Names of layers in at most so many signs, no two alike: where some are too long, the first parts of all paths are
    their first letters and their numbers, as many as it takes; else the middle is left out.

    >>> told_apart(["features.denseblock1.denselayer2.conv1", "features.denseblock2.denselayer2.conv1", "head"])
    ['f.d1.denselayer2.conv1', 'f.d2.denselayer2.conv1', 'head']
    """
    depth = max((name.count(".") for name in names), default=0)
    for letters, count in [(0, 0), *((1, count) for count in range(1, depth + 1)), (2, depth), (3, depth)]:
        found = [_abbreviated(name, letters, count) for name in names]
        if max(map(len, found), default=0) <= most and len({*found}) == len({*names}):
            return found
    ends = [f"…{place}" for place in range(1, len(names) + 1)]
    return [
        name if len(name) <= most else f"{name[: most // 3]}…{name[len(name) - most + most // 3 + 1 + len(end) :]}{end}"
        for name, end in zip(names, ends, strict=True)
    ]


def _abbreviated(name: str, letters: int, count: int) -> str:
    """A path whose first parts, but never its last one, are so many letters each with the numbers behind them."""
    *path, last = name.split(".")
    short = [re.sub(rf"^(\D{{{letters}}})\D+", r"\1", part) for part in path[:count]]
    return ".".join((*short, *path[count:], last))


def together(steps: Sequence[float], last: float) -> list[list[int]]:
    """Places of steps too close to be told apart on an axis up to `last`, put together.

    >>> together([1, 2, 90], last=100)
    [[0, 1], [2]]
    """
    groups: list[list[int]] = []
    for at in sorted(range(len(steps)), key=lambda at: steps[at]):
        if groups and steps[at] - steps[groups[-1][0]] <= _LINES_AT_ONCE * max(1, last):
            groups[-1].append(at)
        else:
            groups.append([at])
    return groups
