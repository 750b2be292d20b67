"""landscape: the loss over two weights or two directions, with the way that training took over it."""

import contextlib
import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from danlu.base.counts import as_found, check_count, is_number
from danlu.base.errors import Faults, fail
from danlu.base.input_files import path_kind
from danlu.base.memory import memory_guard
from danlu.base.naming import listed
from danlu.base.places import shown
from danlu.base.readable import Readable
from danlu.base.recipe import LossRecipe
from danlu.base.seeds import choose_device
from danlu.base.words import say
from danlu.data import Dataset
from danlu.lab.landscape.axes import Axes, Weights, filter_axes, path_axes, single_weights, weight_axes
from danlu.lab.landscape.losses import Ground
from danlu.lab.landscape.shape import minimum, saddles
from danlu.nets import describe
from danlu.run.building import sample_dtype
from danlu.run.pictures import write_run_report
from danlu.run.run import Run
from danlu.run.settings.draft import CUSTOM, draft_recipe
from danlu.run.settings.loss_settings import settled_loss
from danlu.run.setup import load_data
from danlu.store.journal import Journal
from danlu.store.journal import read as read_journal
from danlu.store.records import MalformedRecordError, RunEnded, record_of
from danlu.store.run_folder import RunFolder
from danlu.train.checkpoint import load_whole
from danlu.view.info.surface import Surface
from danlu.view.info.thin import finite

_BATCH = 512
_MOST_POINTS = 501

Span = tuple[float, float]


@dataclass(frozen=True, repr=False)
class Landscape(Readable, Surface):
    """A Surface with its saddle points, as far as the grid shows them; `danlu.draw` draws it."""

    def __str__(self) -> str:
        """How large the grid is, the lowest point and the saddle points."""
        place = self.minimum or self.lowest
        facts = {"width": len(self.xs), "height": len(self.ys), "x": self.x_label, "y": self.y_label}
        loss = "–" if place[2] is None else f"{place[2]:.4g}"
        lowest = {"at_x": f"{place[0]:.4g}", "at_y": f"{place[1]:.4g}", "loss": loss}
        return say("lab.landscape-text", saddles=len(self.saddles), **facts, **lowest)


@memory_guard("surface")
def landscape(
    what: object,
    data: object = None,
    *,
    axes: str | Sequence[str] | None = None,
    span: Span | tuple[Span, Span] | None = None,
    points: int = 25,
    path: Sequence[object] | None = None,
    part: str = "train",
    samples: int = 1000,
    loss: str = "auto",
    seed: int = 0,
    record: bool = False,
) -> Landscape:
    """The mean loss over a grid of `points` × `points` weights through those of `what`: a Run, its folder, or a net
    with the `data` it is for.

    `axes` are "filters": two random directions in which each filter is as long as the net's own (Li et al. 2018,
    https://arxiv.org/abs/1712.09913), drawn from `seed`; "path": the two in which the training moved most; or the names
    of two weights, as in ("linear.weight[0, 3]", "linear.bias"). None: the net's two weights where it has no more, else
    "filters". Two weights are looked at in float64. `span` (low, high), for both axes or for each, is in the weights'
    own values where the axes are weights, else in units of the directions around the trained net.

    `path` holds the weights on the way, as nets or state_dicts; of a run they are the first weights and those of its
    checkpoints (`keep` and `checkpoint_steps` say how many there are). Each is set on the nearest point of the plane,
    with the loss there. The net is in evaluation mode, and `samples` of the `part` are seen at most. All points of the
    grid are computed as stacks. With `record` the surface of a run that has finished is added to its journal: its page
    and its report show it. Raises UserError for what is neither run nor net, and for axes that are not there.

    >>> import torch
    >>> from danlu.data import load
    >>> x = torch.linspace(-1, 1, 20)[:, None]
    >>> found = landscape(nn.Linear(1, 1), load((x, 3 * x + 1), standardise=False), points=5, span=(-5, 5))
    >>> [round(value, 3) + 0.0 for value in found.minimum]
    [3.0, 1.0, 0.0]
    """
    _check_numbers(points, samples)
    site = _site(what, data, path, loss)
    _check_recordable(site, record)
    axes = (single_weights(site.net) or "filters") if axes is None else axes
    ground = _ground(site, part, samples, exact=axes not in ("filters", "path"))
    plane = _plane(ground.net, axes, site.path, seed)
    way = [plane.project(weights) for weights in site.path]
    xs, ys = _grid(plane, way, span, points)
    grid = [(x, y) for y in ys for x in xs]
    found = ground.losses(plane, [*grid, *way])
    losses = [found[row * points : (row + 1) * points] for row in range(points)]
    surface = Landscape(
        tuple(xs),
        tuple(ys),
        tuple(tuple(finite(value) for value in row) for row in losses),
        path=tuple((x, y, finite(value)) for (x, y), value in zip(way, found[len(grid) :], strict=True)),
        path_steps=site.steps,
        minimum=minimum(xs, ys, losses, lambda x, y: ground.losses(plane, [(x, y)])[0]),
        x_label=plane.labels[0],
        y_label=plane.labels[1],
        exact=plane.exact,
        saddles=saddles(xs, ys, losses),
    )
    return _recorded(surface, site.run) if record and site.run is not None else surface


