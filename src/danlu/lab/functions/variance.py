"""The variance of each layer's output before any training, on real or on normal inputs."""

import copy
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from danlu.base.errors import fail
from danlu.base.seeds import global_seed, preserved_randomness, stream
from danlu.data import Dataset
from danlu.nets.cost import WHOLE
from danlu.nets.trace import Trace, first_tensor, reason_of
from danlu.run.building import sample_dtype
from danlu.run.setup import data_as_taken
from danlu.view.info.variance import LayerVariances

_MOST_SAMPLES, _MOST_NUMBERS = 512, 2**21
_LAYOUT = (nn.Flatten, nn.Unflatten, nn.Identity)  # they pass numbers on as they are


def layer_variances(net: nn.Module, data: Dataset | Tensor | Sequence[int], name: str) -> LayerVariances:
    """Of `net` as its weights stand, in one pass in training mode as the first step of a training does it: on a batch
    of `data`, on a batch of samples given as a tensor [N, …], or on normal samples of a shape (on random tokens, where
    the net begins by looking tokens up). All of it happens on a copy. UserError where a layer refuses its input.

    >>> layer_variances(nn.Sequential(nn.Linear(4, 9), nn.ReLU()), (4,), "net").layers
    ('0', '1')
    """
    with preserved_randomness():
        own = _copy_of(net)
        batch, source = _batch(own, data)
        found: dict[str, float] = {}

        def keep(name: str, output: Any) -> None:
            tensor = first_tensor(output)
            if name not in found and tensor is not None and (tensor.is_floating_point() or tensor.is_complex()):
                found[name] = _variance(tensor)

        for path, layer in own.named_modules():
            if isinstance(layer, WHOLE) or (next(layer.children(), None) is None and not isinstance(layer, _LAYOUT)):
                layer.register_forward_hook(functools.partial(_pass_on, keep, path or name))
        with torch.no_grad(), global_seed(0, "draw", "variance"):
            own.train()
            Trace(own, {}, batch).run()
    if not found:
        fail("draw.variance-no-layers", kind=type(net).__name__)
    inputs = _variance(batch) if batch.is_floating_point() else None
    return LayerVariances(name, tuple(found), tuple(found.values()), len(batch), source, inputs)


def _pass_on(keep: Callable[[str, Any], None], name: str, _layer: nn.Module, _given: Any, output: Any) -> None:
    keep(name, output)


def _copy_of(net: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(net)
    except Exception as error:  # noqa: BLE001 - a net is the user's code
        fail("draw.variance-copy", kind=type(net).__name__, reason=reason_of(error))


def _variance(values: Tensor) -> float:
    """Over all of its numbers, NaN where one is not finite."""
    values = values.detach().double()
    return float(values.var(correction=0)) if torch.isfinite(values).all() else math.nan


def _batch(net: nn.Module, data: Dataset | Tensor | Sequence[int]) -> tuple[Tensor, str]:
    """Samples for the net, on its device, and what they are."""
    weight = next(iter(net.parameters()), None)
    floating = weight is not None and weight.is_floating_point() and not nn.parameter.is_lazy(weight)
    dtype = weight.dtype if weight is not None and floating else torch.float32
    device = torch.device("cpu") if weight is None else weight.device
    if isinstance(data, Tensor):
        return data.detach()[:_MOST_SAMPLES].to(device), "data"
    if isinstance(data, Dataset):
        data = data_as_taken(data, net)
        size = data.own_batch_size or min(_samples(data.sample_shape), data.sizes["train"])
        batches = data.batches("train", size, shuffle=True, device=device, dtype=sample_dtype(net, data, dtype))
        return next(iter(batches))[0], "data"
    shape = (_samples(data), *data)
    draws = stream(0, "draw", "variance", "inputs")
    table = next((layer for layer in net.modules() if isinstance(layer, nn.Embedding)), None)
    if table is not None or getattr(net, "sample_dtype", None) == torch.int64:
        most = getattr(net, "vocabulary", 2) if table is None else table.num_embeddings
        return torch.randint(1, max(2, int(most)), shape, generator=draws).to(device), "tokens"
    return torch.randn(shape, generator=draws, dtype=torch.float64).to(device, dtype), "normal"


def _samples(shape: Sequence[int]) -> int:
    return max(2, min(_MOST_SAMPLES, _MOST_NUMBERS // max(1, math.prod(shape))))
