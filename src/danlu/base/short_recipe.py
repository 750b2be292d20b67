"""A recipe as short as a person would write it: only what is not as in `Recipe()`."""

import tomllib
from typing import Any

from danlu.base.recipe import Recipe
from danlu.base.strict_json import to_json


def stated(recipe: Recipe) -> dict[str, dict[str, Any]]:
    """Nested plain values as they stand in TOML.

    >>> stated(Recipe(data={"name": "iris"}))
    {'data': {'name': 'iris'}}
    """
    usual = Recipe().as_dict()
    found = {
        section: {key: value for key, value in keys.items() if usual.get(section, {}).get(key) != value}
        for section, keys in recipe.as_dict().items()
    }
    return {section: keys for section, keys in found.items() if keys}


def stated_toml(recipe: Recipe) -> str:
    """The same as the text of a recipe's file."""
    import tomli_w

    return tomli_w.dumps(stated(recipe))


def stated_words(recipe: Recipe) -> list[str]:
    """The same as words of a command line, unquoted.

    >>> stated_words(Recipe(data={"name": "iris", "target": "12"}))
    ['data.name=iris', 'data.target="12"']
    """
    return [
        f"{section}.{key}={typed(value)}" for section, keys in stated(recipe).items() for key, value in keys.items()
    ]


def typed(value: Any) -> str:
    """A value as it is typed: a text without quotes, but where it would be taken for a number or the like."""
    return value if isinstance(value, str) and _is_plain(value) else to_json(value)


def _is_plain(text: str) -> bool:
    try:
        tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return True
    return False
