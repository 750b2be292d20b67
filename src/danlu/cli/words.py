"""Words of a command line that are no option: runs, settings; and a column that is asked for."""

import argparse
import sys
from pathlib import Path

from danlu.base.errors import Fault, UserError, fail
from danlu.base.files import absolute
from danlu.base.input_files import path_kind
from danlu.base.places import runs_folder
from danlu.base.words import say
from danlu.store.run_folder import RunFolder
from danlu.store.turns import turn


def split_words(arguments: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Names and files, and section.key=value settings."""
    words: list[str] = arguments.words
    return [word for word in words if "=" not in word], [word for word in words if "=" in word]


def one_run(arguments: argparse.Namespace, verb: str) -> str:
    """The folder that a verb which takes one run was given."""
    words, settings = split_words(arguments)
    if not words:
        fail("cli.which-run", verb=verb)
    check_one(verb, words)
    if settings:
        fail("cli.no-settings-here", found=" ".join(settings), run=words[0])
    return run_called(words[0])


def last_run() -> Path:
    """The folder of the run in `runs/` that was begun or gone on with last. UserError where there is none."""
    # A folder without a recipe is no run: a kill while it was made left it.
    recipes = [recipe for recipe in runs_folder().glob("*/recipe.toml") if RunFolder(recipe.parent).journal.is_file()]
    if not recipes:
        fail("cli.no-runs", folder=absolute(runs_folder()))
    return max(recipes, key=lambda recipe: (turn(recipe), recipe.parent.name)).parent


def run_called(word: str) -> str:
    """The word for a run's folder. UserError with a hint where only runs/ has one of that name."""
    inside = runs_folder() / word
    if path_kind(word) == "missing" and path_kind(inside) == "folder":
        fail("store.no-such-run", path=word, hint=Fault("base.did-you-mean", {"word": inside}))
    return word


def tracked_by(arguments: argparse.Namespace) -> list[str]:
    """The setting that --track stands for, as a word; none where it is not given."""
    named = getattr(arguments, "track", None)
    return [] if named is None else [f"track.to={named}"]


def check_one(verb: str, words: list[str]) -> None:
    """UserError for more words than one."""
    if len(words) > 1:
        fail("cli.too-many-words", verb=verb, found=" ".join(words[1:]))


def target_asked(error: UserError, as_json: bool) -> str | None:
    """The column to predict, asked for where that alone is missing and a person sits at the terminal; else None."""
    values, stdin = error.faults[0].values, sys.stdin
    alone = [fault.id for fault in error.faults] == ["data.target-needed"]
    if not alone or as_json or stdin is None or not (stdin.isatty() and sys.stderr.isatty()):
        return None
    print(say("cli.which-target", columns=values["columns"], likely=values["likely"]), end=" ", file=sys.stderr)
    sys.stderr.flush()
    answer = stdin.readline()
    return (answer.strip() or str(values["likely"])) if answer else None
