"""`danlu check` of a run: whether it still answers its golden samples as when its training had ended."""

import argparse
from typing import Any

from danlu.base.errors import Fault, fail
from danlu.base.places import shown
from danlu.cli.answering_run import opened
from danlu.cli.outcome import Outcome, print_text
from danlu.cli.words import check_one
from danlu.run.run import Run
from danlu.ship import Said, prove
from danlu.store.package_file import read_package_file

_MOST_SHOWN = 5


def check_run(arguments: argparse.Namespace) -> Outcome:
    """Ask a run for its golden samples, by the weights, or the program, that it has now; the exit code is 1 where it
    answers otherwise.
    """
    check_one("check", arguments.words)
    run = opened(arguments, "check")
    package = read_package_file(run.folder / "package.json")
    if package is None or package.answers is None:
        fail("cli.check-unfinished", run=shown(run.folder))
    golden = package.answers.golden
    if not golden.samples:
        fail(golden.missing)
    proof = prove(golden, lambda raw: _said(run, raw))
    passed = not proof.differences
    record: dict[str, Any] = {
        "run": str(run.folder),
        "passed": passed,
        "samples": proof.samples,
        "max_delta": proof.largest,
        "differences": [str(fault) for fault in proof.differences],
    }
    values = {"run": shown(run.folder), "samples": proof.samples, "delta": f"{proof.largest:.2g}"}
    told = [
        Fault("cli.check-run-passed" if passed else "cli.check-run-failed", values),
        *proof.differences[:_MOST_SHOWN],
    ]
    return Outcome(record, lambda console: print_text(console, "\n".join(map(str, told))), code=0 if passed else 1)


def _said(run: Run, raw: Any) -> Said:
    """Answers and probabilities; of a net that gives its samples back the outputs."""
    answerer = run.answerer
    answers = answerer.answers(answerer.encode(raw))
    if run.preprocessing.task == "reconstruction":
        return Said([None] * len(answers.outputs), None, answers.outputs.numpy())
    return Said(answers.values, None if answers.probabilities is None else answers.probabilities.numpy())
