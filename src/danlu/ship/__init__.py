"""From a trained net to answers: raw samples, files and texts in, what the net says out."""

from danlu.ship.answerer import Answerer, Answers
from danlu.ship.generate import generate
from danlu.ship.inputs import Rows, read_rows
from danlu.ship.predictions import ErrorBand, Prediction, Tally, as_csv, columns_of

__all__ = [
    "Answerer",
    "Answers",
    "ErrorBand",
    "Prediction",
    "Rows",
    "Tally",
    "as_csv",
    "columns_of",
    "generate",
    "read_rows",
]
