"""A user's own loss: tried before the first step, and known again by its source after an interruption."""

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from danlu.base.errors import UserError, fail
from danlu.base.places import shown
from danlu.base.seeds import preserved_randomness
from danlu.lab.setup import Setup
from danlu.store.run_folder import RunFolder
from danlu.train.carried import Carried
from danlu.train.losses import OWN, Loss, loss_of

_TRIED_ON = 8  # samples
_PLAIN = (bool, int, float, str, bytes, tuple, type(None))


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
    return OwnLoss(given, str(getattr(given, "__name__", type(given).__name__)), _source(given))


def with_loss(settings: Mapping[str, Any], given: object) -> tuple[dict[str, Any], OwnLoss | None]:
    """The settings with the loss among them, and it where it is a user's own, which goes by the name "custom".

    >>> with_loss({"lr": 0.1}, "mse")
    ({'lr': 0.1, 'loss': 'mse'}, None)
    """
    own = own_loss(given)
    if given is None:
        return dict(settings), None
    return {**settings, **({"loss": given} if own is None else {"loss.name": OWN})}, own


def set_in(setup: Setup, own: OwnLoss | None) -> Setup:
    """The setup that trains by the loss, tried on a few samples. UserError where it fails, or where it is missing."""
    if own is None:
        if setup.recipe.loss.name == OWN:
            fail("train.own-loss-missing")
        return setup
    function = own.function
    if isinstance(function, nn.Module):
        function = function.to(setup.device)

    def loss(outputs: Any, targets: Tensor) -> Tensor:
        return function(outputs, targets)

    _try(setup, own, loss)
    return replace(setup, own_loss=loss, own_loss_facts={"name": own.name, "source": own.source})


def refuse_other_loss(before: Mapping[str, Any] | None, own: OwnLoss | None, place: RunFolder) -> None:
    """UserError where a run was trained by a user's own loss, and that is not given again as it was."""
    if before is None:
        return
    kept = before.get("loss")
    if kept is None:
        if own is not None:
            fail("lab.own-loss-unknown", name=own.name, folder=shown(place.path))
        return
    if own is None:
        fail("lab.own-loss-again", name=kept["name"], folder=shown(place.path))
    if own.source != kept["source"]:
        fail("lab.own-loss-other", name=kept["name"], found=own.name, folder=shown(place.path))


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


def _source(given: Any) -> str:
    """16 hex digits of the source, or of the code where there is no source, with the values it closes over."""
    code = type(given) if isinstance(given, nn.Module) else given
    try:
        parts = [inspect.getsource(code)]
    except (OSError, TypeError):
        own = getattr(given, "__code__", None)
        parts = [f"{type(given).__module__}.{type(given).__qualname__}", repr(own and (own.co_code, own.co_names))]
    cells = [cell.cell_contents for cell in getattr(given, "__closure__", None) or ()]
    parts += [
        repr(value) for value in (*cells, *(getattr(given, "__defaults__", None) or ())) if isinstance(value, _PLAIN)
    ]
    if isinstance(given, nn.Module):
        plain = {key: value for key, value in vars(given).items() if isinstance(value, _PLAIN)}
        tensors = {name: tensor.tolist() for name, tensor in given.state_dict().items()}
        parts += [repr(given), repr(sorted(plain.items())), repr(tensors)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
