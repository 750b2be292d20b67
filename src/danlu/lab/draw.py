"""draw: anything that has a picture, as a picture."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard, cast

import torch
from torch import nn

from danlu.base.counts import as_found, is_whole
from danlu.base.errors import Fault, fail, nearest
from danlu.base.graphs import NetGraph
from danlu.base.input_files import path_kind
from danlu.base.memory import memory_guard
from danlu.base.naming import spelled
from danlu.base.own_code import file_and_maker, short_name
from danlu.base.places import runs_folder, shown
from danlu.base.seeds import global_seed
from danlu.data import Dataset
from danlu.lab.functions.activation import ACTIVATIONS, activation_curve, activation_named, is_activation
from danlu.lab.functions.densities import densities
from danlu.lab.functions.distribution import SOURCES, is_distribution, read_distribution
from danlu.lab.functions.variance import layer_variances
from danlu.nets import example, recipe_of, registered, usual_shape
from danlu.nets import names as net_names
from danlu.nets.autograd import autograd_graph
from danlu.nets.expression import expression_graph
from danlu.nets.graph import net_graph
from danlu.run.building import build_net
from danlu.run.run import Run
from danlu.run.settings.draft import draft_recipe
from danlu.run.settings.net_and_data import data_for_net
from danlu.run.setup import load_data
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder
from danlu.study.study import Study
from danlu.view.drawing import Drawing
from danlu.view.figures.activation import activation_chart
from danlu.view.figures.chart import Chart
from danlu.view.figures.densities import densities_chart
from danlu.view.figures.pages import compared_chart, run_charts, study_charts
from danlu.view.figures.surface import contour_chart, surface_chart
from danlu.view.figures.variance import variance_chart
from danlu.view.graphs.expression import expression_diagram
from danlu.view.graphs.layout import MOST_BOXES
from danlu.view.graphs.net import net_diagram
from danlu.view.graphs.scene import Diagram
from danlu.view.info.activation import ActivationCurve
from danlu.view.info.curves import MOST_POINTS
from danlu.view.info.run import run_info_of
from danlu.view.info.study import study_info_of
from danlu.view.info.surface import Surface
from danlu.view.info.variance import LayerVariances
from danlu.view.overview import Overview, overview

KINDS = (
    "overview", "curves", "flow", "net", "confusion", "calibration", "residuals", "worst", "samples", "time", "surface",
    "contour", "forest", "means", "sweep", "slopes", "folds", "importance", "parallel", "settings", "halving",
    "activation", "distribution", "probabilities", "variance",
)  # fmt: skip

Picture = Chart | Diagram | Overview


@memory_guard("any")
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
      `data` is a data set (or its name, or file), the shape of one sample, or a batch of samples; danlu's own nets do
      without;
    - a loss (a tensor of one number): its computation graph with values, local derivatives and gradients. `names` says
      what its leaves are called, for example `dict(net.named_parameters())`;
    - a Run or a Study, or the folder of one: its curves, or its effects, or another `kind` of its pictures, such as
      "overview", all of a run on a sheet of A4; a list of runs: their curves over each other;
    - an activation, by name ("sigmoid"), class or module: the function with its slope, and where that is flat;
    - a distribution of one number (of torch, a danlu.stats.Mixture, samples or probabilities in a row): its density
      with its entropy; two of them, in a list or the second as `data`, with cross-entropy and divergence.
      Floating-point numbers of at least 0 that sum to 1 are probabilities, all others samples, unless `kind` says
      "samples" or "probabilities";
    - with kind "variance" a net's layers: the variance of each one's output on `data` (without data on normal samples),
      for the weights as they stand (those of a net by name are freshly initialised);
    - the Surface that `danlu.landscape` gives; with kind "contour" seen from above.

    Raises UserError for anything else, and for a kind that is not there.

    >>> drawing = draw("lenet5")
    >>> drawing.file_content(".svg")[:4]
    b'<svg'
    """
    if boxes is not None and not (is_whole(boxes) and 0 < boxes <= MOST_BOXES):
        fail("draw.bad-boxes", found=as_found(boxes))
    drawing = Drawing(_maker(_opened(what) if isinstance(what, str | Path) else what, data, kind, names, boxes))
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


