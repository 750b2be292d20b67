"""How a user's own net is called: several inputs out of one row of numbers, and which of several outputs is scored.

Both are hooks of the net, so that whatever calls it (an engine, a study, an answer) hands in one tensor and gets one
back. A call with the inputs themselves is left alone.
"""

import contextlib
import dataclasses
import inspect
from collections.abc import Generator, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from danlu.base.errors import fail, nearest
from danlu.base.input_layout import InputLayout
from danlu.nets.describe import undisturbed

_OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_BY_PLACE = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Unpack:
    """Before a call: a row of numbers a sample becomes the inputs, each of its own shape and type."""

    def __init__(self, layout: InputLayout) -> None:
        self.layout = layout

    def __call__(self, net: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if len(args) != 1 or kwargs or not isinstance(args[0], Tensor):
            return None
        inputs = unpacked(args[0], self.layout)
        return ((), inputs) if self.layout.named else (tuple(inputs.values()), {})


class PickOutput:
    """After a call: the output that is scored, by its name, or its place in a tuple."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, net: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        if isinstance(output, Tensor):
            return output
        found = outputs_by_name(output)
        if self.name not in found:
            told = {"net": type(net).__name__, "name": self.name, "found": ", ".join(found) or "–"}
            fail("nets.output-missing", **told, hint=nearest(self.name, found))
        if not isinstance(found[self.name], Tensor):
            fail("nets.output-no-tensor", name=self.name, found=type(found[self.name]).__name__)
        return found[self.name]


def unpacked(rows: Tensor, layout: InputLayout) -> dict[str, Tensor]:
    """The inputs [B, *shape] by name, out of rows [B, width]: whole numbers as int64, flags as bool, the rest as it is.

    >>> from danlu.base.input_layout import Piece
    >>> layout = InputLayout((Piece("a", (2,), "numbers"), Piece("b", (), "whole")), named=True)
    >>> unpacked(torch.tensor([[0.5, 1.5, 7.0]]), layout)
    {'a': tensor([[0.5000, 1.5000]]), 'b': tensor([7])}
    """
    inputs: dict[str, Tensor] = {}
    for piece, columns in zip(layout.pieces, layout.columns, strict=True):
        numbers = rows[:, columns].reshape(rows.shape[0], *piece.shape)
        if piece.kind == "whole":
            numbers = numbers.round().to(torch.int64)
        inputs[piece.name] = numbers > 0 if piece.kind == "flags" else numbers
    return inputs


def outputs_by_name(output: Any) -> dict[str, Any]:
    """What a forward returned, by name: the keys of a dict, the fields of a dataclass or a named tuple, the places of a
    tuple from 0.

    >>> outputs_by_name({"logits": 1}), outputs_by_name((1, 2))
    ({'logits': 1}, {'0': 1, '1': 2})
    """
    if isinstance(output, Mapping):
        return {str(name): one for name, one in cast(Mapping[Any, Any], output).items()}
    if dataclasses.is_dataclass(output) and not isinstance(output, type):
        return {field.name: getattr(output, field.name) for field in dataclasses.fields(output)}
    if isinstance(output, tuple | list):
        several = cast(Sequence[Any], output)
        names = getattr(output, "_fields", ())
        return {str(place): one for place, one in enumerate(several)} | dict(zip(names, several, strict=False))
    return {}


def call_as(
    net: nn.Module, layout: InputLayout | None, output: str | None, sample_shape: tuple[int, ...], dtype: torch.dtype
) -> str | None:
    """Let `net`, a user's own, be called with rows of `layout` where there is one, and give its `output` alone; where
    none is named, the only tensor among several things. The name of that; None where the net returns a tensor anyway.

    UserError where its forward does not take such inputs, or several tensors come out and none is named.
    """
    release(net)
    if layout is not None:
        _check_forward(net, layout)
        net.register_forward_pre_hook(Unpack(layout), prepend=True, with_kwargs=True)
    output = output or _only_output(net, sample_shape, dtype)
    if output is not None:
        net.register_forward_hook(PickOutput(output), prepend=True)
    return output


def release(net: nn.Module) -> None:
    """Let `net` be called as its author wrote it."""
    held = vars(net)
    for hooks in (held["_forward_pre_hooks"], held["_forward_hooks"]):
        for number in [number for number, hook in hooks.items() if isinstance(hook, Unpack | PickOutput)]:
            del hooks[number]
            held["_forward_pre_hooks_with_kwargs"].pop(number, None)


@contextlib.contextmanager
def released(net: nn.Module | None) -> Generator[None]:
    """Around a training of a user's module: afterwards it is called as its author wrote it."""
    try:
        yield
    finally:
        if net is not None:
            release(net)


def _only_output(net: nn.Module, sample_shape: tuple[int, ...], dtype: torch.dtype) -> str | None:
    """The only tensor where the net returns a dict or an object; None for a tensor, a tuple, or what fails: that is
    told where the layers are followed.
    """
    device = next((weight.device for weight in net.parameters()), torch.device("cpu"))
    sample = torch.full((1, *sample_shape), 0 if dtype.is_floating_point else 1, dtype=dtype, device=device)
    try:
        with undisturbed(net):
            output = net(sample)
    except Exception:  # noqa: BLE001 - a net is the user's code
        return None
    if isinstance(output, Tensor | tuple | list):
        return None
    found = outputs_by_name(output)
    tensors = [name for name, one in found.items() if isinstance(one, Tensor)]
    if len(tensors) > 1:
        fail("nets.outputs-by-name", kind=type(net).__name__, keys=", ".join(tensors), key=tensors[0])
    return tensors[0] if tensors else None


def _check_forward(net: nn.Module, layout: InputLayout) -> None:
    try:
        parameters = inspect.signature(net.forward).parameters
    except (TypeError, ValueError):  # compiled: it is called, and tells by itself
        return
    kinds = [one.kind for one in parameters.values()]
    names = [name for name, one in parameters.items() if one.kind not in _OPEN]
    needed = [name for name in names if parameters[name].default is inspect.Parameter.empty]
    told = {"net": type(net).__name__, "takes": ", ".join(names) or "–", "given": ", ".join(layout.names)}
    if not layout.named:
        places = [name for name in names if parameters[name].kind in _BY_PLACE]
        few = len([name for name in places if name in needed]) > len(layout.pieces)
        many = len(places) < len(layout.pieces) and inspect.Parameter.VAR_POSITIONAL not in kinds
        if few or many:
            fail("nets.forward-by-place", **told, count=len(layout.pieces))
        return
    strange = [name for name in layout.names if name not in names]
    if strange and inspect.Parameter.VAR_KEYWORD not in kinds:
        fail("nets.forward-by-name", **told, name=strange[0], hint=nearest(strange[0], names))
    missing = [name for name in needed if name not in layout.names]
    if missing:
        fail("nets.forward-lacks", **told, names=", ".join(missing))
