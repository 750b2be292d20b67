"""What a folder of pictures gets where nobody names a net: size, net, augmentation, schedule, rate; all of it told."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from danlu.base.errors import Fault
from danlu.base.recipe import Recipe
from danlu.base.seeds import choose_device
from danlu.data import Dataset
from danlu.data.mirrored import Mirrored, mirrored
from danlu.data.standard import Pixels
from danlu.train.schedules import AUTO

# Pictures with a longer side become squares of the smaller: a step on 224×224 pixels costs as much as twelve on 64×64.
_LARGE, _BECOMES = 96, 64
# Samples below which so deep a small ResNet is enough, and more layers only take longer.
_DEPTHS = ((5_000, 8), (20_000, 14))
_DEEPEST = 20
_LOOKED_AT = 1_000
_SCHEDULE, _RATE = "one-cycle", 0.05


def is_picture_folder(recipe: Recipe, data: Dataset) -> bool:
    """Whether the data are picture files with a class each: a folder of them, or a table of paths and labels."""
    pictures = data.task == "classification" and len(data.sample_shape) == 3 and isinstance(data.encoder, Pixels)
    return pictures and recipe.data.path is not None


def usual_pictures(recipe: Recipe, data: Dataset) -> tuple[Recipe, Fault]:
    """The recipe of a picture folder with what it leaves open filled in, the name of its net being filled in already;
    and what was chosen, to be told. No choice depends on what is named beside it, but for a training without an end,
    which no cycle fits.
    """
    name, samples = recipe.net.name, data.sizes["train"]
    shape = tuple(data.sample_shape)
    options = usual_picture_options(name, samples)
    told = [_told_net(name, {**options, **recipe.net.options})]
    recipe = replace(recipe, net=replace(recipe.net, options={**options, **recipe.net.options}))
    if recipe.data.image_size is None and (side := usual_side(shape)) is not None:
        shape = (shape[0], side, side)
        recipe = replace(recipe, data=replace(recipe.data, image_size=side))
        told.append(
            Fault("lab.picked-size", {"side": side, "height": data.sample_shape[1], "width": data.sample_shape[2]})
        )
    if recipe.data.augment is None:
        found = _looked_at(data)
        augment = usual_augmentation(shape, found)
        recipe = replace(recipe, data=replace(recipe.data, augment=augment))
        told.append(_told_augmentation(augment, found))
    if recipe.schedule.name == AUTO and not recipe.train.open_ended:
        recipe = replace(recipe, schedule=replace(recipe.schedule, name=_SCHEDULE))
        told.append(Fault("lab.picked-schedule", {"name": _SCHEDULE}))
    if recipe.optim.lr is None and recipe.optim.name in ("auto", "sgd"):
        recipe = replace(recipe, optim=replace(recipe.optim, lr=_RATE))
        told.append(Fault("lab.picked-rate", {"lr": _RATE}))
    return recipe, Fault("lab.usual-pictures", {"what": reduce(_joined, told)})


def usual_picture_options(net: str, samples: int) -> dict[str, Any]:
    """The options of a net that danlu chose for so many pictures to train on: LeNet-5 with today's activation, not the
    paper's; a small ResNet as deep as they are many.

    >>> usual_picture_options("lenet5", 100), usual_picture_options("small-resnet", 100)
    ({'activation': 'relu'}, {'depth': 8})
    """
    if net == "small-resnet":
        return {"depth": next((depth for fewer, depth in _DEPTHS if samples < fewer), _DEEPEST)}
    return {"activation": "relu"} if net == "lenet5" else {}


def usual_side(sample_shape: Sequence[int]) -> int | None:
    """The side of the squares that pictures of that shape are brought to; None: they stay as they are.

    >>> usual_side((3, 32, 32)), usual_side((3, 160, 90)), usual_side((3, 224, 224))
    (None, 64, 64)
    """
    return _BECOMES if max(sample_shape[1:]) > _LARGE else None


def usual_augmentation(sample_shape: Sequence[int], found: Mirrored) -> tuple[str, ...]:
    """How pictures are augmented: shifted by up to a sixteenth of their side, which leaves a digit a digit, or by an
    eighth and mirrored where they look alike mirrored.

    >>> usual_augmentation((1, 28, 28), Mirrored(False, "all"))
    ('crop:1',)
    >>> usual_augmentation((3, 32, 32), Mirrored(True, "alike"))
    ('crop:4', 'flip')
    """
    side = min(sample_shape[1:])
    return (f"crop:{max(1, side // 8)}", "flip") if found.alike else (f"crop:{max(1, side // 16)}",)


def _looked_at(data: Dataset) -> Mirrored:
    """What the first of the training part, in an order of its own, say of mirror images."""
    samples = min(_LOOKED_AT, data.sizes["train"])
    x, y = next(iter(data.batches("train", samples, shuffle=True, device=choose_device("cpu"))))
    return mirrored(x, y, data.classes)


def _told_net(name: str, options: dict[str, Any]) -> Fault:
    if name == "small-resnet":
        return Fault("lab.picked-depth", {"net": name, "depth": options["depth"]})
    return Fault("lab.picked-net", {"net": name})


def _told_augmentation(augment: tuple[str, ...], found: Mirrored) -> Fault:
    why = Fault(f"lab.mirrored-{found.why}", {"name": found.name, "share": f"{100 * found.share:.0f}"})
    return Fault("lab.picked-augmentation", {"augment": ", ".join(augment), "why": why})


def _joined(first: Fault, second: Fault) -> Fault:
    return Fault("lab.two-picked", {"first": first, "second": second})
