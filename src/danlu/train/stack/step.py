"""One update of K models at once, in the pieces the loop names: forward, loss, backward, clip, update."""

import contextlib
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from danlu.base.recipe import Recipe
from danlu.train.schedules import Horizon, Schedule
from danlu.train.stack.build import Way, find_way
from danlu.train.stack.chain import ChainNet
from danlu.train.stack.layout import Layout
from danlu.train.stack.losses import StackedLoss
from danlu.train.stack.masks import Masks
from danlu.train.stack.numbers import Number, beside, numbers, picked
from danlu.train.stack.optimisers import SGD, build_stacked_optimiser

Batch = tuple[Tensor, Tensor]
"""Inputs [G, N, …] and targets [G, N] or [G, N, T] of the groups."""


class StackedStep:
    """The step of K models: weights, optimiser, schedules, clipping and moving averages, each with a leading axis K.

    `nets` share structure, `recipes` differ in numbers alone; `group_of` says which members see the same batches.
    """

    def __init__(
        self,
        nets: Sequence[nn.Module],
        recipes: Sequence[Recipe],
        horizon: Horizon,
        device: torch.device,
        *,
        group_of: Sequence[int],
        sample: Tensor,
        way: Way | None = None,
    ) -> None:
        found = way or find_way(nets[0], sample)
        assert found is not None, "stackable() has said why not"
        self.layout = Layout.of(group_of, device)
        self.net = found(nets, self.layout)
        dtype = self.net.trained[0].dtype
        self.recipes = list(recipes)
        self.optimiser = build_stacked_optimiser(self.net.trained, [recipe.optim for recipe in recipes])
        self.schedules = Schedules(recipes, horizon, device, dtype)
        self._loss = StackedLoss(recipes[0].loss.name, [recipe.loss for recipe in recipes], device, dtype)
        self._sums = recipes[0].loss.reduction == "sum"
        train = recipes[0].train
        self._micro = train.batch_size or 0 if train.accumulate > 1 else 0
        self._clip_norm = _limits([recipe.train.clip_norm for recipe in recipes], device, dtype)
        self._clip_value = _limits([recipe.train.clip_value for recipe in recipes], device, dtype)
        seeds = [recipe.train.seed for recipe in recipes]
        drops = any(any(rates) for rates in self.net.rates) or not isinstance(self.net, ChainNet)
        channels_last = any(_is_channels_last(parameter) for parameter in nets[0].parameters())
        self.masks = Masks(seeds, self.net.rates, device, dtype, channels_last=channels_last) if drops else None
        self.average = MovingAverage(self.net.state(), recipes, device) if train.ema is not None else None
        self._gradients: Sequence[Tensor] = ()
        self._gradient = torch.empty(0)
        self._share = 1.0
        self._descent = self._fused_descent()
        self.batch_loss = torch.zeros(len(nets), device=device)

    @property
    def members(self) -> int:
        return self.layout.members

    def begin(self, step: int) -> None:
        """Before update number `step` (from 0): dropout's streams and the rates."""
        if self.masks:
            self.masks.begin(step)
        self.schedules.begin(step)

    def parts(self, batch: Batch) -> Iterable[Batch]:
        """The batch as the micro-batches whose gradients are added up; itself, when nothing is accumulated."""
        self._gradients = ()
        if not self._micro:
            return (batch,)
        self.batch_loss = torch.zeros_like(self.batch_loss)
        return self._micro_batches(batch)

    def _micro_batches(self, batch: Batch) -> Iterator[Batch]:
        inputs, targets = batch
        for start in range(0, inputs.shape[1], self._micro):
            part = inputs[:, start : start + self._micro], targets[:, start : start + self._micro]
            self._share = 1.0 if self._sums else part[0].shape[1] / inputs.shape[1]
            yield part

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs [G, N, …] to outputs [K, C, N]."""
        return self.net.forward(inputs, self.masks, training=True)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Targets [G, N, …] to the losses [K]; a member whose loss is not finite harms nobody else."""
        scale = self.schedules.rates if self._descent else self._share
        values, self._gradient = self._loss(outputs, self.layout.spread(targets), scale)
        self.batch_loss = values if not self._micro else self.batch_loss + values * self._share
        return values

    def backward(self, loss: Tensor) -> None:
        """The gradients of every member's own loss."""
        if self._descent:
            self._descent.backward(self._gradient, self.schedules)
            return
        gradients = self.net.backward(self._gradient)
        added = zip(self._gradients, gradients, strict=True) if self._gradients else None
        self._gradients = gradients if added is None else [total + gradient for total, gradient in added]

    @torch.no_grad()
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

    @torch.no_grad()
    def update(self) -> None:
        if self._descent:
            self._descent.update()
        else:
            self.optimiser.step(self._gradients, self.schedules.rates)
        if self.average:
            self.average.follow(self.net.state())

    def _fused_descent(self) -> "FusedDescent | None":
        """Where rate, momentum and gradient can be one product: chains under SGD whose gradients nobody looks at."""
        optimiser = self.optimiser
        plain = isinstance(optimiser, SGD) and not optimiser.flag("nesterov") and optimiser.numbers["dampening"] == 0.0
        unseen = self._clip_norm is None and self._clip_value is None and not self._micro
        if not (plain and unseen and self.schedules.common and isinstance(self.net, ChainNet)):
            return None
        return FusedDescent(self.net, optimiser)

    @torch.no_grad()
    def predict(self, inputs: Tensor) -> Tensor:
        """Inputs [G, N, …] to outputs [K, C, N] in evaluation mode."""
        return self.net.forward(inputs, None, training=False)

    @contextlib.contextmanager
    def scored(self) -> Iterator[None]:
        """The weights that are validated and used: the averaged ones where the recipes ask for them."""
        if self.average:
            self.average.exchange(self.net.state())
        try:
            yield
        finally:
            if self.average:
                self.average.exchange(self.net.state())

    def compact(self, keep: Sequence[int]) -> list[int]:
        """Go on with the members `keep` alone; the groups that are left, by their old numbers."""
        places = torch.tensor(keep, device=self.layout.places.device)
        self.layout, groups = self.layout.without(keep)
        self.net.select(places, self.layout)
        self.optimiser.select(places)
        self.schedules.select(keep, places)
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
        return {name: tensor[member].clone() for name, tensor in self.net.state().items()}

    def tensors(self) -> dict[str, Any]:
        """What a checkpoint holds of the step, as trees of tensors by the name of the part."""
        parts: dict[str, Any] = {"weights": self.net.state(), "optimizer": self.optimiser.state}
        if self.average:
            parts["ema"] = self.average.tensors
        return parts

    def load_tensors(self, parts: dict[str, Any]) -> None:
        """Take back what `tensors` gave."""
        for name, tensor in self.net.state().items():
            tensor.copy_(parts["weights"][name])
        for name, tensors in self.optimiser.state.items():
            for tensor, saved in zip(tensors, parts["optimizer"][name], strict=True):
                tensor.copy_(saved)
        if self.average:
            self.average.tensors = parts["ema"]

    def state(self) -> dict[str, Any]:
        """The numbers a checkpoint holds of the step."""
        averaged = self.average.updates if self.average else 0
        return {"schedules": self.schedules.state(), "updates": self.optimiser.steps, "averaged": averaged}

    def load_state(self, state: dict[str, Any]) -> None:
        self.schedules.load_state(state["schedules"])
        self.optimiser.steps = state["updates"]
        if self.average:
            self.average.updates = state["averaged"]


