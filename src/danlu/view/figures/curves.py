"""The learning curves as a chart: loss over metrics over learning rate, findings and the best checkpoint marked."""

from dataclasses import replace

from danlu.base.metric_names import metric_name
from danlu.base.rule_names import rule_name
from danlu.base.words import say
from danlu.view.figures.chart import Axis, Chart, GuideLine, Line, Mark, Panel, Points, Zone
from danlu.view.figures.names import short, together
from danlu.view.info.curves import Curves, Event, RunCurves
from danlu.view.info.numbering import numbered
from danlu.view.info.thin import ThinnedCurve
from danlu.view.palette import SEVERITY, SHAPES, series_color

_WIDE_RANGE = 100  # a curve that falls further is read on a scale of powers of ten
_MOST_RAW = 3  # runs whose raw trace is drawn beneath the smoothed one


def curves_chart(info: Curves, title: str = "") -> Chart:
    """One run, or several over each other."""
    last = max((run.last for run in info.runs), default=0)
    alone = len(info.runs) == 1
    groups = _groups(info.runs[0].events, last) if alone else []
    panels = [_loss_panel(info, groups)]
    panels += [_metric_panel(info, name, groups) for name in info.metrics[:3]]
    if any(len(run.norm) for run in info.runs):
        panels.append(_small_panel(info, "norm", "figure.gradient-norm", log=True))
    panels.append(_small_panel(info, "lr", "figure.learning-rate", log=_wide([run.lr for run in info.runs])))
    panels[-1] = replace(panels[-1], x=Axis(say("figure.step")))
    notes = [f"{number}  {_event_text(event)}" for number, event in _numbered(info.runs[0].events)] if alone else []
    return Chart("curves", title or say("figure.curves"), panels, notes)


def _loss_panel(info: Curves, groups: list[tuple[int, str, Event]]) -> Panel:
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
            marks += _best(run, validation, second, alone=not many)
        if run.diverged is not None:
            marks.append(Zone(run.diverged, run.last, "orange", say("figure.not-finite")))
    marks += _finding_rules(groups)
    traces = [run.smoothed for run in info.runs] + [run.validation.get("loss", ThinnedCurve()) for run in info.runs]
    return Panel(Axis(), Axis(metric_name("loss"), log=_wide(traces)), marks, height=1.5, shares_x="step")


def _metric_panel(info: Curves, name: str, groups: list[tuple[int, str, Event]]) -> Panel:
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
            marks += _best(run, validation, color, alone=False)
    marks += _finding_rules([(at, "", event) for at, _, event in groups])
    return Panel(Axis(), Axis(metric_name(name)), marks, height=0.8, shares_x="step")


def _small_panel(info: Curves, attribute: str, label: str, *, log: bool) -> Panel:
    marks: list[Mark] = []
    for index, run in enumerate(info.runs):
        trace: ThinnedCurve = getattr(run, attribute)
        color = series_color(index) if len(info.runs) > 1 else "green"
        marks.append(Line(trace.steps, trace.values, color, width=1.2))
    return Panel(Axis(), Axis(say(label), log=log), marks, height=0.6, shares_x="step")


def _dotted(trace: ThinnedCurve, color: str, label: str, index: int) -> list[Mark]:
    """A curve with one point an epoch, dashed so that it differs from the training's in grey print."""
    line = Line(trace.steps, trace.values, color, label, dash="dash")
    if len(trace) > 60:
        return [line]
    return [line, Points(trace.steps, trace.values, color, shape=SHAPES[index % len(SHAPES)], size=4)]


def _best(run: RunCurves, trace: ThinnedCurve, color: str, *, alone: bool) -> list[Mark]:
    found = [value for step, value in zip(trace.steps, trace.values, strict=True) if step == run.best]
    if run.best is None or not found or found[0] is None:
        return []
    text = say("figure.best-at", step=run.best, value=short(found[0]))
    return [Points([run.best], found, color, say("figure.best") if alone else "", "star", 11, [text])]


def _numbered(events: tuple[Event, ...]) -> list[tuple[int, Event]]:
    return numbered(events, lambda event: event.step)


def _groups(events: tuple[Event, ...], last: int) -> list[tuple[int, str, Event]]:
    """Where findings began, their numbers, and the gravest of those that stand together."""
    numbered = _numbered(events)
    groups = together([event.step for _, event in numbered], last)
    rank = list(SEVERITY)  # the gravest first
    return [
        (
            numbered[group[0]][1].step,
            ",".join(str(numbered[at][0]) for at in group),
            min((numbered[at][1] for at in group), key=lambda event: rank.index(event.severity)),
        )
        for group in groups
    ]


def _finding_rules(groups: list[tuple[int, str, Event]]) -> list[Mark]:
    return [
        GuideLine(step, SEVERITY[event.severity], numbers, text=_event_text(event)) for step, numbers, event in groups
    ]


def _event_text(event: Event) -> str:
    return say("figure.event", rule=rule_name(event.rule), title=event.title)


def _wide(traces: list[ThinnedCurve]) -> bool:
    values = [value for trace in traces for value in trace.values if value is not None]
    return bool(values) and min(values) > 0 and max(values) > _WIDE_RANGE * min(values)
