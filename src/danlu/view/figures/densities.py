"""Densities and probabilities, and under them entropy, cross-entropy and Kullback-Leibler divergence in nats."""

import itertools
from collections.abc import Sequence

from danlu.base.words import say
from danlu.view.figures.chart import Axis, Band, Bars, Chart, Line, Mark, Panel
from danlu.view.figures.names import short
from danlu.view.info.densities import Amount, Densities, DensityCurve, P, Q
from danlu.view.palette import series_color

_ROOM = 0.8  # the share of the way to the next value that its columns take together
_A_LINE = 3  # amounts


def densities_chart(info: Densities) -> Chart:
    """One distribution, or two over each other."""
    discrete = info.curves[0].discrete
    named = [f"{sign} = {curve.name}" for sign, curve in zip((P, Q), info.curves, strict=False)]
    marks = _columns(info.curves, named) if discrete else _areas(info.curves, named)
    y = say("figure.probability" if discrete else "figure.density")
    panel = Panel(Axis("x"), Axis(y, low=0.0), marks, height=2.2)
    title = say("figure.distributions" if len(info.curves) > 1 else "figure.distribution")
    return Chart("distribution", title, [panel], [*_amounts(info), *_origins(info.curves)])


def _areas(curves: Sequence[DensityCurve], named: Sequence[str]) -> list[Mark]:
    marks: list[Mark] = []
    for at, (curve, name) in enumerate(zip(curves, named, strict=True)):
        color, dash = series_color(at), "dash" if at else "solid"
        marks += [Band(curve.xs, (0.0,) * len(curve.xs), curve.heights, color)]
        marks += [Line(curve.xs, curve.heights, color, name, dash=dash)]
    return marks


def _columns(curves: Sequence[DensityCurve], named: Sequence[str]) -> list[Mark]:
    values = sorted({x for curve in curves for x in curve.xs})
    step = min((after - before for before, after in itertools.pairwise(values)), default=1.0)
    width = _ROOM * step / len(curves)
    first = -width * (len(curves) - 1) / 2
    return [
        Bars([x + first + at * width for x in curve.xs], curve.heights, width, series_color(at), name)
        for at, (curve, name) in enumerate(zip(curves, named, strict=True))
    ]


def _amounts(info: Densities) -> list[str]:
    told = [_amount(name, amount) for name, amount in info.information.items()]
    lines = ["   ".join(told[at : at + _A_LINE]) for at in range(0, len(told), _A_LINE)]
    return [say("figure.information", amounts=lines[0]), *lines[1:]] if lines else []


def _amount(name: str, amount: Amount) -> str:
    error = f" ± {short(amount.error, 3)}" if amount.error else ""
    return f"{name} = {short(amount.value)}{error}"


def _origins(curves: Sequence[DensityCurve]) -> list[str]:
    """What was made of numbers that a user gave."""
    return [
        say(f"figure.origin-{curve.source}", sign=sign, samples=curve.samples, bandwidth=short(curve.bandwidth))
        for sign, curve in zip((P, Q), curves, strict=False)
        if curve.source
    ]
