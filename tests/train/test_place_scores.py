"""Scores of classes at places, against scikit-learn's."""

import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, jaccard_score

from danlu.base.ignored import IGNORED
from danlu.train.losses import cross_entropy
from danlu.train.metrics import Metrics
from danlu.train.place_scores import PlaceScores
from danlu.train.terms import terms


@pytest.mark.parametrize("unions", [True, False])
def test_scores_are_those_of_scikit_learn(unions: bool) -> None:
    draw = torch.Generator().manual_seed(0)
    guesses, targets = (torch.randint(4, (5, 6, 7), generator=draw) for _ in range(2))
    targets[0, 0] = IGNORED
    scores = PlaceScores(4, ("a", "b", "c", "d"), unions=unions)
    for rows in (slice(0, 2), slice(2, 5)):
        scores.add(guesses[rows], targets[rows])
    found, known = scores.result(), targets >= 0
    pair = targets[known].numpy(), guesses[known].numpy()
    reference = jaccard_score if unions else f1_score
    assert found["accuracy"] == pytest.approx(accuracy_score(*pair))
    assert found["miou" if unions else "f1"] == pytest.approx(reference(*pair, average="macro"))
    each = [found[f"{'iou' if unions else 'f1'}.{name}"] for name in "abcd"]
    assert each == pytest.approx(reference(*pair, average=None).tolist())


def test_a_class_that_is_nowhere_does_not_count() -> None:
    metrics = Metrics("segmentation", 3)
    outputs = torch.zeros(1, 3, 1, 2)
    outputs[0, 0] = 1.0
    metrics.update(outputs, torch.tensor([[[0, 1]]]))
    assert metrics.compute(0.0) == {"accuracy": 0.5, "miou": 0.25}


def test_the_loss_is_a_mean_over_the_pixels_that_have_a_class() -> None:
    draw = torch.Generator().manual_seed(1)
    outputs = torch.randn(2, 3, 4, 4, generator=draw)
    targets = torch.randint(3, (2, 4, 4), generator=draw)
    targets[1] = IGNORED
    alone = cross_entropy(outputs[:1], targets[:1])
    assert float(cross_entropy(outputs, targets)) == pytest.approx(float(alone)) and terms(targets) == 16
    assert float(cross_entropy(outputs[1:], targets[1:])) == 0.0
