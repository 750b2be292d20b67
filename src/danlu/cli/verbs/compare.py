"""`danlu compare`: a study, and with --search a search."""

import argparse
from typing import Any

from danlu.base.errors import UserError
from danlu.cli import results
from danlu.cli.asked import asked_for
from danlu.cli.outcome import Outcome
from danlu.cli.search_arguments import refuse_budget, search_arguments
from danlu.cli.study_arguments import levels_without_vary, study_arguments
from danlu.cli.words import split_words
from danlu.study.compare import compare, planned
from danlu.study.costs import with_costs
from danlu.study.search.search import search, sought
from danlu.view.search import print_search_plan
from danlu.view.study import print_plan


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
        cluster=arguments.cluster,
        folder=arguments.folder,
        notify=arguments.notify,
        progress=not arguments.json,
    )
    return results.of_study(study, trained=True)


def _do_search(arguments: argparse.Namespace) -> Outcome:
    """Look for the numbers that do best within ranges; with --plan only the first round."""
    asked = search_arguments(arguments)
    recipe = asked_for(arguments).drafted()
    if arguments.plan:
        quest, plan, _ = sought(recipe=recipe, metric=arguments.metric, **asked)
        facts = plan.facts() | {"groups": with_costs(plan, asked["jobs"])} | {"search": quest.facts(plan)}
        return Outcome(facts, lambda console: print_search_plan(console, facts))
    told: dict[str, Any] = {"notify": arguments.notify, "progress": not arguments.json}
    place: dict[str, Any] = {"folder": arguments.folder, "cluster": arguments.cluster}
    return results.of_search(search(recipe=recipe, metric=arguments.metric, **place, **told, **asked))
