"""What a net was like on its way: samples that it learns and forgets, its mistakes, its first filters, its boundary."""

from collections.abc import Callable
from dataclasses import replace

from danlu.base.words import say
from danlu.store.records import BoundaryGrid, MomentTaken, SamplesFollowed
from danlu.view.figures.chart import Axis, Cells, Chart, Heatmap, Mark, Panel, Picture, Pictures, Points
from danlu.view.figures.predictions import confusion_chart, residuals_chart
from danlu.view.info.followed import Followed, FollowedSample, is_answered
from danlu.view.info.predictions import Confusion, Residuals
from danlu.view.info.surface import Surface, contour
from danlu.view.palette import SHAPES, series_color

_ROW = 0.12  # of the height of an ordinary panel
_LEAST = 0.9  # in which both bars of colours can be read
_MOST_SIGNS = 24  # of a row's name, a Chinese one counting for two
_MOST_CLASSES = 7  # that have a colour of their own
_COLUMNS = 8


def followed_chart(info: Followed) -> Chart:
    """A row a sample, a column an epoch: blue where the answer is right, orange where it is wrong; of numbers how far
    they are off. A row's sample is shown where one clicks it."""
    columns = list(range(len(info.epochs)))
    samples = [_told(one) for one in info.rows]
    if info.numbers:
        values = [one.colours for one in info.rows]
        texts = _texts(info, lambda one, at: True)
        cells = [Cells(columns, values, say("figure.off-by"), "difference", texts=texts, samples=samples)]
    else:
        right = [[value if ok else None for value, ok in zip(one.colours, one.right, strict=True)] for one in info.rows]
        wrong = [
            [
                1 - value if value is not None and not ok else None
                for value, ok in zip(one.colours, one.right, strict=True)
            ]
            for one in info.rows
        ]
        ours, theirs = _texts(info, lambda one, at: one.right[at]), _texts(info, lambda one, at: not one.right[at])
        cells = [
            Cells(columns, right, say("figure.answer-right"), "share", texts=ours, bare=True, samples=samples),
            Cells(columns, wrong, say("figure.answer-wrong"), "mistake", texts=theirs, bare=True),
        ]
    panel = Panel(
        Axis(say("figure.epoch"), ticks=[(float(at), str(epoch)) for at, epoch in enumerate(info.epochs)]),
        Axis(say("figure.sample"), ticks=[(float(row), _row_name(one)) for row, one in enumerate(info.rows)]),
        cells,
        height=max(_LEAST, 0.15 + _ROW * len(info.rows)),
    )
    counts = {"samples": info.samples, "never": info.never, "forgotten": info.forgotten}
    notes = [] if info.numbers else [say("figure.followed-note", **counts)]
    return Chart("samples", say("figure.followed"), [panel], notes, say("figure.click-sample"))


def _texts(info: Followed, inside: Callable[[FollowedSample, int], bool]) -> list[list[str]]:
    """What is written in the cells that are `inside`: no cell is written in twice."""
    columns = range(len(info.epochs))
    return [[_cell(one, at, info.numbers) if inside(one, at) else "" for at in columns] for one in info.rows]


def _cell(one: FollowedSample, at: int, numbers: bool) -> str:
    value = one.colours[at]
    return one.answers[at] if numbers or value is None else f"{one.answers[at]} · {value:.2f}"


def _row_name(one: FollowedSample) -> str:
    """What a sample is, cut to what fits beside a picture on a phone, and its number."""
    end = f" #{one.sample + 1}"
    name, room = "", _MOST_SIGNS - len(end)
    for sign in one.actual:
        room -= 2 if sign > "\u2e80" else 1
        if room < 1:
            return f"{name}…{end}"
        name += sign
    return name + end


def _told(one: FollowedSample) -> Picture:
    """The sample itself, and what became of it."""
    lines = [one.picture.text] if one.picture and one.picture.text else [f"#{one.sample + 1}"]
    lines.append(say("figure.last-answer", answer=one.answers[-1]))
    if one.right:
        lines.append(say("figure.never-right") if not any(one.right) else _course(one))
    if one.forgotten:
        lines.append(say("figure.forgotten-at", epochs=", ".join(map(str, one.forgotten))))
    return Picture(one.picture.png if one.picture else "", say("figure.truly", actual=one.actual), tuple(lines))


def _course(one: FollowedSample) -> str:
    return say("figure.wrong-at-end") if one.learnt is None else say("figure.learnt-at", epoch=one.learnt)


def moment_charts(first: SamplesFollowed | None, moment: MomentTaken) -> list[Chart]:
    """What is known of one moment: mistakes or residuals of the validation part, boundary, first filters. A net whose
    outputs were no numbers made no mistakes that mean anything."""
    charts: list[Chart] = []
    if first and not is_answered(first, moment):
        first = None
    if first and first.classes and moment.confusion and len(moment.confusion) == len(first.classes):
        counts = tuple(tuple(row) for row in moment.confusion)
        charts.append(_of_validation(confusion_chart(Confusion(tuple(first.classes), counts))))
    elif first and not first.classes and len(moment.answers or ()) == len(first.actual):
        charts.append(_of_validation(residuals_chart(_residuals(first, moment))))
    if first and moment.boundary:
        charts.append(_boundary_chart(first, moment.boundary))
    if moment.filters:
        pictures = [Picture(png, str(number)) for number, png in enumerate(moment.filters, 1)]
        panel = Panel(Axis(), Axis(), [Pictures(pictures)], height=0.72 * -(-len(pictures) // _COLUMNS))
        charts.append(Chart("filters", say("figure.filters", layer=moment.layer), [panel]))
    return [replace(chart, kind=f"moment-{chart.kind}") for chart in charts]


def _of_validation(chart: Chart) -> Chart:
    """A chart that says of which part it is: that of the test part has the same title."""
    return replace(chart, title=f"{chart.title} · {say('page.part-validation')}")


def _residuals(first: SamplesFollowed, moment: MomentTaken) -> Residuals:
    pairs = [
        (told, actual) for told, actual in zip(moment.answers or (), first.actual, strict=True) if told is not None
    ]
    return Residuals(tuple(told for told, _ in pairs), tuple(actual - told for told, actual in pairs))


def _boundary_chart(first: SamplesFollowed, grid: BoundaryGrid) -> Chart:
    """What the net answers over both inputs; of two classes with the line where neither is likelier, and with the
    samples that are followed."""
    two = first.classes is not None and len(first.classes) == 2
    label = "figure.second-likely" if two else "figure.predicted"
    lines = ()
    if two and all(value is not None for row in grid.values for value in row):
        lines = ((0.5, contour(Surface(tuple(grid.xs), tuple(grid.ys), grid.values), 0.5)),)
    named = say(label, name=first.classes[1]) if two and first.classes else say(label)
    marks: list[Mark] = [Heatmap(grid.xs, grid.ys, grid.values, named, contours=lines)]
    for number, name in enumerate((first.classes or ())[:_MOST_CLASSES]):
        inside = [pair for pair, actual in zip(first.inputs, first.actual, strict=True) if actual == number]
        xs, ys = [x for x, _ in inside], [y for _, y in inside]
        marks.append(Points(xs, ys, series_color(number), name, SHAPES[number % len(SHAPES)], size=4))
    panel = Panel(Axis(say("figure.first-input")), Axis(say("figure.second-input")), marks, height=2.2, square=True)
    return Chart("boundary", say("figure.boundary"), [panel], [say("figure.as-the-net-sees")])
