"""`danlu predict` of a run: answers for files, from its folder alone."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from danlu.base.errors import Fault, fail
from danlu.base.input_files import path_kind
from danlu.base.places import shown
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.cli.answering import Records, WhoAnswers
from danlu.cli.answering_run import opened
from danlu.cli.outcome import Outcome
from danlu.cli.predicted import AnswerOptions, Predicted
from danlu.cli.study_arguments import whole_in
from danlu.data.place_labels import PixelLabels
from danlu.lab.run import Run
from danlu.ship import MaskFiles, Tally

_TABLES = (".csv", ".tsv", ".txt")
_KINDS = {
    "TableEncoder": "table",
    "WindowEncoder": "table",
    "TextEncoder": "texts",
    "SourceEncoder": "texts",
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
    if not run.finished:
        tell(say("cli.predict-unfinished", run=shown(run.folder), steps=run.steps))
    masks = _masks(run, wanted)
    if masks is not None:
        return Predicted(_answering(run, wanted.top, 1, masks), replace(wanted, output=None), masks.told).outcome()
    return Predicted(_answering(run, wanted.top, beam), wanted).outcome()


def _masks(run: Run, wanted: AnswerOptions) -> MaskFiles | None:
    """What writes masks into the folder that --output names; None where it names a table, or nothing."""
    target, folder = run.preprocessing.target, wanted.output
    if not isinstance(target, PixelLabels) or folder is None or folder.suffix.lower() in _TABLES:
        return None
    if folder.suffix.lower() == ".png" and len(wanted.files) == 1 and Path(wanted.files[0]).expanduser().is_file():
        return MaskFiles(folder.parent, target, folder.name)
    if path_kind(folder) not in ("missing", "folder"):
        fail("cli.masks-need-folder", path=shown(folder))
    return MaskFiles(folder, target)


def _answering(run: Run, top: int, beam: int, masks: MaskFiles | None = None) -> WhoAnswers:
    fitted, tally = run.preprocessing, Tally(run.preprocessing)

    def answer(path: Path) -> Iterator[tuple[Records, Sequence[Fault]]]:
        for prediction in run.predict_files(path, beam=beam):
            tally.add(prediction)
            if masks is not None:
                masks.write(prediction)
            yield prediction.records(fitted, top, run.error_band), prediction.rows.remarks

    kind = _KINDS.get(type(fitted.encoder).__name__, "numbers")
    return WhoAnswers(run.folder, kind, kind == "table", answer, tally)
