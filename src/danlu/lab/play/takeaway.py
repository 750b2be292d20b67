"""A recipe to take away: as a file, as a command and as Python, each of which trains the same."""

import shlex
from typing import Any

from danlu.base.recipe import Recipe
from danlu.base.short_recipe import stated, stated_toml, stated_words, typed
from danlu.lab.play.settings import SEEDS, VARIED, Chosen


def takeaway(recipe: Recipe) -> dict[str, str]:
    """The recipe as "toml", as "command" and as "python"."""
    sections = "".join(f"    {section!r}: {_literal(keys)},\n" for section, keys in stated(recipe).items())
    return {
        "toml": stated_toml(recipe),
        "command": shlex.join(["danlu", "fit", *stated_words(recipe)]),
        "python": f"import danlu\n\nrun = danlu.fit(recipe={{\n{sections}}})\nprint(run.score)\n",
    }


def comparison(recipe: Recipe, before: Chosen, after: Chosen, more: int) -> str | None:
    """The command that compares what was chosen before and after a move with so many `more` seeds; None where they
    differ in more than one setting, or in the layers of the net."""
    changed = [name for name in after if before.get(name) != after[name]]
    key = VARIED.get(changed[0]) if len(changed) == 1 else None
    if key is None:
        return None
    words = [word for word in stated_words(recipe) if not word.startswith(f"{key}=")]
    levels = ",".join(typed(chosen[changed[0]]) for chosen in (before, after))
    return shlex.join(["danlu", "compare", *words, "--vary", f"{key}={levels}", "--seeds", str(len(SEEDS) + more)])


def _literal(keys: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{key!r}: {value!r}" for key, value in keys.items()) + "}"
