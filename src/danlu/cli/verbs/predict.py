"""`danlu predict` of a run: answers for files, from its folder alone."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from danlu.base.errors import Fault, fail
from danlu.base.places import shown
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.cli.answering import Records, WhoAnswers
from danlu.cli.answering_run import opened
from danlu.cli.outcome import Outcome
from danlu.cli.predicted import AnswerOptions, Predicted, refuse_top
from danlu.cli.predicted_masks import mask_files
from danlu.cli.study_arguments import whole_in
from danlu.data.place_labels import PixelLabels
from danlu.run.run import Run
from danlu.ship import MaskFiles, Tally

_KINDS = {
    "TableEncoder": "table",
    "WindowEncoder": "series",
    "TextEncoder": "texts",
    "SourceEncoder": "texts",
    "ColumnTexts": "texts",
    "Pixels": "pictures",
}


def predict_run(arguments: argparse.Namespace) -> Outcome:
    """Answer for every row of the files that were named."""
    words: list[str] = arguments.words
    wanted = AnswerOptions.of(arguments)
    run = opened(arguments, "predict")
    beam = 1 if arguments.beam is None else run.answerer.check_beam(whole_in(arguments.beam) or arguments.beam)
    if run.preprocessing.task in ("language", "reconstruction"):
        fail(f"cli.predict-{run.preprocessing.task}", run=words[0])
    refuse_top(wanted, run.preprocessing.task, words[0])
    if not run.finished:
        tell(say("cli.predict-unfinished", run=shown(run.folder), steps=run.steps))
    target = run.preprocessing.target
    masks = mask_files(wanted, target.values, target.titles) if isinstance(target, PixelLabels) else None
    if masks is not None:
        return Predicted(_answering(run, wanted.top, 1, masks), replace(wanted, output=None), masks.told).outcome()
    return Predicted(_answering(run, wanted.top, beam), wanted).outcome()


def _answering(run: Run, top: int, beam: int, masks: MaskFiles | None = None) -> WhoAnswers:
    fitted, tally = run.preprocessing, Tally(run.preprocessing)

    def answer(path: Path) -> Iterator[tuple[Records, Sequence[Fault]]]:
        for prediction in run.predict_files(path, beam=beam):
            tally.add(prediction)
            if masks is not None:
                masks.write(Path(prediction.rows.file), prediction.rows.places, prediction.answers.values)
            yield prediction.records(fitted, top, run.error_band), prediction.rows.remarks

    kind = _KINDS.get(type(fitted.encoder).__name__, "numbers")
    return WhoAnswers(run.folder, kind, kind in ("table", "series"), answer, tally)
