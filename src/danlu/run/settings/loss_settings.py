"""The settings of a loss that depend on data and net: which loss, by which numbers, with which weights of classes."""

from dataclasses import replace

from danlu.base.errors import Fault, Faults, fail
from danlu.base.naming import listed
from danlu.base.recipe import LossRecipe
from danlu.data import Dataset
from danlu.train.class_weights import BALANCED, WEIGHED, checked_weights
from danlu.train.focal import gamma_of
from danlu.train.losses import OWN, choose_loss

_OF_CLASSES = ("classification", "segmentation", "tagging")


def settled_loss(
    recipe: LossRecipe, data: Dataset, output_shape: tuple[int, ...]
) -> tuple[LossRecipe, tuple[Fault, ...]]:
    """The section with every choice made, and what is to be told of it. UserError for what does not fit the data.

    >>> from danlu.data import load
    >>> settled_loss(LossRecipe(class_weights="balanced"), load("iris"), (3,))[0].class_weights
    (1.0, 1.0, 1.0)
    """
    if recipe.name == OWN:
        own = replace(LossRecipe(), name=OWN, reduction=recipe.reduction)
        if recipe != own:
            fail("lab.own-loss-alone")
        return own, ()
    name = choose_loss(recipe, task=data.task, outputs=data.outputs, output_shape=output_shape, places=_places(data))
    recipe = _with_ratio(recipe, name, data)
    settled = replace(recipe, name=name, gamma=gamma_of(recipe) if name == "focal" else None)
    given = recipe.class_weights
    faults = Faults()
    if recipe.gamma is not None and name != "focal":
        faults.add("lab.gamma-needs-focal", loss=name)
    if given is not None and (data.task not in _OF_CLASSES or name not in WEIGHED):
        task = Fault(f"base.task-{data.task}")
        faults.add("lab.class-weights-need-classes", loss=name, names=", ".join(WEIGHED), task=task)
        faults.raise_if_any()
    if given is None:
        faults.raise_if_any()
        return settled, ()
    with faults.gathered():
        settled = replace(settled, class_weights=checked_weights(given, data.classes, data.class_counts()))
    faults.raise_if_any()
    if given != BALANCED:
        return settled, ()
    pairs = list(zip(data.classes, settled.class_weights, strict=True))
    said = listed(f"{label} {weight:.4g}" for label, weight in sorted(pairs, key=lambda pair: -pair[1]))
    return settled, (Fault("lab.balanced-weights", {"weights": said}),)


def _with_ratio(recipe: LossRecipe, name: str, data: Dataset) -> LossRecipe:
    """The section, where pos_weight of two classes is what class weights say too. UserError where it says nothing."""
    given = recipe.pos_weight
    if given is None:
        return recipe
    if name != "bce":
        fail("lab.pos-weight-needs-bce", loss=name)
    numbers = given if isinstance(given, tuple) else (given,)
    wanted = data.outputs if data.task == "multi-label" else 1
    if len(numbers) not in (1, wanted):
        fail("lab.pos-weight-count", found=len(numbers), wanted=wanted)
    if data.task == "multi-label":
        return recipe
    weights = (1.0, float(numbers[0]))
    if recipe.class_weights not in (None, weights):
        fail("lab.pos-weight-or-class-weights")
    return replace(recipe, class_weights=weights)


def _places(data: Dataset) -> tuple[int, ...]:
    """The shape of a target that has a class at each place: the sides of a picture, the tokens of a text,
    of a pair those of its target."""
    return data.sample_shape[-1:] if data.task == "translation" else data.sample_shape[-2:]


def measured_anew(settled: LossRecipe, drafted: LossRecipe, data: Dataset) -> LossRecipe:
    """The settled section for data with another training part: balanced weights are those of its classes."""
    if drafted.class_weights != BALANCED:
        return settled
    return replace(settled, class_weights=checked_weights(BALANCED, data.classes, data.class_counts()))
