"""From outputs to what they say, for every task."""

import pytest
import torch

from danlu.nets import mixture
from danlu.train.predictions import predicted


def test_classes_and_tokens_are_the_largest_logits() -> None:
    assert predicted(torch.tensor([[0.1, 0.9], [0.8, 0.2]]), "classification").tolist() == [1, 0]
    assert predicted(torch.tensor([[0.2], [-3.0]]), "classification").tolist() == [1, 0]
    assert predicted(torch.tensor([[[0.0, 1.0], [2.0, 1.0]]]), "language").tolist() == [[1, 0]]


@pytest.mark.parametrize("numbers", [1, 3])
def test_a_mixture_says_its_mean(numbers: int) -> None:
    outputs = torch.linspace(-2, 2, 4 * 5 * (1 + 2 * numbers)).reshape(4, 5, 1 + 2 * numbers).sin()
    torch.testing.assert_close(predicted(outputs, "regression", numbers), mixture(outputs).mean)


def test_numbers_stay_as_they_are_in_the_shape_of_the_targets() -> None:
    assert predicted(torch.ones(4), "regression").shape == (4, 1)
    assert predicted(torch.ones(4, 1, 2, 2), "reconstruction", 4).shape == (4, 4)
