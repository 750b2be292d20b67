"""The verbs: from parsed words to the call of the same name, and to what it shows."""

import argparse
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from danlu.base.errors import Faults, UserError, fail
from danlu.base.files import absolute
from danlu.base.places import runs_folder, shown
from danlu.base.setting_keys import known_keys
from danlu.base.words import say
from danlu.cli.draw_verb import drawn
from danlu.cli.predict_verb import MOST_ROWS_SHOWN, generated, predicted, told
from danlu.cli.rules_verb import listed
from danlu.cli.search_arguments import range_test_arguments, refuse_budget, search_arguments
from danlu.cli.study_arguments import levels_without_vary, read_jobs, study_arguments, study_numbers, whole_in
from danlu.cli.words import asked_for, check_one, one_run, split_words
from danlu.data import catalogue_facts
from danlu.lab.check.check import check
from danlu.lab.cure.cure import cure
from danlu.lab.cure.proof import Proof
from danlu.lab.draft import draft_recipe
from danlu.lab.fit import fit, resume
from danlu.lab.interrupt import Interrupted
from danlu.lab.run import Run
from danlu.lab.search.lr_find import lr_find
from danlu.lab.search.result import Search
from danlu.lab.search.search import go_on_searching, search, sought
from danlu.lab.setup import load_data
from danlu.lab.study.checks import check_jobs
from danlu.lab.study.compare import compare, go_on, planned
from danlu.lab.study.costs import with_costs
from danlu.lab.study.study import Study
from danlu.nets import describe, example, option_names, usual_data
from danlu.nets import names as net_names
from danlu.nets import size as net_size
from danlu.serve.run import HOST, open_dashboard
from danlu.ship import columns_of
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder
from danlu.store.turns import turn
from danlu.view.cure import cure_lines
from danlu.view.findings import print_findings
from danlu.view.search import print_search, print_search_plan
from danlu.view.study import print_plan, print_study
from danlu.view.tables import print_data_list, print_facts, print_net, print_net_list, print_summary, print_table

_ROOT = "data.root="
DIVERGED = 3
"""The exit code where a training, or every training of a study, diverged."""


@dataclass(frozen=True)
class Outcome:
    """What a verb has to tell: one object for --json, and how to show it to a person."""

    record: Any
    show: Callable[[Console], None]
    then: Callable[[], None] = lambda: None  # what goes on once that has been told
    code: int = 0

    @classmethod
    def of_run(cls, run: Run, *, trained: bool = False) -> "Outcome":
        """What is told of a run; where it was `trained` just now and diverged, the exit code says so."""
        record = run.as_dict()
        code = DIVERGED if trained and run.diverged else 0
        return cls(record, lambda console: print_summary(console, record), code=code)

    @classmethod
    def of_text(cls, key: str, text: str) -> "Outcome":
        return cls({key: text.rstrip()}, lambda console: _print(console, text.rstrip()))

    @classmethod
    def interrupted(cls, stopped: Interrupted) -> "Outcome":
        record: Any
        study = StudyFolder(Path(stopped.folder))
        if study.design.is_file():
            record = _of_search(Search(study.path)).record if study.is_search else _of_study(Study(study.path)).record
        else:
            record = Run(stopped.folder).as_dict()
        sentence = say("cli.interrupted" if stopped.saved else "cli.interrupted-at-once", run=shown(stopped.folder))
        return cls(record, lambda console: _print(console, sentence))


def do_fit(arguments: argparse.Namespace) -> Outcome:
    """Train by the recipe that file, options and settings make."""
    recipe = asked_for(arguments).drafted()
    run = fit(recipe=recipe, folder=arguments.folder, name=arguments.name, progress=not arguments.json)
    record = run.as_dict()

    def show(console: Console) -> None:
        print_summary(console, record)
        if not run.diverged:
            other = f"{2 * (run.recipe.optim.lr or 0.01):.1g}"
            _print(console, say("view.next", run=shown(record["run"]), lr=other))

    return Outcome(record, show, code=DIVERGED if run.diverged else 0)


def do_resume(arguments: argparse.Namespace) -> Outcome:
    """Go on with a run; a finished one is left as it is."""
    roots = [word for word in arguments.words if word.startswith(_ROOT)]
    arguments.words = [word for word in arguments.words if word not in roots]
    folder = one_run(arguments, "resume")
    if StudyFolder(Path(folder)).design.is_file():
        faults, progress = Faults(), not arguments.json
        jobs = read_jobs(arguments.jobs, faults)
        faults.raise_if_any()
        check_jobs(jobs)
        if StudyFolder(Path(folder)).is_search:
            return _of_search(go_on_searching(folder, data=arguments.data, jobs=jobs, progress=progress))
        return _of_study(go_on(folder, data=arguments.data, jobs=jobs, progress=progress), trained=True)
    before = Run(folder)
    if before.finished:
        told = say("cli.already-finished", run=folder)
        code = DIVERGED if before.diverged else 0  # as `fit` ended
        return Outcome(before.as_dict(), lambda console: _print(console, told), code=code)
    root = roots[-1].removeprefix(_ROOT) if roots else None
    return Outcome.of_run(resume(folder, data=arguments.data, root=root, progress=not arguments.json), trained=True)


