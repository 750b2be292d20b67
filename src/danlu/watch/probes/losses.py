"""The loss as the backward pass begins: its value, and what its graph shows."""

import math
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from danlu.watch.measured import Measured
from danlu.watch.probes.activations import ActivationProbe
from danlu.watch.probes.attention import (
    attends_to_itself,
    has_attention,
    weighs_samples_against_each_other,
    wrong_axis,
)
from danlu.watch.probes.attraction import compares_itself, drawn_together, spread_of
from danlu.watch.probes.broadcasting import grown
from danlu.watch.probes.graph import (
    LAYERS,
    LINEAR,
    Graph,
    Names,
    Node,
    bottlenecks,
    linear_pairs,
    operation,
    own_parameters,
    saved,
    shape,
)
from danlu.watch.probes.head import Criterion, chain, criteria, loss_value, read_head, reductions, weighs_samples
from danlu.watch.probes.labels import LabelProbe
from danlu.watch.probes.nonfinite import first_nonfinite
from danlu.watch.probes.overlaps import overlaps_of_logits
from danlu.watch.probes.pulls import listen
from danlu.watch.sites import Sites
from danlu.watch.tracing import unreadable, unwrapped

CLASSES = ("cross-entropy", "nll")
SQUARED = ("mse", "huber", "l1", "difference")
BINARY = ("bce", "bce-logits")
_HEADS_EVERY_STEP = 3
_MOST_HEADS = 64
_GIVEN = ("_saved_mat1", "_saved_input", "_saved_self")  # what linear and convolutional layers keep of it
_NARROW = 16  # units: fewer than that may be too few
_ASKED = 8  # rows of an embedding
_LARGE = 5_000  # nodes of a graph whose narrow places are not looked for


