"""Programs of today end with the same bits, watched or not: what is tried and compared on the way leaves no trace."""

import random
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

from faults import data
from faults.judge import Task, run

# Each asks for another part: weights of 16 bits, masks in evaluation mode, a loss out of forward(), an average that is
# evaluated, loaders of one table, a loss object's weights, likenesses of all samples.
PROGRAMS = (
    "updates-rounded-away-in-bfloat16", "branches-left-out-while-scoring", "siamese-views-without-a-stopped-gradient",
    "average-whose-statistics-stay-behind", "minutes-of-a-plant-split-at-random", "each-sample-is-its-own-positive",
    "focal-loss-that-favours-the-frequent",
)  # fmt: skip


def end(name: str, kind: str, *, listening: bool) -> tuple[float, Any, Any, Any]:
    """The score of a program, and the state of every generator behind it."""
    random.seed(1)
    numpy.random.seed(1)
    score = run(Task(kind, name, 5), listening=listening).score
    state: Any = numpy.random.get_state()
    return score, torch.get_rng_state().tolist(), random.getstate(), state[1].tolist()


@pytest.mark.every(8)
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("kind", ["planted", "twin"])
def test_a_watched_program_ends_as_it_would(name: str, kind: str, data_root: Path) -> None:
    data.use_root(data_root)
    assert end(name, kind, listening=True) == end(name, kind, listening=False)
