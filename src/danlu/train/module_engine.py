"""The engine for any module: its own forward, autograd, an optimiser of torch's."""

import contextlib
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Literal, Self

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from danlu.base.recipe import Recipe
from danlu.base.seeds import StepSeeder
from danlu.train.class_weights import counted_by
from danlu.train.engine import Batch
from danlu.train.freezing import Freezer
from danlu.train.losses import Loss, loss_of
from danlu.train.optimisers import load_optimiser
from danlu.train.own_schedule import OwnSchedule
from danlu.train.sample_weights import SampleWeighted
from danlu.train.schedules import Schedule, keeps_rate
from danlu.train.terms import terms

_AUTOCAST = {"bfloat16": torch.bfloat16, "float16": torch.float16}


# torch's own layers, and danlu's, draw no random numbers, but for these; and they draw them from torch.
_KNOWN = ("torch.nn.modules.", "danlu.nets.")
_DRAWING = ("Dropout", "RReLU", "Fractional", "RNN", "LSTM", "GRU", "Transformer", "MultiheadAttention")
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def is_of_torch_and_danlu(net: nn.Module) -> bool:
    """Whether a call of `net` runs no code but torch's and danlu's own: no forward and no hook of somebody else's.

    >>> is_of_torch_and_danlu(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    True
    """
    modules = list(net.modules())
    if any(not kind.__module__.startswith(_KNOWN) for kind in {type(module) for module in modules}):
        return False
    return not any("forward" in vars(module) or vars(module)[hooks] for module in modules for hooks in _HOOKS)


def draws_from(net: nn.Module) -> Literal["nothing", "torch", "anything"]:
    """Which random numbers a step of `net` could draw: code that is neither torch's nor danlu's may draw any.

    Where it draws none, seeding every step is left out, which is one part in twenty of a tiny net's step.

    >>> draws_from(nn.Sequential(nn.Linear(2, 2), nn.ReLU())), draws_from(nn.Sequential(nn.Dropout()))
    ('nothing', 'torch')
    """
    if not is_of_torch_and_danlu(net):
        return "anything"
    kinds = {type(module) for module in net.modules()}
    return "torch" if any(word in kind.__name__ for kind in kinds for word in _DRAWING) else "nothing"


def _seeder(net: nn.Module, seed: int, device: torch.device) -> Callable[[int], None]:
    source = draws_from(net)
    return _keep_still if source == "nothing" else StepSeeder(seed, device, others=source == "anything")


def _keep_still(step: int) -> None:
    """What stands for the seeder where nothing is drawn."""


