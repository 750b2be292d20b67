"""A net that is nothing but torch's own layers in a row, as these layers with their settings beside the weights.

Nothing has to follow such a net, and no code to build it: layers are looked up by name in a table, and nowhere else.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from danlu.base.errors import fail
from danlu.base.input_files import guarded
from danlu.base.strict_json import to_json
from danlu.ship.answerer import Answerer
from danlu.ship.golden import TOLERANCE, apart

_METADATA = "danlu-net"
_SCHEMA = 1
_BATCH_SIZES = (1, 3)
_MOST_DEEP = 16  # rows within rows
_TYPES = {str(dtype).removeprefix("torch."): dtype for dtype in (torch.float32, torch.float64)}

_CONVOLUTION = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")
_BATCH_NORM = ("num_features", "eps", "momentum", "affine", "track_running_stats")
# The layers there are, each with the settings that it is made of, which are attributes of the same names.
_SETTINGS: Mapping[type[nn.Module], tuple[str, ...]] = {
    nn.Linear: ("in_features", "out_features"),
    nn.Conv1d: _CONVOLUTION,
    nn.Conv2d: _CONVOLUTION,
    nn.BatchNorm1d: _BATCH_NORM,
    nn.BatchNorm2d: _BATCH_NORM,
    nn.LayerNorm: ("normalized_shape", "eps", "elementwise_affine"),
    nn.MaxPool2d: ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"),
    nn.AvgPool2d: ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    nn.AdaptiveAvgPool2d: ("output_size",),
    nn.Flatten: ("start_dim", "end_dim"),
    nn.Dropout: ("p",),
    nn.Dropout2d: ("p",),
    nn.Identity: (),
    nn.ReLU: (),
    nn.Sigmoid: (),
    nn.Tanh: (),
    nn.SiLU: (),
    nn.GELU: ("approximate",),
    nn.ELU: ("alpha",),
    nn.LeakyReLU: ("negative_slope",),
    nn.Softmax: ("dim",),
    nn.LogSoftmax: ("dim",),
}
_WITH_BIAS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.LayerNorm)
_NAMED = {kind.__name__: kind for kind in (*_SETTINGS, nn.Sequential)}


def net_layers(answerer: Answerer, encoded: Tensor, path: Path) -> bytes | None:
    """The net of `answerer` as the bytes of the safetensors file `path`, proved on `encoded` samples [N, …] in batches
    of 1 and 3; None where it is no row of torch's own layers, or does not answer as such.
    """
    layers = _described(answerer.net)
    takes = str(answerer.dtype).removeprefix("torch.")
    if layers is None or takes not in _TYPES or answerer.fitted.vocabulary is not None:
        return None
    if _bare(layers).state_dict().keys() != answerer.net.state_dict().keys():
        return None
    weights = {name: one.detach().cpu().clone().contiguous() for name, one in answerer.net.state_dict().items()}
    told = to_json({"schema": _SCHEMA, "takes": takes, "net": layers})
    content = safetensors.torch.save(weights, {_METADATA: told})
    again = Answerer(answerer.fitted, *open_net_layers(content, path))
    x = encoded.to(answerer.dtype)
    wanted = answerer.outputs(x)
    found = (torch.cat([again.outputs(part) for part in x.split(size)]) for size in _BATCH_SIZES)
    return content if all(apart(one, wanted) <= TOLERANCE for one in found) else None


def open_net_layers(content: bytes, path: Path) -> tuple[nn.Module, torch.dtype]:
    """The net in the `content` of `path`, in evaluation mode on the CPU, and the type of the samples that it takes.
    UserError for what is damaged or was written by a later version.
    """
    with guarded(path, "export.damaged"):
        size = int.from_bytes(content[:8], "little")
        told = json.loads(json.loads(content[8 : 8 + size])["__metadata__"][_METADATA])
        if told["schema"] != _SCHEMA:
            fail("export.newer", path=path)
        takes = _TYPES[told["takes"]]
        weights = safetensors.torch.load(content)
        net = _bare(told["net"])
        net.load_state_dict({name: one.clone() for name, one in weights.items()}, assign=True)
    return net.eval().requires_grad_(requires_grad=False), takes


def _described(net: nn.Module, deep: int = 0) -> dict[str, Any] | None:
    """The net as plain values; None where it is more than layers of the table in a row."""
    kind = type(net)
    if kind not in _NAMED.values() or deep > _MOST_DEEP or _is_changed(net):
        return None
    if kind is nn.Sequential:
        inner = {name: _described(one, deep + 1) for name, one in net.named_children()}
        whole = len(inner) == len(net._modules) and None not in inner.values()  # pyright: ignore[reportPrivateUsage]
        return {"layer": kind.__name__, "inner": inner} if whole else None
    settings = {name: getattr(net, name) for name in _SETTINGS[kind]}
    if kind in _WITH_BIAS:
        settings["bias"] = getattr(net, "bias", None) is not None
    return {"layer": kind.__name__, "settings": settings} if all(map(_is_plain, settings.values())) else None


def _is_changed(net: nn.Module) -> bool:
    """Whether calling it does more than what its class says."""
    hooks = (vars(net).get(name) for name in ("_forward_hooks", "_forward_pre_hooks"))
    return "forward" in vars(net) or any(hooks)


def _is_plain(value: Any) -> bool:
    each = value if isinstance(value, tuple | list) else (value,)
    return all(one is None or type(one) in (int, float, bool, str) for one in each)


def _bare(told: Mapping[str, Any]) -> nn.Module:
    """The net without its weights: whatever sizes are told of, no memory is taken for them."""
    with torch.device("meta"):
        return _built(told, 0)


def _built(told: Mapping[str, Any], deep: int) -> nn.Module:
    """The layer that is told of. Whatever error comes of wrong values is one of the file."""
    kind = _NAMED[told["layer"]]
    if kind is not nn.Sequential:
        known = {*_SETTINGS[kind], *(("bias",) if kind in _WITH_BIAS else ())}
        settings: dict[str, Any] = {
            name: tuple(one) if isinstance(one, list) else one for name, one in told["settings"].items()
        }
        if set(settings) != known or not all(map(_is_plain, settings.values())):
            raise ValueError(f"settings of {kind.__name__}")
        return kind(**settings)
    if deep > _MOST_DEEP:
        raise ValueError("rows within rows")
    row = nn.Sequential()
    for name, one in told["inner"].items():
        row.add_module(name, _built(one, deep + 1))
    return row
