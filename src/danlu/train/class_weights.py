"""How much each class counts in a loss: as a user says, or as many times as it is rarer in the training part."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from danlu.base.errors import Faults, fail, nearest
from danlu.base.ignored import IGNORED
from danlu.base.naming import listed
from danlu.base.recipe import LossRecipe
from danlu.train.terms import terms

ClassWeights = Sequence[float]
"""A number a class, in their order; none where every class counts alike."""

WEIGHED = ("cross-entropy", "nll", "bce", "focal")
"""The losses that can weigh classes."""

BALANCED = "balanced"


def balanced(counts: Sequence[int]) -> tuple[float, ...]:
    """N / (K · n) for a class of n samples among N of K classes, so that every class has the same weight in all, and a
    sample 1 on the average. scikit-learn's formula (`class_weight="balanced"`), after King and Zeng (2001).

    A class without a sample counts for none of the K; its 1 is never used.

    >>> balanced([90, 10])
    (0.5555555555555556, 5.0)
    """
    there = sum(count > 0 for count in counts)
    return tuple(sum(counts) / (there * count) if count else 1.0 for count in counts)


def checked_weights(given: Any, names: Sequence[str], counts: Sequence[int] | None) -> tuple[float, ...]:
    """A number for each class in `names`, from "balanced", numbers, or a mapping of labels, where one left out has 1.

    `counts` are the training part's, None where they are not known. Raises UserError with all that is wrong.

    >>> checked_weights({"spam": 4}, ["ham", "spam"], None)
    (1.0, 4.0)
    """
    if given == BALANCED:
        if counts is None:
            fail("train.class-weights-uncounted")
        return balanced(counts)
    faults = Faults()
    if isinstance(given, Mapping):
        weights = cast(Mapping[str, Any], given)
        for label in weights.keys() - set(names):
            faults.add("train.class-weights-label", label=label, classes=listed(names), hint=nearest(label, names))
        given = tuple(weights.get(name, 1.0) for name in names)
    if not isinstance(given, tuple):
        fail("train.class-weights-unknown", found=given, hint=nearest(str(given), [BALANCED]))
    numbers = cast(tuple[Any, ...], given)
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < math.inf:
            faults.add("train.class-weights-number", found=number)
    if len(numbers) != len(names):
        faults.add("train.class-weights-count", found=len(numbers), wanted=len(names), classes=listed(names))
    faults.raise_if_any()
    return tuple(float(number) for number in numbers)


def as_tensor(weights: ClassWeights, like: Tensor) -> Tensor | None:
    """The weights on the device and in the type of `like`; None for none."""
    return torch.tensor(weights, device=like.device, dtype=like.dtype) if weights else None


def ratio_of(weights: ClassWeights) -> ClassWeights:
    """Of the weights of two classes that of the second, with 1 for the first: all that one output can tell apart."""
    return (weights[1] / weights[0],) if weights else ()


def counted_by(recipe: LossRecipe) -> Callable[[Tensor], Any]:
    """By what the mean loss of targets is divided: the samples (pixels, tokens), or the weights of their classes.

    >>> counted_by(LossRecipe(name="cross-entropy", class_weights=(1.0, 3.0)))(torch.tensor([0, 1, 1]))
    7.0
    """
    weights: ClassWeights = recipe.class_weights or ()
    if not weights or recipe.name == "bce":
        return terms

    def counted(targets: Tensor) -> float:
        known = targets[targets != IGNORED]
        counts: list[int] = torch.bincount(known.flatten(), minlength=len(weights)).tolist()
        return math.fsum(weight * count for weight, count in zip(weights, counts, strict=True))

    return counted
