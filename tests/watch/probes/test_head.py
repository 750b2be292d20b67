"""Heads: which loss hangs on a net, what lies between, how it is reduced, and the numbers that met there."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from danlu.watch.loss_facts import Head
from danlu.watch.probes.head import chain, criteria, read_head, reductions, weighs_samples

Tensor = torch.Tensor
Loss = Callable[[Tensor], Tensor]
CLASSES = torch.tensor([0, 1, 1])


def net(outputs: int = 2) -> nn.Linear:
    """A layer that gives what it is given."""
    layer = nn.Linear(outputs, outputs)
    nn.init.eye_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def heads(loss: Tensor, *given: Tensor, step: int = 1, scaled: bool = False) -> list[Head]:
    value = float(loss.detach()) if loss.numel() == 1 else math.nan
    return [read_head(one, step, given, value, scaled=scaled)[0] for one in criteria(loss.grad_fn)]


def head(loss: Loss, values: Any = ((1.0, 0.0), (0.0, 2.0), (3.0, 3.0)), **settings: Any) -> Head:
    x = torch.tensor(values)
    given = net(x.shape[-1])(x)
    (found,) = heads(loss(given), given, **settings)
    return found


ZEROS, ONES = torch.zeros(3, 2), torch.ones(3, 2)
# -log of the share of the right class: log(1 + e^-1), log(1 + e^-2), log 2.
ENTROPY = (math.log(1 + math.exp(-1)) + math.log(1 + math.exp(-2)) + math.log(2)) / 3


def squared(difference: Tensor) -> Tensor:
    return difference * difference


LOSSES: list[tuple[Loss, str, float]] = [
    (lambda y: F.cross_entropy(y, CLASSES), "cross-entropy", ENTROPY),
    (lambda y: F.cross_entropy(y, CLASSES.byte()), "cross-entropy", ENTROPY),
    (lambda y: F.nll_loss(F.log_softmax(y, 1), CLASSES), "cross-entropy", ENTROPY),
    (lambda y: -F.log_softmax(y, 1)[range(3), CLASSES].mean(), "cross-entropy", ENTROPY),
    (lambda y: -F.log_softmax(y, 1).gather(1, CLASSES[:, None]).mean(), "cross-entropy", ENTROPY),
    (lambda y: F.nll_loss(y, CLASSES), "nll", -2.0),
    (lambda y: F.mse_loss(y, ZEROS), "mse", 23 / 6),
    (lambda y: ((y - ONES) ** 2).mean(), "difference", (0 + 1 + 1 + 1 + 4 + 4) / 6),
    (lambda y: (ONES - y).square().mean(), "difference", 11 / 6),
    (lambda y: squared(y - ONES).mean(), "difference", 11 / 6),
    (lambda y: F.cross_entropy(y, CLASSES, weight=torch.tensor([1.0, 5.0])), "cross-entropy", ENTROPY),
    (lambda y: F.cross_entropy(y, CLASSES, label_smoothing=0.1), "cross-entropy", ENTROPY),
    (lambda y: F.cross_entropy(y, F.one_hot(CLASSES).float()), "cross-entropy", ENTROPY),
    (lambda y: F.l1_loss(y, ONES), "l1", 7 / 6),
    (lambda y: (y - ONES).abs().mean(), "l1", 7 / 6),
    (lambda y: F.smooth_l1_loss(y, ZEROS), "huber", (0.5 + 1.5 + 2.5 + 2.5) / 6),
    (lambda y: F.huber_loss(y, ZEROS), "huber", (0.5 + 1.5 + 2.5 + 2.5) / 6),
    (
        lambda y: F.binary_cross_entropy_with_logits(y, ZEROS),
        "bce-logits",
        (2 * math.log(2) + math.log(1 + math.e) + math.log(1 + math.e**2) + 2 * math.log(1 + math.e**3)) / 6,
    ),
    (lambda y: F.binary_cross_entropy(y / 4, ZEROS), "bce", -(math.log(0.75) + math.log(0.5) + 2 * math.log(0.25)) / 6),
]


@pytest.mark.parametrize(("loss", "name", "value"), LOSSES)
def test_each_loss_is_known_and_its_value_is_the_mean_of_a_sample(loss: Loss, name: str, value: float) -> None:
    found = head(loss)
    assert (found.loss, found.step, found.batch, found.shape) == (name, 1, 3, (3, 2))
    assert found.value == pytest.approx(value, rel=1e-5)
    assert (found.summed, found.negated, found.broadcast, found.across_batch) == (False, False, None, False)


@pytest.mark.parametrize(
    ("loss", "value"),
    [
        (lambda y: F.cross_entropy(y, CLASSES, reduction="sum"), ENTROPY),
        (lambda y: F.mse_loss(y, ZEROS, reduction="sum"), 23 / 6),
        (lambda y: F.mse_loss(y, ZEROS, reduction="none").sum(), 23 / 6),
        (lambda y: ((y - ONES) ** 2).sum(), 11 / 6),
    ],
)
def test_a_sum_over_the_batch_is_told_and_its_value_is_that_of_a_sample(loss: Loss, value: float) -> None:
    found = head(loss)
    assert (found.summed, found.value) == (True, pytest.approx(value))
    assert not head(lambda y: loss(y) / 3).summed
    assert not head(lambda y: loss(y) * (1 / 3)).summed
    assert head(lambda y: loss(y) * 1024, scaled=True).summed  # that factor is a GradScaler's


def test_later_steps_are_not_reckoned_anew() -> None:
    found = head(lambda y: F.mse_loss(y, ZEROS, reduction="sum"), step=2)
    assert (found.step, found.value) == (2, 23.0)


def test_a_loss_that_is_made_large_is_told() -> None:
    assert head(lambda y: -F.mse_loss(y, ZEROS)).negated
    assert not head(lambda y: (-F.mse_loss(y, ZEROS)).neg()).negated


PICKED = (torch.arange(3), CLASSES)


@pytest.mark.parametrize(
    ("loss", "bare"),
    [
        (lambda y: y.log_softmax(1)[PICKED].mean(), True),
        (lambda y: y.log_softmax(1).gather(1, CLASSES[:, None]).squeeze(1).sum(), True),
        (lambda y: -y.log_softmax(1)[PICKED].mean(), False),
        (lambda y: (y.log_softmax(1)[PICKED] * -1).mean(), False),
        (lambda y: 0 - y.log_softmax(1)[PICKED].mean(), False),
        (lambda y: (y.log_softmax(1)[PICKED] * torch.tensor([0.5, 2.0, 1.0])).sum(), False),  # by a return
        (lambda y: F.cross_entropy(y, CLASSES), False),
    ],
)
def test_a_likelihood_whose_minus_is_missing_is_bare(loss: Any, bare: bool) -> None:
    assert head(loss).bare is bare


@pytest.mark.parametrize(
    ("before", "between"),
    [
        (lambda y: y, ()),
        (torch.sigmoid, ("Sigmoid",)),
        (lambda y: F.softmax(torch.relu(y), 1), ("Softmax", "Relu")),
        (lambda y: y.view(3, 2), ("View",)),
    ],
)
def test_what_lies_between_loss_and_net_is_named_from_the_loss_on(before: Loss, between: tuple[str, ...]) -> None:
    assert head(lambda y: F.cross_entropy(before(y), CLASSES)).between == between
    assert head(lambda y: F.mse_loss(before(y), ZEROS)).between == between


def test_the_numbers_that_met_are_those_of_outputs_and_targets() -> None:
    found = head(lambda y: F.mse_loss(y, torch.tensor([[0.5, 1.0], [2.0, -4.0], [0.0, 0.0]])))
    assert (found.low, found.high, found.target_low, found.target_high) == (0.0, 3.0, -4.0, 2.0)
    assert (found.target_shape, found.target_integer, found.one_hot) == ((3, 2), False, False)


def test_of_a_loss_by_hand_the_targets_are_reckoned_back() -> None:
    targets = torch.tensor([[0.0, 1.0], [2.0, -4.0], [0.0, 0.0]])
    for loss in (lambda y: ((y - targets) ** 2).mean(), lambda y: ((targets - y) ** 2).mean()):
        found = head(loss)
        assert (found.low, found.high, found.target_low, found.target_high) == (0.0, 3.0, -4.0, 2.0)
        assert (found.target_shape, found.target_integer) == ((3, 2), True)


def test_where_nothing_was_kept_there_are_no_numbers() -> None:
    x = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
    (found,) = heads(((net()(x) - ONES) ** 2).mean())  # nobody says what the net gave
    assert math.isnan(found.low)
    assert (found.target_shape, found.target_integer, found.value) == ((), False, pytest.approx(11 / 6))


@pytest.mark.parametrize(
    ("targets", "low", "high"),
    [
        (CLASSES, 0.0, 1.0),
        (torch.tensor([1, -100, 0]), -100.0, 1.0),
    ],
)
def test_classes_are_whole_numbers(targets: Tensor, low: float, high: float) -> None:
    found = head(lambda y: F.cross_entropy(y, targets))
    assert (found.target_low, found.target_high, found.target_integer, found.target_shape) == (low, high, True, (3,))


def test_a_class_to_be_ignored_has_no_loss() -> None:
    found = head(lambda y: F.cross_entropy(y, torch.tensor([0, -100, 1])))
    assert found.value == pytest.approx((math.log(1 + math.exp(-1)) + math.log(2)) / 2)
    found = head(lambda y: F.cross_entropy(y, torch.tensor([0, 1, 1]), ignore_index=1))
    assert found.value == pytest.approx(math.log(1 + math.exp(-1)))


@pytest.mark.parametrize(
    ("targets", "one_hot"),
    [
        ([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], True),
        ([[1.0, 1.0], [0.0, 1.0], [0.0, 1.0]], False),
        ([[0.5, 0.5], [0.0, 1.0], [0.0, 1.0]], False),
        ([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]], False),
    ],
)
def test_targets_of_one_1_among_zeros_are_told(targets: list[list[float]], one_hot: bool) -> None:
    assert head(lambda y: F.mse_loss(y, torch.tensor(targets))).one_hot is one_hot
    assert not head(lambda y: F.cross_entropy(y, torch.tensor(targets))).one_hot  # shares of the classes


def test_a_single_column_is_never_one_hot() -> None:
    assert not head(lambda y: F.mse_loss(y, torch.ones(3, 1)), [[1.0], [2.0], [3.0]]).one_hot


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize(
    ("loss", "broadcast"),
    [
        (lambda y: F.mse_loss(y, torch.zeros(3)), ((3, 1), (3, 3))),
        (lambda y: ((y - torch.zeros(3)) ** 2).mean(), ((3, 1), (3, 3))),
        (lambda y: (y - torch.zeros(3)).abs().mean(), ((3, 1), (3, 3))),
        (lambda y: ((y[:, 0] - torch.zeros(3, 1)) ** 2).mean(), ((3,), (3, 3))),
        (lambda y: ((y - torch.zeros(3, 1)) ** 2).mean(), None),
        (lambda y: ((y - 1.0) ** 2).mean(), None),
    ],
)
def test_outputs_that_grew_by_the_number_of_samples_are_told(loss: Loss, broadcast: Any) -> None:
    assert head(loss, [[1.0], [2.0], [3.0]]).broadcast == broadcast


def test_a_softmax_over_the_samples_is_told() -> None:
    assert head(lambda y: F.nll_loss(F.log_softmax(y, 0), CLASSES)).across_batch
    assert head(lambda y: F.mse_loss(F.softmax(y, 0), ZEROS)).across_batch
    assert not head(lambda y: F.mse_loss(F.softmax(y, 1), ZEROS)).across_batch
    assert not head(lambda y: F.cross_entropy(y, CLASSES)).across_batch


def test_the_sum_of_a_row_tells_log_probabilities_from_others() -> None:
    rows = torch.tensor([[0.25, 0.75], [0.5, 0.5], [1.0, 1.0]]).log().tolist()
    assert head(lambda y: F.nll_loss(y, CLASSES), rows).row_sum == pytest.approx(4 / 3)
    assert math.isnan(head(lambda y: F.cross_entropy(y, CLASSES)).row_sum)


def test_one_sample_without_its_batch_has_a_head() -> None:
    found = head(lambda y: F.cross_entropy(y, torch.tensor(1)), [1.0, 2.0])
    assert (found.loss, found.shape, found.target_shape) == ("cross-entropy", (2,), ())
    assert found.value == pytest.approx(math.log(1 + math.exp(-1)))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_outputs_that_are_no_numbers_have_no_bounds_but_a_head(bad: float) -> None:
    found = head(lambda y: F.mse_loss(y, ZEROS[:1]), [[1.0, bad]])
    assert not math.isfinite(found.high)
    assert not math.isfinite(found.value)


def test_an_empty_batch_has_a_head_without_numbers() -> None:
    x = net()(torch.zeros(0, 2))
    (found,) = heads(F.mse_loss(x, torch.zeros(0, 2), reduction="sum"), x)
    assert (found.loss, found.batch, found.shape) == ("mse", 0, (0, 2))
    assert math.isnan(found.low)


def test_places_of_a_picture_are_scored_together() -> None:
    x = torch.zeros(1, 2, 2, 2)
    x[0, 0, 0, 0] = math.log(3.0)
    given = nn.Conv2d(2, 2, 1)(x)
    with torch.no_grad():
        given.copy_(x)
    (found,) = heads(F.cross_entropy(given, torch.zeros(1, 2, 2, dtype=torch.long)), given)
    assert (found.loss, found.shape, found.target_shape) == ("cross-entropy", (1, 2, 2, 2), (1, 2, 2))
    assert found.value == pytest.approx((math.log(4 / 3) + 3 * math.log(2)) / 4)


def test_several_losses_are_found_each() -> None:
    y = net()(ONES)
    found = heads(F.cross_entropy(y, CLASSES) + 0.5 * F.mse_loss(y, ZEROS), y)
    assert {one.loss for one in found} == {"cross-entropy", "mse"}


def test_a_loss_of_no_net_and_a_net_without_a_loss_have_no_head() -> None:
    assert criteria(net()(ONES).sum().grad_fn) == []
    assert criteria((net().weight ** 2).sum().grad_fn) == []  # a penalty on the weights


def test_the_way_from_loss_to_net_ends_at_the_first_layer() -> None:
    y = torch.relu(net()(torch.relu(net()(ONES))))
    (one,) = criteria(F.mse_loss(y, ZEROS).grad_fn)
    assert [type(node).__name__ for node in chain(one.start)] == ["ReluBackward0"]


RETURNS = torch.tensor([0.5, -1.0, 2.0])


@pytest.mark.parametrize(
    ("loss", "weighs"),
    [
        (lambda y: -(F.log_softmax(y, 1)[range(3), CLASSES] * RETURNS).mean(), True),
        (lambda y: (F.cross_entropy(y, CLASSES, reduction="none") * torch.tensor([1.0, 0.0, 1.0])).sum() / 2, False),
        (lambda y: (F.cross_entropy(y, CLASSES, reduction="none") * torch.arange(3.0)).mean(), False),
        (lambda y: F.cross_entropy(y, CLASSES) * 0.5, False),
        (lambda y: F.cross_entropy(y, CLASSES), False),
        (lambda y: sum(-F.log_softmax(y, 1)[0, 0] * torch.tensor(float(n)) for n in range(9)), True),
        (lambda y: sum(-F.log_softmax(y, 1)[0, 0] * torch.tensor(float(n)) for n in range(8)), False),
    ],
)
def test_a_loss_that_multiplies_each_sample_is_told(loss: Any, weighs: bool) -> None:
    assert weighs_samples(loss(net()(ONES)).grad_fn) is weighs


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        (lambda x: F.mse_loss(x, 0 * x.detach()) - 0.5 * (1 + x - x.exp()).sum(), {"mean", "sum"}),
        (lambda x: F.mse_loss(x, 0 * x.detach()) + 1e-3 * x.square().sum(), {"mean"}),
        (lambda x: F.mse_loss(x, 0 * x.detach()) + x.square().sum(1).mean(), {"mean"}),
        (lambda x: F.mse_loss(x, 0 * x.detach(), reduction="sum") + x.square().sum(), {"sum"}),
        (lambda x: (F.mse_loss(x, 0 * x.detach(), reduction="sum") + x.square().sum()) / len(x), set()),
        (lambda x: F.mse_loss(x, 0 * x.detach()) + x.square().sum() / len(x), {"mean"}),
        (lambda x: torch.stack([x.mean(), x.square().mean(), x.square().mean(), x.mean()]).sum(), set()),
    ],
)
def test_terms_that_are_averaged_and_summed(loss: Any, found: set[str]) -> None:
    given = net()(torch.ones(5, 2))
    assert reductions(loss(given).grad_fn, 5) == found


@pytest.mark.parametrize(
    ("loss", "shape"),
    [
        (lambda y: F.nll_loss(F.log_softmax(y, -1).view(-1, 7), torch.zeros(15).long()), (15, 7)),
        (lambda y: F.cross_entropy(y.transpose(1, 2), torch.zeros(5, 3).long()), (5, 7, 3)),
        (lambda y: F.cross_entropy(y.flatten(0, 1), torch.zeros(15).long()), (15, 7)),
    ],
)
def test_classes_lie_along_the_second_dimension(loss: Any, shape: tuple[int, ...]) -> None:
    given = net(7)(torch.ones(5, 3, 7))
    assert [one.shape for one in heads(loss(given), given)] == [shape]


@pytest.mark.parametrize(
    ("answer", "dropped"),
    [
        (lambda y: F.dropout(y, 0.5), True),
        (lambda y: F.dropout(y, 0.5).squeeze(-1), True),
        (lambda y: F.dropout(y, 0.5, training=False), False),
        (lambda y: y * 2.0, False),
        (lambda y: y * torch.tensor([0.0, 1.0]), False),  # a mask
        (lambda y: y * torch.full((24, 2), 2.0), False),
        (lambda y: F.softmax(F.dropout(y, 0.5), 1), False),
    ],
)
def test_dropout_of_the_answers_themselves(answer: Callable[[Tensor], Tensor], dropped: bool) -> None:
    torch.manual_seed(0)
    given = net()(torch.randn(24, 2))
    (found,) = heads(F.mse_loss(answer(given), torch.zeros(24, 2)), given)
    assert found.dropped is dropped
