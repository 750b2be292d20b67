"""The figure of a claim as a chart, from the plain numbers of its record."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from danlu.base.metric_names import metric_bounds
from danlu.base.words import say
from danlu.view.claim_labels import label, word
from danlu.view.claims import sentence, verdict_words
from danlu.view.figures.chart import Axis, Band, Chart, Heatmap, Line, Mark, Panel, Points, Whiskers
from danlu.view.palette import SHAPES, series_color


def claim_chart(record: Mapping[str, Any]) -> Chart:
    """All panels of a claim's figure, with the sentence above and the verdict below; no panel where it has none."""
    panels = [_panel(plot) for plot in record["figure"]]
    notes = [say("claims.verdict", verdict=verdict_words(record["verdict"]))]
    if any(one["lows"] for plot in record["figure"] for one in plot["series"]):
        notes.append(say("claims.band"))
    return Chart("claim", sentence(record), panels, notes)


def _panel(plot: Mapping[str, Any]) -> Panel:
    marks: list[Mark] = []
    if plot["surface"]:
        points = [point for one in plot["series"] for point in zip(one["xs"], one["ys"], strict=True)]
        paths = [(x, y, _height(plot, x, y)) for x, y in points]
        first = plot["series"][0]["label"] if plot["series"] else ""
        marks.append(
            Heatmap(
                plot["grid"][0],
                plot["grid"][1],
                plot["surface"],
                word(plot["title"] or "loss"),
                solid=plot["solid"],
                path=paths if plot["solid"] else (),
                path_label=word(first) if plot["solid"] else "",
            )
        )
    if not plot["solid"]:
        marks += [mark for index, one in enumerate(plot["series"]) for mark in _marks(index, one)]
    ticks = [(float(at), label(text)) for at, text in enumerate(plot["ticks"])]
    # One heading says both what is shown and of what.
    of = [label(plot["title"])] if plot["title"] and not plot["surface"] else []
    heading = say("base.finding-comma").join([word(plot["y"]), *of])
    x, y = Axis(word(plot["x"]), log=plot["log_x"], ticks=ticks), _bounded(heading, plot)
    return Panel(x, y, marks, height=1.3)


def _bounded(heading: str, plot: Mapping[str, Any]) -> Axis:
    least, most = metric_bounds(str(plot["y"]))
    return Axis(heading, log=plot["log_y"], least=least, most=most)


def _height(plot: Mapping[str, Any], x: float, y: float) -> float:
    """Of the surface at (x, y), in a straight line between the places of its grid; beyond its edge that of the edge."""
    columns, rows, heights = *plot["grid"], plot["surface"]
    column, across = _between(columns, x)
    row, down = _between(rows, y)
    upper, lower = (
        (1 - across) * line[column] + across * line[column + 1] for line in (heights[row], heights[row + 1])
    )
    return (1 - down) * upper + down * lower


def _between(places: Sequence[float], at: float) -> tuple[int, float]:
    """Which two neighbours of `places`, in rising order, `at` lies between: the first one, and how far behind it."""
    first = min(max(bisect_right(places, at) - 1, 0), len(places) - 2)
    share = (at - places[first]) / (places[first + 1] - places[first])
    return first, min(max(share, 0.0), 1.0)


def _marks(index: int, one: Mapping[str, Any]) -> Sequence[Mark]:
    """A curve with its band; where it stands for single places, points with their intervals."""
    color, name = series_color(index), label(one["label"])
    xs, ys, lows, highs = one["xs"], one["ys"], one["lows"], one["highs"]
    if one["points"]:
        beside = [x + 0.08 * index if isinstance(x, int | float) else x for x in xs]
        marks: list[Mark] = [Points(beside, ys, color, name, shape=SHAPES[index % len(SHAPES)], size=6)]
        return [Whiskers(beside, lows, highs, color, upright=True), *marks] if lows else marks
    return [*([Band(xs, lows, highs, color)] if lows else []), Line(xs, ys, color, name)]
