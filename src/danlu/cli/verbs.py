"""The verbs: from parsed words to the call of the same name, and to what it shows."""

import argparse
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from danlu.base.errors import fail
from danlu.base.places import runs_folder
from danlu.base.words import say
from danlu.data import catalogue_facts
from danlu.lab.draft import draft_recipe
from danlu.lab.fit import fit, resume
from danlu.lab.run import Run
from danlu.lab.setup import load_data
from danlu.nets import describe, example, option_names
from danlu.nets import names as net_names
from danlu.view.tables import print_data_list, print_facts, print_net, print_net_list, print_summary


@dataclass(frozen=True)
class Outcome:
    """What a verb has to tell: one object for --json, and how to show it to a person."""

    record: Any
    show: Callable[[Console], None]

    @classmethod
    def of_run(cls, run: Run) -> "Outcome":
        record = run.as_dict()
        return cls(record, lambda console: print_summary(console, record))

    @classmethod
    def interrupted(cls, folder: str) -> "Outcome":
        record = Run(folder).as_dict()
        return cls(record, lambda console: console.print(say("cli.interrupted", run=folder), soft_wrap=True))


def do_fit(arguments: argparse.Namespace) -> Outcome:
    files, settings = _split_words(arguments)
    if len(files) > 1:
        fail("cli.one-recipe", found=", ".join(files))
    recipe = draft_recipe(arguments.net, arguments.data, files[0] if files else None, words=settings)
    run = fit(recipe=recipe, folder=arguments.folder, name=arguments.name, progress=not arguments.json)
    record = run.as_dict()

    def show(console: Console) -> None:
        print_summary(console, record)
        console.print(say("view.next", run=record["run"]), markup=False, soft_wrap=True)

    return Outcome(record, show)


def do_resume(arguments: argparse.Namespace) -> Outcome:
    folder = _one_run(arguments, "resume")
    before = Run(folder)
    if before.finished and not arguments.json:
        return Outcome(before.as_dict(), lambda console: console.print(say("cli.already-finished", run=folder)))
    return Outcome.of_run(resume(folder, progress=not arguments.json))


def do_show(arguments: argparse.Namespace) -> Outcome:
    if arguments.words:
        return Outcome.of_run(Run(_one_run(arguments, "show")))
    journals = sorted(runs_folder().glob("*/journal.jsonl"), key=lambda path: path.stat().st_mtime)
    if not journals:
        fail("cli.no-runs", folder=runs_folder().absolute())
    return Outcome.of_run(Run(journals[-1].parent))


def do_data(arguments: argparse.Namespace) -> Outcome:
    asked, settings = _split_words(arguments)
    recipe = draft_recipe(data=asked[0] if asked else None, words=settings).data
    if asked:
        facts = load_data(recipe).facts()
        return Outcome(facts, lambda console: print_facts(console, facts))
    rows = catalogue_facts(recipe.root)
    return Outcome({"data": rows}, lambda console: print_data_list(console, rows))


def do_nets(arguments: argparse.Namespace) -> Outcome:
    asked, _ = _split_words(arguments)
    if asked:
        net, sample_shape = example(asked[0])
        described = describe(net, sample_shape)
        record = {"name": asked[0], "options": option_names(asked[0]), "sample_shape": sample_shape, **asdict(described)}
        return Outcome(record, lambda console: print_net(console, record))
    rows: list[dict[str, Any]] = []
    for name in net_names():
        described = describe(*example(name))
        rows.append({"name": name, "parameters": described.parameters, "multiply_adds": described.multiply_adds})
    return Outcome({"nets": rows}, lambda console: print_net_list(console, rows))


DOERS: dict[str, Callable[[argparse.Namespace], Outcome]] = {
    "fit": do_fit,
    "resume": do_resume,
    "show": do_show,
    "data": do_data,
    "nets": do_nets,
}


def _split_words(arguments: argparse.Namespace) -> tuple[list[str], list[str]]:
    """Names and files, and section.key=value settings."""
    words: list[str] = arguments.words
    return [word for word in words if "=" not in word], [word for word in words if "=" in word]


def _one_run(arguments: argparse.Namespace, verb: str) -> str:
    if not arguments.words:
        fail("cli.which-run", verb=verb)
    if len(arguments.words) > 1:
        fail("cli.too-many-words", verb=verb, found=" ".join(arguments.words[1:]))
    return arguments.words[0]
