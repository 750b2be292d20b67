"""Nets by name: building one for some data, and the way back from a net to its name and options."""

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import nn

from danlu.base.errors import Fault, UserError, fail, nearest
from danlu.base.input_layout import InputLayout
from danlu.base.own_code import file_and_maker, short_name
from danlu.base.shapes import show_shape
from danlu.nets.options import WIDEST
from danlu.nets.own_net import build_own, own_default, own_kind, own_options
from danlu.nets.registry import IMAGENET, NETS, NetEntry, registered


def option_names(name: str, sha256: str | None = None) -> list[str]:
    """The options of the net called `name`, in the order of its constructor. Raises UserError for an unknown name.

    One in a file of the user's own is run for that, if its content has the `sha256`.

    >>> option_names("lenet5")
    ['classes', 'channels', 'activation', 'pooling']
    """
    if file_and_maker(name):
        return own_options(name, sha256)
    return list(inspect.signature(NETS[registered(name)].net_class()).parameters)


def option_kind(name: str, option: str) -> Any:
    """The type of an option of the net called `name`, None where it has no such one.

    >>> option_kind("mlp", "dropout")
    <class 'float'>
    """
    if file_and_maker(name):
        return own_kind(name, option)
    parameter = inspect.signature(NETS[registered(name)].net_class()).parameters.get(option)
    return None if parameter is None else parameter.annotation


def build(
    name: str,
    options: Mapping[str, Any],
    *,
    sample_shape: tuple[int, ...],
    outputs: int,
    task: str,
    vocabulary: int | None = None,
    sha256: str | None = None,
    several: InputLayout | None = None,
) -> nn.Module:
    """The net called `name` for samples of `sample_shape` and `outputs` classes or numbers to predict.

    `task` is one of `Dataset.task`.
    What the data decide and `options` leave out is filled in: `inputs` (the features of a sample), `channels`, `size`
    (the side of square pictures), `vocabulary` (how many tokens sequences are made of), `context` (the length of
    sequences), `classes` or `outputs`. Raises UserError with all that does not fit: unknown name or options, values, a
    net for other data or another task. `sha256` is that of the file, where the net is one of a file of the user's own,
    and `several` the layout of its inputs, where it has more than one.

    >>> net = build("lenet5", {"pooling": "average"}, sample_shape=(1, 8, 8), outputs=10, task="classification")
    >>> recipe_of(net)
    ('lenet5', {'classes': 10, 'channels': 1, 'activation': 'tanh', 'pooling': 'average'})
    """
    name = registered(name)
    if file_and_maker(name):
        about: dict[str, Any] = {"vocabulary": vocabulary, "sha256": sha256, "several": several}
        return build_own(name, options, sample_shape=sample_shape, outputs=outputs, **about)
    known = option_names(name)
    faults = _misfits(name, {*options}, sample_shape, outputs, task, vocabulary)
    for key in options:
        if key not in known:
            values = {"key": f"net.{key}", "net": name, "options": ", ".join(known), "hint": nearest(key, known)}
            faults.append(Fault("nets.unknown-option", values))
    given = {**_decided_by_data(name, sample_shape, outputs, vocabulary), **options}
    try:
        net = NETS[name].net_class()(**{key: value for key, value in given.items() if key in known})
    except UserError as error:
        raise UserError(*faults, *error.faults) from None
    except (RuntimeError, MemoryError) as error:  # the first is torch's answer to a layer that no memory holds
        raise UserError(*faults, Fault("nets.too-large", {"net": name, "options": dict(options)})) from error
    if faults:
        raise UserError(*faults)
    return net


def example(
    name: str,
    options: Mapping[str, Any] | None = None,
    sample_shape: Sequence[int] | None = None,
    *,
    weights: bool = False,
) -> tuple[nn.Module, tuple[int, ...]]:
    """The net called `name` as built for data it is meant for, and the shape of a sample of them: to be described.
    `options` and `sample_shape` win over what it would have.

    Nets for photographs are built for ImageNet (3×224×224, 1,000 classes), others for 28×28 pictures of ten classes or
    for sequences of 20 tokens. Those for photographs lie on torch's meta device: shapes without values, so that the
    largest is described in a fraction of a second (once torch has loaded what it needs for that, a second in itself);
    with `weights` they have values too, drawn from the global generator.

    >>> net, sample_shape = example("lenet5")
    >>> sample_shape
    (1, 28, 28)
    """
    if file_and_maker(name):
        if sample_shape is None:
            fail("draw.net-needs-shape", kind=short_name(name))
        shape = tuple(sample_shape)
        return build(name, options or {}, sample_shape=shape, outputs=NetEntry.outputs, task="classification"), shape
    entry = NETS[registered(name)]
    task = entry.task or "classification"
    options = options or {}
    outputs = entry.classes or options.get("classes") or (1 if task == "regression" else entry.outputs)
    shape = tuple(sample_shape or entry.sample_shape)
    if math.prod(shape) > WIDEST:
        fail("nets.sample-too-large", shape=show_shape(shape), most=f"{WIDEST:,}")
    with torch.device("meta" if entry.sample_shape == IMAGENET["sample_shape"] and not weights else "cpu"):
        net = build(name, options, sample_shape=shape, outputs=outputs, task=task, vocabulary=entry.vocabulary)
    return net, shape