def named_graph(name: str, options: Mapping[str, Any], data: object = None) -> NetGraph:
    """The graph of the net called `name` with `options`: for `data` as `draw` takes them, else for what it is made for.

    >>> named_graph("mlp", {"hidden": [5]}, (3, 8, 8)).nodes[1].output_shape
    (5,)
    """
    name = registered(name)
    if data is None or _is_shape(data):
        net, sample_shape = example(name, options, data)
        return net_graph(net, sample_shape, name=short_name(name))
    recipe = draft_recipe(name, data, settings={f"net.{key}": value for key, value in options.items()})
    dataset = load_data(data_for_net(recipe, data), data if isinstance(data, Dataset) else None)
    return net_graph(build_net(recipe, dataset), dataset.sample_shape, name=short_name(name))


def _maker(
    what: object, data: object, kind: str | None, names: Mapping[str, torch.Tensor] | None, boxes: int | None
) -> Callable[[], Picture]:
    if kind is not None and kind not in KINDS:
        fail("draw.unknown-kind", kind=kind, kinds=", ".join(KINDS), hint=nearest(kind, KINDS))
    if kind == "variance":
        variances = _variances(what, data)
        return lambda: variance_chart(variances)
    if (curve := _activation(what, data, kind)) is not None:
        return lambda: activation_chart(curve)
    if (given := _distributions(what, data)) is not None:
        return _distribution_maker(given, kind)
    if isinstance(what, torch.Tensor):
        graph = autograd_graph(what, names)
        return lambda: expression_diagram(graph)
    if isinstance(what, str | nn.Module):
        followed = named_graph(what, {}, data) if isinstance(what, str) else _module_graph(what, data)
        return lambda: net_diagram(followed, boxes)
    if isinstance(what, Surface):
        return lambda: contour_chart(what) if kind == "contour" else surface_chart(what)
    if isinstance(what, Run | Study):
        return _picked(what, kind, boxes)
    if not isinstance(what, list | tuple):
        fail("draw.unknown-thing", found=type(what).__name__)
    return _compared(cast(Sequence[object], what))


def _activation(what: object, data: object, kind: str | None) -> ActivationCurve | None:
    """The activation that it is, without data to send through it; None where it is none."""
    if isinstance(what, str):
        name = activation_named(what)
        function = None if name is None else ACTIVATIONS[name]()
    elif isinstance(what, type) and what in ACTIVATIONS.values():
        name, function = what.__name__, cast(type[nn.Module], what)()
    elif data is None and kind in (None, "activation") and is_activation(what):
        name, function = type(what).__name__, what
    else:
        return None
    if function is None or name is None:
        return None
    if kind not in (None, "activation"):
        fail("draw.kind-of-activation", kind=kind, name=name)
    return activation_curve(function, name)


def _distributions(what: object, other: object) -> list[object] | None:
    """One distribution or two, or None where it is none."""
    if is_distribution(what):
        if other is not None and not is_distribution(other):
            fail("draw.two-distributions", found=type(other).__name__)
        return [what] if other is None else [what, other]
    if not isinstance(what, list | tuple) or not what or not all(map(is_distribution, cast(Sequence[object], what))):
        return None
    several = [*cast(Sequence[object], what), *([] if other is None else [other])]
    if len(several) > 2:
        fail("draw.only-two", found=len(several))
    return several


def _distribution_maker(given: list[object], kind: str | None) -> Callable[[], Picture]:
    if kind not in (None, "distribution", *SOURCES):
        fail("draw.kind-of-distribution", kind=kind)
    found = densities([read_distribution(one, kind) for one in given])
    return lambda: densities_chart(found)


def _variances(what: object, data: object) -> LayerVariances:
    """The variances of a net, or of one by name as it is freshly initialised."""
    if isinstance(what, str) and activation_named(what) is None:
        return named_variances(what, {}, data)
    if not isinstance(what, nn.Module):
        fail("draw.variance-needs-net")
    known = recipe_of(what)
    name = known[0] if known else type(what).__name__
    if data is None and known:
        return layer_variances(what, usual_shape(*known), name)
    if isinstance(data, str | Path):
        data = load_data(draft_recipe(data=data).data)
    if not (isinstance(data, Dataset) or _is_shape(data) or (isinstance(data, torch.Tensor) and data.dim())):
        fail("draw.net-needs-shape", kind=type(what).__name__)
    return layer_variances(what, data, name)


def named_variances(name: str, options: Mapping[str, Any], data: object = None) -> LayerVariances:
    """The variances by layer of the net called `name` with `options`, freshly initialised: on `data`, else on normal
    samples of the shape that it is made for.

    >>> named_variances("mlp", {"hidden": [5]}, (3, 8, 8)).samples
    512
    """
    name = registered(name)
    if data is None or _is_shape(data):
        with global_seed(0, "initial-weights"):
            net, sample_shape = example(name, options, data, weights=True)
        return layer_variances(net, sample_shape, short_name(name))
    recipe = draft_recipe(name, data, settings={f"net.{key}": value for key, value in options.items()})
    dataset = load_data(data_for_net(recipe, data), data if isinstance(data, Dataset) else None)
    return layer_variances(build_net(recipe, dataset), dataset, short_name(name))