def do_show(arguments: argparse.Namespace) -> Outcome:
    """The findings and the score of a run, or of the one that was begun or gone on with last."""
    if arguments.words and StudyFolder(Path(arguments.words[0])).design.is_file():
        folder = one_run(arguments, "show")
        return _of_search(Search(folder)) if StudyFolder(Path(folder)).is_search else _of_study(Study(folder))
    if arguments.words:
        return _shown_run(Run(one_run(arguments, "show")))
    # A folder without a recipe is no run: a kill while it was made left it.
    recipes = [recipe for recipe in runs_folder().glob("*/recipe.toml") if RunFolder(recipe.parent).journal.is_file()]
    if not recipes:
        fail("cli.no-runs", folder=absolute(runs_folder()))
    return _shown_run(Run(max(recipes, key=lambda recipe: (turn(recipe), recipe.parent.name)).parent))


def _shown_run(run: Run) -> Outcome:
    """A run as it is looked at later: what was told while it trained is told again."""
    record = run.as_dict()

    def show(console: Console) -> None:
        print_findings(console, run.findings, shown(run.folder))
        print_summary(console, record)

    return Outcome(record, show)


def do_predict(arguments: argparse.Namespace) -> Outcome:
    """Answers for files, from a run's folder alone; as CSV where nobody reads them at a terminal."""
    found = predicted(arguments)

    def show(console: Console) -> None:
        if console.is_terminal or found.file is not None:
            columns = columns_of(found.rows)
            cells = [[_cell(row.get(column, "")) for column in columns] for row in found.rows[:MOST_ROWS_SHOWN]]
            print_table(console, [f"view.answers-{column.partition('_')[0]}" for column in columns], cells)
            _print(console, "\n".join(map(str, told(found))))
        else:
            _print(console, found.csv().rstrip())

    return Outcome(found.as_dict(), show)


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def do_generate(arguments: argparse.Namespace) -> Outcome:
    """The text that a language model goes on with."""
    record = generated(arguments)
    return Outcome(record, lambda console: _print(console, record["text"]))


def do_view(arguments: argparse.Namespace) -> Outcome:
    """The dashboard, which answers until Ctrl-C."""
    check_one("view", arguments.words)
    port = None if arguments.port is None else whole_in(arguments.port)
    if arguments.port is not None and port is None:
        fail("cli.not-a-number", option="--port", found=arguments.port[:100])
    dashboard = open_dashboard(
        arguments.words[0] if arguments.words else None,
        host=HOST if arguments.host is None else arguments.host,
        port=port,
    )
    record = {"folder": str(dashboard.folder), "address": dashboard.address}
    browser = not (arguments.no_browser or arguments.json)
    return Outcome(record, lambda console: _print(console, dashboard.told), lambda: dashboard.serve(browser=browser))


def do_data(arguments: argparse.Namespace) -> Outcome:
    """The catalogue of data sets, or what is known of one."""
    asked, settings = split_words(arguments)
    check_one("data", asked)
    others = [word for word in settings if not word.startswith("data.") and word.partition(".")[0] in known_keys()]
    if others:
        fail("cli.only-data-settings", found=" ".join(others))
    recipe = draft_recipe(data=asked[0] if asked else None, words=settings).data
    if asked:
        facts = load_data(recipe).facts()
        return Outcome(facts, lambda console: print_facts(console, facts))
    rows = catalogue_facts(recipe.root)
    return Outcome({"data": rows}, lambda console: print_data_list(console, rows))


def do_nets(arguments: argparse.Namespace) -> Outcome:
    """The catalogue of nets, or one of them layer by layer."""
    asked: list[str] = arguments.words
    check_one("nets", asked)
    if asked:
        net, sample_shape = example(asked[0])
        described = describe(net, sample_shape)
        facts = {"name": asked[0], "options": option_names(asked[0]), "sample_shape": sample_shape}
        facts["data"] = usual_data(asked[0])
        record = {**facts, **asdict(described)}
        return Outcome(record, lambda console: print_net(console, record))
    rows: list[dict[str, Any]] = []
    for name in net_names():
        parameters, multiply_adds = net_size(name)
        rows.append({"name": name, "parameters": parameters, "multiply_adds": multiply_adds})
    return Outcome({"nets": rows}, lambda console: print_net_list(console, rows))


def do_rules(arguments: argparse.Namespace) -> Outcome:
    """The rules of watch, or one of them in full."""
    record, show = listed(arguments)
    return Outcome(record, show)


