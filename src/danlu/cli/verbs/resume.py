"""`danlu resume`, of a run, a study or a search."""

import argparse
from pathlib import Path

from danlu.base.errors import Faults
from danlu.base.words import say
from danlu.cli import results
from danlu.cli.outcome import DIVERGED, Outcome, print_text
from danlu.cli.study_arguments import read_jobs
from danlu.cli.words import one_run
from danlu.lab.fit import resume
from danlu.lab.run import Run
from danlu.lab.search.search import go_on_searching
from danlu.lab.study.checks import check_jobs
from danlu.lab.study.compare import go_on
from danlu.store.study_folder import StudyFolder

_ROOT = "data.root="


def do_resume(arguments: argparse.Namespace) -> Outcome:
    """Go on with a run; a finished one is left as it is."""
    roots = [word for word in arguments.words if word.startswith(_ROOT)]
    arguments.words = [word for word in arguments.words if word not in roots]
    folder = one_run(arguments, "resume")
    if StudyFolder(Path(folder)).is_there:
        faults, progress = Faults(), not arguments.json
        if arguments.net is not None:
            faults.add("lab.no-net-for-a-study", folder=folder)
        jobs = read_jobs(arguments.jobs, faults)
        faults.raise_if_any()
        check_jobs(jobs)
        if StudyFolder(Path(folder)).is_search:
            return results.of_search(
                go_on_searching(folder, data=arguments.data, jobs=jobs, cluster=arguments.cluster, progress=progress)
            )
        return results.of_study(
            go_on(folder, data=arguments.data, jobs=jobs, cluster=arguments.cluster, progress=progress), trained=True
        )
    before = Run(folder, net=arguments.net)
    if before.finished:
        told = say("cli.already-finished", run=folder)
        code = DIVERGED if before.diverged else 0  # as `fit` ended
        return Outcome(before.as_dict(), lambda console: print_text(console, told), code=code)
    root = roots[-1].removeprefix(_ROOT) if roots else None
    run = resume(folder, net=arguments.net, data=arguments.data, root=root, progress=not arguments.json)
    return results.of_run(run, trained=True)
