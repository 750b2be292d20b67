"""The learning curves as a chart: loss over metrics over learning rate, findings and the best checkpoint marked."""

from collections.abc import Sequence
from dataclasses import replace

from danlu.base.metric_names import metric_bounds, metric_name
from danlu.base.rule_names import rule_name
from danlu.base.words import say
from danlu.view.figures.chart import Axis, Chart, GuideLine, Line, Mark, Panel, Points, Zone
from danlu.view.figures.folding import constants, same_scores
from danlu.view.figures.names import score_text, short, together
from danlu.view.info.curves import Curves, Event, RunCurves
from danlu.view.info.numbering import numbered
from danlu.view.info.thin import ThinnedCurve
from danlu.view.palette import SEVERITY, SHAPES, series_color

_WIDE_RANGE = 100  # a curve that falls further is read on a scale of powers of ten
_MOST_RAW = 3  # runs whose raw trace is drawn beneath the smoothed one
_MOST_METRICS = 3
_MOST_MARKED = 60  # points of a curve that are marked one by one


def curves_chart(info: Curves, title: str = "") -> Chart:
    """One run, or several over each other. What takes one value throughout, or is the same curve as another, is told in
    a sentence."""
    last = max((run.last_at for run in info.runs), default=0)
    alone = len(info.runs) == 1
    groups = _groups(info.runs[0].events, last) if alone else []
    metrics, same = same_scores(info)
    panels = [_loss_panel(info, groups)]
    panels += [_metric_panel(info, name, groups) for name in metrics[:_MOST_METRICS]]
    if any(len(run.norm) for run in info.runs):
        panels.append(_norm_panel(info))
    rates, rate = constants(info)
    if rates:
        panels.append(_small_panel(info, "lr", "figure.learning-rate", log=is_wide([run.lr for run in info.runs])))
    panels[-1] = replace(panels[-1], x=replace(panels[-1].x, label=axis_label(info)))
    notes = [f"{number}  {_event_text(event)}" for number, event in _numbered(info.runs[0].events)] if alone else []
    return Chart("curves", title or say("figure.curves"), panels, [*notes, *rate, *same])


def axis_label(info: Curves) -> str:
    """What the axis below the panels is called, with the unit of a time."""
    if info.axis != "time":
        return say(f"figure.{info.axis}")
    return say("figure.time", unit=say(f"figure.unit-{info.unit}"))


def _loss_panel(info: Curves, groups: list[tuple[float, str, Event]]) -> Panel:
    marks: list[Mark] = []
    many = len(info.runs) > 1
    for index, run in enumerate(info.runs):
        color = series_color(index) if many else "blue"
        second = color if many else "orange"
        if len(info.runs) <= _MOST_RAW:
            marks.append(Line(run.loss.steps, run.loss.values, color, width=0.8, faint=True))
        label = run.label if many else say("figure.training")
        marks.append(Line(run.smoothed.steps, run.smoothed.values, color, label))
        validation = run.validation.get("loss", ThinnedCurve())
        if len(validation):
            label = "" if many else say("figure.validation")
            marks += _dotted(validation, second, label, index if many else 1)
            marks += _chosen(run, validation, second, alone=not many)
        if run.diverged_at is not None:
            marks.append(Zone(run.diverged_at, run.last_at, "orange", say("figure.not-finite")))
    marks += _finding_rules(groups)
    traces = [run.smoothed for run in info.runs] + [run.validation.get("loss", ThinnedCurve()) for run in info.runs]
    return Panel(Axis(), Axis(metric_name("loss"), log=is_wide(traces)), marks, height=1.5, shares_x=info.axis)


def _metric_panel(info: Curves, name: str, groups: list[tuple[float, str, Event]]) -> Panel:
    marks: list[Mark] = []
    many = len(info.runs) > 1
    for index, run in enumerate(info.runs):
        train, validation = run.train.get(name, ThinnedCurve()), run.validation.get(name, ThinnedCurve())
        if len(train):
            color = series_color(index) if many else "blue"
            marks.append(Line(train.steps, train.values, color))
        if len(validation):
            color = series_color(index) if many else "orange"
            marks += _dotted(validation, color, "", index if many else 1)
            marks += _chosen(run, validation, color, alone=False)
    marks += _finding_rules([(at, "", event) for at, _, event in groups])
    least, most = metric_bounds(name)
    return Panel(Axis(), Axis(metric_name(name), least=least, most=most), marks, height=0.8, shares_x=info.axis)


