"""Pictures of what was predicted: confusion matrix, calibration, residuals, and the worst samples themselves."""

from collections.abc import Sequence

from danlu.base.words import say
from danlu.store.records import WorstSample
from danlu.view.figures.chart import Axis, Bars, Cells, Chart, GuideLine, Line, Panel, Picture, Pictures, Points
from danlu.view.figures.names import short
from danlu.view.info.predictions import Calibration, Confusion, Residuals

_MOST_TEXTS = 20  # classes; with more of them the numbers in the cells would be too small
_MOST_TICKS = 50
_COLUMNS = 8
_UNSURE = 0.36  # the loss of a sample whose class has a probability of 70 %


def confusion_chart(info: Confusion, kept: Sequence[WorstSample] = ()) -> Chart:
    """Colours are shares of each actual class, mistakes in a colour and on a scale of their own, for they are few
    beside what is right; the numbers in the cells are counts. Behind each cell are those of its samples that are
    `kept`."""
    right: list[list[float | None]] = []
    wrong: list[list[float | None]] = []
    for at, row in enumerate(info.counts):
        shares = [count / max(1, sum(row)) for count in row]
        right.append([share if at == column else None for column, share in enumerate(shares)])
        wrong.append([None if at == column else share for column, share in enumerate(shares)])
    few = len(info.classes) <= _MOST_TEXTS
    told = [[str(count) if count and few else "" for count in row] for row in info.counts]
    of_right = [[text if at == place else "" for place, text in enumerate(row)] for at, row in enumerate(told)]
    of_wrong = [["" if at == place else text for place, text in enumerate(row)] for at, row in enumerate(told)]
    skip = max(1, -(-len(info.classes) // _MOST_TICKS))
    ticks = [(float(at), name) for at, name in enumerate(info.classes)][::skip]
    columns = list(range(len(info.classes)))
    places = {name: at for at, name in enumerate(info.classes)}
    known = [one for one in kept if one.actual in places and one.predicted in places]
    cells = [
        Cells(
            columns, right, say("figure.share-right"), "share", texts=of_right, bare=True,
            samples=[_picture(one) for one in known],
            places=[(places[one.actual], places[one.predicted]) for one in known],
        )
    ]  # fmt: skip
    if any(share for row in wrong for share in row):
        cells.append(Cells(columns, wrong, say("figure.share-wrong"), "mistake", texts=of_wrong, bare=True))
    panel = Panel(
        Axis(say("figure.predicted"), ticks=ticks),
        Axis(say("figure.actual"), ticks=ticks),
        cells,
        height=2.6,
    )
    hint = say("figure.click-cell") if known else ""
    return Chart("confusion", say("figure.confusion"), [panel], _confusion_notes(info), hint)


def _confusion_notes(info: Confusion) -> list[str]:
    """The mistake made most often."""
    mistakes = [
        (count, actual, predicted)
        for actual, row in enumerate(info.counts)
        for predicted, count in enumerate(row)
        if actual != predicted
    ]
    if not mistakes or not max(mistakes)[0]:
        return []
    count, actual, predicted = max(mistakes)
    names = {"actual": info.classes[actual], "predicted": info.classes[predicted]}
    return [say("figure.most-confused", count=count, total=sum(info.counts[actual]), **names)]


def calibration_chart(info: Calibration) -> Chart:
    """The share of right answers over the confidence; on the diagonal a net is as often right as it says."""
    width = 0.8 / max(10, len(info.confidence))
    texts = [say("figure.samples", count=count) for count in info.samples]
    panels = [
        Panel(
            Axis(low=0.0, high=1.0),
            Axis(say("figure.right"), low=0.0, high=1.0),
            [
                Line([0.0, 1.0], [0.0, 1.0], "grey", say("figure.as-sure-as-right"), 1.0, "dash"),
                Line(info.confidence, info.accuracy, "blue"),
                Points(info.confidence, info.accuracy, "blue", size=7, texts=texts),
            ],
            height=1.7,
            shares_x="confidence",
        ),
        Panel(
            Axis(say("figure.confidence"), low=0.0, high=1.0),
            Axis(say("figure.sample-count")),
            [Bars(info.confidence, [float(count) for count in info.samples], width, "sky")],
            height=0.7,
            shares_x="confidence",
        ),
    ]
    return Chart("calibration", say("figure.calibration"), panels, [say("figure.ece", error=short(info.error))])


def residuals_chart(info: Residuals) -> Chart:
    """How far the actual numbers lie above the predicted ones."""
    marks = [
        Points(info.predicted, info.residual, "blue", size=3.5, faint=True),
        GuideLine(0.0, axis="y", dash="solid"),
    ]
    panel = Panel(Axis(say("figure.predicted")), Axis(say("figure.residual")), marks, height=1.6)
    return Chart("residuals", say("figure.residuals"), [panel])


def _picture(one: WorstSample) -> Picture:
    return Picture(one.png, _caption(one), (*_lines(one), say("figure.its-loss", loss=short(one.loss, 3))))


def _number_picture(one: WorstSample) -> Picture:
    title = say("figure.number-instead-of", predicted=one.predicted, actual=one.actual)
    return Picture(one.png, title, (*_lines(one), say("figure.its-error", loss=short(one.loss, 3))))


def _lines(one: WorstSample) -> tuple[str, ...]:
    return (one.text,) if one.text else ()


def _caption(one: WorstSample) -> str:
    """What was said and what is true; among few mistakes stand samples that were right, hardly sure of it or not."""
    if one.predicted == one.actual:
        unsure = one.loss > _UNSURE
        return say("figure.right-but-unsure" if unsure else "figure.right-sample", actual=one.actual)
    return say("figure.instead-of", predicted=one.predicted, actual=one.actual)


def worst_chart(info: Sequence[WorstSample], *, numbers: bool = False) -> Chart:
    """The samples whose loss is greatest, or where `numbers` are predicted whose error is, the worst first."""
    pictures = [_number_picture(one) if numbers else _picture(one) for one in info]
    rows = -(-len(pictures) // _COLUMNS)
    panel = Panel(Axis(), Axis(), [Pictures(pictures)], height=0.72 * max(1, rows))
    return Chart("worst", say("figure.worst-numbers" if numbers else "figure.worst"), [panel])
