"""Keywords in Python: which setting each of them means, whatever library people know it from."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from danlu.base.errors import Fault, Faults, nearest
from danlu.base.recipe import SECTIONS
from danlu.base.setting_keys import known_keys

# What other libraries call it, and means the same.
SYNONYMS = {
    "learning_rate": "optim.lr",
    "learning_rate_init": "optim.lr",
    "optimizer": "optim.name",
    "optimiser": "optim.name",
    "solver": "optim.name",
    "wd": "optim.weight_decay",
    "l2": "optim.weight_decay",
    "criterion": "loss.name",
    "loss_fn": "loss.name",
    "loss_function": "loss.name",
    "class_weight": "loss.class_weights",
    "sample_weight": "data.weight",
    "sample_weights": "data.weight",
    "model": "net.name",
    "dataset": "data.name",
    "scheduler": "schedule.name",
    "lr_scheduler": "schedule.name",
    "lr_schedule": "schedule.name",
    "warmup_steps": "schedule.warmup",
    "batch": "train.batch_size",
    "bs": "train.batch_size",
    "num_epochs": "train.epochs",
    "n_epochs": "train.epochs",
    "max_epochs": "train.epochs",
    "early_stopping": "train.patience",
    "random_state": "train.seed",
    "random_seed": "train.seed",
    "max_norm": "train.clip_norm",
    "grad_clip": "train.clip_norm",
    "gradient_clip_val": "train.clip_norm",
    "accumulate_grad_batches": "train.accumulate",
    "val_split": "data.validation",
    "validation_split": "data.validation",
    "validation_fraction": "data.validation",
    "test_size": "data.test",
    "test_split": "data.test",
    "num_workers": "data.workers",
    "standardize": "data.standardise",
    "normalize": "data.standardise",
}

# What is no setting at all: a sentence says what there is instead.
_INSTEAD = {
    **dict.fromkeys(("callbacks", "callback", "listeners", "listener"), "listeners"),
    **dict.fromkeys(("metrics", "metric"), "metrics"),
    **dict.fromkeys(("transform", "transforms", "augmentation"), "transform"),
    **dict.fromkeys(("verbose", "quiet", "progress_bar"), "verbose"),
    **dict.fromkeys(("validation_data", "val_data", "val_loader", "valid"), "validation-data"),
    **dict.fromkeys(("x", "y", "X"), "arrays"),
}

# A bare key that several sections have belongs to the one people mean.
_MEANT = {"seed": "train.seed", "patience": "train.patience", "weights": "train.weights"}
_WHICH_WEIGHTS = ("last", "best", None)
_PLAIN = (bool, int, float, str, Path, type(None))
_NAMED = ("optim", "loss", "schedule")


def home_of(name: str, value: Any = None, options: Collection[str] = ()) -> list[str]:
    """The dotted settings that the keyword `name` can mean; `options` are the net's.

    >>> home_of("lr"), home_of("optimizer"), home_of("weights", "digits.pth"), home_of("name")[:2]
    (['optim.lr'], ['optim.name'], ['net.weights'], ['data.name', 'net.name'])
    """
    if "." in name:
        return [name]
    if name == "weights" and value not in _WHICH_WEIGHTS:
        return ["net.weights"]
    if name in _MEANT:
        return [_MEANT[name]]
    homes = [f"{section}.{name}" for section, known in known_keys().items() if name in known]
    if not homes and name in options:
        return [f"net.{name}"]
    section, _, key = name.partition("_")
    if not homes and key in known_keys().get(section, ()):
        return [f"{section}.{key}"]
    return homes or ([SYNONYMS[name]] if name in SYNONYMS else [f"{name}.name"] if name in _NAMED else [])


def settings_of(keywords: Mapping[str, Any], options: Collection[str], faults: Faults) -> Iterator[tuple[str, Any]]:
    """The settings by dotted key that `keywords` mean, mappings of sections taken apart; `faults` get the rest."""
    seen: dict[str, str] = {}
    for name, value in keywords.items():
        for key, one in _of_one(name, value, options, faults):
            if seen.setdefault(key, name) != name:
                faults.add("recipe.given-twice", key=key, first=seen[key], second=name)
            yield key, one


def _of_one(name: str, value: Any, options: Collection[str], faults: Faults) -> Iterator[tuple[str, Any]]:
    homes = home_of(name, value, options)
    section = homes[0].partition(".")[0] if len(homes) == 1 and homes[0].endswith(".name") else name
    if isinstance(value, Mapping) and section in SECTIONS and "." not in name:
        for key, one in cast(Mapping[Any, Any], value).items():
            yield from _checked(_within(section, str(key)), one, faults)
    elif name in _INSTEAD and not homes:
        faults.add(f"recipe.instead-{_INSTEAD[name]}", key=name)
    elif name == "watch":
        yield "watch.on", value
    elif name == "track":
        yield "track.to", value
    elif name in SECTIONS and not homes:
        faults.add("recipe.section-as-keyword", section=name, key=known_keys()[name][0])
    elif len(homes) > 1:
        faults.add("recipe.ambiguous-key", key=name, homes=", ".join(homes))
    elif not homes:
        every = {key for known in known_keys().values() for key in known} | set(options) | set(SYNONYMS)
        hint = nearest(name, every)
        if isinstance(hint, Fault):
            word = str(hint.values["word"])
            hint = Fault(hint.id, {"word": SYNONYMS.get(word, word)})
        faults.add("recipe.unknown-keyword", key=name, hint=hint)
    elif homes[0] == "train.patience" and isinstance(value, bool):
        faults.add("recipe.patience-is-a-number", key=name, value=value)
    else:
        yield from _checked(homes[0], value, faults, name)


def _within(section: str, key: str) -> str:
    """The dotted setting that `key` means inside its section, where other libraries' words are understood too."""
    meant = SYNONYMS.get(key, "")
    return meant if meant.partition(".")[0] == section and key not in known_keys()[section] else f"{section}.{key}"


def _checked(key: str, value: Any, faults: Faults, name: str = "") -> Iterator[tuple[str, Any]]:
    """The setting with its value as plain data; a fault for an object, which no recipe can hold."""
    plain = as_plain(value)
    if isinstance(plain, _PLAIN) or _holds_plain(plain):
        yield key, plain
        return
    section = key.partition(".")[0]
    id = f"recipe.object-for-{section}" if section in (*_NAMED, "net", "data") else "recipe.object-for-setting"
    kind = value.__name__ if isinstance(value, type) else type(cast(object, value)).__name__
    faults.add(id, key=name or key, found=kind)


def as_plain(value: Any) -> Any:
    """NumPy's and torch's numbers as Python's, a device by its name.

    >>> import numpy
    >>> as_plain(numpy.float32(0.5))
    0.5
    """
    if type(value).__name__ == "device":
        return str(value)
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item"):
        return value.item()
    return value


def _holds_plain(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(isinstance(one, _PLAIN) or _holds_plain(one) for one in cast(Mapping[Any, Any], value).values())
    return isinstance(value, list | tuple) and all(
        isinstance(one, _PLAIN) or _holds_plain(one) for one in map(as_plain, cast(list[Any], value))
    )
