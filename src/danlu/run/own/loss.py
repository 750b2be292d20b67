"""A user's own loss: tried before the first step, and known again by its source after an interruption."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from danlu.base.errors import UserError, fail
from danlu.base.ignored import IGNORED
from danlu.base.places import launched
from danlu.base.recipe import TrainRecipe
from danlu.base.seeds import preserved_randomness
from danlu.run.own.source import name_of, source_hash
from danlu.run.setup import Setup
from danlu.train.carried import Carried
from danlu.train.engine import Batch
from danlu.train.losses import OWN, Loss, loss_of
from danlu.train.terms import terms

_TRIED_ON = 8  # samples
_DIVIDED = 64  # samples: enough that two portions of them differ in their classes
_MOST_APART = 1e-3  # relative


@dataclass(frozen=True)
class OwnLoss:
    """A function (outputs, targets) to the mean loss, 0-d, by its name and 16 hex digits of its source."""

    function: Callable[[Any, Tensor], Any]
    name: str
    source: str


def own_loss(given: object) -> OwnLoss | None:
    """The loss where `given` is a function or a module; None where it is a name, settings, or nothing at all.

    >>> own_loss(nn.L1Loss()).name, own_loss("mse")
    ('L1Loss', None)
    """
    if given is None or isinstance(given, str | Mapping):
        return None
    if isinstance(given, type) or not callable(given):
        fail("lab.own-loss-not-callable", found=getattr(given, "__name__", type(given).__name__))
    if isinstance(given, nn.Module) and any(one.requires_grad for one in given.parameters()):
        fail("lab.own-loss-has-weights", name=type(given).__name__)
    return OwnLoss(given, name_of(given), source_hash(given))


def with_loss(settings: Mapping[str, Any], given: object) -> tuple[dict[str, Any], OwnLoss | None]:
    """The settings with the loss among them, and it where it is a user's own, which goes by the name "custom".

    >>> with_loss({"lr": 0.1}, "mse")
    ({'lr': 0.1, 'loss': 'mse'}, None)
    """
    own = own_loss(given)
    if given is None:
        return dict(settings), None
    return {**settings, **({"loss": given} if own is None else {"loss.name": OWN})}, own


def set_loss_in(setup: Setup, own: OwnLoss | None) -> Setup:
    """The setup that trains by the loss, tried on a few samples. UserError where it fails, or where it is missing."""
    if own is None:
        if setup.recipe.loss.name == OWN:
            fail("train.own-loss-missing")
        return setup
    if setup.data.weighted() is not None:
        fail("lab.own-loss-weights", name=own.name)
    function = own.function
    if isinstance(function, nn.Module):
        function = function.to(setup.device)

    def loss(outputs: Any, targets: Tensor) -> Tensor:
        return function(outputs, targets)

    _try(setup, own, loss)
    return replace(setup, own_loss=loss)


def _try(setup: Setup, own: OwnLoss, loss: Loss) -> None:
    net, was_training = setup.net, setup.net.training
    with preserved_randomness(), torch.enable_grad():
        inputs, targets = next(iter(setup.data.batches("train", _TRIED_ON, device=setup.device, dtype=setup.dtype)))
        outputs = Carried(net.eval())(inputs)
        net.train(was_training)
        try:
            value: Any = loss_of(outputs, targets, loss)
        except UserError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever somebody's function raises
            shapes = {"outputs": tuple(getattr(outputs, "shape", ())), "targets": tuple(targets.shape)}
            fail("lab.own-loss-fails", name=own.name, why=error, **shapes)
    if not isinstance(value, Tensor):
        fail("lab.own-loss-no-tensor", name=own.name, found=type(value).__name__)
    if value.dim():
        fail("lab.own-loss-no-scalar", name=own.name, shape=tuple(value.shape))
    if not value.requires_grad:
        fail("lab.own-loss-no-gradient", name=own.name)
    if not value.isfinite():
        fail("lab.own-loss-not-finite", name=own.name, value=float(value.detach()))
    if _in_portions(setup.recipe.train):
        _check_mean(setup, own, loss)


def _in_portions(train: TrainRecipe) -> bool:
    """Whether the loss of a batch is put together from those of its portions."""
    started = launched()
    several = (train.processes or 1) > 1 or train.workers is not None or (started is not None and started.world > 1)
    return several or train.accumulate > 1 or bool(train.fit_memory)


def _check_mean(setup: Setup, own: OwnLoss, loss: Loss) -> None:
    """UserError where the losses of two portions, each counted by its share, do not make up that of both together."""
    net, was_training = setup.net, setup.net.training
    with preserved_randomness(), torch.no_grad():
        batches = setup.data.batches("train", _DIVIDED, shuffle=True, device=setup.device, dtype=setup.dtype)
        inputs, targets = next(iter(batches))
        outputs = Carried(net.eval())(inputs)
        net.train(was_training)
        if not isinstance(outputs, Tensor) or len(targets) < 2:
            return
        whole, count = float(loss_of(outputs, targets, loss)), -(-len(targets) // 3)
        shares = [(part, terms(part[1]) / terms(targets)) for part in _cut(outputs, targets, count)]
        portions = sum(float(loss_of(*part, loss)) * share for part, share in shares if share)
    if not math.isclose(whole, portions, rel_tol=_MOST_APART, abs_tol=_MOST_APART**2):
        facts = {"samples": len(targets), "whole": f"{whole:.6g}", "portions": f"{portions:.6g}", "ignored": IGNORED}
        fail("lab.own-loss-no-mean", name=own.name, **facts)


def _cut(outputs: Tensor, targets: Tensor, at: int) -> list[Batch]:
    return [(outputs[:at], targets[:at]), (outputs[at:], targets[at:])]
