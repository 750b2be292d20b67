"""Signal flow as heat maps: layers from the input down, steps to the right; a vanishing gradient is seen to fade."""

from collections.abc import Sequence
from dataclasses import replace

from danlu.base.words import say
from danlu.view.figures.chart import Axis, Cells, Chart, Panel
from danlu.view.figures.names import short, told_apart
from danlu.view.info.flow import Flow, Grid

_MOST_NAMES = 40
_ROW = 0.11  # of the height of an ordinary panel


def flow_chart(info: Flow) -> Chart:
    """One heat map for each quantity that was measured. A column lies at its step, and reaches half the way to the next
    ones: the first steps are measured more often than later ones."""
    skip = max(1, -(-len(info.layers) // _MOST_NAMES))
    names = told_apart(info.layers)
    y_ticks = [(float(at), name) for at, name in enumerate(names)][::skip]
    whole = [] if names == [*info.layers] else info.layers
    height = max(0.8, min(4.0, 0.45 + _ROW * len(info.layers)))
    panels = [
        Panel(
            Axis(),
            Axis(ticks=y_ticks),
            [replace(_cells(info.steps, grid, quantity), names=whole)],
            title=say(f"figure.flow-title-{quantity}"),
            height=height,
            shares_x="step",
        )
        for quantity, grid in info.grids.items()
    ]
    panels[-1] = replace(panels[-1], x=Axis(say("figure.step")))
    return Chart("flow", say("figure.flow"), panels, _notes(info))


def _cells(columns: Sequence[int], grid: Grid, quantity: str) -> Cells:
    label = say(f"figure.flow-{quantity}")
    return Cells(columns, grid, label, "share") if quantity == "dead" else Cells(columns, grid, label, log=True)


def _notes(info: Flow) -> list[str]:
    """How far the gradient falls off from the last layer to the first, at the newest step."""
    newest = [row[-1] for row in info.grids.get("gradient", ()) if row]
    found = [value for value in newest if value]
    if len(found) < 2:
        return []
    return [say("figure.flow-ratio", ratio=short(found[0] / found[-1], 3), first=info.layers[0], last=info.layers[-1])]