def autocast(precision: str, device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """Around a forward pass and its loss: half precision where `precision` is a half one; can be entered again."""
    half = _AUTOCAST.get(precision)
    return torch.autocast(device.type, dtype=half) if half else contextlib.nullcontext()


class ModuleEngine:
    """Owns net, optimiser, schedule, clipping, autocast and moving average of the weights.

    With `compiles` the net's calls run compiled code from when the engine is entered until it is left.
    """

    compiles = False

    def __init__(
        self,
        net: nn.Module,
        loss: Loss,
        optimizer: torch.optim.Optimizer,
        schedule: Schedule,
        recipe: Recipe,
        device: torch.device,
    ) -> None:
        train = recipe.train
        self.net = net
        self.optimizer = optimizer
        self.schedule = schedule
        self._loss = loss
        self._sums = recipe.loss.reduction == "sum"
        self._counted = loss.counted if isinstance(loss, SampleWeighted) else counted_by(recipe.loss)
        self._micro = train.batch_size or 0 if train.accumulate > 1 else 0
        self._clip_norm, self._clip_value = train.clip_norm, train.clip_value
        self._parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        self._rates = [group["lr"] for group in optimizer.param_groups]
        self._moves_by_itself = isinstance(schedule, OwnSchedule)
        self._changes_rate = not keeps_rate(recipe.schedule) and not self._moves_by_itself
        self._seed = _seeder(net, train.seed, device)
        self._freezer = Freezer(net, train.freeze or (), train.thaw)
        self._share = 1.0
        self._autocast: Any = autocast(train.precision, device)
        self._scaler = torch.amp.GradScaler(device.type) if train.precision == "float16" else None
        average = get_ema_multi_avg_fn(train.ema) if train.ema else None
        self._average = AveragedModel(net, multi_avg_fn=average, use_buffers=True) if average else None
        self._channels_last = bool(train.channels_last)
        self.batch_loss = torch.zeros(())

    def __enter__(self) -> Self:
        if self.compiles:
            self.net.compile()  # in place: its weights keep their names, and copies of it are not compiled
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What was frozen for the training can be trained again, and calls of the net run its own code."""
        if self.compiles:
            vars(self.net).pop("_compiled_call_impl", None)
        self._freezer.__exit__(kind, error, trace)

    @property
    def scored_net(self) -> nn.Module:
        """The net that is validated and used: the averaged weights where the recipe asks for them."""
        return self._average.module if self._average else self.net

    @property
    def lr(self) -> float:
        return self.optimizer.param_groups[0]["lr"]

    def size(self, batch: Batch) -> tuple[int, int]:
        return batch[0].shape[0], terms(batch[1])

    def start_epoch(self, epoch: int, batch: int) -> None:
        """Training mode, all but what is frozen in `epoch` (from 0); a resume goes on at `batch`."""
        self.schedule.at_epoch(epoch)
        self.net.train()
        self._freezer(epoch)

    def begin(self, step: int) -> None:
        """Before update number `step` (from 0): dropout's stream, the rate, and no gradient left over."""
        self._seed(step)
        if self._moves_by_itself:
            self.schedule.at_step(step)
        if self._changes_rate:
            share = self.schedule(step)
            for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
                group["lr"] = rate * share
        self.clear_gradients()

    def clear_gradients(self) -> None:
        """No gradient is left over."""
        for parameter in self._parameters:
            parameter.grad = None

    def parts(self, batch: Batch) -> Iterable[Batch]:
        """The batch as the micro-batches whose gradients are added up; itself, when nothing is accumulated."""
        if not self._micro:
            return (batch,)
        self.batch_loss = torch.zeros((), device=batch[0].device)
        return self._micro_batches(batch)

    def _micro_batches(self, batch: Batch) -> Iterable[Batch]:
        inputs, targets = batch
        whole = 1.0 if self._sums else self._counted(targets)
        for start, stop in self._cuts(len(inputs)):
            part = inputs[start:stop], targets[start:stop]
            # A mean over a part counts by the part's share of the batch: also the last, smaller one comes out right.
            self._share = 1.0 if self._sums else self._counted(part[1]) / (whole or 1)
            yield part

    def _cuts(self, samples: int) -> Iterable[tuple[int, int]]:
        """Where each micro-batch of so many samples begins and ends."""
        return [(start, min(start + self._micro, samples)) for start in range(0, samples, self._micro)]

    def forward(self, inputs: torch.Tensor) -> Any:
        if self._channels_last:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        with self._autocast:
            return self.net(inputs)

    def loss(self, outputs: Any, targets: torch.Tensor) -> torch.Tensor:
        with self._autocast:
            loss = loss_of(outputs, targets, self._loss)
        if not self._micro:
            self.batch_loss = loss.detach()
            return loss
        loss = loss * self._share
        self.batch_loss = self.batch_loss + loss.detach()
        return loss

    def backward(self, loss: torch.Tensor) -> None:
        (self._scaler.scale(loss) if self._scaler else loss).backward()

    def clip(self) -> torch.Tensor | None:
        """Clip by value, then by norm; the norm before that, where one was asked for."""
        if self._clip_norm is None and self._clip_value is None:
            return None
        if self._scaler:
            self._scaler.unscale_(self.optimizer)
        if self._clip_value is not None:
            nn.utils.clip_grad_value_(self._parameters, self._clip_value)
        return None if self._clip_norm is None else self._clip_to(self._clip_norm)

    def _clip_to(self, limit: float) -> torch.Tensor:
        """Clip the norm of the whole gradient; what it was before."""
        return nn.utils.clip_grad_norm_(self._parameters, limit)

    def update(self) -> None:
        if self._scaler:
            self._scaler.step(self.optimizer)
            self._scaler.update()
        else:
            self.optimizer.step()
        self.follow()

    def follow(self) -> None:
        """Take the new weights into the moving average, where there is one."""
        if self._average:
            self._average.update_parameters(self.net)

    def tensors(self) -> dict[str, Any]:
        """What a checkpoint holds of the step, as trees of tensors and numbers by the name of the part."""
        parts: dict[str, Any] = {"weights": self.net.state_dict(), "optimizer": self.optimizer.state_dict()}
        if self._average:
            parts["ema"] = self._average.state_dict()
        if self._moves_by_itself:
            parts["schedule"] = self.schedule.tensors()
        return parts

    def load_tensors(self, parts: dict[str, Any]) -> None:
        """Take back what `tensors` gave."""
        self.load_weights(parts)
        self.load_state_of_steps(parts)

    def load_state_of_steps(self, parts: dict[str, Any]) -> None:
        """Take back what optimiser and schedule hold."""
        load_optimiser(self.optimizer, parts["optimizer"])
        if self._moves_by_itself:
            self.schedule.load_tensors(parts["schedule"])
            return
        for group, rate in zip(self.optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate  # the recipe's: whoever trains a run further may have changed it

    def load_weights(self, parts: dict[str, Any]) -> None:
        """Take back the weights and their moving average alone."""
        self.net.load_state_dict(parts["weights"])
        if self._average:
            self._average.load_state_dict(parts["ema"])

    def state(self) -> dict[str, Any]:
        """The numbers a checkpoint holds of the step."""
        return {"schedule": self.schedule.state(), "scaler": self._scaler.state_dict() if self._scaler else {}}

    def load_state(self, state: dict[str, Any]) -> None:
        self.schedule.load_state(state["schedule"])
        if self._scaler and state["scaler"]:
            self._scaler.load_state_dict(state["scaler"])


class ClosureEngine(ModuleEngine):
    """For optimisers that evaluate the loss several times an update (L-BFGS).

    The loop's own forward and backward serve as the closure's first evaluation; the others repeat them on the batch.
    """

    def begin(self, step: int) -> None:
        super().begin(step)
        self._number = step

    def parts(self, batch: Batch) -> Iterable[Batch]:
        self._batch = batch
        return super().parts(batch)

    def update(self) -> None:
        before = self.batch_loss
        evaluated = False

        def closure() -> torch.Tensor:
            nonlocal evaluated
            if not evaluated:
                evaluated = True
                return before
            self._seed(self._number)  # the same dropout masks: a line search needs one function, not a random one
            for parameter in self._parameters:
                parameter.grad = None
            for inputs, targets in self.parts(self._batch):
                self.backward(self.loss(self.forward(inputs), targets))
            return self.batch_loss

        self.optimizer.step(closure)  # pyright: ignore[reportCallIssue, reportArgumentType]
        self.batch_loss = before
        self.follow()
