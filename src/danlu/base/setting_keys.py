"""The keys of a recipe's sections, their types, and what is said of a value that does not fit."""

from dataclasses import fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from danlu.base.recipe import SECTIONS, Recipe

_OPEN = ("options", "thresholds")  # hold what stands in a section beside its known keys


def known_keys() -> dict[str, list[str]]:
    """The keys of each section of a recipe.

    >>> known_keys()["loss"]
    ['name', 'reduction', 'label_smoothing', 'delta', 'gamma', 'pos_weight', 'class_weights']
    """
    default = Recipe()
    return {
        section: [key.name for key in fields(getattr(default, section)) if key.name not in _OPEN]
        for section in SECTIONS
    }


def kind_of(section: str, key: str) -> Any:
    """The type of a setting, None where there is no such one.

    >>> kind_of("train", "seed")
    <class 'int'>
    """
    return get_type_hints(type(getattr(Recipe(), section, None))).get(key)


def takes_names(section: str, key: str) -> bool:
    """Whether a setting takes names, one or several.

    >>> takes_names("train", "freeze"), takes_names("train", "epochs")
    (True, False)
    """
    return tuple[str, ...] in (kind := kind_of(section, key), *get_args(kind))


def means_unset(section: str, key: str, value: object) -> bool:
    """Whether `value` is the word none for a setting that may be unset and has no such word of its own: TOML and the
    command line have no other way to say it.

    >>> means_unset("train", "clip_norm", "none"), means_unset("train", "seed", "none")
    (True, False)
    """
    kinds = get_args(kind_of(section, key))
    words = {word for kind in kinds if get_origin(kind) is Literal for word in get_args(kind)}
    return value == "none" and type(None) in kinds and str not in kinds and "none" not in words


def takes_text(section: str, key: str, value: object) -> bool:
    """Whether a setting takes text, and `value` for its text: the column "3" for 3, but several for a list of them.

    >>> takes_text("data", "group", ["a"]), takes_text("data", "target", ["a"]), takes_text("data", "target", 3)
    (True, False, True)
    """
    kinds = get_args(kind_of(section, key))
    if tuple[str, ...] in kinds:
        return str in kinds and not isinstance(value, list)
    return set(kinds) == {str, type(None)}
