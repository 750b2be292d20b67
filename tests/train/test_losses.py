from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F

from danlu.base.errors import UserError
from danlu.base.recipe import LossRecipe
from danlu.train.losses import LOSSES, Loss, build_loss, choose_loss, cross_entropy, loss_of

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.3, -0.2]])
CLASSES = torch.tensor([0, 1])
NUMBERS = torch.tensor([[1.0], [-2.0]])
# By hand: -(1 - p)² log p.
FOCAL = torch.stack([-((1 - p) ** 2) * p.log() for p in LOGITS.softmax(1)[torch.arange(2), CLASSES]])
GUESSES = torch.tensor([[0.5], [1.0]])


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_every_loss_equals_torchs(reduction: str) -> None:
    recipe = LossRecipe(reduction=reduction, delta=0.7)
    logit = torch.tensor([[0.4], [-1.2]])
    # A mixture of one Gaussian of precision 1 around each guess.
    one = torch.stack([torch.zeros_like(GUESSES), GUESSES, torch.zeros_like(GUESSES)], -1)
    gaussian = -torch.distributions.Normal(GUESSES, 1.0).log_prob(NUMBERS)
    expected = {
        "cross-entropy": (LOGITS, CLASSES, F.cross_entropy(LOGITS, CLASSES, reduction=reduction)),
        "nll": (LOGITS.log_softmax(1), CLASSES, F.cross_entropy(LOGITS, CLASSES, reduction=reduction)),
        "bce": (
            logit,
            CLASSES,
            F.binary_cross_entropy(logit.sigmoid().flatten(), CLASSES.float(), reduction=reduction),
        ),
        "focal": (LOGITS, CLASSES, FOCAL.mean() if reduction == "mean" else FOCAL.sum()),
        "mse": (GUESSES, NUMBERS, ((GUESSES - NUMBERS) ** 2).sum() / (2 if reduction == "mean" else 1)),
        "l1": (GUESSES, NUMBERS, (GUESSES - NUMBERS).abs().sum() / (2 if reduction == "mean" else 1)),
        "huber": (GUESSES, NUMBERS, F.huber_loss(GUESSES, NUMBERS, delta=0.7, reduction=reduction)),
        "mixture-nll": (one, NUMBERS, {"mean": gaussian.mean(), "sum": gaussian.sum()}[reduction]),
    }
    assert set(expected) == set(LOSSES)
    for name, (outputs, targets, value) in expected.items():
        torch.testing.assert_close(build_loss(name, recipe)(outputs, targets), value)


def test_outputs_without_an_axis_are_not_broadcast_against_a_column() -> None:
    targets = torch.tensor([[1.0], [2.0], [3.0]])
    assert build_loss("mse", LossRecipe())(targets.flatten(), targets).item() == 0.0


def test_label_smoothing_reaches_cross_entropy() -> None:
    loss = build_loss("cross-entropy", LossRecipe(label_smoothing=0.2))
    torch.testing.assert_close(loss(LOGITS, CLASSES), F.cross_entropy(LOGITS, CLASSES, label_smoothing=0.2))


@pytest.mark.parametrize(
    ("task", "outputs", "shape", "name"),
    [
        ("classification", 10, (10,), "cross-entropy"),
        ("classification", 2, (1,), "bce"),
        ("classification", 2, (2,), "cross-entropy"),
        ("regression", 1, (1,), "mse"),
        ("regression", 1, (), "mse"),
        ("regression", 3, (3,), "mse"),
    ],
)
def test_auto_takes_what_task_and_net_call_for(task: str, outputs: int, shape: tuple[int, ...], name: str) -> None:
    assert choose_loss(LossRecipe(), task=task, outputs=outputs, output_shape=shape) == name


