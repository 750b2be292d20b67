"""Nets that tag each token."""

from typing import Any

import pytest
import torch

import danlu
from danlu.nets import SequenceTagger, TransformerTagger

NETS: dict[str, Any] = {
    "lstm": lambda **keys: SequenceTagger(9, 3, embedding=4, hidden=4, dropout=0.0, **keys),
    "gru": lambda **keys: SequenceTagger(9, 3, cell="gru", embedding=4, hidden=4, dropout=0.0, layers=2, **keys),
    "transformer": lambda **keys: TransformerTagger(9, 3, embedding=8, heads=2, dropout=0.0, **keys),
}


@pytest.mark.parametrize("net", NETS)
def test_padding_changes_nothing_and_all_neighbours_do(net: str) -> None:
    tagger = NETS[net]().eval()
    tokens = torch.tensor([[3, 1, 4, 5]])
    said = tagger(tokens)
    assert said.shape == (1, 4, 3)
    padded = tagger(torch.tensor([[3, 1, 4, 5, 0, 0]]))
    assert torch.allclose(padded[:, :4], said, atol=1e-6)
    for place in (0, 3):
        other = tokens.clone()
        other[0, place] = 7
        assert (tagger(other) - said).abs().amax(2).min() > 0


def test_one_way_alone_sees_only_what_came_before() -> None:
    tagger = NETS["lstm"](bidirectional=False).eval()
    said, other = tagger(torch.tensor([[3, 1, 4]])), tagger(torch.tensor([[3, 1, 5]]))
    assert torch.equal(said[:, :2], other[:, :2]) and not torch.equal(said[:, 2], other[:, 2])


MISTAKES: dict[str, tuple[Any, str]] = {
    "cell": (lambda: SequenceTagger(9, 3, cell="rrn"), "net.cell"),
    "heads": (lambda: TransformerTagger(9, 3, embedding=8, heads=3), "net.heads"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told(mistake: str, language: str) -> None:
    make, named = MISTAKES[mistake]
    with pytest.raises(danlu.UserError, match=named):
        make()
