"""A search's pictures: which setting matters, all trials across all settings, each setting alone, and the halving."""

from collections.abc import Sequence

from danlu.base.metric_names import metric_name
from danlu.base.words import say
from danlu.view.figures.chart import Axis, Chart, GuideLine, Line, Mark, Panel, Points, Whiskers
from danlu.view.figures.names import short
from danlu.view.info.search import PlacedTrial, placed_trials, setting_importances
from danlu.view.info.study import StudyInfo

_LOOK = {
    "finished": ("blue", "circle"),
    "dropped": ("grey", "square"),
    "diverged": ("orange", "diamond"),
    "failed": ("orange", "cross"),
}
_BEST = 10  # the best of so many trials stand out
_ROW = 0.3  # of the height of an ordinary panel


def search_charts(info: StudyInfo) -> list[Chart]:
    """What can be drawn of a search so far."""
    placed = placed_trials(info)
    if not placed:
        return []
    charts = [_importance_chart(info)] if setting_importances(info) else []
    return [*charts, _parallel_chart(info, placed), _settings_chart(info, placed), _halving_chart(placed)]


def _importance_chart(info: StudyInfo) -> Chart:
    found = setting_importances(info)
    rows, shares = list(range(len(found))), list(found.values())
    texts = [f"{one.share:.0%} [{one.low:.0%} … {one.high:.0%}]" for one in shares]
    marks: list[Mark] = [
        GuideLine(0.0, dash="solid"),
        Whiskers(rows, [one.low for one in shares], [one.high for one in shares], "blue"),
        Points([one.share for one in shares], rows, "blue", size=8, texts=texts),
    ]
    ticks = [(float(row), f"{key}\n{text}") for row, key, text in zip(rows, found, texts, strict=True)]
    y = Axis(ticks=ticks, low=len(rows) - 0.5, high=-0.5)
    panel = Panel(Axis(say("figure.share-of-order")), y, marks, height=0.4 + _ROW * len(rows))
    return Chart("importance", say("figure.importance"), [panel], [say("figure.importance-note")])