@pytest.mark.parametrize(
    ("recipe", "task", "outputs", "shape", "message"),
    [
        (LossRecipe(name="crosentropy"), "classification", 3, (3,), 'called crosentropy.*"cross-entropy"'),
        (LossRecipe(name="mse"), "classification", 3, (3,), "target of this data is a class|compares numbers"),
        (LossRecipe(name="nll"), "regression", 1, (1,), "target of this data is a number"),
        (LossRecipe(name="bce"), "classification", 3, (1,), "two classes; this data has 3"),
        (LossRecipe(), "classification", 10, (12,), "gives 12 numbers a sample.*wants 10"),
        (LossRecipe(), "classification", 10, (10, 4), "gives 10×4 numbers"),
        (LossRecipe(), "regression", 1, (2,), "gives 2 numbers.*1 to predict"),
        (
            LossRecipe(label_smoothing=0.1, name="nll"),
            "classification",
            3,
            (3,),
            "works with cross-entropy and bce only",
        ),
    ],
)
def test_what_does_not_fit_is_told(
    recipe: LossRecipe, task: str, outputs: int, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        choose_loss(recipe, task=task, outputs=outputs, output_shape=shape)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("name", ["cross-entropy", "nll"])
def test_every_token_of_a_text_counts_as_a_sample(name: str, reduction: str) -> None:
    outputs = torch.linspace(-1, 1, 2 * 5 * 3).reshape(2, 5, 3).sin().log_softmax(-1)
    targets = torch.arange(10).reshape(2, 5) % 3
    found = build_loss(name, LossRecipe(reduction=reduction))(outputs, targets)
    torch.testing.assert_close(found, F.nll_loss(outputs.reshape(10, 3), targets.reshape(10), reduction=reduction))


@pytest.mark.parametrize(
    ("task", "outputs", "shape", "name"),
    [
        ("language", 50, (35, 50), "cross-entropy"),
        ("regression", 1, (5, 3), "mixture-nll"),
        ("regression", 2, (3, 5), "mixture-nll"),
        ("regression", 5, (5,), "mse"),
        ("reconstruction", 784, (784,), "mse"),
        ("reconstruction", 784, (1, 28, 28), "mse"),
    ],
)
def test_the_loss_that_task_and_net_call_for(task: str, outputs: int, shape: tuple[int, ...], name: str) -> None:
    assert choose_loss(LossRecipe(), task=task, outputs=outputs, output_shape=shape) == name


@pytest.mark.parametrize(
    ("task", "outputs", "shape", "name", "told"),
    [
        ("language", 50, (50,), "auto", "T×50"),
        ("language", 50, (35, 49), "auto", "T×50"),
        ("language", 50, (35, 50), "mse", "compares|比较|用来比较"),
        ("regression", 1, (1,), "mixture-nll", "1"),
        ("reconstruction", 784, (10,), "auto", "784"),
        ("reconstruction", 784, (784,), "cross-entropy", "cross-entropy"),
    ],
)
def test_what_does_not_fit_these_tasks_is_told(
    language: str, task: str, outputs: int, shape: tuple[int, ...], name: str, told: str
) -> None:
    with pytest.raises(UserError, match=told):
        choose_loss(LossRecipe(name=name), task=task, outputs=outputs, output_shape=shape)


class Heads(NamedTuple):
    """Outputs of two heads that weigh their losses themselves."""

    main: torch.Tensor
    other: torch.Tensor

    def loss(self, loss: Loss, targets: torch.Tensor) -> torch.Tensor:
        return loss(self.main, targets) + 0.3 * loss(self.other, targets)


def test_several_heads_are_asked_and_of_other_tuples_the_first_entry_counts() -> None:
    plain = F.cross_entropy(LOGITS, CLASSES)
    torch.testing.assert_close(loss_of(Heads(LOGITS, LOGITS), CLASSES, cross_entropy), 1.3 * plain)
    torch.testing.assert_close(loss_of((LOGITS, torch.zeros(3)), CLASSES, cross_entropy), plain)


@pytest.mark.parametrize("name", ["mse", "l1", "huber"])
def test_outputs_that_do_not_lie_in_a_row_are_compared_too(name: str) -> None:
    outputs, targets = torch.rand(2, 4, 3).transpose(1, 2), torch.rand(2, 12)
    loss = build_loss(name, LossRecipe())
    assert loss(outputs, targets) == loss(outputs.contiguous(), targets)