class FusedDescent:
    """SGD in one product a layer: momentum = μ · momentum + rate · gradient, then weights = weights - momentum.

    The rate goes into the loss's gradient, where numbers are few; what is kept is the momentum times the rate, so that
    a schedule's change from step to step goes into μ. Without momentum the product is added to the weights themselves.
    """

    def __init__(self, net: ChainNet, optimiser: SGD) -> None:
        self._net = net
        self._optimiser = optimiser
        self._last_share = 1.0

    def backward(self, gradient: Tensor, schedules: "Schedules") -> None:
        optimiser = self._optimiser
        names = [name for name in self._net.parameters if name not in self._net.frozen]
        if not optimiser.has_momentum and not optimiser.decays:
            self._net.descend(gradient.neg_(), {name: self._net.parameters[name] for name in names}, 1.0)
            return
        keep = optimiser.numbers["momentum"] * (schedules.share / self._last_share)
        self._last_share = schedules.share
        velocities = optimiser.velocities
        if optimiser.decays or not isinstance(keep, float):
            shrink = optimiser.numbers["weight_decay"] * schedules.rates
            for velocity, weights in zip(velocities, optimiser.parameters, strict=True):
                velocity.mul_(beside(keep, velocity))
                if optimiser.decays:
                    _add_scaled(velocity, weights, beside(shrink, velocity))
            keep = 1.0
        self._net.descend(gradient, dict(zip(names, velocities, strict=True)), keep)

    def update(self) -> None:
        optimiser = self._optimiser
        optimiser.steps += 1
        if optimiser.has_momentum or optimiser.decays:
            for weights, velocity in zip(optimiser.parameters, optimiser.velocities, strict=True):
                weights.sub_(velocity)


