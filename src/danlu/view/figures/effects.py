"""A study's pictures: forest plot, means by two factors, paired slopes, sweep, spread over folds."""

import statistics
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from danlu.base.metric_names import metric_bounds, metric_name, within
from danlu.base.words import say
from danlu.stats.mean_interval import mean_interval
from danlu.stats.members import MOST_MORE
from danlu.view.figures.chart import Axis, Cells, Chart, GuideLine, Line, Mark, Panel, Points, Whiskers, Zone
from danlu.view.figures.names import score_text
from danlu.view.info.effects import EffectRow, Level, Pair, Sweep, level_text, look_of
from danlu.view.palette import SHAPES, series_color

_LOOK = {
    "better": ("green", "circle"),
    "worse": ("orange", "diamond"),
    "same": ("grey", "square"),
    "undecided": ("blue", "triangle"),
}
_LINE, _GAP = 0.09, 0.07  # of the height of an ordinary panel: a line of a row's words, and the space between two rows
_MOST_ROWS = 40
_MOST_SIGNS = 24  # in a line beside a row: as many as a phone has room for
_LEAST_APART = 10.0  # standard errors of a mean between the ends of the colours
_MOST_TEXTS = 12  # columns of means whose numbers fit in the cells


def forest_chart(effects: Sequence[EffectRow], *, remedies: bool = False) -> Chart:
    """Every effect with its interval; a panel for each metric, because their units differ. Of `remedies` only what they
    change is named: all are compared with the recipe as it is."""
    metrics = list(dict.fromkeys(effect.metric for effect in effects))
    panels = [_forest_panel([one for one in effects if one.metric == metric], metric, remedies) for metric in metrics]
    return Chart("forest", say("figure.forest"), panels)


def _forest_panel(effects: list[EffectRow], metric: str, remedies: bool) -> Panel:
    shown = effects[:_MOST_ROWS]
    rows = [float(at) for at in range(len(shown))]
    least, most = _difference_bounds(metric)
    marks: list[Mark] = [GuideLine(0.0, dash="solid")]
    for verdict, (color, shape) in _LOOK.items():
        chosen = [(row, one) for row, one in zip(rows, shown, strict=True) if look_of(one.verdict) == verdict]
        if any(one.mean is not None for _, one in chosen):
            at = [row for row, _ in chosen]
            known = [(row, one) for row, one in chosen if one.low is not None]
            if known:
                lows, highs = ([within(end, least, most) for end in ends] for ends in _ends(known))
                marks.append(Whiskers([row for row, _ in known], lows, highs, color))
            texts = [_effect_text(one) for _, one in chosen]
            label = say(f"figure.verdict-{verdict}")
            marks.append(Points([one.mean for _, one in chosen], at, color, label, shape, 8, texts))
    words = [_row_words(one, remedies) for one in shown]
    ticks = [(row, "\n".join(lines)) for row, lines in zip(rows, words, strict=True)]
    x = Axis(say("figure.difference", metric=metric_name(metric)), least=least, most=most)
    height = 0.5 + (_GAP + _LINE * max(map(len, words), default=1)) * len(shown)
    return Panel(x, Axis(ticks=ticks, low=len(shown) - 0.5, high=-0.5), marks, height=height)


def _row_words(effect: EffectRow, remedy: bool) -> list[str]:
    """What stands beside a row: the change, in as many lines as it takes, its effect, and what it still needs."""
    change = effect.after if remedy else f"{effect.factor.rpartition('.')[2]}: {effect.before} → {effect.after}"
    mean, bracket, interval = _numbers(effect).partition(" [")
    numbers = [mean + bracket + interval] if len(mean + bracket + interval) <= _MOST_SIGNS else [mean, f"[{interval}"]
    more = _more_text(effect)
    return [*textwrap.wrap(change, _MOST_SIGNS), *numbers, *([more] if more else [])]


def _more_text(effect: EffectRow) -> str:
    """How many seeds would decide it; "" where it is decided, or where seeds alone will not."""
    if effect.endless:
        return say("figure.more-than", count=MOST_MORE)
    return say("figure.more-pairs", count=effect.more) if effect.more else ""


