"""The beginning of The Time Machine, by H. G. Wells: the text on which the notes train their recurrent nets."""

from danlu.data import Dataset, load
from danlu.data.text.corpus import CorpusDataset

_CHARACTERS = {"train": 15_000, "validation": 5_000, "test": 5_000}


def time_machine() -> Dataset:
    """15,000 characters to train on, 5,000 each to validate and to test, in samples of 35. The book is downloaded where
    it is not there yet; UserError where it cannot be."""
    data = load("time-machine")
    assert isinstance(data, CorpusDataset)
    return data.with_corpora({part: data.corpora[part][:count] for part, count in _CHARACTERS.items()})
