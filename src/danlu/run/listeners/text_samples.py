"""The listener that lets a language model write a few lines now and then, so that its progress can be read."""

import copy
import itertools
import time

from torch import nn

from danlu.base.events import EpochDone, Event, Stop, TrainingStarted
from danlu.base.recipe_values import MOST_EPOCHS
from danlu.base.seeds import global_seed
from danlu.data.preprocessing import Preprocessing
from danlu.data.text.corpus import CorpusDataset
from danlu.run.building import sample_dtype
from danlu.run.listeners.journal_writer import JournalWriter
from danlu.run.setup import Setup
from danlu.ship import Answerer, generate
from danlu.store.records import TextGenerated
from danlu.train.progress import Progress

TOKENS = 100
_TEMPERATURE = 0.8
_SAMPLES = 10
# Between the first sample and the last, none is taken once they have cost so much of the time of the training, and so
# many seconds.
_MAX_SHARE, _MAX_SECONDS = 0.02, 0.5
_PROMPT_LENGTH = {"characters": 24, "words": 6}
_SEARCHED = 200  # tokens in which a word's beginning is looked for


class TextSampler:
    """Writes a `TextGenerated` after the first and the last epoch, and up to eight between.

    A copy of `net` writes on the CPU, from the same prompt and the same random numbers each time, which nobody else
    draws from: the training does not notice. A net that cannot be asked so (the user's code) is asked once.
    """

    def __init__(self, setup: Setup, net: nn.Module, progress: Progress, journal: JournalWriter) -> None:
        self._net = net
        self._progress = progress
        self._journal = journal
        self._seed = setup.recipe.train.seed
        self._fitted = Preprocessing.of(setup.data)
        self._prompt = _prompt(setup.data) if isinstance(setup.data, CorpusDataset) else ""
        self._epochs = spread_epochs(progress.epochs, _SAMPLES)
        self._began_at = time.monotonic()
        self._spent = 0.0

    def __call__(self, event: Event) -> Stop | None:
        if isinstance(event, TrainingStarted):
            self._began_at = time.monotonic()
        elif isinstance(event, EpochDone) and self._prompt and self._is_due(event.epoch):
            began = time.monotonic()
            try:
                text = self._written()
            except Exception:  # noqa: BLE001  (a net is the user's code, and the text is for the reader only)
                self._prompt = ""
                return None
            self._spent += time.monotonic() - began
            self._journal.write(TextGenerated(epoch=event.epoch, step=event.step, prompt=self._prompt, text=text))
        return None

    def _is_due(self, epoch: int) -> bool:
        if epoch in (1, self._progress.epochs) or self._progress.ended_early:
            return True
        allowed = max(_MAX_SECONDS, _MAX_SHARE * (time.monotonic() - self._began_at))
        return epoch in self._epochs and self._spent <= allowed

    def _written(self) -> str:
        with global_seed(self._seed, "text"):  # for a net that draws random numbers also in evaluation
            net = copy.deepcopy(self._net).to("cpu").eval()
            weights = next(parameter.dtype for parameter in net.parameters())
            answerer = Answerer(self._fitted, net, sample_dtype(net, self._fitted, weights))
            whole = generate(answerer, self._prompt, tokens=TOKENS, temperature=_TEMPERATURE, seed=self._seed)
        return whole.removeprefix(self._prompt)


def spread_epochs(epochs: int, count: int) -> frozenset[int]:
    """The first epoch, the last, and others evenly between: `count` at most.

    >>> sorted(spread_epochs(100, 10))
    [1, 12, 23, 34, 45, 56, 67, 78, 89, 100]
    >>> sorted(spread_epochs(3, 10))
    [1, 2, 3]
    """
    if epochs >= MOST_EPOCHS:  # the last is not known: at longer and longer distances
        return frozenset(2**number for number in range(MOST_EPOCHS.bit_length()))
    return frozenset(1 + round(number * (epochs - 1) / (count - 1)) for number in range(count))


def _prompt(data: CorpusDataset) -> str:
    """The beginning of the validation part, from the first whole word on; of the training part where there is none."""
    assert data.vocabulary is not None
    part = "validation" if data.sizes["validation"] else "train"
    tokens = [data.vocabulary.tokens[number] for number in data.corpora[part][:_SEARCHED].tolist()]
    first = 0
    if data.vocabulary.kind == "characters":
        pairs = enumerate(itertools.pairwise(tokens), start=1)
        first = next((place for place, (before, sign) in pairs if before.isspace() and not sign.isspace()), 0)
    length = _PROMPT_LENGTH[data.vocabulary.kind]
    return data.vocabulary.decode(data.corpora[part][first : first + length])
