"""The engine for one model that a stack writes out: a stack of one, for which the model's own forward is not called."""

import sys
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module

from danlu.base.recipe import Recipe
from danlu.stack.build import step_stackable
from danlu.stack.chain import links_of
from danlu.stack.flat_chain import FlatChain
from danlu.stack.masks import Masks
from danlu.stack.one_descent import one_descent
from danlu.stack.one_loss import one_loss
from danlu.train.engine import Batch
from danlu.train.module_engine import ModuleEngine, is_of_torch_and_danlu
from danlu.train.optimisers import check_trained
from danlu.train.schedules import keeps_rate

_HOOKS_OF_OPTIMISERS = vars(sys.modules[torch.optim.Optimizer.__module__])


class StepOnlooker(Protocol):
    """Looks at a training whose net is not called, but for the steps that it asks to be shown."""

    @property
    def wants(self) -> bool:
        """Whether the step under way is to be shown."""
        ...

    def passes(self, batch: Batch, outputs: Tensor, loss: Tensor) -> bool:
        """A step it did not ask for, with its outputs [C, N] and its loss, 0-d; False: it is to be shown after all."""
        ...

    def before(self) -> None:
        """A step that was shown is about to move the weights."""
        ...

    def after(self) -> None:
        """It has moved them."""
        ...


