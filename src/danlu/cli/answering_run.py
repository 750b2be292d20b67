"""The run that is to answer: itself, or the best of a study."""

import argparse
from pathlib import Path

import danlu
from danlu.base.errors import fail
from danlu.cli.words import one_run
from danlu.run.run import Run
from danlu.store.study_folder import StudyFolder


def opened(arguments: argparse.Namespace, verb: str) -> Run:
    """The run that the first word names: itself, or the best of a study, trained once more."""
    named = argparse.Namespace(words=arguments.words[:1])
    folder = one_run(named, verb)
    net = getattr(arguments, "net", None)
    if not StudyFolder(Path(folder)).is_there:
        return Run(folder, net=net)
    study = danlu.Study(folder)  # by way of danlu, which loads what trains studies only here
    best = study.best
    if best is None and study.finished:
        fail("study.no-best")
    if best is None:
        fail("cli.no-best-yet", study=folder)
    return Run(best.run, net=net)
