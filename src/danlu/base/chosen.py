"""What danlu chose for want of a word of the user's: noted in the recipe's file, given up where its reason is gone."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

from danlu.base.recipe import Recipe
from danlu.base.strict_json import to_json

_NOTE = "# chosen by danlu: "
# What each choice was made for: a key, or a whole section.
_REASONS = (
    ("optim.name", ("net.name",)),
    ("optim.", ("optim.name",)),
    ("data.name", ("net.name",)),
    ("data.task", ("net.name",)),
    ("data.normalise", ("net.name", "net.weights")),
    ("train.batch_size", ("optim.name", "net.name", "data.")),
    ("train.epochs", ("net.name", "data.")),
    ("train.patience", ("net.name", "data.", "train.epochs", "train.weights")),
    ("train.ema", ("net.name", "data.", "train.epochs", "train.patience", "train.weights")),
    ("train.limit_predictions", ("net.name", "data.")),
    ("train.weights", ("data.", "train.patience")),
    ("loss.name", ("net.name", "data.")),
    ("loss.", ("loss.name",)),
    ("net.sha256", ("net.name",)),
    ("net.", ("net.name", "data.")),
)
_NO_REASON = ("data.root", "data.workers", "data.shuffle", "data.balance")


def lapsed(key: str, before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether what the value of `key` was chosen for is another by now, among values by dotted key.

    >>> lapsed("optim.momentum", {"optim.name": "sgd"}, {"optim.name": "adam"})
    True
    """
    reasons = next((reasons for start, reasons in _REASONS if key.startswith(start)), ())
    concerned = [other for other in before.keys() | now.keys() if other.startswith(reasons) and other != key]
    return any(before.get(other) != now.get(other) for other in concerned if other not in _NO_REASON)


def defaults_before(values: Mapping[str, Any], varied: Collection[str] = ()) -> dict[str, Any]:
    """What danlu 0.1 took for keys that a recipe of its own leaves out, `varied` being those that a study varies.

    There the rate and the momentum of SGD hung together: who named one of them got torch's default for the other.

    >>> defaults_before({"optim.name": "sgd", "optim.lr": 0.05})
    {'optim.momentum': 0.0}
    """
    torchs = {"optim.lr": 0.001, "optim.momentum": 0.0}
    named = {*values, *varied} & torchs.keys()
    if values.get("optim.name", "sgd") not in ("sgd", "auto") or len(named) != 1:
        return {}
    return {key: value for key, value in torchs.items() if key not in named}


def note_chosen(recipe: Recipe) -> str:
    """The comment that a recipe's file begins with, from which `read_chosen` reads the keys and values danlu chose."""
    if not recipe.chosen:
        return ""
    tree = recipe.as_dict()
    values = {f"{section}.{key}": value for section, keys in tree.items() for key, value in keys.items()}
    return f"{_NOTE}{to_json({key: value for key, value in values.items() if key in recipe.chosen})}\n"


def is_written_by_danlu(path: Path, text: str) -> bool:
    """Whether a recipe's file is that of a run or a study, every choice made, rather than one that a person wrote."""
    return text.startswith(_NOTE) or (path.parent / "environment.json").is_file()


def read_chosen(text: str) -> dict[str, Any]:
    """Keys with the values that danlu chose for them; a value that the user has changed since is theirs.

    >>> read_chosen('# chosen by danlu: {"optim.lr": 0.01}')
    {'optim.lr': 0.01}
    """
    line = next((line for line in text.splitlines() if line.startswith(_NOTE)), f"{_NOTE}{{}}")
    try:
        values = json.loads(line.removeprefix(_NOTE))
    except ValueError:
        return {}
    return cast(dict[str, Any], values) if isinstance(values, dict) else {}
