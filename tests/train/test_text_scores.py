"""BLEU as torchmetrics has it, and exact matches, over tokens."""

import math
import random

import pytest
import torch
from torchmetrics.functional.text import bleu_score

from danlu.train.metrics import Metrics
from danlu.train.text_scores import TextScores


def tokens(texts: list[list[int]], behind: int) -> torch.Tensor:
    longest = max(map(len, texts)) + 1
    return torch.tensor([[*text, 3, *[behind] * (longest - len(text) - 1)] for text in texts])


@pytest.mark.parametrize("seed", range(5))
def test_bleu_is_that_of_torchmetrics(seed: int) -> None:
    draw = random.Random(seed)
    right = [[draw.randint(4, 9) for _ in range(draw.randint(1, 12))] for _ in range(30)]
    said = [[token if draw.random() < 0.8 else 5 for token in text][: draw.randint(1, 12)] for text in right]
    scores = TextScores()
    for rows in (slice(0, 13), slice(13, 30)):
        scores.add(tokens(said[rows], 0), tokens(right[rows], -100))
    found = scores.result()
    words = [[" ".join(map(str, text)) for text in texts] for texts in (said, right)]
    assert found["bleu"] == pytest.approx(float(bleu_score(words[0], [[text] for text in words[1]])), abs=1e-5)
    assert found["exact_match"] == sum(a == b for a, b in zip(said, right, strict=True)) / 30


def test_without_a_run_of_four_tokens_bleu_is_0_and_less_than_is_right_costs() -> None:
    scores = TextScores()
    scores.add(tokens([[4, 5, 6]], 0), tokens([[4, 5, 6]], -100))
    assert scores.result() == {"bleu": 0.0, "exact_match": 1.0}
    scores.add(tokens([[4, 5, 6, 7]], 0), tokens([[4, 5, 6, 7, 8, 9]], -100))
    assert scores.result()["bleu"] == pytest.approx(math.exp(1 - 9 / 7))


def test_a_text_that_does_not_end_is_not_the_right_one() -> None:
    scores = TextScores()
    scores.add(torch.tensor([[4, 5, 6]]), torch.tensor([[4, 5, 3]]))
    assert scores.result()["exact_match"] == 0.0


def test_metrics_count_told_tokens_and_written_texts_and_forget_both() -> None:
    metrics = Metrics("translation", 8)
    right = torch.tensor([[4, 5, 3], [4, 3, -100]])
    metrics.update(torch.nn.functional.one_hot(torch.tensor([[4, 6, 3], [4, 3, 7]]), 8).float(), right)
    metrics.translated(torch.tensor([[4, 5, 3], [4, 4, 4]]), right)
    assert metrics.compute(0.1) == {"accuracy": 0.8, "bleu": 0.0, "exact_match": 0.5}
    metrics.update(torch.zeros(2, 3, 8), right)
    assert metrics.compute(0.1) == {"accuracy": 0.0}