def _parallel_chart(info: StudyInfo, placed: Sequence[PlacedTrial]) -> Chart:
    """A row for each setting and one for the outcome; each trial is a line from the first row to the last."""
    best = max(1, len(placed) // _BEST)
    groups = {
        "figure.trials-lost": [one for one in placed if one.score is None],
        "figure.trials-dropped": [one for one in placed if one.score is not None and one.trial.state == "dropped"],
        "figure.trials-finished": [one for one in placed[best:] if one.trial.state == "finished"],
        "figure.trials-best": [one for one in placed[:best] if one.score is not None],
    }
    looks = {
        "figure.trials-lost": ("orange", "dot", 1.0),
        "figure.trials-dropped": ("grey", "dash", 1.0),
        "figure.trials-finished": ("sky", "solid", 1.2),
        "figure.trials-best": ("blue", "solid", 2.6),
    }
    last = len(info.ranges)
    marks: list[Mark] = []
    for id, group in groups.items():
        if group:
            color, dash, width = looks[id]
            outcomes = [1 - (one.place - 1) / max(1, len(placed) - 1) for one in group]
            xs = [x for one, end in zip(group, outcomes, strict=True) for x in (*one.shares, end, None)]
            ys = [y for _ in group for y in (*map(float, range(last + 1)), None)]
            marks.append(Line(xs, ys, color, say(id, count=len(group)), width, dash))
    ticks = [
        (float(row), f"{one['key']}\n{short(one['low'])} … {short(one['high'])}{_scale(one['log'])}")
        for row, one in enumerate(info.ranges)
    ]
    ticks.append((float(last), f"{metric_name(info.metric)}\n{say('figure.worst-to-best')}"))
    x = Axis(say("figure.low-to-high"), ticks=[(0.0, "0"), (0.5, "½"), (1.0, "1")], low=-0.03, high=1.03)
    panel = Panel(x, Axis(ticks=ticks, low=last + 0.3, high=-0.3), marks, height=0.4 + 0.5 * (last + 1))
    return Chart("parallel", say("figure.parallel"), [panel])


def _scale(log: bool) -> str:
    return " (log)" if log else ""


def _settings_chart(info: StudyInfo, placed: Sequence[PlacedTrial]) -> Chart:
    """A panel for each setting: what each trial came to over its value, the axis that of the range."""
    panels: list[Panel] = []
    for number, one in enumerate(info.ranges):
        marks: list[Mark] = []
        for state in ("dropped", "finished"):
            color, shape = _LOOK[state]
            own = [trial for trial in placed if trial.score is not None and trial.trial.state == state]
            if own:
                xs = [float(trial.trial.factors[one["key"]]) for trial in own]
                label = "" if number else say(f"figure.trials-{state}", count=len(own))
                marks.append(Points(xs, [trial.score for trial in own], color, label, shape, 6))
        lost = [trial for trial in placed if trial.score is None]
        lowest = min((trial.score for trial in placed if trial.score is not None), default=0.0)
        if lost:
            xs = [float(trial.trial.factors[one["key"]]) for trial in lost]
            label = "" if number else say("figure.trials-lost", count=len(lost))
            marks.append(Points(xs, [lowest] * len(xs), "orange", label, "cross", 6))
        x = Axis(one["key"], log=bool(one["log"]))
        panels.append(Panel(x, Axis(metric_name(info.metric)), marks, height=1.1))
    notes = [say("figure.lost-at-the-bottom")] if any(one.score is None for one in placed) else []
    return Chart("settings", say("figure.settings"), panels, notes)


def _halving_chart(placed: Sequence[PlacedTrial]) -> Chart:
    """The trials of each round as a tree: a branch ends where its trial made way for better ones."""
    marks: list[Mark] = []
    ticks: list[tuple[float, str]] = []
    notes: list[str] = []
    ends: dict[str, list[tuple[float, float]]] = {state: [] for state in _LOOK}
    row, branches = 0.0, list[tuple[float | None, float | None]]()
    for number in sorted({one.trial.round for one in placed}):
        own = [one for one in placed if one.trial.round == number]
        rungs = sorted({one.trial.epochs for one in own if one.trial.state == "dropped"})
        rows = {id(one): row + at for at, one in enumerate(own)}
        alive = [len(own), *(sum(_passed(one, rung) for one in own) for rung in rungs)]
        notes.append(say("figure.round", number=number, counts=" → ".join(map(str, alive))))
        ticks.append((row + (len(own) - 1) / 2, say("figure.round-number", number=number)))
        for start, rung in enumerate([0, *rungs]):
            left = [rows[id(one)] for one in own if not start or _passed(one, rung)]
            if left:
                branches += [(float(rung), min(left)), (float(rung), max(left)), (None, None)]
        for one in own:
            end = float(one.trial.epochs)
            branches += [(0.0, rows[id(one)]), (end, rows[id(one)]), (None, None)]
            ends[one.trial.state].append((end, rows[id(one)]))
        row += len(own) + 1.5
    marks.append(Line([x for x, _ in branches], [y for _, y in branches], "sky", width=1.2))
    for state, points in ends.items():
        if points:
            color, shape = _LOOK[state]
            label = say(f"figure.trials-{state}", count=len(points))
            marks.append(Points([x for x, _ in points], [y for _, y in points], color, label, shape, 6))
    y = Axis(ticks=ticks, low=row - 1.0, high=-1.0)
    panel = Panel(Axis(say("figure.epoch")), y, marks, height=min(4.0, 0.6 + 0.05 * row))
    return Chart("halving", say("figure.halving"), [panel], notes)


def _passed(one: PlacedTrial, rung: int) -> bool:
    """Whether a trial went on after the epoch at which others were dropped."""
    return one.trial.epochs > rung or (one.trial.epochs == rung and one.trial.state == "finished")
