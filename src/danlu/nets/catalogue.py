"""Nets by name: the registry, building one for some data, and the way back from a net to its name and options."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from danlu.base.errors import Fault, UserError, fail, nearest
from danlu.nets.lenet import LeNet5
from danlu.nets.linear import LinearRegression, LogisticRegression, SoftmaxRegression
from danlu.nets.mlp import MLP


@dataclass(frozen=True)
class Entry:
    """A registered net class, with the task it is limited to and the number of classes it is limited to, if any."""

    net_class: type[nn.Module]
    task: str | None = None
    classes: int | None = None


NETS: dict[str, Entry] = {
    "linear-regression": Entry(LinearRegression, task="regression"),
    "logistic-regression": Entry(LogisticRegression, task="classification", classes=2),
    "softmax-regression": Entry(SoftmaxRegression, task="classification"),
    "mlp": Entry(MLP),
    "lenet5": Entry(LeNet5),
}


def names() -> list[str]:
    """The names of all nets.

    >>> names()[-2:]
    ['mlp', 'lenet5']
    """
    return list(NETS)


def option_names(name: str) -> list[str]:
    """The options of the net called `name`, in the order of its constructor. Raises UserError for an unknown name.

    >>> option_names("lenet5")
    ['classes', 'channels', 'activation', 'pooling']
    """
    return list(inspect.signature(NETS[_registered(name)].net_class).parameters)


def build(
    name: str, options: Mapping[str, Any], *, sample_shape: tuple[int, ...], outputs: int, task: str
) -> nn.Module:
    """The net called `name` for samples of `sample_shape` and `outputs` classes or numbers to predict.

    `task` is "classification" or "regression". What the data decide and `options` leave out is filled in: `inputs` (the
    features of a sample), `channels`, `size` (the side of square pictures), `classes` or `outputs`. Raises UserError
    with all that does not fit: unknown name or options, values, a net for other data or another task.

    >>> net = build("mlp", {"hidden": [64, 32]}, sample_shape=(1, 8, 8), outputs=10, task="classification")
    >>> recipe_of(net)
    ('mlp', {'inputs': 64, 'outputs': 10, 'hidden': [64, 32], 'activation': 'relu', 'dropout': 0.0})
    """
    name = _registered(name)
    known = option_names(name)
    faults = _misfits(name, options, sample_shape, outputs, task)
    for key in options:
        if key not in known:
            values = {"key": f"net.{key}", "net": name, "options": ", ".join(known), "hint": nearest(key, known)}
            faults.append(Fault("nets.unknown-option", values))
    given = {**_decided_by_data(sample_shape, outputs), **options}
    try:
        net = NETS[name].net_class(**{key: value for key, value in given.items() if key in known})
    except UserError as error:
        raise UserError(*faults, *error.faults) from None
    except RuntimeError as error:  # torch's answer to a layer that no memory holds
        raise UserError(*faults, Fault("nets.too-large", {"net": name, "options": dict(options)})) from error
    if faults:
        raise UserError(*faults)
    return net


def example(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """The net called `name` as built for 28×28 pictures of ten classes, and the shape of such a sample.

    >>> net, sample_shape = example("lenet5")
    >>> sample_shape
    (1, 28, 28)
    """
    entry = NETS[_registered(name)]
    task = entry.task or "classification"
    outputs = entry.classes or (1 if task == "regression" else 10)
    sample_shape = (1, 28, 28)
    return build(name, {}, sample_shape=sample_shape, outputs=outputs, task=task), sample_shape


def recipe_of(net: nn.Module) -> tuple[str, dict[str, Any]] | None:
    """The name and the options that rebuild a net of equal structure; None for a net of any other class.

    None also for a registered net whose layers were changed after it was built: its options no longer tell the truth.

    >>> recipe_of(SoftmaxRegression(inputs=64, classes=10))
    ('softmax-regression', {'inputs': 64, 'classes': 10})
    """
    name = next((name for name, entry in NETS.items() if type(net) is entry.net_class), None)
    if name is None:
        return None
    options = {option: _plain(getattr(net, option)) for option in option_names(name)}
    with torch.device("meta"):
        rebuilt = NETS[name].net_class(**options)
    return (name, options) if _structure(net) == _structure(rebuilt) else None


def _registered(name: str) -> str:
    """The registered spelling of `name`; "-" and "_" and capitals do not count, so class names are understood too."""
    bare = _bare(name)
    found = next((registered for registered in NETS if _bare(registered) == bare), None)
    if found is None:
        fail("nets.unknown-net", name=name, names=", ".join(NETS), hint=nearest(name.lower(), NETS))
    return found


def _bare(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def _decided_by_data(sample_shape: tuple[int, ...], outputs: int) -> dict[str, int]:
    decided = {"inputs": torch.Size(sample_shape).numel(), "outputs": outputs, "classes": outputs}
    if len(sample_shape) == 3:
        channels, height, width = sample_shape
        decided["channels"] = channels
        if height == width:
            decided["size"] = height
    return decided


def _misfits(
    name: str, options: Mapping[str, Any], sample_shape: tuple[int, ...], outputs: int, task: str
) -> list[Fault]:
    """What makes the data unfit for this net, whatever its options."""
    entry = NETS[name]
    faults: list[Fault] = []
    if entry.task not in (None, task):
        faults.append(Fault(f"nets.only-for-{entry.task}", {"net": name}))
    elif entry.classes not in (None, outputs):
        faults.append(Fault("nets.wrong-number-of-classes", {"net": name, "wanted": entry.classes, "found": outputs}))
    if "channels" in option_names(name) and len(sample_shape) != 3:
        shape = "×".join(str(side) for side in sample_shape)
        faults.append(Fault("nets.needs-pictures", {"net": name, "shape": shape}))
    return faults


def _plain(value: Any) -> Any:
    """A value as a recipe keeps it: TOML has lists, not tuples."""
    return list(cast(tuple[Any, ...], value)) if isinstance(value, tuple) else value


def _structure(net: nn.Module) -> tuple[str, dict[str, torch.Size]]:
    return repr(net), {key: value.shape for key, value in net.state_dict().items()}
