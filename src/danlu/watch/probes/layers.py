"""Layers: the spread of their outputs on measured steps."""

import math
from typing import Any

import torch
from torch import nn

from danlu.watch.layer_facts import Activation, Layer
from danlu.watch.measured import Measured
from danlu.watch.probes.reading import read
from danlu.watch.tracing import all_tensors, is_unmade, unreadable

_MOST_VALUES = 8_192
_BOUND = 0.94


def flat_sample(tensor: torch.Tensor, most: int = _MOST_VALUES) -> torch.Tensor:
    """At most about `most` numbers of a tensor, the first samples of the batch, as float32 or float64; whole numbers
    as float64, which keeps apart those that float32 does not."""
    tensor = tensor.detach().as_subclass(torch.Tensor)
    if tensor.dim() and tensor.numel() > most:
        tensor = tensor[: max(1, most * len(tensor) // tensor.numel())]
    if tensor.dtype in (torch.float32, torch.float64):
        return tensor
    return tensor.float() if tensor.dtype.is_floating_point else tensor.double()


class LayerProbe:
    """Writes mean and standard deviation of every layer's output; numbers are read when the step ends."""

    writes = ("layers",)

    def __init__(self, measured: Measured, modules: dict[str, nn.Module]) -> None:
        self._measured = measured
        self._called: dict[str, tuple[torch.Tensor, torch.Tensor, int]] = {}
        self._ordered = False
        self.products = 0.0  # multiplications of the first step's forward pass
        # What a recurrent layer gives lies between -1 and 1; at these bounds it no longer listens.
        self._bounded = {name for name, module in modules.items() if isinstance(module, nn.RNNBase)}
        self._stuck: dict[str, torch.Tensor] = {}

    def see(self, name: str, output: Any) -> None:
        """A layer has answered."""
        tensor = next(iter(all_tensors(output)), None)
        if tensor is None or unreadable(tensor) or not tensor.dtype.is_floating_point or not tensor.numel():
            return
        layer = self._measured.layers[name]
        if not self._ordered and layer.outputs:
            self.products += layer.inputs * tensor.numel()
        sample = flat_sample(tensor)
        if name in self._bounded and self._measured.step < 1000:
            stuck = (sample.abs() > _BOUND).float().mean()
            self._stuck[name] = stuck
        # A module called several times in a step is measured by its last call.
        self._called.pop(name, None)
        self._called[name] = sample.mean(), torch.linalg.vector_norm(sample), sample.numel()

    def end_step(self, step: int) -> None:
        """Read what this step gave."""
        if not self._called:
            return
        names = list(self._called)
        numbers = read([number for entry in self._called.values() for number in entry[:2]])
        means, norms = numbers[::2], numbers[1::2]
        for name, mean, norm in zip(names, means, norms, strict=True):
            layer = self._measured.layers[name]
            layer.called = True
            layer.mean.add(step, mean)
            spread = norm * norm / self._called[name][2] - mean * mean
            layer.std.add(step, max(0.0, spread) ** 0.5 if spread == spread else spread)
            if not math.isfinite(mean):  # the norm of large numbers may be infinite where none of them is
                layer.nonfinite_since = layer.nonfinite_since or step
        for name, stuck in self._stuck.items():
            record = self._measured.activations.setdefault(f"{name}/output", Activation(name, "tanh", last=False))
            record.saturated.add(step, float(stuck))
        self._stuck.clear()
        if not self._ordered:
            self._ordered = True
            rest = [name for name in self._measured.layers if name not in self._called]
            self._measured.layers = {name: self._measured.layers[name] for name in (*names, *rest)}
        self._called.clear()


def layers_of(roots: dict[str, nn.Module]) -> tuple[dict[str, nn.Module], dict[str, Layer], dict[int, str]]:
    """Modules with parameters of their own by name, an empty record of each layer, the layer of each parameter by id.

    A module written by hand that holds several matrices is several layers, each named after its matrix.
    """
    modules: dict[str, nn.Module] = {}
    records: dict[str, Layer] = {}
    owners: dict[int, str] = {}
    for prefix, root in roots.items():
        for path, module in root.named_modules():
            own = {
                name: parameter
                for name, parameter in module.named_parameters(recurse=False)
                if id(parameter) not in owners
            }
            if not own:
                continue
            name = _plain_name(prefix, path) or type(module).__name__
            if _is_by_hand(module) and sum(_is_matrix(parameter) for parameter in own.values()) > 1:
                parts = _parts_by_hand(_plain_name(prefix, path), own)
            else:
                parts = {name: list(own.values())}
                modules[name] = module
            for part, parameters in parts.items():
                records[part] = _record(part, module, parameters, bare=part not in modules)
                owners.update((id(parameter), part) for parameter in parameters)
    return modules, records, owners


def _is_by_hand(module: nn.Module) -> bool:
    return not type(module).__module__.startswith("torch.nn.")


def _parts_by_hand(path: str, own: dict[str, nn.Parameter]) -> dict[str, list[nn.Parameter]]:
    """Each matrix with the vectors that were made after it."""
    parts: dict[str, list[nn.Parameter]] = {}
    for name, parameter in own.items():
        if _is_matrix(parameter) or not parts:
            parts[".".join(part for part in (path, name) if part)] = [parameter]
        else:
            parts[next(reversed(parts))].append(parameter)
    return parts


def _plain_name(prefix: str, path: str) -> str:
    """The path without what wrappers put in front of it (DistributedDataParallel, torch.compile)."""
    parts = [part for part in path.split(".") if part not in ("", "module", "_orig_mod", "_forward_module")]
    return ".".join(part for part in (prefix, *parts) if part)


def _record(name: str, module: nn.Module, own: list[nn.Parameter], *, bare: bool) -> Layer:
    trainable = any(parameter.requires_grad for parameter in own)
    own = [parameter for parameter in own if not is_unmade(parameter)]
    matrices = [] if isinstance(module, nn.LayerNorm | nn.RMSNorm) else [one for one in own if _is_matrix(one)]
    weight = matrices[0] if matrices else None
    inputs = weight[0].numel() if weight is not None and len(weight) else 0
    return Layer(
        name=name,
        kind="Linear" if bare else type(module).__name__,
        bare=bare,
        by_hand=_is_by_hand(module),
        inputs=inputs,
        width=_width(module, weight, bare=bare),
        channels=int(getattr(module, "in_channels", inputs)),
        grouped=getattr(module, "groups", 1) != 1,
        outputs=len(weight) if weight is not None else 0,
        parameters=sum(parameter.numel() for parameter in own),
        trainable=trainable,
        forget=_keeps(module) if isinstance(module, nn.LSTM) else float("nan"),
        fresh=weight is not None and inputs > 0 and _looks_fresh(weight, inputs),
    )


def _keeps(module: nn.LSTM) -> float:
    """The share of its state that a mean forget gate of the first layer keeps, for inputs and states of 0."""
    own = dict(module.named_parameters(recurse=False))
    biases = [own[name] for name in ("bias_ih_l0", "bias_hh_l0") if name in own]
    if len(biases) != 2 or any(unreadable(one) for one in biases):
        return float("nan")
    size = module.hidden_size
    total = sum(one.detach()[size : 2 * size].float().mean() for one in biases)
    return float(torch.sigmoid(torch.as_tensor(total)))


def _width(module: nn.Module, weight: torch.Tensor | None, *, bare: bool) -> int:
    if isinstance(module, nn.RNNBase):
        return (module.proj_size or module.hidden_size) * (2 if module.bidirectional else 1)
    # The rows of the weight of a transposed convolution are its inputs, those of an embedding its words.
    names = ("hidden_size",) if bare else ("hidden_size", "out_channels", "embedding_dim", "embed_dim")
    rows = len(weight) if weight is not None else 0
    return next((int(getattr(module, name)) for name in names if isinstance(getattr(module, name, None), int)), rows)


def _is_matrix(parameter: torch.Tensor) -> bool:
    return not is_unmade(parameter) and parameter.dim() >= 2


def _looks_fresh(weight: torch.Tensor, inputs: int) -> bool:
    """Whether the weight fills U(-1/√n, 1/√n), from which torch draws linear and convolutional layers: a trained one
    leaves that interval, or bunches in its middle."""
    if unreadable(weight):
        return False
    sample = flat_sample(weight).flatten()
    bound = inputs**-0.5
    spread = float(torch.linalg.vector_norm(sample)) / max(1, sample.numel()) ** 0.5
    return (
        float(sample.abs().max()) <= 1.001 * bound and abs(spread * 3**0.5 / bound - 1) < 0.1 + sample.numel() ** -0.5
    )
