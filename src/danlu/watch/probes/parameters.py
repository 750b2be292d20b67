"""Parameters around one optimiser step: gradients before it, weights before and after."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from danlu.watch.layer_facts import Layer
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.probes.reading import differences, norms, read
from danlu.watch.tracing import unreadable

_MOST_VALUES = 2_048
_MOST_PULLED = 200  # steps within which a penalty shows
_SHORT = (torch.bfloat16, torch.float16)
_DECOUPLED = ("AdamW", "SGDW", "Adafactor", "Lion", "Muon")  # in the names of optimisers, torch's and others'


class ParameterProbe:
    """Measures gradient, weight and update of every layer that an optimiser moves.

    Norms of gradients and weights are exact; updates and zeros are taken from up to 2,048 evenly spaced entries of
    each tensor, so that nothing large is copied.
    """

    def __init__(self, measured: Measured, owners: Mapping[int, str]) -> None:
        self._measured = measured
        self._owners = owners
        self._before: list[tuple[str, torch.Tensor, torch.Tensor]] = []
        self._graded: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []  # of 16 bits, that a gradient moves
        self._direction: dict[int, torch.Tensor] = {}
        self._level: dict[int, float] = {}

    def before(
        self, parameters: Sequence[torch.Tensor], step: int, optimiser: Optimiser, decays: Mapping[int, float]
    ) -> None:
        """Gradients as the optimiser will see them, and a sample of the weights; `decays` by id of the parameter."""
        ours = [one for one in parameters if id(one) in self._owners and not unreadable(one)]
        if not ours and self._measured.unread.get("layers"):
            return
        self._before = [(self._owners[id(one)], one, _entries(one).clone()) for one in ours]
        reached = [(one, one.grad) for one in ours if one.grad is not None]
        optimiser.without_gradient.add(step, 1 - len(reached) / max(1, len(ours)))
        moved = [(one, grad) for one, grad in reached if not unreadable(grad)]
        if not moved:
            return
        grads = [grad.detach() for _, grad in moved]
        samples = [_entries(grad) for grad in grads]
        self._graded = [
            (one, sample != 0, _entries(one).clone())
            for (one, _), sample in zip(moved, samples, strict=True) if one.dtype in _SHORT
        ]  # fmt: skip
        sizes_of_grads, weights = norms(grads), norms([one.detach() for one, _ in moved])
        others = norms(samples, 0)  # the number of entries that are not 0
        numbers = read([*sizes_of_grads, *weights, *others])
        count = len(moved)
        sizes, left = numbers[count:-count], numbers[-count:]
        by_layer: dict[str, list[tuple[float, float, float, int]]] = {}
        for (one, _), norm, weight, other, sample in zip(moved, numbers[:count], sizes, left, samples, strict=True):
            zero = 1 - other / max(1, sample.numel())
            by_layer.setdefault(self._owners[id(one)], []).append((norm, weight, zero, one.numel()))
        for name, entries in by_layer.items():
            _write(self._measured.layers[name], step, entries)
        if step % 10 == 0 and step <= _MOST_PULLED:
            self._see_pull(moved, samples, step)
        total = math.sqrt(sum(norm * norm for norm in numbers[:count]))
        optimiser.gradient.add(step, total)
        if optimiser.weight_decay and total > 0 and math.isfinite(total):
            pulls = [decays.get(id(one), 0.0) * weight for (one, _), weight in zip(moved, sizes, strict=True)]
            optimiser.decay_share.add(step, math.hypot(*pulls) / total)
        if step % 10 == 0:
            self._noise(samples, step, id(optimiser))

    def _see_pull(self, moved: list[tuple[torch.Tensor, torch.Tensor]], grads: list[torch.Tensor], step: int) -> None:
        """How far the gradient of each matrix points from 0 through it, as that of a penalty on its size does."""
        matrices = [(one, _entries(one), grad) for (one, _), grad in zip(moved, grads, strict=True) if one.dim() >= 2]
        matrices = [entry for entry in matrices if entry[1].numel() == entry[2].numel() > 0]
        cosines = [_cosine(weights, grad) for _, weights, grad in matrices]
        for (one, *_), value in zip(matrices, read(cosines), strict=True):
            self._measured.layers[self._owners[id(one)]].inward.add(step, value)

    def _noise(self, samples: list[torch.Tensor], step: int, key: int) -> None:
        """The share of the gradient that stays from step to step: |mean|² over the mean of squares, smoothed."""
        now = torch.cat([sample.flatten()[:512].float() for sample in samples])
        square = float(now.dot(now))
        if not math.isfinite(square):
            return
        kept = self._direction.get(key)
        if kept is None or kept.shape != now.shape:
            self._direction[key], self._level[key] = now.clone(), square
            return
        kept.mul_(0.8).add_(now, alpha=0.2)
        self._level[key] = 0.8 * self._level[key] + 0.2 * square
        if self._level[key] > 0:
            self._measured.noise.add(step, float(kept.dot(kept)) / self._level[key])

    def after(self, step: int, optimiser: Optimiser) -> None:
        """What the step has changed."""
        if not self._before:
            return
        now = [_entries(parameter) for _, parameter, _ in self._before]
        old = [sample for _, _, sample in self._before]
        changes = norms(differences(now, old))
        sizes = norms(old)
        numbers = read([*changes, *sizes])
        by_layer: dict[str, list[float]] = {}
        unmoved = True
        for (name, parameter, _), change, size in zip(self._before, numbers, numbers[len(changes) :], strict=False):
            unmoved = unmoved and change == 0
            # A bias begins at 0 or near it; its ratio tells nothing.
            if parameter.dim() >= 2 and size > 0:
                by_layer.setdefault(name, []).append(change / size)
        for name, ratios in by_layer.items():
            self._measured.layers[name].update.add(step, max(ratios))
        optimiser.unmoved.add(step, float(unmoved))
        self._see_rounding(step, optimiser)
        if step <= 3 or step % 50 == 0:
            self._see_rows(step)
        self._before = []

    def _see_rounding(self, step: int, optimiser: Optimiser) -> None:
        """Of weights of 16 bits that have a gradient, the share that the step has left as it was."""
        graded, self._graded = self._graded, []
        pairs = [(meant, _entries(one) == old) for one, meant, old in graded if meant.shape == old.shape]
        if not pairs:
            return
        left, asked = (
            torch.stack([one.sum() for one in each]).sum()
            for each in ([same & meant for meant, same in pairs], [meant for meant, _ in pairs])
        )
        numbers = read([left, asked])
        if numbers[1]:
            optimiser.low_precision = str(graded[0][0].dtype).removeprefix("torch.")
            optimiser.rounded.add(step, numbers[0] / numbers[1])

    def _see_rows(self, step: int) -> None:
        """How far the rows of a weight differ: where they are all the same, so is what the units compute."""
        for name, parameter, _ in self._before:
            if parameter.dim() >= 2 and len(parameter) > 1:
                rows = parameter.detach()[:8].flatten(1)[:, :256].float()
                size = float(torch.linalg.vector_norm(rows))
                apart = float(torch.linalg.vector_norm(rows - rows.mean(0)))
                self._measured.layers[name].apart.add(step, apart / size if size else 0.0)


def _cosine(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cosine_similarity(one.flatten().float(), other.flatten().float(), dim=0)


def _write(layer: Layer, step: int, entries: Sequence[tuple[float, float, float, int]]) -> None:
    layer.reached = True
    numbers = max(1, sum(size for *_, size in entries))
    layer.gradient.add(step, math.sqrt(sum(norm * norm for norm, *_ in entries)))
    layer.weight.add(step, math.sqrt(sum(weight * weight for _, weight, *_ in entries)))
    layer.gradient_zero.add(step, sum(zero * size for _, _, zero, size in entries) / numbers)


def _entries(tensor: torch.Tensor) -> torch.Tensor:
    """Up to 2,048 evenly spaced entries; a view where the tensor lies in one piece."""
    tensor = tensor.detach()
    if tensor.numel() <= _MOST_VALUES:
        return tensor
    if tensor.is_contiguous():
        return tensor.view(-1)[:: tensor.numel() // _MOST_VALUES]
    return tensor[tuple(slice(None, 32) for _ in range(tensor.dim()))]


def capped_share(parameters: Sequence[torch.Tensor], limit: float) -> float:
    """The share of the gradients' entries that stand at the value they were clipped to."""
    grads = [one.grad for one in parameters if one.grad is not None and not unreadable(one.grad)]
    samples = [_entries(grad).flatten() for grad in grads if grad.numel()]
    return float((torch.cat(samples).abs() >= 0.999 * limit).float().mean()) if samples else 0.0


def hyperparameters(optimizer: Any) -> tuple[float, float, float, bool]:
    """Learning rate, momentum and weight decay of an optimiser, the largest of its groups, and whether the decay is
    decoupled from the gradient (AdamW). An optimiser that finds its rate itself has none: 0."""
    groups: list[dict[str, Any]] = optimizer.param_groups
    rate = max((float(group.get("lr") or 0.0) for group in groups), default=0.0)
    decay = max((decay_of(group) for group in groups), default=0.0)
    momentum = max((_momentum(group) for group in groups), default=0.0)
    named = any(name in type(optimizer).__name__ for name in _DECOUPLED)
    decoupled = named or any(group.get("decoupled_weight_decay") for group in groups)
    return rate, momentum, decay, decoupled


def decay_of(group: Mapping[str, Any]) -> float:
    """The weight decay of one group of parameters."""
    return float(group.get("weight_decay") or 0.0)


def _momentum(group: Mapping[str, Any]) -> float:
    betas = group.get("betas")
    return float(betas[0]) if betas else float(group.get("momentum", 0.0) or 0.0)
