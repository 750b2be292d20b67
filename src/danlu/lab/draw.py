"""draw: anything that has a picture, as a picture."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from danlu.base.errors import Fault, UserError, fail, nearest
from danlu.base.graphs import NetGraph
from danlu.data import Dataset
from danlu.lab.draft import draft_recipe
from danlu.lab.pictures import run_info, study_info
from danlu.lab.run import Run
from danlu.lab.setup import load_data
from danlu.lab.study.study import Study
from danlu.nets import build, example, option_names
from danlu.nets import names as net_names
from danlu.nets.autograd import autograd_graph
from danlu.nets.catalogue import recipe_of, registered
from danlu.nets.expression import expression_graph
from danlu.nets.graph import net_graph
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder
from danlu.view.drawing import Drawing
from danlu.view.figures.chart import Chart
from danlu.view.figures.curves import curves_chart
from danlu.view.figures.pages import compared_chart, run_charts, study_charts
from danlu.view.figures.surface import contour_chart, surface_chart
from danlu.view.graphs.expression import expression_diagram
from danlu.view.graphs.net import net_diagram
from danlu.view.info.curves import MOST_POINTS, curves
from danlu.view.info.surface import Surface

KINDS = (
    "curves", "flow", "confusion", "calibration", "residuals", "worst", "surface", "contour", "forest", "sweep",
    "slopes", "folds",
)  # fmt: skip


def draw(
    what: object,
    data: object = None,
    *,
    kind: str | None = None,
    names: Mapping[str, torch.Tensor] | None = None,
    boxes: int | None = None,
    file: str | Path | None = None,
) -> Drawing:
    """A picture of `what`; a notebook shows it, `save` writes it, and so does `file` (.svg, .png or .pdf).

    - a net, or the name of one: its graph, with shapes, parameters and multiply-adds, folded to about `boxes` boxes.
      For a net of your own, `data` is a Dataset, the shape of a sample, or a batch of samples;
    - a loss (a tensor of one number): its computation graph with values, local derivatives and gradients. `names` says
      what its leaves are called, for example `dict(net.named_parameters())`;
    - a Run or a Study, or the folder of one: its curves, or its effects, or another `kind` of its pictures; a list of
      runs: their curves over each other;
    - the Surface that `danlu.landscape` gives.

    Raises UserError for anything else, and for a kind that is not there.

    >>> drawing = draw("lenet5")
    >>> drawing.file_content(".svg")[:4]
    b'<svg'
    """
    drawing = Drawing(_maker(what, data, kind, names, boxes))
    if file is not None:
        drawing.save(file)
    return drawing


def draw_expression(text: str, values: Mapping[str, float]) -> Drawing:
    """The computation graph of an expression in numbers, at `values`.

    >>> draw_expression("(w*x - y)**2", {"w": 2.0, "x": 3.0, "y": 5.0}).file_content(".svg")[:4]
    b'<svg'
    """
    graph = expression_graph(text, values)
    return Drawing(lambda: expression_diagram(graph))


def _maker(
    what: object, data: object, kind: str | None, names: Mapping[str, torch.Tensor] | None, boxes: int | None
) -> Any:
    if isinstance(what, torch.Tensor):
        graph = autograd_graph(what, names)
        return lambda: expression_diagram(graph)
    if isinstance(what, nn.Module):
        followed = module_graph(what, data)
        return lambda: net_diagram(followed, boxes)
    if isinstance(what, Surface):
        return lambda: contour_chart(what) if kind == "contour" else surface_chart(what)
    if isinstance(what, Run | Study):
        return functools.partial(_picked, what, kind)
    if isinstance(what, list | tuple):
        runs = [_opened(one) for one in cast(Sequence[object], what)]
        strangers = [one for one in runs if not isinstance(one, Run)]
        if strangers or not runs:
            fail("draw.only-runs", found=", ".join(type(one).__name__ for one in strangers) or "[]")
        infos = [run_info(RunFolder(run.folder)) for run in runs if isinstance(run, Run)]
        return lambda: compared_chart(infos, MOST_POINTS)
    if isinstance(what, Path) or (isinstance(what, str) and not _is_net_name(what)):
        return functools.partial(_picked, _opened(what), kind)
    if isinstance(what, str):
        net, sample_shape = example(what)
        followed = net_graph(net, sample_shape, name=registered(what))
        return lambda: net_diagram(followed, boxes)
    fail("draw.unknown-thing", found=type(what).__name__)


def module_graph(net: nn.Module, data: object) -> NetGraph:
    """The graph of a net of the user's, or of danlu's, for samples of `data`."""
    known = recipe_of(net)
    name = known[0] if known else type(net).__name__
    if isinstance(data, str | Path):
        data = load_data(draft_recipe(data=str(data)).data)
    if isinstance(data, Dataset):
        return net_graph(net, data.sample_shape, name=name)
    if isinstance(data, torch.Tensor) and data.dim():
        return net_graph(net, tuple(data.shape[1:]), name=name, sample=data[0])
    if isinstance(data, list | tuple) and all(isinstance(size, int) for size in cast(Sequence[object], data)):
        return net_graph(net, cast(Sequence[int], data), name=name)
    if data is None and known:
        return net_graph(net, example(name)[1], name=name)
    fail("draw.net-needs-shape", kind=type(net).__name__)


def named_graph(name: str, shape: tuple[int, ...] | None, options: Mapping[str, Any]) -> NetGraph:
    """The graph of the net called `name` with `options`, for samples of `shape`, else for those it is usually for."""
    name = registered(name)
    usual, sample_shape = example(name)
    if shape is None and not options:
        return net_graph(usual, sample_shape, name=name)
    decided = {key: value for key, value in (recipe_of(usual) or ("", {}))[1].items() if key in ("classes", "outputs")}
    outputs = int(next(iter({**decided, **options}.get(key) for key in decided), None) or 10)
    settings = {key: value for key, value in {**options}.items() if key in option_names(name)}
    task = "regression" if name in ("linear-regression", "mixture-density") else "classification"
    with torch.device("meta"):
        net = build(name, settings, sample_shape=shape or sample_shape, outputs=outputs, task=task)
    return net_graph(net, shape or sample_shape, name=name)


def _is_net_name(word: str) -> bool:
    if Path(word).exists():
        return False
    try:
        registered(word)
    except UserError:
        if "/" in word or word in (".", ".."):
            return False
        raise
    return True


def _opened(what: object) -> Run | Study:
    if isinstance(what, Run | Study):
        return what
    if not isinstance(what, str | Path):
        fail("draw.unknown-thing", found=type(what).__name__)
    place = Path(what)
    return Study(place) if StudyFolder(place).design.is_file() else Run(place)


def _picked(what: Run | Study, kind: str | None) -> Chart:
    """The picture of that kind: the first one, or, of a run without a kind, its curves."""
    if isinstance(what, Run):
        info = run_info(RunFolder(what.folder))
        if kind in (None, "curves"):
            return curves_chart(curves({info.name: info.course}, info.smoothing, MOST_POINTS))
        charts = run_charts(info, MOST_POINTS)
    else:
        charts = study_charts(study_info(StudyFolder(what.folder)))
    found = [chart for chart in charts if kind in (None, chart.kind)]
    if not found:
        there = ", ".join(dict.fromkeys(chart.kind for chart in charts)) or "–"
        hint: Fault | str = nearest(kind or "", KINDS) if kind not in KINDS else ""
        fail("draw.no-such-kind", kind=kind or "", folder=what.folder, kinds=there, hint=hint)
    return found[0]