def usual_shape(name: str, options: Mapping[str, Any]) -> tuple[int, ...]:
    """The shape of a sample that the net called `name` with these options can be tried on.

    >>> usual_shape("mlp", {"inputs": 64}), usual_shape("lenet5", {"channels": 3})
    ((64,), (3, 28, 28))
    """
    shape = NETS[registered(name)].sample_shape
    if "inputs" in options:
        return (int(options["inputs"]),)
    if len(shape) != 3:
        return shape
    side = int(options.get("size", shape[1]))
    return (int(options.get("channels", shape[0])), side, side)


def recipe_of(net: nn.Module) -> tuple[str, dict[str, Any]] | None:
    """The name and the options that rebuild a net of equal structure; None for a net of any other class.

    None also for a registered net whose layers were changed after it was built: its options no longer tell the truth.

    >>> from danlu.nets import SoftmaxRegression
    >>> recipe_of(SoftmaxRegression(inputs=64, classes=10))
    ('softmax-regression', {'inputs': 64, 'classes': 10})
    """
    name = next((name for name, entry in NETS.items() if type(net) is entry.net_class()), None)
    if name is None:
        return None
    # An option that its constructor folds into another one leaves no attribute.
    options = {option: _plain(getattr(net, option)) for option in option_names(name) if hasattr(net, option)}
    with torch.device("meta"):
        rebuilt = NETS[name].net_class()(**options)
    return (name, options) if _structure(net) == _structure(rebuilt) else None


def usual_options(name: str, options: Mapping[str, Any]) -> list[str]:
    """Those of a net's options that say nothing of their own: as the class has them, or as the data decide.

    >>> usual_options("lenet5", {"classes": 4, "activation": "tanh", "pooling": "average"})
    ['classes', 'activation']
    """
    if file_and_maker(name):
        return [key for key, value in options.items() if _plain(own_default(name, key)) == value]
    decided = {key for shape in ((1, 1), (1, 1, 1)) for key in _decided_by_data(name, shape, 1, None)}
    defaults = inspect.signature(NETS[name].net_class()).parameters
    return [key for key, value in options.items() if key in decided or _plain(defaults[key].default) == value]


def _decided_by_data(name: str, sample_shape: tuple[int, ...], outputs: int, vocabulary: int | None) -> dict[str, int]:
    """What the data say of a net's options, with stand-ins where `_misfits` refuses them: the net's other options are
    to be looked at all the same.
    """
    decided = {"inputs": math.prod(sample_shape), "outputs": outputs, "classes": outputs}
    decided["vocabulary"] = vocabulary or 2
    decided["context"] = sample_shape[0]
    if len(sample_shape) == 3:
        channels, height, width = sample_shape
        decided["channels"] = channels
        if height == width:
            decided["size"] = max(height, NETS[name].least_side)
    if len(sample_shape) == 2:
        decided["window"], decided["features"] = sample_shape
    return decided


def _misfits(
    name: str, given: set[str], sample_shape: tuple[int, ...], outputs: int, task: str, vocabulary: int | None
) -> list[Fault]:
    """What makes the data unfit for this net, whatever its options."""
    entry = NETS[name]
    faults: list[Fault] = []
    if task == "language" != entry.task:
        faults.append(Fault("nets.not-for-language", {"net": name}))
    elif task in ("segmentation", "tagging", "translation") and task != entry.task:
        faults.append(Fault(f"nets.not-for-{task}", {"net": name}))
    elif task == "multi-label" and entry.task is not None:
        faults.append(Fault("nets.not-for-labels", {"net": name}))
    elif entry.task not in (None, task):
        faults.append(Fault(f"nets.only-for-{entry.task}", {"net": name}))
    elif entry.classes not in (None, outputs):
        faults.append(Fault("nets.wrong-number-of-classes", {"net": name, "wanted": entry.classes, "found": outputs}))
    shape = show_shape(sample_shape)
    if "features" in option_names(name):
        if len(sample_shape) != 2:
            faults.append(Fault("nets.needs-windows", {"net": name, "shape": shape}))
        return faults
    if "channels" in option_names(name) and len(sample_shape) != 3:
        faults.append(Fault("nets.needs-pictures", {"net": name, "shape": shape}))
    elif "channels" in option_names(name) and min(sample_shape[1:]) < entry.least_side:
        sizes = {"size": show_shape(sample_shape[1:]), "least": f"{entry.least_side}×{entry.least_side}"}
        faults.append(Fault("nets.picture-too-small", {"net": name, **sizes}))
    if "vocabulary" in option_names(name):
        if len(sample_shape) != len(entry.sample_shape):
            faults.append(Fault("nets.needs-sequences", {"net": name, "shape": shape}))
        elif vocabulary is None and "vocabulary" not in given:
            faults.append(Fault("nets.needs-vocabulary", {"net": name}))
    return faults


def _plain(value: Any) -> Any:
    """A value as a recipe keeps it: TOML has lists, not tuples."""
    return list(cast(tuple[Any, ...], value)) if isinstance(value, tuple) else value


def _structure(net: nn.Module) -> tuple[str, dict[str, torch.Size]]:
    return repr(net), {key: value.shape for key, value in net.state_dict().items()}
