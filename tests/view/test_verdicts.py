"""What is said of a comparison, in both languages: never a number that is none, never a question mark."""

import math
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from danlu.base.words import use_language
from danlu.stats import paired_effect
from danlu.stats.studies import Divergence, FactorEffect
from danlu.view.verdicts import effect_text, looks_text

EFFECTS = {
    "better": paired_effect([[0.1, 0.2, 0.15, 0.12]], margin=0.01),
    "worse": paired_effect([[-0.1, -0.2, -0.15, -0.12]], margin=0.01),
    "same": paired_effect([[0.001, -0.001, 0.0, 0.001]], margin=0.01),
    "open": paired_effect([[0.1, -0.2, 0.15, -0.02]], margin=0.01),
    "few": paired_effect([[0.1, 0.1]], margin=0.01),
    "none": paired_effect([], margin=0.01),
    "flat": paired_effect([[0.1, 0.1, 0.1]], margin=0.01),
    "small": paired_effect([[0.2, -0.2, 0.1, -0.101, 0.0, 0.003]], margin=0.001),
    "folds": paired_effect([[0.5, 0.51], [-0.3, -0.31], [0.1, 0.11]], margin=0.01),
}
EFFECTS["unfinished"] = replace(EFFECTS["open"], low=-math.inf, high=math.inf, more=None, reason="unfinished")
VERDICTS: list[Any] = ["more", "fewer", "undecided", "none"]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("metric", ["accuracy", "loss"])
def test_every_outcome_has_a_sentence(language: str, metric: str) -> None:
    use_language(language)
    for (name, effect), verdict in product(EFFECTS.items(), VERDICTS):
        counts = {"more": (1, 9), "fewer": (9, 1), "undecided": (1, 2), "none": (0, 0)}[verdict]
        divergence = Divergence(*counts, 0.01, verdict)
        one = FactorEffect("optim.lr", 0.1, 1.0, metric, effect, counts, divergence, sum(counts))
        text = effect_text(one.as_dict())
        assert not any(wrong in text for wrong in ("nan", "inf", "?", "None")), (name, text)
        assert ("[" in text) == (name not in ("few", "none", "flat", "unfinished")), (name, text)
        if sum(counts):
            assert all(str(count) in text for count in counts)


def test_divergence_stands_beside_the_metric() -> None:
    one = FactorEffect("f", 1, 2, "accuracy", EFFECTS["worse"], (2, 0), Divergence(2, 0, 0.4, "undecided"), 2)
    text = effect_text(one.as_dict())
    assert (
        "4 pairs: worse; diverged: 2 before, 0 after, which proves nothing; the pairs with a diverged training" in text
    )


def test_looks_are_told_where_there_were_several() -> None:
    assert looks_text([10]) == looks_text([10, 10]) == looks_text(None) == ""
    assert "3, 10" in looks_text([3, 10, 10])
