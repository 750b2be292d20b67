"""`danlu cure`."""

import argparse

from danlu.cli import results
from danlu.cli.outcome import Outcome
from danlu.cli.study_arguments import study_numbers
from danlu.cli.words import one_run
from danlu.lab.cure.cure import cure


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
        rules=None if arguments.rule is None else [arguments.rule],
        folder=arguments.folder,
        jobs=asked.jobs,
        cluster=arguments.cluster,
        notify=arguments.notify,
        progress=not arguments.json,
    )
    written = proof.apply(arguments.to) if arguments.apply or arguments.to else None
    return results.of_proof(proof, written)