def _compared(several: Sequence[object]) -> Callable[[], Picture]:
    runs = [_opened(one) if isinstance(one, str | Path) else one for one in several]
    strangers = [type(one).__name__ if not isinstance(one, str) else one for one in runs if not isinstance(one, Run)]
    if strangers or not runs:
        fail("draw.only-runs", found=", ".join(strangers) or "[]")
    infos = [run_info_of(RunFolder(run.folder)) for run in runs if isinstance(run, Run)]
    return lambda: compared_chart(infos)


def _module_graph(net: nn.Module, data: object) -> NetGraph:
    """The graph of a net of the user's, or of danlu's, for samples of `data`."""
    known = recipe_of(net)
    name = known[0] if known else type(net).__name__
    if data is None and known:
        return net_graph(net, usual_shape(*known), name=name)
    if isinstance(data, torch.Tensor) and data.dim():
        return net_graph(net, tuple(data.shape[1:]), name=name, sample=data[0])
    if _is_shape(data):
        return net_graph(net, data, name=name)
    if isinstance(data, str | Path):
        data = load_data(draft_recipe(data=data).data)
    if not isinstance(data, Dataset):
        fail("draw.net-needs-shape", kind=type(net).__name__)
    return net_graph(net, data.sample_shape, name=name)


def _is_shape(data: object) -> TypeGuard[Sequence[int]]:
    return isinstance(data, list | tuple) and all(isinstance(size, int) for size in cast(Sequence[object], data))


def _opened(what: str | Path) -> Run | Study | str:
    """The study or run whose folder this is, else the name of a net. UserError where it is none of them."""
    place = Path(what)
    if StudyFolder(place).is_there:
        return Study(place)
    if isinstance(what, str) and (is_net_name(what) or is_activation_name(what)):
        return what
    if isinstance(what, Path) or path_kind(RunFolder(place).recipe) == "file":
        return Run(place)
    inside = runs_folder() / what
    if path_kind(place) == "missing" and path_kind(inside) == "folder":
        fail("store.no-such-run", path=what, hint=Fault("base.did-you-mean", {"word": shown(inside)}))
    if path_kind(place) != "missing" or len(place.parts) != 1:
        return Run(place)
    hint = nearest(what.lower(), [*net_names(), *ACTIVATIONS])
    if isinstance(hint, Fault) and hint.values["word"] in ACTIVATIONS:
        fail("draw.unknown-name", name=what, hint=hint)
    return registered(what)


def is_activation_name(word: str) -> bool:
    """Whether a word names an activation, and no run or study lies in a folder of that name.

    >>> is_activation_name("GELU"), is_activation_name("runs/gelu")
    (True, False)
    """
    return activation_named(word) is not None and not _is_folder_of_results(word)


def is_net_name(word: str) -> bool:
    """Whether a word names a net, and no run or study lies in a folder of that name.

    >>> is_net_name("LeNet5"), is_net_name("runs/lenet5")
    (True, False)
    """
    return bool(spelled(word, net_names()) or file_and_maker(word)) and not _is_folder_of_results(word)


def _is_folder_of_results(word: str) -> bool:
    there = StudyFolder(Path(word)).design, RunFolder(Path(word)).recipe
    return any(path_kind(file) == "file" for file in there)


def _picked(what: Run | Study, kind: str | None, boxes: int | None) -> Callable[[], Picture]:
    """The first picture of that kind: curves and effects come first."""
    if isinstance(what, Run):
        info = run_info_of(RunFolder(what.folder))
        graph = info.history.net
        if kind == "net" and graph is not None:
            return lambda: net_diagram(graph, boxes)
        if kind == "overview":
            return lambda: overview(info)

        def charts() -> list[Chart]:
            return run_charts(info, MOST_POINTS)
    else:
        study, graph = study_info_of(StudyFolder(what.folder)), None

        def charts() -> list[Chart]:
            return study_charts(study)

    there = [*dict.fromkeys(chart.kind for chart in charts()), *(["net"] if graph else [])]
    there += ["overview"] if isinstance(what, Run) else []
    if kind not in (None, *there) or not there:
        kinds = ", ".join(there) or "–"
        fail("draw.no-such-kind", kind=kind or "forest", folder=shown(what.folder), kinds=kinds)
    return lambda: next(chart for chart in charts() if kind in (None, chart.kind))
