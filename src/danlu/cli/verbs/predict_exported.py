"""`danlu predict` of an exported network: the same answers as its run's, without the run, and of ONNX without torch."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from danlu.base.errors import Fault, fail
from danlu.cli.answering import Records, WhoAnswers
from danlu.cli.outcome import Outcome
from danlu.cli.predicted import AnswerOptions, Predicted
from danlu.ship.export import ExportedNet, open_exported


def predict_exported(arguments: argparse.Namespace) -> Outcome:
    """Answer for every row of the files that were named."""
    words: list[str] = arguments.words
    wanted = AnswerOptions.of(arguments)
    if arguments.beam is not None:
        fail("cli.beam-needs-run", path=words[0])
    net = open_exported(Path(words[0]).expanduser())
    if net.interface.task in ("language", "reconstruction"):
        fail(f"cli.predict-{net.interface.task}", run=words[0])
    return Predicted(_answering(net, wanted.top), wanted).outcome()


def _answering(net: ExportedNet, top: int) -> WhoAnswers:
    tally = net.tally()

    def answer(path: Path) -> Iterator[tuple[Records, Sequence[Fault]]]:
        for portion in net.answer_file(path):
            tally.add(portion)
            yield net.records(portion, top), portion.rows.remarks

    return WhoAnswers(net.path, net.interface.input, net.interface.input == "table", answer, tally)
