"""Losses that weigh classes, and the focal loss: torch's values, in the module's form and in both forms of a stack."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from danlu.base.errors import UserError
from danlu.base.recipe import LossRecipe
from danlu.stack.losses import StackedLoss
from danlu.stack.one_loss import one_loss
from danlu.train.class_weights import balanced, checked_weights, counted_by
from danlu.train.losses import build_loss

SAMPLES = 12
THREE, TWO = (0.5, 2.0, 7.0), (0.5, 3.0)


def case(outputs: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Logits [N, outputs] and classes [N], some of each."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(SAMPLES, outputs, generator=generator, dtype=torch.float64)
    return logits, torch.arange(SAMPLES) % max(2, outputs)


RECIPES = [
    LossRecipe(name="cross-entropy", class_weights=THREE),
    LossRecipe(name="cross-entropy", class_weights=THREE, label_smoothing=0.2),
    LossRecipe(name="cross-entropy", class_weights=THREE, reduction="sum"),
    LossRecipe(name="nll", class_weights=THREE),
    LossRecipe(name="bce", class_weights=TWO),
    LossRecipe(name="bce", label_smoothing=0.2),
    LossRecipe(name="bce", class_weights=TWO, label_smoothing=0.2, reduction="sum"),
    LossRecipe(name="focal"),
    LossRecipe(name="focal", gamma=0.5),
    LossRecipe(name="focal", gamma=3.0, class_weights=THREE),
    LossRecipe(name="focal", gamma=3.0, class_weights=TWO, reduction="sum"),
]


def expected(recipe: LossRecipe, logits: Tensor, classes: Tensor) -> Tensor:
    """What torch's own functions make of it; of the focal loss what its paper writes."""
    weight = None if recipe.class_weights is None else torch.tensor(recipe.class_weights, dtype=logits.dtype)
    if recipe.name == "cross-entropy":
        smoothing = recipe.label_smoothing
        return F.cross_entropy(logits, classes, weight, reduction=recipe.reduction, label_smoothing=smoothing)
    if recipe.name == "nll":
        return F.nll_loss(logits, classes, weight, reduction=recipe.reduction)
    if recipe.name == "bce":
        wanted = classes.double() * (1 - recipe.label_smoothing) + recipe.label_smoothing / 2
        ratio = None if weight is None else weight[1] / weight[0]
        return F.binary_cross_entropy_with_logits(logits[:, 0], wanted, pos_weight=ratio, reduction=recipe.reduction)
    odds = logits if logits.shape[1] > 1 else torch.cat([torch.zeros_like(logits), logits], 1)
    p = odds.softmax(1)[torch.arange(SAMPLES), classes]
    counted = torch.ones_like(p) if weight is None else weight[classes]
    losses = -counted * (1 - p) ** (2.0 if recipe.gamma is None else recipe.gamma) * p.log()
    return losses.sum() / (1.0 if recipe.reduction == "sum" else counted.sum())


def outputs_of(recipe: LossRecipe) -> int:
    return 1 if recipe.name == "bce" or recipe.class_weights == TWO else 3


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_it_is_torchs_in_every_form_with_its_gradient(recipe: LossRecipe) -> None:
    logits, classes = case(outputs_of(recipe))
    logits.requires_grad_()
    value = expected(recipe, logits, classes)
    (slope,) = torch.autograd.grad(value, logits)
    found = build_loss(recipe.name, recipe)(logits, classes)
    (own,) = torch.autograd.grad(found, logits)
    torch.testing.assert_close((found, own), (value, slope))
    single, gradient, count = one_loss(recipe)(logits.detach().mT.contiguous(), classes)
    torch.testing.assert_close((single, gradient.mT / count), (value.detach(), slope))


