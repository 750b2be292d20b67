"""Accuracies that count places without a label."""

import ast

import pytest

from danlu.watch.probes.code_metrics import counts_all_places

COUNTED = [
    "acc = (model(x).argmax(-1) == y).float().mean()",
    "pred = logits.argmax(dim=2)\nacc = (pred == y).float().mean().item()",
    "pred = logits.argmax(-1)\nhits = pred == y\nacc = torch.mean(hits.float())",
    "pred = logits.argmax(-1)\nacc = (pred == y).sum() / y.numel()",
    "_, pred = logits.max(-1)\nacc = pred.eq(y).float().mean()",
    "pred = logits.max(-1)[1]\nacc = (pred == y).float().mean()",
    "pred = np.argmax(logits, -1)\nacc = np.mean(pred == y)",
    "def cut(y):\n y = y[:lengths.max()]\ndef acc(logits, y):\n return (logits.argmax(-1) == y).float().mean()",
]
MASKED = [
    "mask = y != 0\nacc = (logits.argmax(-1) == y)[mask].float().mean()",
    "acc = (logits.argmax(-1) == y)[y != -100].float().mean()",
    "pred = logits.argmax(-1)[y >= 0]\nacc = (pred == y[y >= 0]).float().mean()",
    "hits = (logits.argmax(-1) == y) & (y != pad)\nacc = hits.sum() / (y != pad).sum()",
    "acc = ((logits.argmax(-1) == y) * attention_mask).sum() / y.numel()",
    "keep = y.ne(0)\nacc = (logits.argmax(-1)[keep] == y[keep]).float().mean()",
    "acc = (logits.argmax(-1) == y).masked_select(kept).float().mean()",
]
OTHERS = [
    "loss = cross_entropy(logits, y).mean()",
    "share = (y == 0).float().mean()",
    "acc = (logits.argmax(-1) == y).sum() / len(y)",
    "mean = x.mean()\nsame = a == b",
]


@pytest.mark.parametrize("source", COUNTED)
def test_all_places_are_counted(source: str) -> None:
    assert counts_all_places(ast.parse(source)) == len(source.splitlines())


@pytest.mark.parametrize("source", [*MASKED, *OTHERS])
def test_some_are_left_out_or_nothing_is_counted(source: str) -> None:
    assert counts_all_places(ast.parse(source)) is None
