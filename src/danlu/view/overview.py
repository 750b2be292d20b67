"""What stands on the poster of a run, as plain data: the whole of it on one sheet, from its records alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from danlu.base.finding_text import remedy_text
from danlu.base.metric_names import divided, metric_name
from danlu.base.naming import listed
from danlu.base.recipe import Recipe
from danlu.base.records import Finding, Score
from danlu.base.rule_names import rule_name
from danlu.base.shapes import show_shape
from danlu.base.words import say
from danlu.store.records import TextGenerated
from danlu.view.figures.chart import Axis, Cells, Chart, Line, Panel, Picture, Pictures, Points
from danlu.view.figures.names import score_text
from danlu.view.figures.pages import run_charts
from danlu.view.graphs.net import compact
from danlu.view.info.fold import Part, fold
from danlu.view.info.numbering import numbered
from danlu.view.info.run import RunInfo, flat
from danlu.view.report import PARTS, run_facts

MOST_POINTS = 600  # of a curve: a third of what the page draws is more than paper shows
_MOST_TILES = 5
_MOST_METRICS = 2
_MOST_LAYERS = 14
_MOST_TARGETS = 20
_MOST_TICKS = 25
_MOST_SIGNS = 16  # of a name at an axis
_ALIKE = 0.02
_BY_TARGET = ("r2", "f1", "accuracy")  # what several targets are compared by, where they have it
_SECRET = ("sha256", "path", "root")  # settings that say nothing on paper


@dataclass(frozen=True)
class ScoreTile:
    """One metric: its value on the part that counts, and a line on the others."""

    name: str
    value: str
    others: str


@dataclass(frozen=True)
class OverviewPicture:
    """A panel with what it shows, and what is to be said of it."""

    title: str
    panel: Panel
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class OverviewFinding:
    """A finding with the number that the curves carry."""

    number: int
    severity: str
    head: str
    title: str
    remedy: str


@dataclass(frozen=True)
class OverviewLayer:
    """A line of the net: what, of which kind, its output's shape, parameters; `role` is a look of graphs/look.py."""

    title: str
    detail: str
    shape: str
    parameters: str
    role: str


@dataclass(frozen=True)
class Overview:
    """All that stands on the poster; what a run did not record is empty."""

    title: str
    facts: str
    settings: str
    part: str  # that the large numbers are of
    tiles: Sequence[ScoreTile]
    curves: Sequence[Panel]
    answers: Sequence[OverviewPicture]
    samples_title: str
    samples: Sequence[Picture]
    texts: Sequence[tuple[str, str]]  # what was written, and when
    findings: Sequence[OverviewFinding]
    net_title: str
    net_size: str
    layers: Sequence[OverviewLayer]
    footer: str


def overview(info: RunInfo) -> Overview:
    """The poster of a run."""
    charts = {chart.kind: chart for chart in reversed(run_charts(info, MOST_POINTS))}
    part, tiles = _tiles(info.score)
    samples = charts.get("worst")
    graph = info.history.net
    written = info.history.texts
    return Overview(
        title=info.name,
        facts=run_facts(info),
        settings=" · ".join(_settings(info.settings)),
        part=part,
        tiles=tiles,
        curves=_curves(charts["curves"]),
        answers=_answers(charts, info.score.get("test") or info.score.get("validation") or {}),
        samples_title=samples.title if samples else "",
        samples=_pictures(samples) if samples else (),
        texts=[(say("view.text-after", epoch=one.epoch), one.prompt + one.text) for one in _ends(written)],
        findings=_findings(info.findings),
        net_title=f"{say('page.net')} · {graph.name}" if graph else "",
        net_size=say("figure.parameters", count=compact(graph.parameters)) if graph else "",
        layers=_layers(fold(graph, _MOST_LAYERS).parts) if graph else (),
        footer=info.where,
    )


def _tiles(scores: Mapping[str, Score]) -> tuple[str, list[ScoreTile]]:
    """The metrics of the part that counts: of the test part, where it was scored."""
    part = next((one for one in PARTS if scores.get(one)), "")
    whole = {one: divided(scores[one])[0] for one in PARTS if scores.get(one)}
    names = sorted(whole.get(part, {}), key=lambda name: name == "loss")  # what people look at first
    tiles: list[ScoreTile] = []
    for name in names[: _MOST_TILES - 1] + names[_MOST_TILES - 1 :][-1:]:
        others = [
            f"{say(f'page.part-{one}')} {score_text(score[name])}"
            for one, score in whole.items()
            if one != part and name in score
        ]
        tiles.append(ScoreTile(metric_name(name), score_text(whole[part][name]), " · ".join(others)))
    return (say(f"page.part-{part}") if part else ""), tiles


def _settings(settings: Mapping[str, object]) -> list[str]:
    """What is other than usual."""
    usual = flat(Recipe().as_dict())
    shown = {key: value for key, value in settings.items() if key.rpartition(".")[2] not in _SECRET}
    return [f"{key}={_value(value)}" for key, value in shown.items() if usual.get(key) != value]


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{listed(value, 4)}]"
    return f"{value:g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _curves(chart: Chart) -> list[Panel]:
    """The loss, up to two metrics, and of the rest what says something: a rate that never changes says nothing."""
    loss, *others = chart.panels
    course = {say("figure.gradient-norm"), say("figure.learning-rate")}
    metrics: list[Panel] = []
    for panel in others:
        if panel.y.label not in course and not any(_alike(panel, other) for other in metrics):
            metrics.append(panel)
    kept = [
        loss,
        *metrics[:_MOST_METRICS],
        *(panel for panel in others if panel.y.label in course and not _flat(panel)),
    ]
    return [*kept[:-1], replace(kept[-1], x=chart.panels[-1].x)]


