"""`danlu resume`, of a run, a study or a search."""

import argparse
from pathlib import Path
from typing import Any

from danlu.base.errors import Faults, fail
from danlu.base.words import say
from danlu.cli import results
from danlu.cli.outcome import DIVERGED, Outcome, print_text
from danlu.cli.study_arguments import read_jobs, read_numbers
from danlu.cli.words import one_run
from danlu.run.fit import resume
from danlu.run.run import Run
from danlu.store.study_folder import StudyFolder
from danlu.study.checks import check_jobs
from danlu.study.compare import go_on
from danlu.study.search.search import go_on_searching

_ROOT = "data.root="


def do_resume(arguments: argparse.Namespace) -> Outcome:
    """Go on with a run; a finished one is left as it is."""
    roots = [word for word in arguments.words if word.startswith(_ROOT)]
    arguments.words = [word for word in arguments.words if word not in roots]
    folder = one_run(arguments, "resume")
    told: dict[str, Any] = {"notify": arguments.notify, "progress": not arguments.json}
    if StudyFolder(Path(folder)).is_there:
        return _study(arguments, folder, told)
    if arguments.more_seeds is not None:
        fail("cli.more-seeds-of-a-run", folder=folder)
    before = Run(folder, net=arguments.net)
    before.refuse_imported()
    if before.finished:
        words = say("cli.already-finished", run=folder)
        code = DIVERGED if before.diverged else 0  # as `fit` ended
        return Outcome(before.as_dict(), lambda console: print_text(console, words), code=code)
    root = roots[-1].removeprefix(_ROOT) if roots else None
    run = resume(folder, net=arguments.net, data=arguments.data, root=root, **told)
    return results.of_run(run, trained=True)


def _study(arguments: argparse.Namespace, folder: str, told: dict[str, Any]) -> Outcome:
    """Go on with a study or a search, or train further seeds of a study."""
    faults, searched = Faults(), StudyFolder(Path(folder)).is_search
    if arguments.net is not None:
        faults.add("lab.no-net-for-a-study", folder=folder)
    seeds = read_numbers(arguments.more_seeds, "--more-seeds", faults)
    if seeds and searched:
        faults.add("cli.more-seeds-of-a-search", folder=folder)
    elif len(seeds) > 1 or seeds == [0]:
        faults.add("cli.not-a-number", option="--more-seeds", found=arguments.more_seeds)
    jobs = read_jobs(arguments.jobs, faults)
    faults.raise_if_any()
    check_jobs(jobs)
    trained: dict[str, Any] = {"data": arguments.data, "jobs": jobs, "cluster": arguments.cluster}
    if searched:
        return results.of_search(go_on_searching(folder, **trained, **told))
    before: list[int] = StudyFolder(Path(folder)).read_design()["seeds"]
    after = [*before, *range(max(before) + 1, max(before) + 1 + seeds[0])] if seeds else None
    return results.of_study(go_on(folder, seeds=after, **trained, **told), trained=True)
