"""`danlu predict` of an exported network: the same answers as its run's, without the run, and of ONNX without torch."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from danlu.base.errors import Fault, fail
from danlu.cli.answering import Records, WhoAnswers
from danlu.cli.outcome import Outcome
from danlu.cli.predicted import AnswerOptions, Predicted, refuse_top
from danlu.cli.predicted_masks import mask_files
from danlu.ship import MaskFiles
from danlu.ship.export import ExportedNet, open_exported


def predict_exported(arguments: argparse.Namespace) -> Outcome:
    """Answer for every row of the files that were named."""
    words: list[str] = arguments.words
    wanted = AnswerOptions.of(arguments)
    if arguments.beam is not None:
        fail("cli.beam-needs-run", path=words[0])
    net = open_exported(Path(words[0]).expanduser())
    if net.interface.task in ("language", "reconstruction"):
        fail(f"cli.predict-exported-{net.interface.task}", path=words[0])
    refuse_top(wanted, net.interface.task, words[0])
    masks = _masks(net, wanted)
    if masks is not None:
        return Predicted(_answering(net, wanted.top, masks), replace(wanted, output=None), masks.told).outcome()
    return Predicted(_answering(net, wanted.top), wanted).outcome()


def _masks(net: ExportedNet, wanted: AnswerOptions) -> MaskFiles | None:
    if net.interface.task != "segmentation":
        return None
    target = net.interface.plain["target"]
    return mask_files(wanted, net.interface.labels.tolist(), target["titles"])


def _answering(net: ExportedNet, top: int, masks: MaskFiles | None = None) -> WhoAnswers:
    tally = net.tally()

    def answer(path: Path) -> Iterator[tuple[Records, Sequence[Fault]]]:
        for portion in net.answer_file(path):
            tally.add(portion)
            if masks is not None:
                masks.write(path, portion.rows.places, portion.answers.values)
            yield net.records(portion, top), portion.rows.remarks

    return WhoAnswers(net.path, net.interface.input, net.interface.input in _ROWS, answer, tally)


_ROWS = ("table", "series")  # which may be odd
