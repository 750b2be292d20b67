"""Activation functions, modules and plain calls alike, from the results that the graph keeps for the backward pass."""

from collections import deque

import torch

from danlu.watch.layer_facts import Activation, Layer
from danlu.watch.measured import Measured
from danlu.watch.probes.graph import ACTIVATIONS, LAYERS, Graph, Names, Node, following, operation, saved
from danlu.watch.probes.reading import read

_BATCHES = 8  # over which a unit must be silent to count as dead
_SAMPLES = 128  # fewest samples that say so
_MOST_VALUES = 16_384
_EDGE = 0.03  # share of the range that counts as saturated
_CHANNELS_FIRST = ("Conv", "BatchNorm", "InstanceNorm", "GroupNorm")  # in the names of layers that give [N, C, L]


class ActivationProbe:
    """Shares of saturated, zero and dead units for every bounded or rectifying activation."""

    writes = ("activations",)

    def __init__(self, measured: Measured, names: Names, recurrent: set[str]) -> None:
        self._measured = measured
        self._names = names
        self._recurrent = recurrent  # their gates saturate by design
        self._alive: dict[str, deque[tuple[torch.Tensor, int]]] = {}

    def see(self, graph: Graph, last: set[Node], step: int) -> None:
        """Measure all activations of a graph; those in `last` stand between net and loss."""
        told: dict[str, list[torch.Tensor]] = {}
        ends: set[Node] | None = None
        for node in graph.nodes:
            kind = operation(node)
            if kind not in ("Relu", "Sigmoid", "Tanh"):
                continue
            name = self._names.before(node)
            result = saved(node, ACTIVATIONS[kind][0])
            if name is None or name in self._recurrent or result is None:
                continue
            if result.dim() < 2 or not result.numel():
                continue
            key = f"{name}/{kind}"
            if key not in self._measured.activations:
                ends = _ends(graph.root) if ends is None else ends
                ending = node in last or (kind != "Relu" and node in ends)
                self._measured.activations[key] = Activation(name, kind.lower(), ending)
            if key not in told:  # where a layer is called several times, its first call
                layer = self._measured.layers.get(name)
                told[key] = self._measure(key, kind, result, layer)
                if layer is not None and layer.bare and step <= 3:
                    layer.called = True
                    layer.std.add(step, float(result.std()))
        if told:
            shares = read([number for numbers in told.values() for number in numbers])
            for key, saturated, zero in zip(told, shares[::2], shares[1::2], strict=True):
                facts = self._measured.activations[key]
                facts.saturated.add(step, saturated)
                facts.zero.add(step, zero)
                if facts.kind == "relu":
                    self._count_dead(key, facts, step)

    def _measure(self, key: str, kind: str, result: torch.Tensor, layer: Layer | None) -> list[torch.Tensor]:
        if result.numel() > _MOST_VALUES:
            result = result[: max(1, _MOST_VALUES * len(result) // result.numel())]
        if kind == "Relu":
            units = _axis_of_units(result, layer)
            rest = [axis for axis in range(result.dim()) if axis != units]
            active = result.amax(rest) != 0  # what is no number is not 0
            self._alive.setdefault(key, deque(maxlen=_BATCHES)).append((active, result.numel() // len(active)))
            zero = (result == 0).float().mean()
            return [torch.zeros_like(zero), zero]
        edge = result.abs() > 1 - 2 * _EDGE if kind == "Tanh" else (result - 0.5).abs() > 0.5 - _EDGE
        saturated = edge.float().mean()
        return [saturated, torch.zeros_like(saturated)]

    def _count_dead(self, key: str, facts: Activation, step: int) -> None:
        newest, _ = self._alive[key][-1]
        batches = [(batch, samples) for batch, samples in self._alive[key] if len(batch) == len(newest)]
        if sum(samples for _, samples in batches) >= _SAMPLES and len(batches) >= 2:
            alive = torch.stack([batch for batch, _ in batches]).any(0)
            facts.units = len(alive)
            facts.dead.add(step, 1 - float(alive.float().mean()))


def _ends(root: Node) -> set[Node]:
    """What no layer stands behind: a colour that is weighed along a ray is an output as much as one that is not."""
    found, stack = {root}, [root]
    while stack:
        for other in following(stack.pop()):
            if other not in found and operation(other) not in LAYERS:
                found.add(other)
                stack.append(other)
    return found


def _axis_of_units(result: torch.Tensor, layer: Layer | None) -> int:
    """The axis of a result on which the units lie: 1 in [N, C, …], but the last in sequences [N, T, C], and wherever a
    linear layer has put them there."""
    kind = layer.kind if layer else ""
    if result.dim() == 3:
        return 1 if any(name in kind for name in _CHANNELS_FIRST) else 2
    if kind == "Linear" and layer and layer.outputs == result.shape[-1]:
        return result.dim() - 1
    return 1
