"""A recipe to take away: as a file, as a command and as Python, each of which trains the same."""

import shlex
from typing import Any

from danlu.base.recipe import Recipe
from danlu.base.recipe_text import is_word, stated_toml
from danlu.base.strict_json import to_json


def takeaway(recipe: Recipe) -> dict[str, str]:
    """The recipe as "toml", as "command" and as "python"."""
    stated = recipe.stated()
    words = [f"{section}.{key}={_typed(value)}" for section, keys in stated.items() for key, value in keys.items()]
    sections = "".join(f"    {section!r}: {_literal(keys)},\n" for section, keys in stated.items())
    return {
        "toml": stated_toml(recipe),
        "command": " ".join(["danlu fit", *map(shlex.quote, words)]),
        "python": f"import danlu\n\nrun = danlu.fit(recipe={{\n{sections}}})\nprint(run.score)\n",
    }


def _typed(value: Any) -> str:
    """A value as a word of the command line has it."""
    return value if isinstance(value, str) and is_word(value) else to_json(value)


def _literal(keys: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{key!r}: {value!r}" for key, value in keys.items()) + "}"