def _ends(known: Sequence[tuple[float, EffectRow]]) -> tuple[list[float | None], list[float | None]]:
    return [one.low for _, one in known], [one.high for _, one in known]


def _difference_bounds(metric: str) -> tuple[float | None, float | None]:
    """How far a metric with two bounds can fall and rise."""
    least, most = metric_bounds(metric)
    return (None, None) if least is None or most is None else (least - most, most - least)


def _metric_axis(metric: str) -> Axis:
    least, most = metric_bounds(metric)
    return Axis(metric_name(metric), least=least, most=most)


def _effect_text(effect: EffectRow) -> str:
    return "  ".join(filter(None, (_numbers(effect), _more_text(effect))))


def _numbers(effect: EffectRow) -> str:
    if effect.mean is None:
        return say(f"figure.verdict-{look_of(effect.verdict)}")  # of trainings that diverge
    mean = f"{effect.mean:+.4f}"
    return mean if effect.low is None or effect.high is None else f"{mean} [{effect.low:+.4f} … {effect.high:+.4f}]"


def means_chart(table: Mapping[str, Any]) -> Chart:
    """The mean of the metric at each pair of two factors' levels, as colours with the numbers in them."""
    first, second = table["factors"]
    means: Sequence[Sequence[float | None]] = table["means"]
    columns = [(float(at), level_text(level)) for at, level in enumerate(table["columns"])]
    rows = [(float(at), level_text(level)) for at, level in enumerate(table["rows"])]
    few = len(columns) <= _MOST_TEXTS
    texts = [["" if mean is None else score_text(mean) for mean in row] for row in means] if few else ()
    ends = _apart(means, _LEAST_APART * table["error"])
    cells = Cells(list(range(len(columns))), means, metric_name(table["metric"]), texts=texts, range=ends)
    panel = Panel(Axis(second, ticks=columns), Axis(first, ticks=rows), [cells], height=0.3 + 0.22 * len(rows))
    return Chart("means", say("figure.means-of", first=first, second=second), [panel])


def _apart(means: Sequence[Sequence[float | None]], least: float) -> tuple[float, float] | None:
    """The ends of the colours of means, at least so far apart: what is within their error looks nearly alike."""
    known = [mean for row in means for mean in row if mean is not None]
    if not known or max(known) - min(known) >= least:
        return None
    middle = (max(known) + min(known)) / 2
    return middle - least / 2, middle + least / 2


def slopes_chart(pairs: Sequence[Pair], effect: EffectRow) -> Chart:
    """Each pair as a line from one level to the other, and the mean of all."""
    rising = [pair for pair in pairs if pair.after > pair.before]
    falling = [pair for pair in pairs if pair.after <= pair.before]
    marks: list[Mark] = []
    for group, color, dash, id in (
        (rising, "blue", "solid", "figure.pairs-up"),
        (falling, "orange", "dash", "figure.pairs-down"),
    ):
        xs = [x for _ in group for x in (0.0, 1.0, None)]
        ys = [y for pair in group for y in (pair.before, pair.after, None)]
        if group:
            marks.append(Line(xs, ys, color, say(id, count=len(group)), 1.0, dash))
    if pairs:
        means = [statistics.fmean(pair.before for pair in pairs), statistics.fmean(pair.after for pair in pairs)]
        marks += [Line([0.0, 1.0], means, "ink", say("figure.mean"), 3.0), Points([0.0, 1.0], means, "ink", size=8)]
    x = Axis(effect.factor, ticks=[(0.0, effect.before), (1.0, effect.after)], low=-0.25, high=1.25)
    title = say("figure.slopes", factor=effect.factor, before=effect.before, after=effect.after)
    return Chart("slopes", title, [Panel(x, _metric_axis(effect.metric), marks, height=1.6)])


