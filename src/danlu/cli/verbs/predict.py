"""`danlu predict` of a run: answers for files, from its folder alone."""

import argparse
from typing import Any

from danlu.base.errors import fail
from danlu.base.places import shown
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.cli.answering_run import opened
from danlu.cli.outcome import Outcome
from danlu.cli.predicted import AnswerOptions, Predicted, file_of
from danlu.ship import Tally

_KINDS = {"TableEncoder": "table", "TextEncoder": "texts", "Pixels": "pictures"}


def predict_run(arguments: argparse.Namespace) -> Outcome:
    """Answer for every row of the files that were named."""
    words: list[str] = arguments.words
    wanted = AnswerOptions.of(arguments)
    run = opened(arguments, "predict")
    if run.preprocessing.task in ("language", "reconstruction"):
        fail(f"cli.predict-{run.preprocessing.task}", run=words[0])
    if not run.finished:
        tell(say("cli.predict-unfinished", run=shown(run.folder), steps=run.steps))
    tally, rows = Tally(run.preprocessing), list[dict[str, Any]]()
    classes, band = run.preprocessing.classes, run.error_band
    for word in words[1:]:
        with file_of(word, _KINDS.get(type(run.preprocessing.encoder).__name__, "numbers")) as path:
            for prediction in run.predict_files(path):
                for remark in prediction.rows.remarks:
                    tell(f"! {remark}")
                tally.add(prediction)
                rows += [record | {"file": word} for record in prediction.records(classes, wanted.top, band)]
    score = tally.score() if tally.samples else None
    found = Predicted(run.folder, rows, score, tally.samples, tally.left_out, wanted.output)
    return found.written().outcome()
