"""What befits the data where a recipe leaves it open: how long, in what batches, and which weights are scored.

The numbers come from a study over small and middle-sized data, `make defaults`. None of them depends on another setting
that a user may name: whoever changes the batch size or the rate trains for as many epochs as before.
"""

from dataclasses import replace
from typing import Literal

from danlu.base.recipe import Recipe, TrainRecipe
from danlu.base.recipe_values import MOST_EPOCHS
from danlu.data import Dataset
from danlu.data.series.dataset import SeriesDataset
from danlu.nets import BY_THE_DATA, UsualTraining
from danlu.train.schedules import LENGTHWISE

# A small net on some hundred samples needs thousands of steps, and 20 epochs of so few samples are a hundred or two.
_SAMPLES_SEEN = 64_000
# Those that end once nothing improves any more may go on for longer.
_SEEN_WITH_PATIENCE = 14 * _SAMPLES_SEEN
_FEWEST_EPOCHS, _MOST_EPOCHS = 20, 200
# Below so many validation samples the best epoch is a matter of luck.
_ENOUGH_TO_CHOOSE_BY = 30
# Fewer rows than the smallest table that nets were compared on.
_FEW_ROWS = 100
# Straight lines are drawn to be prolonged, and a mixture answers with densities. A net of the user's is the user's.
_UNLIMITED = ("linear-regression", "mixture-density")


def usual_train(
    train: TrainRecipe,
    optimiser: str,
    train_samples: int,
    validation_samples: int,
    of_net: UsualTraining = BY_THE_DATA,
) -> TrainRecipe:
    """The section with epochs, batch size and the choice of weights filled in where it leaves them open; and with the
    patience and the average of weights that are usual for the net, where it leaves open how long to train and what to
    score.

    >>> train = usual_train(TrainRecipe(), "sgd", 640, 91)
    >>> train.epochs, train.batch_size, train.weights
    (100, 16, 'best')
    """
    weights = train.weights or _weights(train.patience, validation_samples)
    left_open = (train.epochs, train.patience, train.weights) == (None, None, None)
    waits = left_open and weights == "best" and of_net.patience is not None
    seen = _SEEN_WITH_PATIENCE if waits else _SAMPLES_SEEN
    return replace(
        train,
        epochs=train.epochs or usual_epochs(train_samples, seen),
        batch_size=train.batch_size or _batch_size(optimiser, train_samples, train.accumulate, of_net.batch_size),
        patience=of_net.patience if waits else train.patience,
        ema=of_net.ema if waits and train.ema is None else train.ema,
        weights=weights,
    )


def until_patience_is_spent(recipe: Recipe) -> Recipe:
    """The recipe of a training that has a patience and no number of epochs: it goes on while it improves.

    Not where the schedule depends on the length, which is then the usual one.

    >>> until_patience_is_spent(Recipe(train=TrainRecipe(patience=3))).train.open_ended
    True
    """
    train = recipe.train
    if train.patience is None or train.epochs is not None or recipe.schedule.name in LENGTHWISE:
        return recipe
    return replace(recipe, train=replace(train, epochs=MOST_EPOCHS), chosen=recipe.chosen | {"train.epochs"})


def of_usual_length(recipe: Recipe) -> TrainRecipe:
    """The section of a training that is one of many, which must have an end: open-ended ones get the usual one."""
    leaves = recipe.train.open_ended and "train.epochs" in recipe.chosen
    return replace(recipe.train, epochs=None) if leaves else recipe.train


def limits_predictions(recipe: Recipe, data: Dataset) -> bool:
    """Whether a regression's answers stay within the range of the training targets, where the recipe leaves that open.

    Those of danlu's regression nets with hidden layers do: far from all training samples they grow without bound, and
    one such sample undoes a whole test part's R². Not where the parts follow each other in time, and may go on rising.

    >>> from danlu.base.recipe import NetRecipe
    >>> from danlu.data import load
    >>> limits_predictions(Recipe(net=NetRecipe(name="mlp")), load("diabetes"))
    True
    """
    if recipe.train.limit_predictions is not None:
        return recipe.train.limit_predictions
    in_time = isinstance(data, SeriesDataset) or recipe.data.time is not None
    in_time = in_time or (data.making is not None and data.making.options.time is not None)
    return not recipe.net.is_own and recipe.net.name not in _UNLIMITED and not in_time


def tabm_is_worth_a_try(recipe: Recipe, data: Dataset) -> bool:
    """Whether danlu chose the perceptron for a table's features, where `tabm` scores higher as a rule and takes longer.

    >>> from danlu.base.recipe import NetRecipe
    >>> from danlu.data import load
    >>> chosen = Recipe(net=NetRecipe(name="mlp"), chosen=frozenset({"net.name"}))
    >>> tabm_is_worth_a_try(chosen, load("diabetes")), tabm_is_worth_a_try(Recipe(net=chosen.net), load("diabetes"))
    (True, False)
    """
    features = len(data.sample_shape) == 1 and data.task in ("classification", "regression")
    return features and recipe.net.name == "mlp" and "net.name" in recipe.chosen and data.sizes["train"] >= _FEW_ROWS


def as_it_began(recipe: Recipe) -> Recipe:
    """The recipe of a run that is gone on with. danlu 0.1, which left open what it scored, scored the last weights, and
    what they predicted as it was; and it normalised by the training part whatever weights it began with.

    >>> as_it_began(Recipe()).train.weights
    'last'
    """
    train = replace(recipe.train, limit_predictions=recipe.train.limit_predictions or False)
    if train.weights is None and train.patience is None:
        train = replace(train, weights="last")
    data = recipe.data
    if recipe.net.weights is not None and data.normalise is None:
        data = replace(data, normalise="data")
    return replace(recipe, data=data, train=train)


def usual_epochs(samples: int, seen: int = _SAMPLES_SEEN) -> int:
    """As many epochs as show 64,000 samples to the net, or so many; never fewer than 20, nor more than 200.

    >>> [usual_epochs(samples) for samples in (100, 1_000, 60_000)]
    [200, 64, 20]
    """
    return min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, round(seen / max(1, samples))))


def _batch_size(optimiser: str, samples: int, accumulate: int, of_net: int | None) -> int:
    """The net's own; else 32, or 16 where data are few, for more steps. For L-BFGS, which wants the true loss, all of
    them make a step.
    """
    if optimiser == "lbfgs":
        return -(-samples // accumulate)
    return min(samples, of_net or (16 if samples < 2_000 else 32))


def _weights(patience: int | None, validation_samples: int) -> Literal["last", "best"] | None:
    """None leaves it to early stopping, which takes the best."""
    if patience is not None:
        return None
    return "best" if validation_samples >= _ENOUGH_TO_CHOOSE_BY else "last"