def _alike(panel: Panel, other: Panel) -> bool:
    """Whether two metrics go the same way, as F1 and accuracy do on classes of one size: then one is enough."""
    ours, theirs = (
        [value for mark in one.marks if isinstance(mark, Line) for value in mark.ys] for one in (panel, other)
    )
    if len(ours) != len(theirs):
        return False
    return all(a is not None and b is not None and abs(a - b) < _ALIKE for a, b in zip(ours, theirs, strict=True))


def _flat(panel: Panel) -> bool:
    values = {value for mark in panel.marks if isinstance(mark, Line) for value in mark.ys}
    return len(values) < 2


def _answers(charts: Mapping[str, Chart], score: Score) -> list[OverviewPicture]:
    """What was answered: forecasts, confusion, residuals; of several targets how well each is met."""
    shown = [charts[kind] for kind in ("forecast", "confusion", "residuals", "calibration") if kind in charts]
    found = [
        OverviewPicture(chart.title, _short_words(_NARROW.get(chart.kind, _first)(chart)), chart.notes)
        for chart in shown
    ]
    return found or _by_target(score)


def _short_words(panel: Panel) -> Panel:
    """A panel for a narrow place: long names at its axes are cut."""

    def cut(axis: Axis) -> Axis:
        words = (word if len(word) <= _MOST_SIGNS else f"{word[: _MOST_SIGNS - 1]}…" for _, word in axis.ticks)
        return replace(axis, ticks=[(place, word) for (place, _), word in zip(axis.ticks, words, strict=True)])

    return replace(panel, x=cut(panel.x), y=cut(panel.y))


def _first(chart: Chart) -> Panel:
    return chart.panels[0]


def _shares(chart: Chart) -> Panel:
    """A calibration without the counts of samples, its points whole also at both ends."""
    panel = chart.panels[0]
    return replace(panel, x=chart.panels[-1].x, y=replace(panel.y, low=-0.04, high=1.04))


def _without_bar(chart: Chart) -> Panel:
    """A confusion matrix for a narrow place: fewer names, and no bar of its colours."""
    panel = chart.panels[0]
    every = max(1, -(-len(panel.x.ticks) // _MOST_TICKS))
    ticks = panel.x.ticks[::every]
    marks = [replace(mark, label="") if isinstance(mark, Cells) else mark for mark in panel.marks]
    return replace(panel, x=replace(panel.x, ticks=ticks), y=replace(panel.y, ticks=ticks), marks=marks)


_NARROW = {"confusion": _without_bar, "calibration": _shares}


def _by_target(score: Score) -> list[OverviewPicture]:
    each = divided(score)[1]
    names = dict.fromkeys(name for one in each.values() for name in one)
    name = next((one for one in (*_BY_TARGET, *names) if one in names), None)
    rows = [(target, one[name]) for target, one in each.items() if name in one][:_MOST_TARGETS] if name else []
    if not rows or name is None:
        return []
    places = [float(row) for row in range(len(rows))]
    ticks = [(place, target) for place, (target, _) in zip(places, rows, strict=True)]
    marks = [Points([value for _, value in rows], places, "blue", size=6)]
    panel = Panel(Axis(metric_name(name)), Axis(ticks=ticks, low=len(rows) - 0.5, high=-0.5), marks)
    return [OverviewPicture(say("figure.overview-targets"), _short_words(panel))]


def _pictures(chart: Chart) -> Sequence[Picture]:
    return [picture for mark in chart.panels[0].marks if isinstance(mark, Pictures) for picture in mark.pictures]


def _ends(written: Sequence[TextGenerated]) -> list[TextGenerated]:
    """The first, the last, and the one in the middle."""
    return [written[0], written[len(written) // 2], written[-1]] if len(written) > 3 else list(written)


def _findings(findings: Sequence[Finding]) -> list[OverviewFinding]:
    """The gravest first."""
    rank = {"error": 0, "warning": 1}
    ordered = sorted(numbered(findings, lambda one: one.since), key=lambda one: rank.get(one[1].severity, 2))
    return [
        OverviewFinding(
            number=number,
            severity=one.severity,
            head=" · ".join(
                part
                for part in (rule_name(one.rule), listed(one.where, 3), say("page.since", step=f"{one.since:,}"))
                if part
            ),
            title=one.title,
            remedy=" · ".join(f"{place} {remedy_text(each)}" for place, each in enumerate(one.remedies, 1)),
        )
        for number, one in ordered
    ]


def _layers(parts: Sequence[Part]) -> list[OverviewLayer]:
    rows = [_layer(part) for part in parts[:_MOST_LAYERS]]
    more = len(parts) - len(rows)
    return [*rows, OverviewLayer(say("figure.overview-layers", count=more), "", "", "", "end")] if more else rows


def _layer(part: Part) -> OverviewLayer:
    times = part.repeats if part.repeats > 1 else part.calls
    what = part.kind if part.operation else " ".join(one for one in (part.kind, part.detail) if one)
    return OverviewLayer(
        title=(part.kind if part.operation else part.title) + (f" ×{times}" if times > 1 else ""),
        detail=" + ".join([what, *part.also]) if not part.operation else "",
        shape=show_shape(part.output_shape),
        parameters=compact(part.parameters * part.repeats) if part.parameters else "",
        role="block" if part.block else "operation" if part.operation else "layer",
    )
