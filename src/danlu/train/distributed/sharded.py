"""The engine of a training whose weights, gradients and optimiser state lie in parts, one in each process (FSDP).

Zhao et al. 2023, https://arxiv.org/abs/2304.11277; the parts are put together by torch's `fully_shard`.
"""

import contextlib
import copy
import math
from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from danlu.base.recipe import Recipe
from danlu.train.distributed.engine import SharedEngine
from danlu.train.distributed.group import TrainingGroup, tell
from danlu.train.distributed.parts import Parts, told
from danlu.train.distributed.rows import PartRows
from danlu.train.distributed.units import Units
from danlu.train.freezing import Freezer
from danlu.train.tree import flatten_parts, restore_parts


class ShardedEngine(SharedEngine):
    """A shared training of which each process holds some rows of each parameter, between `shard` and `unshard`.

    Before and after, each holds all. In between `net` is a copy that FSDP has in hand, the optimiser moves the parts of
    this process as ordinary parameters (so it must treat each entry by itself), and gradients are added up while
    backward runs. All processes call `shard`, `tensors`, `scored_weights`, `unshard` and the net alike; what a
    checkpoint holds comes to the first of them, and is what one process alone would write. `units` are the parts of the
    net that are put together one at a time, by name, in the order of their calls.
    """

    def __init__(self, *arguments: Any, group: TrainingGroup, units: Sequence[str]) -> None:
        super().__init__(*arguments, group=group)
        recipe: Recipe = arguments[4]
        self._ema, self._frozen = recipe.train.ema, recipe.train.freeze or ()
        self._plain, self._plain_freezer = self.net, self._freezer
        self._originals = list(self.net.parameters())
        numbers = {id(one): number for number, one in enumerate(self._originals)}
        self._places = [numbers[id(one)] for one in self._parameters]  # of the optimiser's numbers among the net's
        self._names = units
        self._units: Units | None = None
        self._parts = Parts((), (), group)
        self._mean: AveragedModel | None = None  # of the parts

    @property
    def _wait(self) -> bool:
        return True

    def shard(self) -> None:
        """All go on from the state of the first process, each with its part alone."""
        averaged: dict[str, Any] = self._average.state_dict() if self._average else {}
        for tensor in [*self._plain.state_dict().values(), *averaged.values()]:
            if isinstance(tensor, Tensor):
                tensor.copy_(told(self._group, tensor))
        self._freezer(0)  # what is frozen is so from the beginning
        if self._norm:
            self._norm.detach()
        layouts = [(one.shape, one.stride()) for one in self._originals]
        self.net = copy.deepcopy(self._plain, {id(one): _contiguous(one) for one in self._originals})
        self._norm = self._norm_of(self.net)
        whole = {one for one in self.net.parameters() if not one.ndim or not one.numel()}
        self._units = Units(self.net, self._names, self._group.world, whole)
        if self._norm:
            self._norm.attach()
        self._parts = Parts(list(self.net.parameters()), layouts, self._group)
        self._freezer = Freezer(self.net, self._frozen, None)
        if self._average:
            self._mean = self._mean_of(self._average)
        state = self._state_of_first()
        self._move(dict(zip(self._originals, self._parts.own, strict=True)))
        self._rows = PartRows(
            [one for one in self._parameters if one in whole], self._own_buffers(), self._parameters[0]
        )
        self.load_state_of_steps(state)
        self._let_go()

    def _state_of_first(self) -> dict[str, Any]:
        """What the first process's optimiser and schedule hold, in parts where it belongs to entries of parameters."""
        group = self._group
        parts: dict[str, Any] = {"optimizer": self.optimizer.state_dict()}
        if self._moves_by_itself:
            parts["schedule"] = self.schedule.tensors()
        trees, tensors = flatten_parts(parts)
        words = tell(group, {"trees": trees, "names": {name: list(part) for name, part in tensors.items()}})
        found: dict[str, dict[str, Tensor]] = {}
        for part, names in words["names"].items():
            found[part] = {}
            for name in names:
                whole = told(group, None if group.rank else tensors[part][name])
                place = self._places[int(name.split(".")[1])] if part == "optimizer" else None
                if place is not None and whole.ndim and whole.shape == self._originals[place].shape:
                    whole = self._parts.cut(place, whole)
                found[part][name] = whole
        return restore_parts(words["trees"], found)

    def _mean_of(self, average: AveragedModel) -> AveragedModel:
        weights = _Weights(self._parts.own, self.net.buffers())
        mean = AveragedModel(weights, multi_avg_fn=get_ema_multi_avg_fn(self._ema or 0.0), use_buffers=True)
        mean.n_averaged.copy_(average.n_averaged)
        cut = [self._parts.cut(number, one) for number, one in enumerate(average.module.parameters())]
        _copy([*mean.module.parameters(), *mean.module.buffers()], [*cut, *average.module.buffers()])
        return mean

    def _move(self, other: Mapping[nn.Parameter, nn.Parameter]) -> None:
        """The optimiser moves others, and knows nothing of them yet."""
        for group in self.optimizer.param_groups:
            group["params"] = [other[one] for one in group["params"]]
        self.optimizer.state.clear()
        self._parameters = [one for group in self.optimizer.param_groups for one in group["params"]]

    def _let_go(self) -> None:
        """The memory of what this process holds no longer whole."""
        for number, one in enumerate(self._originals):
            if not self._parts.is_whole(number):
                one.data = one.data.new_empty(0)
        for one in self._average.module.parameters() if self._average else ():
            one.data = one.data.new_empty(0)

    def unshard(self) -> None:
        """Each process holds all weights again, in the net that was given; the optimiser's state is gone."""
        if self._units is None:
            return
        self._fill(self._plain, self._parts.own, self.net.buffers())
        if self._average and self._mean:
            self._average.n_averaged.copy_(self._mean.n_averaged)
            self._fill(self._average.module, self._mean.module.parameters(), self._mean.module.buffers())
        if self._norm:
            self._norm.detach()
        self._move(dict(zip(self._parts.own, self._originals, strict=True)))
        self.net, self._freezer, self._norm = self._plain, self._plain_freezer, None
        self._units, self._mean, self._parts = None, None, Parts((), (), self._group)

    def _fill(self, net: nn.Module, parts: Iterable[nn.Parameter], buffers: Iterable[Tensor]) -> None:
        for number, (one, part) in enumerate(zip(net.parameters(), parts, strict=True)):
            if one is not part:
                one.data = self._parts.together(number, part)
        _copy(list(net.buffers()), list(buffers))

    @contextlib.contextmanager
    def scoring(self) -> Generator[nn.Module]:
        """The net that is validated, with averaged weights where the recipe asks for them."""
        if self._mean is None:
            yield self.net
            return
        own, mean = [*self._parts.own, *self.net.buffers()], self._mean.module
        kept = [tensor.detach().clone() for tensor in own]
        _copy(own, [*mean.parameters(), *mean.buffers()])
        try:
            yield self.net
        finally:
            _copy(own, kept)

    def clip(self) -> Tensor | None:
        self._take_gradients()
        return super().clip()

    def _take_gradients(self) -> None:
        """The part of the gradient that FSDP has added up; none where no process reached a parameter."""
        assert self._units is not None
        reached = torch.zeros(len(self._parts.held))
        reached[list(self._units.reached)] = 1
        self._units.reached.clear()
        for number, by_any in enumerate(self._group.add(reached).tolist()):
            if not self._parts.is_whole(number):
                held, own = self._parts.held[number], self._parts.own[number]
                gradient: Any = held.grad
                held.grad, own.grad = None, gradient.to_local() if by_any and gradient is not None else None

    def _clip_to(self, limit: float) -> Tensor:
        """The norm is that of all parts together; what all processes hold counts once."""
        known = self._parts.numbers if self._group.rank else {}
        gradients = [one.grad for one in self._parameters if one.grad is not None and id(one) not in known]
        norms = [torch.linalg.vector_norm(gradient) for gradient in gradients]
        square = torch.stack(norms).square().sum() if norms else self._parameters[0].new_zeros(())
        norm = self._group.add(square.detach()).sqrt()
        nn.utils.clip_grads_with_norm_(self._parameters, limit, norm)
        return norm

    def _seen(self) -> tuple[float, float, float]:
        """A process knows no norm of its own part: gradients are added up one after the other while backward runs."""
        loss, _, seconds = super()._seen()
        return loss, math.nan, seconds

    def follow(self) -> None:
        if self._mean:
            self._mean.update_parameters(_Weights(self._parts.own, self.net.buffers()))

    def tensors(self) -> dict[str, Any]:
        """What a checkpoint holds, in the first process."""
        if self._units is None:
            return super().tensors()
        saved = self.optimizer.state_dict()
        state = {number: self._gathered(self._places[number], entry) for number, entry in saved["state"].items()}
        weights = self._named(self._parts.own, self.net.buffers())
        parts: dict[str, Any] = {"weights": weights, "optimizer": {**saved, "state": state}}
        if self._mean:
            averaged = {f"module.{name}": tensor for name, tensor in self.scored_weights().items()}
            parts["ema"] = {"n_averaged": self._mean.n_averaged, **averaged}
        if self._moves_by_itself:
            parts["schedule"] = self.schedule.tensors()
        return parts

    def _gathered(self, place: int, entry: Mapping[str, Any]) -> dict[str, Any]:
        """What the optimiser keeps of a parameter."""
        shape = self._parts.own[place].shape
        return {
            key: self._parts.in_first(place, value)
            if isinstance(value, Tensor) and value.ndim and value.shape == shape
            else value
            for key, value in entry.items()
        }

    def scored_weights(self) -> dict[str, Tensor]:
        """Those of the net that is validated, by its own names, in the first process."""
        if self._mean:
            return self._named(self._mean.module.parameters(), self._mean.module.buffers())
        return self._named(self._parts.own, self.net.buffers())

    def _named(self, parts: Iterable[nn.Parameter], buffers: Iterable[Tensor]) -> dict[str, Tensor]:
        wholes: list[Tensor] = [self._parts.in_first(number, part) for number, part in enumerate(parts)]
        others: dict[int, Any] = {
            id(own): other.detach().clone() for own, other in zip(self.net.buffers(), buffers, strict=True)
        }
        state: dict[str, Any] = self.net.state_dict(keep_vars=True)
        numbers = self._parts.numbers
        return {
            name: wholes[numbers[id(one)]] if id(one) in numbers else others.get(id(one), one)
            for name, one in state.items()
        }


class _Weights(nn.Module):
    """Parameters and buffers as they lie in this process, for a moving average."""

    def __init__(self, parameters: Iterable[nn.Parameter], buffers: Iterable[Tensor]) -> None:
        super().__init__()
        self.own = nn.ParameterList(parameters)
        for number, buffer in enumerate(buffers):
            self.register_buffer(str(number), buffer)


def _contiguous(parameter: nn.Parameter) -> nn.Parameter:
    """The parameter as FSDP takes it; where it is so already, it itself."""
    if parameter.is_contiguous():
        return parameter
    return nn.Parameter(parameter.detach().contiguous(), parameter.requires_grad)


def _copy(to: Sequence[Tensor], of: Sequence[Tensor]) -> None:
    with torch.no_grad():
        for own, other in zip(to, of, strict=True):
            own.copy_(other)