def do_compare(arguments: argparse.Namespace) -> Outcome:
    """Train all combinations of levels, and say what each factor does; with --plan only what would be trained."""
    if arguments.search:
        return _do_search(arguments)
    refuse_budget(arguments)
    asked = study_arguments(arguments)
    numbers = asked.numbers
    try:
        recipe = asked_for(arguments).drafted()
    except UserError as error:
        raise UserError(*error.faults, *levels_without_vary(split_words(arguments)[1])) from None
    if arguments.plan:
        plan, _, _ = planned(recipe=recipe, vary=asked.vary, seeds=numbers.seeds, folds=numbers.folds)
        facts = plan.facts() | {"groups": with_costs(plan, numbers.jobs)}
        return Outcome(facts, lambda console: print_plan(console, facts))
    study = compare(
        recipe=recipe,
        vary=asked.vary,
        seeds=numbers.seeds,
        folds=numbers.folds,
        metric=arguments.metric,
        margin=numbers.margin,
        baselines=asked.baselines,
        share_order=arguments.share_order,
        jobs=numbers.jobs,
        folder=arguments.folder,
        progress=not arguments.json,
    )
    return _of_study(study, trained=True)


def do_check(arguments: argparse.Namespace) -> Outcome:
    """Look at a recipe before it is trained; the exit code is 1 where it cannot learn."""
    recipe = asked_for(arguments).drafted()
    found = check(recipe=recipe)
    return Outcome(found.as_dict(), lambda console: _print(console, str(found)), code=0 if found.passed else 1)


def do_cure(arguments: argparse.Namespace) -> Outcome:
    """Try the remedies of a run's findings, and with --apply write the cured recipe."""
    folder = one_run(arguments, "cure")
    asked = study_numbers(arguments, seeds=5)
    proof = cure(
        folder,
        data=arguments.data,
        seeds=asked.seeds,
        folds=asked.folds,
        metric=arguments.metric,
        margin=asked.margin,
        folder=arguments.folder,
        jobs=asked.jobs,
        progress=not arguments.json,
    )
    written = proof.apply(arguments.to) if arguments.apply or arguments.to else None
    return _of_proof(proof, written)


def _of_proof(proof: Proof, written: Path | None = None) -> Outcome:
    record = {**proof.as_dict(), "applied": None if written is None else str(written)}
    return Outcome(record, lambda console: _print(console, "\n".join(cure_lines(record))))


def _do_search(arguments: argparse.Namespace) -> Outcome:
    """Look for the numbers that do best within ranges; with --plan only the first round."""
    asked = search_arguments(arguments)
    recipe = asked_for(arguments).drafted()
    if arguments.plan:
        quest, plan, _ = sought(recipe=recipe, metric=arguments.metric, **asked)
        facts = plan.facts() | {"groups": with_costs(plan, asked["jobs"])} | {"search": quest.facts(plan)}
        return Outcome(facts, lambda console: print_search_plan(console, facts))
    progress = not arguments.json
    return _of_search(
        search(recipe=recipe, metric=arguments.metric, folder=arguments.folder, progress=progress, **asked)
    )


def do_lr_find(arguments: argparse.Namespace) -> Outcome:
    """Try many learning rates for a few steps each, and say which to take."""
    numbers = range_test_arguments(arguments)
    recipe = asked_for(arguments).drafted()
    test = lr_find(recipe=recipe, **numbers)
    return Outcome(test.as_dict(), lambda console: _print(console, str(test)))


def _of_search(found: Search) -> Outcome:
    record = found.as_dict()
    return Outcome(record, lambda console: print_search(console, record))


def _of_study(study: Study, *, trained: bool = False) -> Outcome:
    if study.cure is not None:
        return _of_proof(Proof.of_study(study))
    record = study.as_dict()
    gone = trained and bool(study.members) and all(member.diverged for member in study.members)
    return Outcome(record, lambda console: print_study(console, record), code=DIVERGED if gone else 0)


def do_draw(arguments: argparse.Namespace) -> Outcome:
    """A picture of a net, a run, a study or an expression, as a file."""
    picture = drawn(arguments)
    record = {"file": str(picture.path), "notes": [str(note) for note in picture.notes]}
    return Outcome(record, lambda console: _print(console, "\n".join(picture.lines())))


DOERS: dict[str, Callable[[argparse.Namespace], Outcome]] = {
    "fit": do_fit,
    "compare": do_compare,
    "check": do_check,
    "cure": do_cure,
    "lr-find": do_lr_find,
    "resume": do_resume,
    "show": do_show,
    "predict": do_predict,
    "generate": do_generate,
    "view": do_view,
    "data": do_data,
    "nets": do_nets,
    "rules": do_rules,
    "draw": do_draw,
}


def _print(console: Console, text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)