def sweep_chart(info: Sweep) -> Chart:
    """The metric of every member over the levels of a factor, the levels that diverge shaded. Means of numbers are
    joined; those of categories, between which there is nothing, have their intervals."""
    places = _places(info)
    marks: list[Mark] = list(_divergence(info, places))
    xs = [place for place, level in zip(places, info.levels, strict=True) for _ in level.scores]
    marks.append(Points(xs, [score for level in info.levels for score in level.scores], "blue", size=4, faint=True))
    means = [level.mean for level in info.levels]
    texts = [_level_text(level) for level in info.levels]
    if info.numeric:
        marks.append(Line(places, means, "blue", say("figure.mean")))
    else:
        marks.append(_intervals(info, places))
    marks.append(Points(places, means, "blue", "" if info.numeric else say("figure.mean"), size=7, texts=texts))
    words = [] if info.spread else [(x, level_text(level.value)) for x, level in zip(places, info.levels, strict=True)]
    panel = Panel(Axis(info.factor, log=info.spread, ticks=words), _metric_axis(info.metric), marks, height=1.6)
    return Chart("sweep", say("figure.sweep", factor=info.factor), [panel])


def _intervals(info: Sweep, places: list[float]) -> Whiskers:
    """The interval of the mean of each level that has several scores."""
    found = [(place, mean_interval(level.scores)) for place, level in zip(places, info.levels, strict=True)]
    known = [(place, one.low, one.high) for place, one in found if one is not None and one.low is not None]
    at, lows, highs = ([row[part] for row in known] for part in range(3))
    return Whiskers(at, lows, highs, "blue", upright=True)


def _places(info: Sweep) -> list[float]:
    if info.numeric and info.spread:
        return [float(level.value) for level in info.levels]
    return [float(at) for at in range(len(info.levels))]


def _divergence(info: Sweep, places: list[float]) -> list[Zone]:
    """Neighbouring levels at which at least half of the members diverged, as one zone each."""
    zones: list[tuple[float, float]] = []
    for at, level in enumerate(info.levels):
        if 2 * level.diverged >= level.diverged + len(level.scores) and level.diverged:
            low, high = _reach(places, at, log=info.spread)
            if zones and zones[-1][1] >= low * 0.999999:
                zones[-1] = (zones[-1][0], high)
            else:
                zones.append((low, high))
    return [Zone(low, high, "orange", say("figure.diverged") if not at else "") for at, (low, high) in enumerate(zones)]


def _reach(places: list[float], at: int, *, log: bool) -> tuple[float, float]:
    """Half the way to the neighbours on both sides."""

    def between(a: float, b: float) -> float:
        return (a * b) ** 0.5 if log else (a + b) / 2

    low = between(places[at - 1], places[at]) if at else None
    high = between(places[at], places[at + 1]) if at + 1 < len(places) else None
    if low is None:
        low = (places[at] ** 2 / high if high else places[at] / 2) if log else 2 * places[at] - (high or places[at] + 1)
    if high is None:
        high = (places[at] ** 2 / low) if log else 2 * places[at] - low
    return low, high


def _level_text(level: Level) -> str:
    return say("figure.level", mean=score_text(level.mean), count=len(level.scores), diverged=level.diverged)


def folds_chart(folds: Mapping[str, Mapping[int, Sequence[float]]], metric: str) -> Chart:
    """The scores of each setting fold by fold: how much the choice of the validation part matters."""
    numbers = sorted({fold for by_fold in folds.values() for fold in by_fold})
    marks: list[Mark] = []
    width = 0.6 / max(1, len(folds))
    for index, (setting, by_fold) in enumerate(folds.items()):
        color, shape = series_color(index), SHAPES[index % len(SHAPES)]
        shift = (index - (len(folds) - 1) / 2) * width
        xs = [numbers.index(fold) + shift for fold, scores in by_fold.items() for _ in scores]
        marks.append(Points(xs, [score for scores in by_fold.values() for score in scores], color, setting, shape, 5))
        found = [(numbers.index(fold) + shift, statistics.fmean(by_fold[fold])) for fold in sorted(by_fold)]
        marks.append(Line([x for x, _ in found], [mean for _, mean in found], color, width=1.0))
    ticks = [(float(at), str(fold)) for at, fold in enumerate(numbers)]
    panel = Panel(Axis(say("figure.fold"), ticks=ticks), _metric_axis(metric), marks, height=1.6)
    return Chart("folds", say("figure.folds"), [panel])