class StackedEngine:
    """Carries out the training of a `module_engine` by a stack of one, whose weights are those of the net.

    A step is shown to `onlooker` by the module engine: it runs the net forward and backward on the same batch and
    weights, and clips. The update is the stack's all the same, so the weights do not depend on who looks.
    """

    def __init__(self, module_engine: ModuleEngine, recipe: Recipe, sample_shape: Sequence[int]) -> None:
        links = links_of(module_engine.net, sample_shape)
        assert links is not None
        self.net, self.optimizer = module_engine.net, module_engine.optimizer
        self.schedule = module_engine.schedule
        self.batch_loss = torch.zeros(())
        self.onlooker: StepOnlooker | None = None
        self._module = module_engine
        self._averages = recipe.train.ema is not None
        self._chain = FlatChain(self.net, links)
        self._loss = one_loss(recipe.loss)
        self._descent = one_descent(self._chain, recipe)
        flat, rates = self._chain.flat, self._chain.rates
        self._masks = Masks([recipe.train.seed], [rates], flat.device, flat.dtype) if any(rates) else None
        self._rate = self._full_rate = float(recipe.optim.lr or 0.0)
        self._constant = keeps_rate(recipe.schedule)
        self._batch: Batch = (flat, flat)
        self._slope, self._count = flat, 1
        self._number = 0
        self._shown = False

    def __enter__(self) -> Self:
        self._chain.attach()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The weights lie again where they did before, with what was learnt."""
        self._chain.detach()

    @property
    def scored_net(self) -> nn.Module:
        return self._module.scored_net

    @property
    def lr(self) -> float:
        return self._rate

    def size(self, batch: Batch) -> tuple[int, int]:
        return batch[0].shape[0], batch[1].shape[0]

    def start_epoch(self, epoch: int, batch: int) -> None:
        self.net.train()

    def begin(self, step: int) -> None:
        self._number = step
        if self._masks:
            self._masks.begin(step)
        if not self._constant:
            self._rate = self._full_rate * self.schedule(step)

    def parts(self, batch: Batch) -> Iterable[Batch]:
        self._shown = False
        if self.onlooker:
            self._batch = batch
            if self.onlooker.wants:
                self._show()
        return (batch,)

    def forward(self, inputs: Tensor) -> Tensor:
        """Inputs [N, …] to outputs [C, N]."""
        return self._chain.forward(inputs, self._masks)

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        loss, self._slope, self._count = self._loss(outputs, targets)
        self.batch_loss = loss
        if self.onlooker and not self._shown and not self.onlooker.passes(self._batch, outputs, loss):
            self._show()
        return loss

    def backward(self, loss: Tensor) -> None:
        self._descent.backward(self._slope, self._count, self._rate)

    def clip(self) -> Tensor | None:
        return self._descent.clip()

    def update(self) -> None:
        if self.onlooker and self._shown:
            self.onlooker.before()
            self._descent.update(self._rate)
            self.onlooker.after()
            self._module.clear_gradients()
        else:
            self._descent.update(self._rate)
        if self._averages:
            self._module.follow()

    def _show(self) -> None:
        """Run the net forward and backward, as the module engine would in this step."""
        self._shown = True
        self._module.begin(self._number)
        for inputs, targets in self._module.parts(self._batch):
            self._module.backward(self._module.loss(self._module.forward(inputs), targets))
        self._module.clip()

    def tensors(self) -> dict[str, Any]:
        state = {name: self._chain.cut(kept[0][0]) for name, kept in self._descent.optimiser.state.items()}
        own = {"trained": len(self._chain.cut(self._chain.flat)), "state": state}
        return {**self._module.tensors(), "optimizer": own}

    def load_tensors(self, parts: dict[str, Any]) -> None:
        """Raises UserError where other weights are trained than were."""
        now = self.tensors()["optimizer"]
        check_trained(now["trained"], parts["optimizer"]["trained"])
        self._module.load_weights(parts)
        for name, tensors in now["state"].items():
            for key, tensor in tensors.items():
                tensor.copy_(parts["optimizer"]["state"][name][key])

    def state(self) -> dict[str, Any]:
        return {"schedule": self.schedule.state(), "descent": self._descent.state()}

    def load_state(self, state: dict[str, Any]) -> None:
        self.schedule.load_state(state["schedule"])
        self._descent.load_state(state["descent"])


def writes_out(net: nn.Module, recipe: Recipe, sample_shape: Sequence[int]) -> bool:
    """Whether a stack of one carries out the training of `net` by `recipe`, in which every choice is made.

    That is so for a chain of linear layers, activations and dropout on the CPU, under a loss and an optimiser that the
    stack has, where nothing of the user's would hear of the calls of the net, of its gradients, or of the optimiser.

    >>> from danlu.base.recipe import LossRecipe, OptimRecipe
    >>> mse = Recipe(loss=LossRecipe(name="mse"), optim=OptimRecipe(name="sgd"))
    >>> writes_out(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)), mse, (3,))
    True
    >>> writes_out(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), mse, (3,))
    False
    """
    train = recipe.train
    if step_stackable(recipe) is not None or train.accumulate > 1 or train.thaw is not None:
        return False
    return not _somebody_listens(net) and _has_plain_weights(net) and links_of(net, sample_shape) is not None


def _somebody_listens(net: nn.Module) -> bool:
    """Whether code of the user's takes part in a step, or hears of one."""
    everywhere = (
        torch_module._has_any_global_hook()  # pyright: ignore[reportPrivateUsage]
        or _HOOKS_OF_OPTIMISERS["_global_optimizer_pre_hooks"]
        or _HOOKS_OF_OPTIMISERS["_global_optimizer_post_hooks"]
        or torch.is_anomaly_enabled()
    )
    compiled = any(getattr(module, "_compiled_call_impl", None) is not None for module in net.modules())
    hooked = any(
        parameter._backward_hooks or getattr(parameter, "_post_accumulate_grad_hooks", None)
        for parameter in net.parameters()
    )
    return bool(everywhere) or compiled or hooked or not is_of_torch_and_danlu(net)


def _has_plain_weights(net: nn.Module) -> bool:
    """Whether every parameter is one tensor on the CPU with a memory of its own, and one is trained."""
    parameters = list(net.parameters())
    plain = all(
        type(one) is nn.Parameter and one.device.type == "cpu" and one.layout is torch.strided and one.is_contiguous()
        for one in parameters
    )
    if not plain or not any(one.requires_grad and one.numel() for one in parameters):
        return False
    places = [one.untyped_storage().data_ptr() for one in parameters if one.numel()]
    return len({one.dtype for one in parameters}) == 1 and len(set(places)) == len(places)