@dataclass(frozen=True)
class _Site:
    """What a landscape is of."""

    net: nn.Module
    data: Dataset
    loss: LossRecipe
    path: list[Weights]
    steps: tuple[int | None, ...] = ()  # of the path, where they are known
    run: Run | None = None


def _site(what: object, data: object, path: Sequence[object] | None, loss: str) -> _Site:
    if isinstance(what, str | Path) and path_kind(Path(what) / "recipe.toml") == "file":
        what = Run(what, data=data)
    given = None if path is None else [_weights(point) for point in path]
    if isinstance(what, Run):
        run = what
        net, dataset = run.net(), run.samples
        recipe = run.recipe.loss if loss == "auto" else LossRecipe(name=loss)
        steps, own = _own_path(run, net) if given is None else ((), given)
        site = _Site(net, dataset, recipe, own, steps, run)
    elif isinstance(what, nn.Module):
        if data is None:
            fail("landscape.net-needs-data", kind=type(what).__name__)
        dataset = data if isinstance(data, Dataset) else load_data(draft_recipe(data=data).data, _object(data))
        site = _Site(copy.deepcopy(what).cpu(), dataset, LossRecipe(name=loss), given or [])
    else:
        fail("landscape.not-a-run", found=what if isinstance(what, str | Path) else type(what).__name__)
    for weights in site.path:
        missing = [name for name, entry in site.net.named_parameters() if _shape(weights, name) != entry.shape]
        if missing:
            fail("landscape.other-path", names=listed(missing, 3))
    return site


def _object(data: object) -> object:
    return None if isinstance(data, str | Path) else data


def _shape(weights: Weights, name: str) -> torch.Size | None:
    return weights[name].shape if name in weights else None


def _weights(point: object) -> Weights:
    if isinstance(point, nn.Module):
        return {name: tensor.detach().cpu().clone() for name, tensor in point.state_dict().items()}
    if not isinstance(point, Mapping):
        fail("landscape.not-weights", found=type(point).__name__)
    return {name: tensor.detach().cpu() for name, tensor in cast(Mapping[str, Tensor], point).items()}


def _own_path(run: Run, net: nn.Module) -> tuple[tuple[int | None, ...], list[Weights]]:
    """The first weights, where the recipe can draw them again, those of the checkpoints that stand, and those that were
    scored, where these are others; and the step of each."""
    path: list[tuple[int | None, Weights]] = []
    recipe = run.recipe
    if recipe.net.name != CUSTOM and recipe.net.weights is None:
        path.append((0, _weights(run.built(run.preprocessing))))
    path += [(one.step, one.parts["weights"]) for one in load_whole(RunFolder(run.folder).checkpoints)]
    last = _weights(net)
    ended = bool(path) and all(torch.equal(path[-1][1][name], tensor) for name, tensor in last.items())
    steps, weights = zip(*(path if ended else [*path, (None, last)]), strict=True)
    return tuple(steps), list(weights)


