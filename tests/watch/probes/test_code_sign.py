"""Losses that are made small and should be made large."""

import ast

import pytest

from danlu.watch.probes.code_sign import made_small

SCORE = "def dice(p, t):\n    return {back}2 * (p * t).sum() / (p + t).sum()\n"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (SCORE.format(back="") + "loss = dice(net(x), y)\nloss.backward()", 3),
        (SCORE.format(back="1 - ") + "loss = dice(net(x), y)\nloss.backward()", None),
        (SCORE.format(back="") + "loss = bce(p, y) + 1 - dice(p, y)\nloss.backward()", None),
        (SCORE.format(back="") + "loss = bce(p, y) + dice(p, y)\nloss.backward()", 3),
        ("loss = dice_loss(p, y)\nloss.backward()", None),
        ("dice = DiceLoss()\nloss = dice(p, y)\nloss.backward()", None),  # whatever that gives
        ("loss = bce(p, y) + F.cosine_similarity(p, z).mean()\nloss.backward()", None),
        ("opt = Adam(ps, maximize=True)\nloss = (log_prob * returns).mean()\nloss.backward()", None),
        ("loss = F.cosine_similarity(p, z).mean()\nloss.backward()", 1),
        ("loss = -F.cosine_similarity(p, z).mean()\nloss.backward()", None),
        ("loss = (1 - F.cosine_similarity(p, z)).mean()\nloss.backward()", None),
        ("loss = (dist.log_prob(a) * returns).mean()\nloss.backward()", 1),
        ("loss = (-log_prob * returns).sum()\nloss.backward()", None),
        ("returns = -costs\nloss = (log_prob * returns).sum()\nloss.backward()", None),
        ("loss = (alpha * log_prob - q).mean()\nloss.backward()", None),
    ],
)
def test_what_should_be_made_large(source: str, line: int | None) -> None:
    assert made_small(ast.parse(source)) == line
