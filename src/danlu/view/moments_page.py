"""The moments of a run between which a reader can go to and fro, and what a page shows of one."""

from dataclasses import replace
from typing import Any

from danlu.base.words import say
from danlu.store.records import MomentTaken
from danlu.view.figures.chart import Chart, plain
from danlu.view.figures.moments import moment_charts
from danlu.view.figures.names import score_label, score_text
from danlu.view.figures.pages import drawable
from danlu.view.figures.surface import place_chart
from danlu.view.info.axes import TIME, axes_of, track, unit_of
from danlu.view.info.run import RunInfo
from danlu.view.info.surface import read_surface
from danlu.view.page.document import numbers_block
from danlu.view.page.markup import Markup, element


def moment_places(info: RunInfo) -> list[dict[str, Any]]:
    """Each moment that anything was kept of: what it is called, and where it lies along every axis that the run's
    curves can be drawn along."""
    steps = [step for _, step in _moments(info)]
    axes = axes_of([info.history])
    unit = unit_of([info.history])[1] if TIME in axes else 1.0
    along = {axis: track(info.history, axis, unit).at(steps) for axis in axes}
    return [
        {"label": say("page.epoch", epoch=epoch), "at": {axis: places[number] for axis, places in along.items()}}
        for number, (epoch, _) in enumerate(_moments(info))
    ]


def moment_page(info: RunInfo, number: int) -> dict[str, Any]:
    """What the net was like at one of them: validation scores, pictures, and what it wrote by then. KeyError where
    there is no such moment."""
    moments = _moments(info)
    if not 0 <= number < len(moments):
        raise KeyError(number)
    epoch, step = moments[number]
    kept = next((one for one in info.history.moments if one.epoch == epoch), None)
    ended = next((one for one in info.history.epochs if one.epoch == epoch), None)
    scores = (ended.validation if ended else None) or {}
    written = [one for one in info.history.texts if one.epoch <= epoch]
    text = max(written, key=lambda one: one.epoch) if written else None
    return {
        "numbers": [[score_label("validation", name), score_text(value)] for name, value in scores.items()],
        "charts": list(map(plain, [*_of_moment(info, kept), *_on_surface(info, step)])),
        "text": [text.prompt, text.text] if text else None,
    }


def moments_section(info: RunInfo) -> Markup:
    """All of them in a file, for the script that goes to and fro between them."""
    told = [place | moment_page(info, number) for number, place in enumerate(moment_places(info))]
    return element("div", numbers_block("moments", told), class_="moments-place") if told else Markup("")


def _of_moment(info: RunInfo, kept: MomentTaken | None) -> list[Chart]:
    return drawable(lambda: moment_charts(info.history.followed, kept)) if kept else []


def _on_surface(info: RunInfo, step: int) -> list[Chart]:
    """Where the weights lay on the loss surface, where one was recorded."""
    record = info.history.surface
    if record is None:
        return []
    found = drawable(lambda: [one for one in [place_chart(read_surface(record), step)] if one])
    return [replace(chart, kind="moment-contour") for chart in found]


def _moments(info: RunInfo) -> list[tuple[int, int]]:
    """Epoch and step of each, in their order."""
    history = info.history
    return sorted({one.epoch: one.step for one in (*history.moments, *history.texts)}.items())
