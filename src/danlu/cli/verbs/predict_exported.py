"""`danlu predict` of an exported network: the same answers as its run's, without the run, and of ONNX without torch."""

import argparse
from pathlib import Path
from typing import Any

from danlu.base.errors import fail
from danlu.base.telling import tell
from danlu.cli.outcome import Outcome
from danlu.cli.predicted import AnswerOptions, Predicted, file_of
from danlu.ship.export import open_exported


def predict_exported(arguments: argparse.Namespace) -> Outcome:
    """Answer for every row of the files that were named."""
    words: list[str] = arguments.words
    wanted = AnswerOptions.of(arguments)
    net = open_exported(Path(words[0]).expanduser())
    if net.interface.task in ("language", "reconstruction"):
        fail(f"cli.predict-{net.interface.task}", run=words[0])
    rows, tally = list[dict[str, Any]](), net.tally()
    for word in words[1:]:
        with file_of(word, net.interface.input) as path:
            for portion in net.answer_file(path):
                for remark in portion.rows.remarks:
                    tell(f"! {remark}")
                tally.add(portion)
                rows += [record | {"file": word} for record in net.records(portion, wanted.top)]
    found = Predicted(net.path, rows, tally.score(), tally.samples, tally.left_out, wanted.output)
    return found.written().outcome()
