"""`danlu fit`: a new training, one that begins with the weights of a run, or more epochs of a run that has ended."""

import argparse
from pathlib import Path

from rich.console import Console

from danlu.base.errors import Faults, fail
from danlu.base.input_files import path_kind
from danlu.base.places import shown
from danlu.base.words import say
from danlu.cli.asked import asked_for
from danlu.cli.outcome import Outcome, print_text
from danlu.cli.results import code_of
from danlu.cli.words import check_one, run_called, split_words, tracked_by
from danlu.run.fine_tuning import net_of
from danlu.run.fit import fit
from danlu.run.going_on import go_on, more_epochs
from danlu.run.run import Run
from danlu.study.factors import flat
from danlu.view.tables import print_summary
from danlu.watch.remedies import next_rate


def do_fit(arguments: argparse.Namespace) -> Outcome:
    """Train by the recipe that file, options and settings make; or the run named for more epochs."""
    run = _fitted(arguments) if arguments.epochs is None else _gone_on(arguments)
    record = run.as_dict()

    def show(console: Console) -> None:
        print_summary(console, record)
        if not run.diverged:
            other = next_rate(flat(run.recipe), run.findings)
            print_text(console, say("view.next", run=shown(record["run"]), lr=f"{other:g}"))

    return Outcome(record, show, code=code_of(run))


def _fitted(arguments: argparse.Namespace) -> Run:
    if arguments.schedule is not None:
        fail("cli.only-further", found=arguments.schedule)
    asked, source = asked_for(arguments), getattr(arguments, "from")
    net = None
    if source is not None:
        faults = Faults()
        if asked.net is not None:
            faults.add("cli.net-and-from", net=asked.net, run=source)
        if asked.data is None and asked.recipe is None and not any(word.startswith("data.") for word in asked.settings):
            faults.add("cli.from-without-data", run=source)
        faults.raise_if_any()
        net = net_of(run_called(source))
    return fit(
        recipe=asked.drafted(net),
        folder=arguments.folder,
        name=arguments.name,
        notify=arguments.notify,
        progress=not arguments.json,
    )


def _gone_on(arguments: argparse.Namespace) -> Run:
    """A run that has ended, trained for more epochs."""
    words, settings = split_words(arguments)
    is_run = any(path_kind(Path(word).expanduser() / "recipe.toml") == "file" for word in words)
    is_data = bool(words) and path_kind(Path(words[0]).expanduser()) == "file"
    if not is_run and (is_data or not arguments.epochs.strip().startswith("+")):
        number, data = arguments.epochs.strip().lstrip("+"), words[0] if words else "…"
        fail("cli.epochs-of-new", found=arguments.epochs, data=data, number=number)
    if not words:
        fail("cli.which-run-further", epochs=arguments.epochs)
    check_one("fit", words)
    more_epochs(arguments.epochs)
    given = [f"--{name}" for name in ("net", "target", "from") if getattr(arguments, name) is not None]
    if given:
        fail("cli.not-further", options=", ".join(given))
    path, _ = go_on(
        Run(run_called(words[0])),
        arguments.epochs,
        data=arguments.data,
        schedule=arguments.schedule,
        folder=arguments.folder,
        name=arguments.name,
        notify=arguments.notify,
        progress=not arguments.json,
        words=settings + tracked_by(arguments),
    )
    return Run(path)
