import pytest
import torch
import torch.nn.functional as F

from danlu.base.errors import UserError
from danlu.base.recipe import LossRecipe
from danlu.train.losses import LOSSES, build_loss, choose_loss

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.0, 0.3, -0.2]])
CLASSES = torch.tensor([0, 1])
NUMBERS = torch.tensor([[1.0], [-2.0]])
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
        (LossRecipe(label_smoothing=0.1, name="nll"), "classification", 3, (3,), "works with cross-entropy only"),
    ],
)
def test_what_does_not_fit_is_told(
    recipe: LossRecipe, task: str, outputs: int, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        choose_loss(recipe, task=task, outputs=outputs, output_shape=shape)
