"""`danlu predict` and `danlu check` take a run or a recipe, or an exported network: only what is named is imported."""

import argparse
from pathlib import Path

from danlu.base.input_files import path_kind
from danlu.cli import verbs
from danlu.cli.exported_words import is_exported
from danlu.cli.outcome import Outcome


def do_predict(arguments: argparse.Namespace) -> Outcome:
    """Answers for files, from a run's folder or an exported network."""
    return verbs.predict_exported(arguments) if _exported(arguments) else verbs.predict_run(arguments)


def do_check(arguments: argparse.Namespace) -> Outcome:
    """Look at a recipe before it is trained, or prove a run or an exported network by its golden samples."""
    if _exported(arguments):
        return verbs.check_exported(arguments)
    return verbs.check_run(arguments) if _is_run(arguments) else verbs.check_recipe(arguments)


def _exported(arguments: argparse.Namespace) -> bool:
    return bool(arguments.words) and is_exported(arguments.words[0])


def _is_run(arguments: argparse.Namespace) -> bool:
    """Whether the folder of a run is named, which has a recipe and a package."""
    folder = Path(arguments.words[0]).expanduser() if arguments.words else None
    return folder is not None and {path_kind(folder / name) for name in ("recipe.toml", "package.json")} == {"file"}
