"""Why a layer refuses its input: what it got, what it wants, and which argument to change."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from danlu.base.errors import Fault
from danlu.base.shapes import show_shape
from danlu.nets.cost import CONVOLUTIONS, RECURRENT, TRANSPOSED


@dataclass(frozen=True)
class Misfit:
    """What a layer wants of its input, and what to do."""

    wanted: Fault
    advice: Fault


def shape_misfit(layer: nn.Module, given: Tensor) -> Misfit | None:
    """How the shape of `given` (batch axis in front) breaks what `layer` wants; None if it does not, or is unknown.

    >>> shape_misfit(nn.Linear(64, 10), Tensor(1, 128)).wanted.values
    {'size': 64}
    """
    if isinstance(layer, nn.Linear):
        return _linear(layer, given)
    if isinstance(layer, (*CONVOLUTIONS, *TRANSPOSED)):
        return _channels(given, layer.in_channels, len(layer.kernel_size) + 2, "in_channels")
    if isinstance(layer, nn.BatchNorm1d):
        return _channels(given, layer.num_features, 2 if given.dim() == 2 else 3, "num_features")
    if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm3d):
        return _channels(given, layer.num_features, 4 if isinstance(layer, nn.BatchNorm2d) else 5, "num_features")
    if isinstance(layer, nn.GroupNorm):
        return _channels(given, layer.num_channels, given.dim(), "num_channels")
    if isinstance(layer, nn.LayerNorm):
        return _layer_norm(layer, given)
    if isinstance(layer, RECURRENT):
        return _last_axis(given, layer.input_size, "input_size")
    return None


def type_misfit(layer: nn.Module, given: Tensor) -> Misfit | None:
    """How the dtype of `given`, or its values as indices, break what `layer` wants; None if they do not."""
    if isinstance(layer, nn.Embedding):
        return _index(layer, given)
    weight = next((weight for weight in layer.parameters(recurse=False) if weight.is_floating_point()), None)
    if weight is None or weight.dtype == given.dtype:
        return None
    wanted = dtype_name(weight)
    if not given.is_floating_point():
        return Misfit(Fault("nets.wanted-dtype", {"dtype": wanted}), Fault("nets.fix-whole-numbers", {"dtype": wanted}))
    advice = Fault("nets.fix-dtype", {"wanted": wanted, "found": dtype_name(given)})
    return Misfit(Fault("nets.wanted-dtype", {"dtype": wanted}), advice)


def dtype_name(tensor: Tensor) -> str:
    """`float32` for torch.float32.

    >>> dtype_name(Tensor(1))
    'float32'
    """
    return str(tensor.dtype).removeprefix("torch.")


def _index(layer: nn.Embedding, given: Tensor) -> Misfit | None:
    if given.dtype not in (torch.int64, torch.int32):
        return Misfit(Fault("nets.wanted-indices"), Fault("nets.fix-indices"))
    wrong = given[(given < 0) | (given >= layer.num_embeddings)]
    if not wrong.numel():
        return None
    found = int(wrong.max())
    return Misfit(
        Fault("nets.wanted-rows", {"last": layer.num_embeddings - 1, "found": found}),
        Fault("nets.fix-argument", {"argument": "num_embeddings", "value": found + 1})
        if found >= 0
        else Fault("nets.fix-negative"),
    )


def _linear(layer: nn.Linear, given: Tensor) -> Misfit | None:
    if given.dim() > 2 and given.shape[-1] != layer.in_features == given.shape[1:].numel():
        return Misfit(Fault("nets.wanted-last-axis", {"size": layer.in_features}), Fault("nets.fix-flatten"))
    return _last_axis(given, layer.in_features, "in_features")


def _last_axis(given: Tensor, size: int, argument: str) -> Misfit | None:
    if given.dim() and given.shape[-1] == size:
        return None
    value = given.shape[-1] if given.dim() else 1
    return Misfit(
        Fault("nets.wanted-last-axis", {"size": size}),
        Fault("nets.fix-argument", {"argument": argument, "value": value}),
    )


def _channels(given: Tensor, channels: int, axes: int, argument: str) -> Misfit | None:
    """Channels on axis 1, and `axes` axes in all."""
    sides = Fault(f"nets.sides-{axes - 2}") if axes in (3, 4, 5) else ""
    wanted = Fault("nets.wanted-channels", {"channels": channels, "sides": sides})
    if given.dim() != axes:
        return Misfit(wanted, Fault("nets.fix-axes"))
    if given.shape[1] != channels:
        return Misfit(wanted, Fault("nets.fix-argument", {"argument": argument, "value": given.shape[1]}))
    return None


def _layer_norm(layer: nn.LayerNorm, given: Tensor) -> Misfit | None:
    wanted = tuple(layer.normalized_shape)
    found = tuple(given.shape[-len(wanted) :])
    if found == wanted:
        return None
    value = found[0] if len(found) == 1 else found
    return Misfit(
        Fault("nets.wanted-last-axes", {"shape": show_shape(wanted)}),
        Fault("nets.fix-argument", {"argument": "normalized_shape", "value": value}),
    )