class LossProbe:
    """Loss by loss: the value of each, and on measured steps one reading of the graph."""

    writes = ("heads",)

    def __init__(
        self,
        measured: Measured,
        names: Names,
        roots: Sequence[nn.Module],
        activations: ActivationProbe,
        labels: LabelProbe,
        sites: Sites,
        within: Callable[..., Any],
    ) -> None:
        self._measured = measured
        self._names = names
        self._roots = roots
        self._activations = activations
        self._labels = labels
        self._sites = sites
        self._within = within
        self.met: Callable[[str, torch.Tensor, int], None] = lambda kind, targets, step: None
        self.looked: Callable[[Node, int], None] = lambda root, step: None
        self._values: list[float] = []  # of this step
        self._waiting: list[torch.Tensor] = []  # losses that are not read yet, on a GPU
        self._graphs = 0
        self._labelled: tuple[int, int] | None = None  # of the graphs and losses of a step: the one with the labels
        self.operations = 0  # of the first graph
        self.reached: set[int] = set()  # ids of the parameters that the graphs lead to
        self.strangers: set[int] = set()  # ids of those that are none of the net's
        self.loose: set[int] = set()  # ids of those that the loss itself holds, above all layers
        self._former: list[weakref.ref[torch.Tensor]] = []  # these, of the step before

    def value(self, root: torch.Tensor) -> bool:
        """Take up one loss; whether it is known not to be finite."""
        if not root.is_cpu:  # reading it would make the device wait
            if root.numel() == 1 and not unreadable(root):
                self._waiting.append(root.detach())
            return False
        if root.numel() != 1:
            return False
        try:
            value = float(root.item())
        except (RuntimeError, TypeError):  # it has no number, or not one
            return False
        self._values.append(value)
        return not math.isfinite(value)

    def begun(self, values: Sequence[float]) -> None:
        """These losses went backwards in the step that is under way."""
        self._values += values

    def ordinary(self, root: Any) -> bool:
        """Take up the loss of an ordinary step; False for one that must be looked at: not finite, or no tensor."""
        if not isinstance(root, torch.Tensor):
            return False
        if not root.is_cpu:
            return not self.value(root)
        try:
            value = float(root.item())
        except (RuntimeError, TypeError):  # it has no number, or several
            return True
        if not math.isfinite(value):
            return False
        self._values.append(value)
        return True

    def read(
        self,
        root: torch.Tensor,
        step: int,
        given: Sequence[torch.Tensor],
        taken: torch.Tensor | None = None,
        *,
        from_loss_calls: bool,
    ) -> None:
        """Read the graph under `root`; two of them a step at most. The net has taken and given these tensors."""
        node = root.grad_fn
        if node is None or self._graphs >= 2:
            return
        self._graphs += 1
        self._within(self.looked, node, step)
        graph = Graph.of(node)
        self.operations = self.operations or len(graph.nodes)
        self.reached.update(id(leaf) for leaf in graph.leaves)
        if self._graphs == 1:
            self._measured.carried.nodes.add(step, len(graph.nodes))
        if step <= 3:
            self.strangers.clear()
            self.strangers.update(self._strangers_in(graph, given, taken))
            own = {id(one) for one in own_parameters(node) if not self._names.knows(one)}
            self.loose = own if step == 1 and self._graphs == 1 else self.loose & own
            if self._graphs == 1:
                self._within(self._look_again, [one for one in graph.leaves if id(one) in self.strangers])
        if step == 1:
            self._within(self._read_entering, graph)
        last: set[Any] = set()
        found = self._within(criteria, node) or ()
        if step <= _HEADS_EVERY_STEP:
            weighs = self._within(weighs_samples, node)
            self._measured.weighs_samples = self._measured.weighs_samples or bool(weighs)
        if step <= _HEADS_EVERY_STEP and given and given[0].dim():
            both = self._within(reductions, node, len(given[0])) == {"mean", "sum"}
            self._measured.mixed_reductions = len(given[0]) if both else 0
            self._within(self._read_arithmetic, node, len(given[0]))
        if len(found) > 1 and (step <= _HEADS_EVERY_STEP or step % 20 == 0):
            self._within(self._read_scales, found, step, given)
        if step <= _HEADS_EVERY_STEP or len(self._measured.together):
            self._within(self._read_together, node, found, step, given)
        alone = len(found) == 1 and root.numel() == 1 and not _is_weighted(found[0])
        value = float(unwrapped(root).detach()) if alone else float("nan")
        for place, criterion in enumerate(found):
            last.update(chain(criterion.start))
            if step <= _HEADS_EVERY_STEP or step % 20 == 0:
                place_in_step = (self._graphs, place)
                self._within(self._read_head, criterion, place_in_step, step, given, value, from_loss_calls)
        self._within(self._activations.see, graph, last, step)
        if self._measured.net.nonlinear is None and not self._measured.net.compiled:
            self._within(self._read_structure, graph, given)

    def _strangers_in(self, graph: Graph, given: Sequence[torch.Tensor], taken: torch.Tensor | None) -> set[int]:
        """Parameters that the net does not know and that what it gave follows from: those of a teacher or a feature
        net beside it, or of a net that its input came from, are not meant."""
        own = {id(leaf) for leaf in graph.leaves if isinstance(leaf, nn.Parameter) and not self._names.knows(leaf)}
        if not own or not given:
            return own
        within = {id(leaf) for one in given if one.grad_fn is not None for leaf in Graph.of(one.grad_fn).leaves}
        below = Graph.of(taken.grad_fn).leaves if taken is not None and taken.grad_fn is not None else []
        return own & within - {id(leaf) for leaf in below}

    def _look_again(self, strangers: Sequence[torch.Tensor]) -> None:
        """Whether the net makes them for a single pass: those of the step before are gone."""
        before, self._former = self._former, [weakref.ref(one) for one in strangers]
        if before:
            self._measured.net.made_anew = all(one() is None for one in before)

    def _read_scales(self, found: Sequence[Criterion], step: int, given: Sequence[torch.Tensor]) -> None:
        """How far apart the losses lie that are added up without a weight."""
        plain = [one for one in found if not _is_weighted(one)]
        values = [abs(loss_value(one, given)) for one in plain]
        known = [value for value in values if math.isfinite(value) and value > 0]
        if len(known) < 2 or len(known) < len(found):
            return
        if not len(self._measured.loss_ratio):
            self._measured.losses_added = min(known), max(known)
        self._measured.loss_ratio.add(step, max(known) / min(known))

    def _read_together(self, node: Any, found: Sequence[Criterion], step: int, given: Sequence[torch.Tensor]) -> None:
        """How far the answers lie apart that a loss does nothing with but draw together; and whether it compares what a
        net gave with what the same one gave."""
        if step <= _HEADS_EVERY_STEP:
            self._measured.attached += any(compares_itself(one.node) for one in found if one.name in SQUARED)
        spread = spread_of(drawn_together(node), given) if self._graphs == 1 else None
        if spread is not None:
            self._measured.together.add(step, spread)

    def _read_arithmetic(self, node: Any, samples: int) -> None:
        """What was computed by hand on the way from the net to the loss."""
        measured = self._measured
        sizes = grown(node, samples)
        if sizes is not None:
            measured.grown, measured.grown_steps = sizes, measured.grown_steps + 1
        measured.overlaps_of_logits += overlaps_of_logits(node)

    def _read_entering(self, graph: Graph) -> None:
        """What the first layer is given, where the graph has kept that."""
        layers = (node for node in graph.nodes if operation(node) in LAYERS and self._names.own(node) is not None)
        first = next(layers, None)
        if first is not None and operation(first) in LINEAR:
            kept = next((one for name in _GIVEN if (one := saved(first, name)) is not None), None)
            if kept is not None and kept.dtype.is_floating_point and kept.numel():
                self._measured.inputs.entering = float(kept.float().square().mean().sqrt())

    def _read_head(
        self,
        criterion: Criterion,
        place: tuple[int, int],
        step: int,
        given: Sequence[torch.Tensor],
        value: float,
        from_loss_calls: bool,
    ) -> None:
        head, outputs, targets = read_head(criterion, step, given, value, scaled=self._measured.scaled)
        if targets is not None and operation(criterion.node) == "Gather" and targets.shape[1:] == (1,):
            targets = targets[:, 0]  # gather() is given the classes as a column
        kind = "classes" if head.loss in CLASSES else "binary" if head.loss in BINARY else "numbers"
        labelled = self._is_labelled(place, kind, targets, from_loss_calls=from_loss_calls)
        heads = self._measured.heads
        line = self._sites.head((head.loss, head.between, place), criterion.node, *reversed(criterion.path))
        heads.append(replace(head, labelled=labelled, line=line))
        if len(heads) > _MOST_HEADS:
            del heads[_MOST_HEADS // 2]
        if targets is not None and not from_loss_calls:
            self.met(kind, targets, step)
        if targets is None or not labelled:
            return
        if not from_loss_calls:
            dense = targets.dim() > 1 and head.loss in CLASSES
            count = head.shape[1] if len(head.shape) > 1 and kind == "classes" else 2
            self._labels.see(kind, count, targets, step, dense=dense, weighted=False)
        if outputs is not None and step <= _HEADS_EVERY_STEP:
            self._within(listen, criterion, outputs, targets, self._labels.pulled)
        binary = head.loss == "bce-logits" and outputs is not None and outputs.numel() == len(outputs)
        if outputs is not None and (binary or (head.loss in CLASSES and outputs.dim() == 2 and targets.dim() == 1)):
            self._labels.see_answers(outputs, targets)

    def _is_labelled(
        self, place: tuple[int, int], kind: str, targets: torch.Tensor | None, *, from_loss_calls: bool
    ) -> bool:
        """Whether the labels that are counted are this loss's: of several losses only one has its labels counted."""
        if self._labelled is None and targets is not None and (not from_loss_calls or self._labels.are(targets)):
            self._labelled = place
        if self._labelled is None:  # targets that nothing has kept: the kind is all there is to go by
            return self._measured.labels.kind in ("", kind)
        return place == self._labelled

    def _read_structure(self, graph: Graph, given: Sequence[torch.Tensor]) -> None:
        net = self._measured.net
        samples = len(given[0]) if given and given[0].dim() else 0
        net.over_samples = weighs_samples_against_each_other(graph, samples)
        pairs, linear, net.nonlinear = linear_pairs(graph, self._names)
        net.linear_pairs, net.depth = tuple(pairs), len(linear)
        self._turn_bare(graph)
        net.self_attends = attends_to_itself(graph)
        net.stuck = tuple(self._stuck(graph))
        net.wrong_softmax, net.attends = wrong_axis(graph), has_attention(graph)
        narrow = [layer.name for layer in self._measured.layers.values() if 0 < layer.width <= _NARROW]
        if len(graph.nodes) <= _LARGE:
            net.bottlenecks = tuple(bottlenecks(graph, self._names, narrow))

    def _stuck(self, graph: Graph) -> Iterator[str]:
        """The embeddings that are asked for one and the same row, whatever the sample."""
        for node in graph.nodes:
            indices = saved(node, "_saved_indices") if operation(node) == "Embedding" else None
            if indices is not None and indices.numel() >= _ASKED and bool((indices == indices.flatten()[0]).all()):
                yield self._names.own(node) or ""

    def _turn_bare(self, graph: Graph) -> None:
        """Which side of a hand-written matrix is that of the outputs is known by what it gives alone."""
        for node in graph.nodes:
            layer = self._measured.layers.get(self._names.own(node) or "") if operation(node) in LINEAR else None
            if layer is not None and layer.bare and layer.inputs and shape(node)[-1:] == (layer.inputs,):
                size = layer.inputs * layer.outputs
                layer.width = layer.outputs = layer.inputs
                layer.channels = layer.inputs = size // layer.outputs

    def nonfinite(
        self, loss: torch.Tensor | None, step: int, inputs: torch.Tensor | None, *, readable: bool
    ) -> torch.Tensor | None:
        """Find out where the first number that is none came from; the input, where it was there."""
        if self._measured.nonfinite_at is not None:
            return None
        root = loss.grad_fn if loss is not None and readable else None
        graph = Graph.of(root) if root is not None else None
        parameters = [parameter for root in self._roots for parameter in root.parameters()]
        where, what, given = first_nonfinite(graph, self._names, parameters, inputs)
        self._measured.nonfinite_at = step
        self._measured.nonfinite_where, self._measured.nonfinite_what = where, what
        return given

    def end_step(self, *, read: bool) -> bool:
        """Write the mean of this step's losses; whether one that was waiting is not finite."""
        self._graphs = 0
        if self._values:
            count = len(self._values)
            if count > 1 or self._measured.losses_per_step > 1:
                self._measured.losses_per_step = 0.9 * self._measured.losses_per_step + 0.1 * count
            self._add(self._values[0] if count == 1 else sum(self._values) / count)
            self._values.clear()
        return self.flush() if self._waiting and (read or len(self._waiting) >= 32) else False

    def flush(self) -> bool:
        """Read the losses that wait; whether one of them is the first that is not finite."""
        if not self._waiting:
            return False
        finite = self._measured.loss.nonfinite_since is None
        for value in torch.stack([one.double() for one in self._waiting]).tolist():
            self._add(value)
        self._waiting.clear()
        return finite and self._measured.loss.nonfinite_since is not None

    def _add(self, value: float) -> None:
        if self._measured.loss.count == self._measured.before:
            self._measured.first_loss = value
        self._measured.loss.add(value)


def _is_weighted(criterion: Criterion) -> bool:
    """Whether the loss is multiplied or divided on its way to the root, so that the root's value is not its own."""
    return any(operation(node) in ("Mul", "Div") for node in criterion.path)