def _norm_panel(info: Curves) -> Panel:
    """Gradient norms, and where they are clipped, whatever is drawn of several runs that clip at one norm."""
    panel = _small_panel(info, "norm", "figure.gradient-norm", log=True)
    clips = {run.clip for run in info.runs if run.clip is not None}
    lines = [
        GuideLine(clip, "orange", say("figure.clipped-at", norm=short(clip)), axis="y", dash="dot")
        for clip in sorted(clips)
    ]
    return replace(panel, marks=[*panel.marks, *lines])


def _small_panel(info: Curves, attribute: str, label: str, *, log: bool) -> Panel:
    marks: list[Mark] = []
    for index, run in enumerate(info.runs):
        trace: ThinnedCurve = getattr(run, attribute)
        color = series_color(index) if len(info.runs) > 1 else "green"
        marks.append(Line(trace.steps, trace.values, color, width=1.2))
    return Panel(Axis(), Axis(say(label), log=log), marks, height=0.6, shares_x=info.axis)


def _dotted(trace: ThinnedCurve, color: str, label: str, index: int) -> list[Mark]:
    """A curve with one point an epoch, dashed so that it differs from the training's in grey print."""
    line = Line(trace.steps, trace.values, color, label, dash="dash")
    if len(trace) > _MOST_MARKED:
        return [line]
    return [line, Points(trace.steps, trace.values, color, shape=SHAPES[index % len(SHAPES)], size=4)]


def _chosen(run: RunCurves, trace: ThinnedCurve, color: str, *, alone: bool) -> list[Mark]:
    """The epoch with the best score as a star, and a ring around the one whose weights were scored at the end."""
    found = dict(zip(trace.steps, trace.values, strict=True))
    best = None if run.best_at is None else found.get(run.best_at)
    scored = None if run.scored_at is None else found.get(run.scored_at)
    marks: list[Mark] = []
    if scored is not None and run.scored_at is not None and run.scored is not None:
        text = say("figure.scored-at", step=run.scored, value=score_text(scored))
        label = say("figure.scored") if alone else ""
        marks.append(Points([run.scored_at], [scored], color, label, "ring", 12, [text]))
    if best is not None and run.best_at is not None and run.best is not None:
        text = say("figure.best-at", step=run.best, value=score_text(best))
        marks.append(Points([run.best_at], [best], color, say("figure.best") if alone else "", "star", 11, [text]))
    return marks


def _numbered(events: tuple[Event, ...]) -> list[tuple[int, Event]]:
    return numbered(events, lambda event: event.step)


def _groups(events: tuple[Event, ...], last: float) -> list[tuple[float, str, Event]]:
    """Where findings began, their numbers, and the gravest of those that stand together."""
    numbered = _numbered(events)
    groups = together([event.at for _, event in numbered], last)
    rank = list(SEVERITY)  # the gravest first
    return [
        (
            numbered[group[0]][1].at,
            ",".join(str(numbered[at][0]) for at in group),
            min((numbered[at][1] for at in group), key=lambda event: rank.index(event.severity)),
        )
        for group in groups
    ]


def _finding_rules(groups: list[tuple[float, str, Event]]) -> list[Mark]:
    return [
        GuideLine(step, SEVERITY[event.severity], numbers, text=_event_text(event)) for step, numbers, event in groups
    ]


def _event_text(event: Event) -> str:
    return say("figure.event", rule=rule_name(event.rule), title=event.title)


def is_wide(traces: Sequence[ThinnedCurve]) -> bool:
    """Whether curves span so many powers of ten that a straight scale would hide most of them."""
    values = [value for trace in traces for value in trace.values if value is not None]
    return bool(values) and min(values) > 0 and max(values) > _WIDE_RANGE * min(values)
