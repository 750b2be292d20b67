"""One update of K models at once, in the pieces the loop names: forward, loss, backward, clip, update."""

import contextlib
import math
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from danlu.base.recipe import Recipe
from danlu.stack.average import MovingAverage
from danlu.stack.build import Way
from danlu.stack.chain import ChainNet
from danlu.stack.descent import FusedDescent
from danlu.stack.layout import Layout
from danlu.stack.losses import StackedLoss
from danlu.stack.masks import Masks
from danlu.stack.nets import is_channels_last
from danlu.stack.numbers import Number, all_are, beside, numbers, picked
from danlu.stack.optimisers import SGD, build_stacked_optimiser
from danlu.stack.rates import Schedules
from danlu.train.schedules import Horizon


class Batch(NamedTuple):
    """Inputs [G, N, …] of the groups, and targets [K, N] or [K, N, T] of their members.

    `counts` int64 [K] says how many samples are a member's own, where not all are (the folds are not of one size);
    those behind them are there to fill the tensor.
    """

    inputs: Tensor
    targets: Tensor
    counts: Tensor | None = None

    @property
    def samples(self) -> Tensor | int:
        """Of each member: one number, or [K]."""
        return self.inputs.shape[1] if self.counts is None else self.counts


class StackedStep:
    """The step of K models: weights, optimiser, schedules, clipping and moving averages, each with a leading axis K.

    `nets` share structure, `recipes` differ in numbers alone; `group_of` says which members see the same batches; `way`
    is that of `find_way`. Called under `torch.no_grad()`: what needs autograd turns it on itself.
    """

    def __init__(
        self,
        nets: Sequence[nn.Module],
        recipes: Sequence[Recipe],
        horizon: Horizon,
        device: torch.device,
        *,
        group_of: Sequence[int],
        way: Way,
    ) -> None:
        self.layout = Layout.of(group_of, device)
        self.net = way.build(nets, self.layout)
        dtype = self.net.trained[0].dtype
        self.recipes = list(recipes)
        self.optimiser = build_stacked_optimiser(self.net.trained, [recipe.optim for recipe in recipes])
        self.schedule = Schedules(recipes, horizon, device, dtype)
        self._loss = StackedLoss(recipes[0].loss.name, [recipe.loss for recipe in recipes], device, dtype)
        self._sums = recipes[0].loss.reduction == "sum"
        train = recipes[0].train
        self._micro = train.batch_size or 0 if train.accumulate > 1 else 0
        self._clip_norm = _limits([recipe.train.clip_norm for recipe in recipes], device, dtype)
        self._clip_value = _limits([recipe.train.clip_value for recipe in recipes], device, dtype)
        seeds = [recipe.train.seed for recipe in recipes]
        drops = any(any(rates) for rates in self.net.rates) or not isinstance(self.net, ChainNet)
        channels_last = is_channels_last(nets[0])
        self.masks = Masks(seeds, self.net.rates, device, dtype, channels_last=channels_last) if drops else None
        self.average = MovingAverage(self.net.tensors(), recipes, device) if train.ema is not None else None
        self._gradients: Sequence[Tensor] = ()
        self._gradient = torch.empty(0)
        self._counts: Tensor | None = None
        self._share: Number = 1.0
        self.fused = self._fused()
        self.batch_loss = torch.zeros(len(nets), device=device)

    @property
    def members(self) -> int:
        return self.layout.members

    @property
    def lr(self) -> Number:
        return self.schedule.rates

    def size(self, batch: Batch) -> tuple[int, Tensor | int]:
        return batch.inputs.shape[1], batch.samples

    def start_epoch(self, epoch: int, batch: int) -> None:
        """Nothing: the modes of a stack are those of its forward passes."""

    def begin(self, step: int) -> None:
        """Before update number `step` (from 0): dropout's streams and the rates."""
        if self.masks:
            self.masks.begin(step)
        self.schedule.begin(step)

    def parts(self, batch: Batch) -> Iterable[tuple[Tensor, Tensor]]:
        """The batch as the micro-batches whose gradients are added up; itself, when nothing is accumulated."""
        self._gradients = ()
        inputs, targets, self._counts = batch
        if not self._micro:
            return ((inputs, targets),)
        self.batch_loss = torch.zeros_like(self.batch_loss)
        return self._micro_batches(inputs, targets)

    def _micro_batches(self, inputs: Tensor, targets: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        for start in range(0, inputs.shape[1], self._micro):
            part = inputs[:, start : start + self._micro], targets[:, start : start + self._micro]
            self._share = 1.0 if self._sums else self._loss.counted(part[1]) / self._loss.counted(targets)
            yield part

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs [G, N, …] to outputs [K, C, N]."""
        return self.net.forward(inputs, self.masks, training=True)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Targets [K, N, …] to the losses [K]; a member whose loss is not finite harms nobody else."""
        scale = self.schedule.rates if self.fused else self._share
        values, self._gradient = self._loss(outputs, targets, scale, self._counts)
        self.batch_loss = values if not self._micro else self.batch_loss + values * self._share
        return values

    def backward(self, loss: Tensor) -> None:
        """The gradients of every member's own loss."""
        if self.fused:
            self.fused.backward(self._gradient, self.schedule)
            return
        gradients = self.net.backward(self._gradient)
        added = zip(self._gradients, gradients, strict=True) if self._gradients else None
        self._gradients = gradients if added is None else [total + gradient for total, gradient in added]

    def clip(self) -> Tensor | None:
        """Clip by value, then by norm; the norms [K] before that, where one was asked for."""
        if self._clip_value is not None:
            limits = [beside(self._clip_value, gradient) for gradient in self._gradients]
            self._gradients = [
                torch.minimum(torch.maximum(gradient, -_tensor(limit, gradient)), _tensor(limit, gradient))
                for gradient, limit in zip(self._gradients, limits, strict=True)
            ]
        if self._clip_norm is None:
            return None
        norms = torch.stack([torch.linalg.vector_norm(gradient.flatten(1), dim=1) for gradient in self._gradients])
        norm = torch.linalg.vector_norm(norms, dim=0)
        factor = (self._clip_norm / (norm + 1e-6)).clamp(max=1.0)
        self._gradients = [gradient * beside(factor, gradient) for gradient in self._gradients]
        return norm

    def update(self) -> None:
        if self.fused:
            self.fused.update()
        else:
            self.optimiser.step(self._gradients, self.schedule.rates)
        if self.average:
            self.average.follow(self.net.tensors())

    def _fused(self) -> FusedDescent | None:
        """Where rate, momentum and gradient can be one product: chains under SGD whose gradients nobody looks at."""
        optimiser = self.optimiser
        unseen = self._clip_norm is None and self._clip_value is None and not self._micro and self.schedule.common
        if not (isinstance(optimiser, SGD) and isinstance(self.net, ChainNet) and unseen):
            return None
        plain = not optimiser.flag("nesterov") and all_are(optimiser.numbers["dampening"], 0)
        return FusedDescent(self.net, optimiser) if plain else None

    def predict(self, inputs: Tensor) -> Tensor:
        """Inputs [G, N, …] to outputs [K, C, N] in evaluation mode."""
        return self.net.forward(inputs, None, training=False)

    @contextlib.contextmanager
    def scored(self) -> Generator[None]:
        """The weights that are validated and used: the averaged ones where the recipes ask for them."""
        if self.average:
            self.average.exchange(self.net.tensors())
        try:
            yield
        finally:
            if self.average:
                self.average.exchange(self.net.tensors())

    def compact(self, keep: Sequence[int]) -> list[int]:
        """Go on with the members `keep` alone; the groups that are left, by their old numbers."""
        places = torch.tensor(keep, device=self.layout.places.device)
        self.layout, groups = self.layout.without(keep)
        self.net.select(places, self.layout)
        self.optimiser.select(places)
        self.schedule.select(keep, places)
        self._loss.select(places)
        self.recipes = [self.recipes[member] for member in keep]
        self._clip_norm = None if self._clip_norm is None else picked(self._clip_norm, places)
        self._clip_value = None if self._clip_value is None else picked(self._clip_value, places)
        if self.masks:
            self.masks.select(keep)
        if self.average:
            self.average.select(places)
        self.batch_loss = self.batch_loss[places]
        return groups

    def member(self, member: int) -> dict[str, Tensor]:
        """The weights of one member, as the `state_dict` of its net; copies."""
        return self.net.member(member)

    def tensors(self) -> dict[str, Any]:
        """What a checkpoint holds of the step, as trees of tensors by the name of the part."""
        parts: dict[str, Any] = {"weights": self.net.tensors(), "optimizer": self.optimiser.state}
        if self.average:
            parts["ema"] = self.average.tensors
        return parts

    def load_tensors(self, parts: dict[str, Any]) -> None:
        """Take back what `tensors` gave."""
        for name, tensor in self.net.tensors().items():
            tensor.copy_(parts["weights"][name])
        for name, tensors in self.optimiser.state.items():
            for tensor, saved in zip(tensors, parts["optimizer"][name], strict=True):
                tensor.copy_(saved)
        if self.average:
            self.average.tensors = parts["ema"]

    def state(self) -> dict[str, Any]:
        """The numbers a checkpoint holds of the step."""
        averaged = self.average.updates if self.average else 0
        share = self.fused.last_share if self.fused else 1.0
        schedules = self.schedule.state()
        return {"schedules": schedules, "updates": self.optimiser.steps, "averaged": averaged, "share": share}

    def load_state(self, state: dict[str, Any]) -> None:
        self.schedule.load_state(state["schedules"])
        self.optimiser.steps = state["updates"]
        if self.fused:
            self.fused.last_share = state["share"]
        if self.average:
            self.average.updates = state["averaged"]


def _limits(values: Sequence[float | None], device: torch.device, dtype: torch.dtype) -> Number | None:
    """Limits of clipping, infinite where a member has none; None where nobody has one."""
    if not any(values):
        return None
    return numbers([math.inf if value is None else value for value in values], device, dtype)


def _tensor(number: Number, like: Tensor) -> Tensor:
    return number if isinstance(number, Tensor) else like.new_tensor(number)