@pytest.mark.parametrize("recipes", [RECIPES[0:2], RECIPES[4:5] * 2, RECIPES[9:10] * 2], ids=str)
def test_members_of_a_stack_have_weights_of_their_own_and_samples_that_fill_count_nothing(
    recipes: Sequence[LossRecipe],
) -> None:
    other = LossRecipe(**{**vars(recipes[1]), "class_weights": tuple(reversed(recipes[1].class_weights))})
    recipes = [recipes[0], other]
    pairs = [case(outputs_of(recipe), seed) for seed, recipe in enumerate(recipes)]
    logits = torch.stack([one.mT for one, _ in pairs]).contiguous()
    classes = torch.stack([one for _, one in pairs])
    stack = StackedLoss(recipes[0].name, recipes, torch.device("cpu"), torch.float64)
    counts = torch.tensor([SAMPLES, SAMPLES - 5])
    whole, _ = stack(logits.clone(), classes)
    some, gradient = stack(logits.clone(), classes, counts=counts)
    for k, (recipe, (own, targets)) in enumerate(zip(recipes, pairs, strict=True)):
        loss = build_loss(recipe.name, recipe)
        torch.testing.assert_close(whole[k], loss(own, targets))
        torch.testing.assert_close(some[k], loss(own[: counts[k]], targets[: counts[k]]))
    assert not gradient[1, :, SAMPLES - 5 :].any()
    stack.select(torch.tensor([1]))
    torch.testing.assert_close(stack(logits[1:].clone(), classes[1:])[0], whole[1:])


@pytest.mark.parametrize("weights", [None, THREE])
def test_without_gamma_a_focal_loss_is_cross_entropy(weights: tuple[float, ...] | None) -> None:
    logits, classes = case(3)
    focal = build_loss("focal", LossRecipe(gamma=0.0, class_weights=weights))
    torch.testing.assert_close(
        focal(logits, classes), build_loss("cross-entropy", LossRecipe(class_weights=weights))(logits, classes)
    )


def test_a_sample_that_is_sure_has_a_slope_of_nothing() -> None:
    logits, classes = torch.tensor([[200.0, 0.0], [0.0, 90.0]], requires_grad=True), torch.tensor([0, 1])
    build_loss("focal", LossRecipe(gamma=0.5))(logits, classes).backward()
    assert logits.grad is not None
    assert logits.grad.abs().max() < 1e-30
    _, slope, _ = one_loss(LossRecipe(name="focal", gamma=0.5))(logits.detach().mT.contiguous(), classes)
    assert slope.abs().max() < 1e-15


def test_balanced_is_scikit_learns() -> None:
    numpy = pytest.importorskip("numpy")
    reference = pytest.importorskip("sklearn.utils.class_weight")
    counts = [70, 20, 3]
    labels = numpy.repeat([0, 1, 2], counts)
    found = reference.compute_class_weight("balanced", classes=numpy.arange(3), y=labels)
    assert balanced(counts) == pytest.approx(found.tolist(), rel=1e-15)
    assert balanced([4, 0, 4]) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("name", ["cross-entropy", "bce", "focal"])
def test_parts_of_a_batch_add_up_to_its_loss(name: str) -> None:
    recipe = LossRecipe(name=name, class_weights=TWO)
    logits, classes = case(1 if name == "bce" else 2)
    loss, counted = build_loss(name, recipe), counted_by(recipe)
    parts = [slice(0, 5), slice(5, SAMPLES)]
    summed = sum(loss(logits[part], classes[part]) * counted(classes[part]) for part in parts) / counted(classes)
    torch.testing.assert_close(summed, loss(logits, classes))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((1.0,), "has 1 numbers, but the data have 2 classes: ham, spam"),
        ((1.0, -2.0), "-2.0 is no number above 0"),
        ((1.0, True), "True is no number above 0"),
        ((1.0, float("inf")), "inf is no number above 0"),
        ({"spm": 2.0}, "no class spm.*spam"),
        ("balance", "not balance.*balanced"),
        ("balanced", "are streamed"),
    ],
)
def test_what_is_no_weight_is_told(given: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        checked_weights(given, ["ham", "spam"], None)
