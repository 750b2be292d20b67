"""A net of a file of the user's own: what its constructor takes, what of that the data decide, and building it."""

import inspect
import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_origin

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from danlu.base.counts import as_found
from danlu.base.errors import Fault, Faults, UserError, fail, nearest
from danlu.base.input_layout import InputLayout
from danlu.base.memory import is_out_of_memory
from danlu.base.own_code import short_name
from danlu.nets.call_form import call_as
from danlu.nets.describe import describe
from danlu.nets.own_file import own_failure, own_file, own_maker

# Names under which constructors ask for what the data decide; only where they have no default.
_FEATURES = ("inputs", "in_features", "input_dim", "input_size", "in_dim", "n_inputs", "num_inputs", "num_features")
_OUTPUTS = (
    "outputs", "out_features", "output_dim", "output_size", "out_dim", "n_outputs", "num_outputs",
    "classes", "num_classes", "n_classes",
)  # fmt: skip
_CHANNELS = ("channels", "in_channels", "num_channels")
_SIDE = ("size", "image_size", "img_size")
_VOCABULARY = ("vocabulary", "vocab_size", "num_tokens", "n_tokens", "num_embeddings")
_SHAPE = ("sample_shape", "input_shape")
_SHAPES = ("input_shapes", "sample_shapes")
_RESERVED = ("name", "weights", "sha256", "output")  # keys of a recipe that are no options
_WANTED: Mapping[Any, str] = {
    bool: "nets.wanted-flag",
    int: "nets.wanted-whole",
    float: "nets.wanted-number",
    str: "nets.wanted-text",
}
_GATHERING = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def own_options(name: str, sha256: str | None = None) -> list[str]:
    """The names of what the constructor takes, in its order."""
    return [key for key, one in _parameters(own_maker(name, sha256)).items() if one.kind not in _GATHERING]


def own_default(name: str, option: str) -> Any:
    """The default of an option, `inspect.Parameter.empty` where it has none."""
    parameter = _parameters(own_maker(name)).get(option)
    return inspect.Parameter.empty if parameter is None else parameter.default


def own_kind(name: str, option: str) -> Any:
    """The type of an option by its annotation, or its default; None where neither says one."""
    parameter = _parameters(own_maker(name)).get(option)
    if parameter is None:
        return None
    said = parameter.annotation is not inspect.Parameter.empty
    return parameter.annotation if said else _type_of_default(parameter)


def _type_of_default(parameter: inspect.Parameter) -> Any:
    none = parameter.default is inspect.Parameter.empty or parameter.default is None
    return None if none else type(parameter.default)


def build_own(
    name: str,
    options: Mapping[str, Any],
    *,
    sample_shape: tuple[int, ...],
    outputs: int,
    vocabulary: int | None = None,
    sha256: str | None = None,
    several: InputLayout | None = None,
) -> nn.Module:
    """The net that the class or function called `name` (`my_nets.py:Net`) makes with `options`, for such samples.

    An argument without a default that is called as what the data decide (`inputs`, `in_features`, `classes`,
    `channels` …) gets that. UserError with all options that it does not take or still lacks, for values of another
    kind than it says, and for whatever the user's code raises, with its file and line.
    """
    make = own_maker(name, sha256)
    label, faults = short_name(name), Faults()
    decided = _decided(sample_shape, outputs, vocabulary) if several is None else _decided_by(several, outputs)
    given = _given(label, _parameters(make), options, decided, faults)
    faults.raise_if_any()
    path = own_file(name).path
    try:
        net = make(**given)
    except UserError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise UserError(own_failure(error, path)) from error
    if not isinstance(net, nn.Module):
        fail("nets.own-not-a-net", name=label, found=type(net).__name__)
    if any(is_lazy(weight) for weight in (*net.parameters(), *net.buffers())):
        # Their first weights are drawn by the first sample: here, where the seed is that of the initial weights.
        call_as(net, several, None, sample_shape, torch.float32)
        describe(net, sample_shape, dtype=None if vocabulary is None else torch.int64)
    return net


def _parameters(make: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(make, eval_str=True).parameters
    except Exception:  # noqa: BLE001 - annotations are the user's code: what they name may be there for checkers alone
        return inspect.signature(make).parameters


def _decided(sample_shape: tuple[int, ...], outputs: int, vocabulary: int | None) -> dict[str, Any]:
    """What the data say, under all the names by which it is asked for."""
    decided: dict[str, Any] = {**dict.fromkeys(_OUTPUTS, outputs), **dict.fromkeys(_SHAPE, sample_shape)}
    decided |= dict.fromkeys(_FEATURES, math.prod(sample_shape))
    if len(sample_shape) == 3:
        decided |= dict.fromkeys(_CHANNELS, sample_shape[0])
        decided |= dict.fromkeys(_SIDE, sample_shape[1]) if sample_shape[1] == sample_shape[2] else {}
    return decided | ({} if vocabulary is None else dict.fromkeys(_VOCABULARY, vocabulary))


def _decided_by(several: InputLayout, outputs: int) -> dict[str, Any]:
    """What several inputs say: their shapes by name."""
    shapes = {piece.name: piece.shape for piece in several.pieces}
    return {**dict.fromkeys(_OUTPUTS, outputs), **dict.fromkeys(_SHAPES, shapes)}


def _given(
    label: str,
    parameters: Mapping[str, inspect.Parameter],
    options: Mapping[str, Any],
    decided: Mapping[str, Any],
    faults: Faults,
) -> dict[str, Any]:
    known = [key for key, one in parameters.items() if one.kind not in _GATHERING]
    takes = ", ".join(known) or "–"
    open_ended = any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values())
    given: dict[str, Any] = {}
    for key, value in options.items():
        if key in known:
            given[key] = _as_asked(key, value, parameters[key], faults)
        elif open_ended:
            given[key] = value
        else:
            told = {"key": f"net.{key}", "net": label, "options": takes, "hint": nearest(key, known)}
            faults.add("nets.unknown-option", **told)
    for key in known:
        if key in given or parameters[key].default is not inspect.Parameter.empty:
            continue
        if key in _RESERVED:
            faults.add("nets.own-reserved", key=key, net=label)
        elif key in decided:
            given[key] = decided[key]
        else:
            faults.add("nets.own-option-missing", key=f"net.{key}", net=label, options=takes)
    return given


def _as_asked(key: str, value: Any, parameter: inspect.Parameter, faults: Faults) -> Any:
    """The value as the constructor's own annotation, or default, has it: 64,32 is a list where one is wanted."""
    said = parameter.annotation is not inspect.Parameter.empty
    wanted = parameter.annotation if said else _type_of_default(parameter)
    kind = get_origin(wanted) or wanted
    if kind in (list, tuple, Sequence) or getattr(kind, "__name__", "") in ("list", "tuple", "Sequence"):
        several = _several(value)
        return tuple(several) if kind is tuple else several
    if parameter.annotation not in (*_WANTED,):
        return value
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not wanted:
        faults.add("nets.bad-option", key=f"net.{key}", found=as_found(value), wanted=Fault(_WANTED[wanted]), hint="")
    return value


def _several(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [_toml(word.strip()) for word in value.strip("[]() ").split(",")]
    return [*value] if isinstance(value, list | tuple) else [value]


def _toml(word: str) -> Any:
    try:
        return tomllib.loads(f"value = {word}")["value"]
    except ValueError:
        return word