def _add_scaled(tensor: Tensor, other: Tensor, factor: Number) -> None:
    if isinstance(factor, float):
        tensor.add_(other, alpha=factor)
    else:
        tensor.addcmul_(other, factor)


class Schedules:
    """The learning rates of K members, step by step; equal schedules are asked once."""

    def __init__(self, recipes: Sequence[Recipe], horizon: Horizon, device: torch.device, dtype: torch.dtype) -> None:
        self._device, self._dtype = device, dtype
        self._rates = [float(recipe.optim.lr or 0.0) for recipe in recipes]
        kinds = [recipe.schedule for recipe in recipes]
        alone = [index if kind.name == "plateau" else 0 for index, kind in enumerate(kinds)]
        distinct = list(dict.fromkeys(zip(kinds, alone, strict=True)))
        self._schedules = [Schedule(kind, horizon) for kind, _ in distinct]
        self._which = [distinct.index(key) for key in zip(kinds, alone, strict=True)]
        self._constant = all(kind.name == "constant" and not kind.warmup for kind in kinds)
        self.share = 1.0  # of the full rate, where it is common to all
        self.rates: Number = numbers(self._rates, device, dtype)
        self._full = self.rates

    @property
    def common(self) -> bool:
        """Whether one schedule serves all members."""
        return len(self._schedules) == 1

    @property
    def sees(self) -> bool:
        """Whether a schedule minds the validation loss."""
        return any(schedule.plateau for schedule in self._schedules)

    def begin(self, step: int) -> None:
        if self._constant:
            return
        shares = [schedule(step) for schedule in self._schedules]
        if self.common:
            self.share = shares[0]
            self.rates = self._full * self.share
        else:
            rates = [rate * shares[which] for rate, which in zip(self._rates, self._which, strict=True)]
            self.rates = numbers(rates, self._device, self._dtype)

    def see(self, validation_losses: Sequence[float]) -> None:
        """Tell every member's schedule its validation loss; only plateau minds."""
        for loss, which in zip(validation_losses, self._which, strict=True):
            self._schedules[which].see(loss)

    def select(self, keep: Sequence[int], places: Tensor) -> None:
        self._rates = [self._rates[member] for member in keep]
        self._which = [self._which[member] for member in keep]
        self._full, self.rates = picked(self._full, places), picked(self.rates, places)

    def state(self) -> list[dict[str, Any]]:
        return [schedule.state() for schedule in self._schedules]

    def load_state(self, states: Sequence[dict[str, Any]]) -> None:
        for schedule, state in zip(self._schedules, states, strict=True):
            schedule.load_state(state)


class MovingAverage:
    """Exponential moving averages of weights and buffers, as `AveragedModel` keeps them of one model."""

    def __init__(self, state: dict[str, Tensor], recipes: Sequence[Recipe], device: torch.device) -> None:
        self.tensors = {name: tensor.clone() for name, tensor in state.items()}
        self.updates = 0
        decays = [recipe.train.ema or 0.0 for recipe in recipes]
        self._decay = numbers(decays, device, torch.float64)

    def follow(self, state: dict[str, Tensor]) -> None:
        for name, average in self.tensors.items():
            new = state[name]
            if self.updates == 0:
                average.copy_(new)
                continue
            decay = beside(self._decay, average)
            dtype = average.dtype if average.is_floating_point() else torch.get_default_dtype()
            keep, take = (number if isinstance(number, float) else number.to(dtype) for number in (decay, 1 - decay))
            if average.is_floating_point():
                average.lerp_(new, take)
            else:
                average.copy_(average * keep + new * take)
        self.updates += 1

    def exchange(self, state: dict[str, Tensor]) -> None:
        """Put the averages where the weights are, and the weights here."""
        for name, average in self.tensors.items():
            kept = average.clone()
            average.copy_(state[name])
            state[name].copy_(kept)

    def select(self, keep: Tensor) -> None:
        self.tensors = {name: tensor[keep] for name, tensor in self.tensors.items()}
        self._decay = picked(self._decay, keep)


def _limits(values: Sequence[float | None], device: torch.device, dtype: torch.dtype) -> Number | None:
    """Limits of clipping, infinite where a member has none; None where nobody has one."""
    if not any(values):
        return None
    return numbers([math.inf if value is None else value for value in values], device, dtype)


def _tensor(number: Number, like: Tensor) -> Tensor:
    return like.new_tensor(number) if isinstance(number, float) else number


def _is_channels_last(parameter: Tensor) -> bool:
    return parameter.dim() == 4 and not parameter.is_contiguous() and parameter.stride(1) == 1
