"""Where the time of a training goes, as one strip; below it what of the machine it used."""

import itertools

from danlu.base.words import say
from danlu.view.figures.chart import Axis, Chart, Line, Numbers, Panel, Whiskers
from danlu.view.figures.names import short
from danlu.view.info.axes import UNITS
from danlu.view.info.time_spent import PARTS, TimeShares
from danlu.view.palette import series_color

_THICK = 26.0
_GIB = 2.0**30
_LEAST = (1000.0, 100.0, 10.0, 0.0)  # seconds of a total that is told with 0, 1, 2, 3 decimals in its parts


def time_chart(info: TimeShares) -> Chart:
    """Each part with its seconds and its share; cores and memory where they were measured twice at least."""
    name, unit = next((name, seconds) for name, seconds, least in UNITS if info.total >= least)
    axis = Axis(say("figure.time", unit=say(f"figure.unit-{name}")), low=0.0)
    parts = [(part, info.seconds[part] / unit) for part in PARTS if part in info.seconds]
    ends = itertools.pairwise(itertools.accumulate((amount for _, amount in parts), initial=0.0))
    strip = [
        Whiskers([0.0], [low], [high], _color(part), label=_label(part, info), width=_THICK)
        for (part, _), (low, high) in zip(parts, ends, strict=True)
    ]
    total = say("figure.time-total", seconds=short(info.total, 3))
    panels = [Panel(axis, Axis(ticks=[(0.0, total)], low=0.5, high=-0.5), strip, height=0.4)]
    courses: list[tuple[str, Numbers]] = [
        ("figure.cores", info.cores),
        ("figure.memory", [None if value is None else value / _GIB for value in info.memory]),
        ("figure.gpu-memory", [None if value is None else value / _GIB for value in info.gpu]),
    ]
    places = [end / unit for end in info.ends]
    for label, values in courses:
        if len([value for value in values if value is not None]) > 1:
            line = Line(places, values, "blue")
            panels.append(Panel(Axis(low=0.0), Axis(say(label), low=0.0), [line], height=0.45, shares_x="seconds"))
    if len(panels) > 1:
        last = panels[-1]
        panels[-1] = Panel(axis, last.y, last.marks, height=last.height, shares_x=last.shares_x)
    return Chart("time", say("figure.time-spent"), panels, [say("figure.time-estimated")])


def _color(part: str) -> str:
    return series_color(PARTS.index(part))


def _label(part: str, info: TimeShares) -> str:
    share = info.seconds[part] / info.total
    places = next(places for places, least in enumerate(_LEAST) if info.total >= least)
    seconds = short(round(info.seconds[part], places), 3)
    return say(f"figure.time-{part}", seconds=seconds, share=f"{share:.0%}")
