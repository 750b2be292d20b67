"""What can be chosen in the playground, and the settings of a recipe that it stands for."""

from collections.abc import Mapping
from typing import Any

from danlu.data.catalogue import shapes

Chosen = dict[str, Any]
"""What is chosen, by the names in `CHOICES`; of data that are drawn also "shape" and "noise"."""

SEEDS = tuple(range(32))
VARIED = {
    "activation": "net.activation", "lr": "optim.lr", "weight_decay": "optim.weight_decay", "dropout": "net.dropout",
    "batch_size": "train.batch_size",
}  # fmt: skip
"""What can be chosen that is a setting of a recipe by itself."""

CHOICES: dict[str, tuple[Any, ...]] = {
    "depth": tuple(range(5)),
    "width": tuple(range(1, 33)),
    "activation": ("relu", "tanh", "sigmoid", "gelu", "leaky-relu", "none"),
    "lr": (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
    "weight_decay": (0.0, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1),
    "dropout": (0.0, 0.1, 0.2, 0.3, 0.4, 0.5),
    "batch_size": (1, 2, 4, 8, 16, 32, 64, 128),
}
_USUAL: Chosen = {
    "depth": 1, "width": 4, "activation": "tanh", "lr": 0.03, "weight_decay": 0.0, "dropout": 0.0, "batch_size": 16,
}  # fmt: skip
_DRAWN: Chosen = {"noise": 0.2}  # enough for seeds to disagree
_NOISE = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)


def choices(shape: str | None, samples: int) -> dict[str, tuple[Any, ...]]:
    """All that can be chosen, where so many `samples` are trained on; `shape` is that of data that are drawn.

    >>> choices(None, 20)["batch_size"]
    (1, 2, 4, 8, 16)
    """
    sizes = tuple(size for size in CHOICES["batch_size"] if size <= samples)
    drawn = {} if shape is None else {"shape": shapes(), "noise": _NOISE}
    return drawn | CHOICES | {"batch_size": sizes}


def usual(shape: str | None) -> Chosen:
    """What is chosen to begin with."""
    return ({} if shape is None else {"shape": shape} | _DRAWN) | _USUAL


def read_chosen(sent: Mapping[str, Any], offered: Mapping[str, tuple[Any, ...]]) -> Chosen:
    """What a page has sent, if it is one of what was offered for each name. ValueError for anything else.

    >>> read_chosen({"depth": 7}, {"depth": (1, 2)})
    Traceback (most recent call last):
    ValueError: depth is one of what was offered
    """
    if sent.keys() != offered.keys():
        raise ValueError("other names than were offered")
    chosen: Chosen = {}
    for name, values in offered.items():
        found = next((value for value in values if type(sent[name]) in (int, float, str) and value == sent[name]), None)
        if found is None:
            raise ValueError(f"{name} is one of what was offered")
        chosen[name] = found
    return chosen


def settings_of(chosen: Chosen, epochs: int) -> dict[str, Any]:
    """The settings of a recipe, by their full names; those of the data are not among them."""
    return {
        "net.hidden": [chosen["width"]] * chosen["depth"],
        **{key: chosen[name] for name, key in VARIED.items() if chosen[name]},
        "optim.name": "adam",
        "train.epochs": epochs,
        "train.weights": "last",
    }
