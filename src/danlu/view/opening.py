"""What is said before the first step: every choice that shapes a training, whoever made it."""

from typing import Any

from danlu.base.recipe import Recipe
from danlu.base.words import say

# Said in words; and what has no influence on the weights, or is told beside the net and the data.
_IN_WORDS = ("optim.name", "optim.lr", "optim.momentum", "schedule.name", "train.batch_size", "loss.name")
_NOT_SAID = ("train.epochs", "train.seed", "train.smoothing", "train.keep", "train.checkpoint_steps",
             "train.checkpoint_seconds", "train.weights", "train.limit_predictions")  # fmt: skip
_SECTIONS = ("loss", "optim", "schedule", "train")
_OF_DATA = ("standardise", "normalise", "augment", "samples", "shuffle", "balance", "refit", "fold")


def choices(recipe: Recipe) -> str:
    """Optimiser, rate, momentum, schedule, batch size and loss of a resolved recipe; then whatever is not as usual.

    >>> from danlu.base.recipe import OptimRecipe, ScheduleRecipe, TrainRecipe
    >>> sgd = OptimRecipe(name="sgd", lr=0.1, momentum=0.9)
    >>> print(choices(Recipe(optim=sgd, schedule=ScheduleRecipe(name="constant"), train=TrainRecipe(batch_size=16))))
    sgd, learning rate 0.1, momentum 0.9, constant schedule, batch size 16, loss auto
    """
    optim, train = recipe.optim, recipe.train
    said = [optim.name, say("view.choice-lr", lr=optim.lr)]
    if optim.momentum is not None:
        said.append(say("view.choice-momentum", momentum=optim.momentum))
    said.append(say("view.choice-schedule", schedule=recipe.schedule.name))
    said.append(say("view.choice-batch", size=train.batch_size))
    said.append(say("view.choice-loss", loss=recipe.loss.name))
    said += _unusual(recipe)
    if train.scores_best:
        said.append(say("view.choice-best"))
    if train.limit_predictions:
        said.append(say("view.choice-limited"))
    return say("view.between-choices").join(said)


def _unusual(recipe: Recipe) -> list[str]:
    """`section.key=value` of what else differs from the usual, as a user would type it."""
    usual, tree = Recipe().as_dict(), recipe.as_dict()
    keys = [f"{section}.{key}" for section in _SECTIONS for key in tree[section]]
    keys += [f"data.{key}" for key in _OF_DATA if key in tree["data"]]
    values = {key: _at(tree, key) for key in keys if key not in (*_IN_WORDS, *_NOT_SAID)}
    return [f"{key}={_typed(value)}" for key, value in values.items() if value != _at(usual, key)]


def _at(tree: dict[str, dict[str, Any]], key: str) -> Any:
    section, _, name = key.partition(".")
    return tree[section].get(name)


def _typed(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
