"""What a folder of pictures gets where nobody names a net: size, net, augmentation, schedule, rate; all of it told."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from danlu.base.errors import Fault
from danlu.base.recipe import Recipe
from danlu.base.seeds import choose_device
from danlu.data import Dataset
from danlu.data.mirrored import Mirrored, mirrored
from danlu.data.standard import Pixels
from danlu.nets import option_names, usual_net
from danlu.train.schedules import AUTO

# Pictures with a longer side become squares of the smaller: a step on 224×224 pixels costs as much as twelve on 64×64.
_LARGE, _BECOMES = 96, 64
# Layers of the small ResNet: of few samples more of them only take longer.
_MANY_SAMPLES = 20_000
_DEPTHS = {False: 8, True: 14}
_LOOKED_AT = 1_000
_NET, _SCHEDULE, _RATE = "small-resnet", "one-cycle", 0.05


def is_picture_folder(recipe: Recipe, data: Dataset) -> bool:
    """Whether the data are picture files with a class each: a folder of them, or a table of paths and labels."""
    pictures = data.task == "classification" and len(data.sample_shape) == 3 and isinstance(data.encoder, Pixels)
    return pictures and recipe.data.path is not None


def usual_pictures(recipe: Recipe, data: Dataset) -> tuple[Recipe, Fault]:
    """The recipe of a picture folder with what it leaves open filled in, and what was chosen, to be told. No choice
    depends on what is named beside it, with two exceptions: options of LeNet-5 alone want that net, and a training
    without an end has no room for a cycle.
    """
    shape = tuple(data.sample_shape)
    name = usual_picture_net(shape, recipe.net.options)
    options = {**usual_picture_options(name, data.sizes["train"]), **recipe.net.options}
    told = [_told_net(name, options)]
    recipe = replace(recipe, net=replace(recipe.net, name=name, options=options))
    if recipe.data.image_size is None and (side := usual_side(shape)) is not None:
        recipe = replace(recipe, data=replace(recipe.data, image_size=side))
        told.append(
            Fault("lab.picked-size", {"side": side, "height": data.sample_shape[1], "width": data.sample_shape[2]})
        )
    if recipe.data.augment is None:
        found = _looked_at(data)
        augment = usual_augmentation(found)
        recipe = replace(recipe, data=replace(recipe.data, augment=augment))
        told.append(_told_augmentation(augment, found))
    if recipe.schedule.name == AUTO and not recipe.train.open_ended:
        recipe = replace(recipe, schedule=replace(recipe.schedule, name=_SCHEDULE))
        told.append(Fault("lab.picked-schedule", {"name": _SCHEDULE}))
    if recipe.optim.lr is None and recipe.optim.name in ("auto", "sgd"):
        recipe = replace(recipe, optim=replace(recipe.optim, lr=_RATE))
        told.append(Fault("lab.picked-rate", {"lr": _RATE}))
    return recipe, Fault("lab.usual-pictures", {"what": reduce(_joined, told)})


def usual_picture_net(sample_shape: Sequence[int], options: Collection[str] = ()) -> str:
    """The net for pictures of that shape, where `options` of it are named: a small ResNet.

    >>> usual_picture_net((1, 28, 28)), usual_picture_net((1, 28, 28), ["pooling"])
    ('small-resnet', 'lenet5')
    """
    other = usual_net(sample_shape, "classification")
    wants_other = not {*options} <= {*option_names(_NET)} and {*options} <= {*option_names(other)}
    return other if wants_other else _NET


def usual_picture_options(net: str, samples: int) -> dict[str, Any]:
    """The options of a net that danlu chose for so many pictures to train on: LeNet-5 with today's activation, not the
    paper's; a small ResNet as deep as they are many.

    >>> usual_picture_options("lenet5", 100), usual_picture_options("small-resnet", 100)
    ({'activation': 'relu'}, {'depth': 8})
    """
    if net == _NET:
        return {"depth": _DEPTHS[samples >= _MANY_SAMPLES]}
    return {"activation": "relu"} if net == "lenet5" else {}


def usual_side(sample_shape: Sequence[int]) -> int | None:
    """The side of the squares that pictures of that shape are brought to; None: they stay as they are.

    >>> usual_side((3, 32, 32)), usual_side((3, 160, 90)), usual_side((3, 224, 224))
    (None, 64, 64)
    """
    return _BECOMES if max(sample_shape[1:]) > _LARGE else None


def usual_augmentation(found: Mirrored) -> tuple[str, ...]:
    """How pictures are augmented: padded and cut out anew, shifted by up to an eighth of their side, which leaves a
    digit a digit; and mirrored where they look alike mirrored.

    >>> usual_augmentation(Mirrored(False, "all")), usual_augmentation(Mirrored(True, "alike"))
    (('crop',), ('crop', 'flip'))
    """
    return ("crop", "flip") if found.alike else ("crop",)


def _looked_at(data: Dataset) -> Mirrored:
    """What the first of the training part, in an order of its own, say of mirror images."""
    samples = min(_LOOKED_AT, data.sizes["train"])
    x, y = next(iter(data.batches("train", samples, shuffle=True, device=choose_device("cpu"))))
    return mirrored(x, y, data.classes)


def _told_net(name: str, options: dict[str, Any]) -> Fault:
    if name == _NET:
        return Fault("lab.picked-depth", {"net": name, "depth": options["depth"]})
    return Fault("lab.picked-net", {"net": name})


def _told_augmentation(augment: tuple[str, ...], found: Mirrored) -> Fault:
    why = Fault(f"lab.mirrored-{found.why}", {"name": found.name, "share": f"{100 * found.share:.0f}"})
    return Fault("lab.picked-augmentation", {"augment": ", ".join(augment), "why": why})


def _joined(first: Fault, second: Fault) -> Fault:
    return Fault("lab.two-picked", {"first": first, "second": second})