def _check_recordable(site: _Site, record: bool) -> None:
    """UserError where a surface is to be recorded, and there is no run, or one that has not finished."""
    if not record:
        return
    if site.run is None:
        fail("landscape.record-needs-run", kind=type(site.net).__name__)
    if not site.run.finished:
        fail("landscape.record-unfinished", folder=shown(site.run.folder))


def _recorded(surface: Landscape, run: Run) -> Landscape:
    """The surface, now in the journal too, whose last line stays the end of the run: the list looks for it there."""
    place = RunFolder(run.folder)
    ended: list[RunEnded] = []
    for entry in read_journal(place.journal):
        with contextlib.suppress(MalformedRecordError):
            record = record_of(entry)
            ended += [record] if isinstance(record, RunEnded) else []
    with Journal(place.journal) as journal:
        for told in (surface.record(), *ended[-1:]):
            journal.add(told)
        journal.sync()
    write_run_report(place)
    return surface


def _ground(site: _Site, part: str, samples: int, *, exact: bool) -> Ground:
    device = choose_device("cpu")
    parts = [name for name, size in site.data.sizes.items() if size]
    if part not in parts:
        fail("landscape.no-such-part", part=part, parts=", ".join(parts))
    net = site.net.double() if exact else site.net
    dtype = sample_dtype(net, site.data, next(net.parameters()).dtype)
    carries = site.data.task == "language"
    batches: list[tuple[Tensor, Tensor]] = []
    count = 0
    for inputs, targets in site.data.batches(part, _BATCH, shuffle=not carries, device=device, dtype=dtype):
        left = samples - count
        batches.append((inputs[:left], targets[:left]) if not carries else (inputs, targets))
        count += len(inputs)
        if count >= samples:
            break
    shape = describe(net, site.data.sample_shape, dtype=dtype).output_shape
    return Ground(net.eval(), batches, settled_loss(site.loss, site.data, shape)[0], carries)


def _plane(net: nn.Module, axes: str | Sequence[str], path: Sequence[Weights], seed: int) -> Axes:
    if axes == "filters":
        return filter_axes(net, seed)
    if axes == "path":
        return path_axes(net, path)
    if isinstance(axes, str) or len(axes) != 2:
        fail("landscape.bad-axes", found=axes)
    return weight_axes(net, axes)


def _grid(plane: Axes, way: Sequence[tuple[float, float]], span: Any, points: int) -> tuple[list[float], list[float]]:
    """The places on both axes: where `span` says, else so that the path lies inside, with room around it."""
    if span is None:
        spans = [_room([point[axis] for point in way], plane.exact) for axis in (0, 1)]
    else:
        pair = list(cast(Sequence[Any], span)) if isinstance(span, list | tuple) else []
        spans = pair if pair and isinstance(pair[0], list | tuple) else [pair, pair]
    if len(spans) != 2 or not all(map(_is_span, spans)):
        fail("landscape.bad-span", found=as_found(span))
    (left, right), (low, high) = spans
    return _places(left, right, points), _places(low, high, points)


def _is_span(one: Any) -> bool:
    ends = list(cast(Sequence[Any], one)) if isinstance(one, list | tuple) else []
    return len(ends) == 2 and all(map(is_number, ends)) and -math.inf < ends[0] < ends[1] < math.inf


def _room(values: Sequence[float], exact: bool) -> Span:
    low, high = min(values, default=0.0), max(values, default=0.0)
    if not exact:
        low, high = min(low, -1.0), max(high, 1.0)
    margin = max(0.25 * (high - low), 1.0 if exact else 0.0)
    return low - margin, high + margin


def _places(low: float, high: float, count: int) -> list[float]:
    return [low + (high - low) * number / (count - 1) for number in range(count)]


def _check_numbers(points: int, samples: int) -> None:
    faults = Faults()
    check_count(faults, "points", points, 3, _MOST_POINTS)
    check_count(faults, "samples", samples, 1, 10**9)
    faults.raise_if_any()
