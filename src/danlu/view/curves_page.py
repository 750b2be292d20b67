"""Curves as the page asks for them: along another axis, smoothed more or less, a stretch of them with finer points."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from danlu.view.figures.chart import Chart, plain
from danlu.view.figures.pages import compared_chart
from danlu.view.info.axes import axes_of
from danlu.view.info.curves import CurveQuery
from danlu.view.info.groups import are_repeated, groups_of
from danlu.view.info.run import RunInfo

POINTS = 800
"""Of a curve on the page: as many as it has pixels."""


def curves_page(infos: Sequence[RunInfo], wanted: CurveQuery, banded: bool | None = None) -> dict[str, Any]:
    """The curves of one run, or of several over each other."""
    return {"chart": asking(compared_chart(infos, wanted, banded=banded), infos, banded)}


def asking(chart: Chart, infos: Sequence[RunInfo], banded: bool | None = None) -> dict[str, Any]:
    """The chart of these runs, and what can be asked of it: their axes, over how many steps they are smoothed if nobody
    says so, how many steps there are; and, where runs differ in seed or fold only, whether they are drawn as bands."""
    histories, groups = [info.history for info in infos], groups_of(infos)
    several = any(len(group.places) > 1 for group in groups)
    told = len(infos[0].findings) if len(infos) == 1 else 0  # the findings themselves stand beside their curves
    return plain(replace(chart, notes=chart.notes[told:])) | {
        "asks": {
            "axes": axes_of(histories),
            "sigma": infos[0].drawn.sigma,
            "steps": max(len(history.steps) for history in histories),
            "bands": (are_repeated(groups) if banded is None else banded) if several else None,
        }
    }
