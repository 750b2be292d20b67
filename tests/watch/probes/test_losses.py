"""Losses: their values step by step, and what one reading of the graph tells of the net."""

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from danlu.watch.guard import Guard
from danlu.watch.measured import Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes.activations import ActivationProbe
from danlu.watch.probes.graph import Names
from danlu.watch.probes.labels import LabelProbe
from danlu.watch.probes.layers import layers_of
from danlu.watch.probes.losses import LossProbe
from danlu.watch.sites import Sites

Tensor = torch.Tensor
X, CLASSES = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), torch.tensor([0, 1, 1])


class Watched:
    """A net, and the probe of its losses."""

    def __init__(self, *layers: nn.Module) -> None:
        self.net = nn.Sequential(*(layers or (nn.Linear(2, 20), nn.ReLU(), nn.Linear(20, 2))))
        _, records, owners = layers_of({"": self.net})
        self.measured = Measured(layers=records)
        self.labels = LabelProbe(self.measured)
        names = Names(owners)
        activations = ActivationProbe(self.measured, names, set())
        sites = Sites(self.measured, Guard(lambda *_: None))
        self.probe = LossProbe(
            self.measured,
            names,
            [self.net],
            activations,
            self.labels,
            sites,
            lambda call, *args, **more: call(*args, **more),
        )

    def read(self, loss: Tensor, step: int = 1, *, given: tuple[Tensor, ...] = (), calls: bool = False) -> None:
        self.probe.read(loss, step, given, from_loss_calls=calls)

    def step(self, *losses: float) -> None:
        for loss in losses:
            self.probe.value(torch.tensor(loss))
        self.probe.end_step(read=True)


def test_each_steps_loss_is_added() -> None:
    watched = Watched()
    for loss in (3.0, 2.0, 1.0):
        watched.step(loss)
    assert watched.measured.loss.earliest == [3.0, 2.0, 1.0]
    assert (watched.measured.first_loss, watched.measured.losses_per_step) == (3.0, 1.0)


def test_several_losses_of_a_step_are_averaged_and_counted() -> None:
    watched = Watched()
    watched.step(1.0, 3.0)
    assert watched.measured.loss.last == 2.0
    assert watched.measured.losses_per_step == pytest.approx(0.9 + 0.1 * 2)
    watched.step(1.0)
    assert watched.measured.losses_per_step == pytest.approx(0.9 * 1.1 + 0.1)


def test_a_step_without_a_loss_adds_none() -> None:
    watched = Watched()
    watched.step()
    assert watched.measured.loss.count == 0
    watched.step(1.0)
    assert watched.measured.loss.earliest == [1.0]


@pytest.mark.parametrize(
    ("root", "ordinary", "added"),
    [
        (torch.tensor(5.0), True, [5.0]),
        (torch.tensor(3), True, [3.0]),
        (torch.tensor([[2.0]]), True, [2.0]),
        (torch.tensor([1.0, 2.0]), True, []),  # no single number: nothing to take up
        (torch.tensor(1j), True, []),
        (torch.tensor(math.nan), False, []),  # where it comes from is to be found out
        (torch.tensor(math.inf), False, []),
        ("an edge of the graph", False, []),
    ],
)
def test_the_loss_of_an_ordinary_step(root: object, ordinary: bool, added: list[float]) -> None:
    watched = Watched()
    assert watched.probe.ordinary(root) == ordinary
    watched.probe.end_step(read=False)
    assert watched.measured.loss.earliest == added


def test_the_first_loss_of_a_block_that_goes_on_is_its_own() -> None:
    watched = Watched()
    for loss in (9.0, 8.0):
        watched.measured.loss.add(loss)
    watched.measured.before = 2
    watched.step(7.0)
    watched.step(6.0)
    assert (watched.measured.first_loss, watched.measured.loss.first) == (7.0, 9.0)


@pytest.mark.parametrize(
    ("loss", "value", "finite"),
    [
        (torch.tensor(2.0), 2.0, True),
        (torch.tensor([[2.0]]), 2.0, True),
        (torch.tensor(2.0, dtype=torch.float64), 2.0, True),
        (torch.tensor(2.0, dtype=torch.bfloat16), 2.0, True),
        (torch.tensor(math.nan), math.nan, False),
        (torch.tensor(-math.inf), -math.inf, False),
        (torch.zeros(2), None, True),
        (torch.zeros(0), None, True),
        (torch.tensor(1j), None, True),
        (torch.zeros((), device="meta"), None, True),
    ],
)
def test_a_loss_is_one_number(loss: Tensor, value: float | None, finite: bool) -> None:
    watched = Watched()
    assert watched.probe.value(loss) is not finite
    assert watched.probe.end_step(read=True) is False
    assert watched.measured.loss.count == (value is not None)
    if value is not None:
        assert watched.measured.loss.last == pytest.approx(value, nan_ok=True)


def test_one_reading_tells_head_labels_and_structure() -> None:
    watched = Watched()
    output = watched.net(X)
    watched.read(F.cross_entropy(output, CLASSES), given=(output,))
    (head,) = watched.measured.heads
    assert (head.loss, head.step, head.shape, head.labelled) == ("cross-entropy", 1, (3, 2), True)
    labels, net = watched.measured.labels, watched.measured.net
    assert (labels.kind, labels.outputs, labels.counts, labels.dense) == ("classes", 2, {0: 1, 1: 2}, False)
    assert watched.measured.accuracy.count == 1
    assert (net.nonlinear, net.depth, net.linear_pairs, net.bottlenecks) == (True, 2, (), ("2",))
    assert list(watched.measured.activations) == ["0/Relu"]
    assert watched.probe.reached == {id(one) for one in watched.net.parameters()}
    assert (watched.probe.strangers, watched.measured.weighs_samples) == (set(), False)
    assert watched.probe.operations > 4


@pytest.mark.parametrize(
    ("loss", "kind", "counts"),
    [
        (lambda y: F.cross_entropy(y, CLASSES), "classes", {0: 1, 1: 2}),
        (lambda y: F.nll_loss(F.log_softmax(y, 1), CLASSES), "classes", {0: 1, 1: 2}),
        (lambda y: F.binary_cross_entropy_with_logits(y[:, 0], CLASSES.float()), "binary", {0: 1, 1: 2}),
        (lambda y: F.binary_cross_entropy(y[:, 0].sigmoid(), CLASSES.float()), "binary", {0: 1, 1: 2}),
        (lambda y: F.mse_loss(y[:, 0], torch.tensor([0.5, 1.0, 2.5])), "numbers", {}),
        (lambda y: F.mse_loss(y[:, :1], torch.tensor([[4.0], [4.0], [6.0]])), "numbers", {4: 2, 6: 1}),
    ],
)
def test_the_kind_of_the_labels_is_that_of_the_loss(loss: Any, kind: str, counts: dict[int, int]) -> None:
    watched = Watched()
    watched.read(loss(watched.net(X)))
    assert (watched.measured.labels.kind, watched.measured.labels.counts) == (kind, counts)


def test_labels_that_nothing_has_kept_are_not_counted() -> None:
    watched = Watched()
    watched.read((watched.net(X) - 1.0).square().mean())  # nobody says what the net gave
    (head,) = watched.measured.heads
    assert (head.loss, head.labelled, watched.measured.labels.kind) == ("difference", True, "")


def test_labels_that_a_call_has_told_are_not_counted_twice() -> None:
    watched = Watched()
    output = watched.net(X)
    watched.labels.computed(LossCall("cross_entropy_loss", "classes", output, CLASSES, False, False), 1, X)
    watched.read(F.cross_entropy(output, CLASSES), calls=True)
    assert watched.measured.labels.counts == {0: 1, 1: 2}
    assert watched.measured.heads[0].labelled


def test_of_several_losses_one_has_its_labels_counted() -> None:
    watched = Watched()
    output = watched.net(X)
    watched.read(F.cross_entropy(output, CLASSES) + F.mse_loss(output, torch.full((3, 2), 7.0)), given=(output,))
    assert sorted(one.labelled for one in watched.measured.heads) == [False, True]
    labelled = next(one for one in watched.measured.heads if one.labelled)
    kind = "classes" if labelled.loss == "cross-entropy" else "numbers"
    assert watched.measured.labels.kind == kind


def test_two_graphs_of_a_step_are_read_and_no_more() -> None:
    watched = Watched()
    for _ in range(3):
        watched.read(F.cross_entropy(watched.net(X), CLASSES))
    assert len(watched.measured.heads) == 2
    watched.step(1.0)
    watched.read(F.cross_entropy(watched.net(X), CLASSES), 2)
    assert [one.step for one in watched.measured.heads] == [1, 1, 2]


def test_heads_are_read_on_the_first_steps_and_then_seldom() -> None:
    watched = Watched()
    for step in range(1, 61):
        watched.read(F.cross_entropy(watched.net(X), CLASSES), step)
        watched.step(1.0)
    assert [one.step for one in watched.measured.heads] == [1, 2, 3, 20, 40, 60]


def test_sixty_four_heads_are_kept_the_first_and_the_newest() -> None:
    watched = Watched(nn.Linear(2, 2))
    for step in range(20, 20 * 80, 20):
        watched.read(F.cross_entropy(watched.net(X), CLASSES), step)
        watched.step(1.0)
    steps = [one.step for one in watched.measured.heads]
    assert (len(steps), steps[:2], steps[-1]) == (64, [20, 40], 1580)


@pytest.mark.parametrize("loss", [torch.tensor(1.0), torch.ones(3)])
def test_a_loss_without_a_graph_is_passed_over(loss: Tensor) -> None:
    watched = Watched()
    watched.read(loss)
    assert (watched.measured.heads, watched.probe.reached) == ([], set())


def test_a_loss_of_several_numbers_has_a_head_and_no_value_later_on() -> None:
    watched = Watched()
    watched.read(F.cross_entropy(watched.net(X), CLASSES, reduction="none"), 2)
    (head,) = watched.measured.heads
    assert math.isnan(head.value)


def test_the_value_of_a_weighted_loss_is_not_that_of_the_root() -> None:
    watched = Watched()
    watched.read(F.cross_entropy(watched.net(X), CLASSES) * 3, 2)
    assert math.isnan(watched.measured.heads[0].value)


def test_what_a_loss_reaches_and_the_net_does_not_know_is_a_stranger() -> None:
    watched, stray = Watched(), nn.Parameter(torch.tensor(1.0))
    watched.read(F.cross_entropy(watched.net(X), CLASSES) + stray)
    assert watched.probe.strangers == {id(stray)}
    plain = torch.ones((), requires_grad=True)  # no parameter
    watched.step(1.0)
    watched.read(F.cross_entropy(watched.net(X), CLASSES) + plain, 2)
    assert watched.probe.strangers == set()


def test_nets_beside_and_below_are_no_strangers_and_one_within_is() -> None:
    watched, teacher, below, within = Watched(), nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2)
    taken = below(X)
    output = within(watched.net(taken))
    loss = F.mse_loss(teacher(output), teacher(X).detach() + teacher(X))
    watched.probe.read(loss, 1, (output,), taken, from_loss_calls=False)
    assert watched.probe.strangers == {id(one) for one in within.parameters()}


@pytest.mark.parametrize("scale", [1.0, 255.0])
def test_what_the_first_layer_is_given_is_measured(scale: float) -> None:
    watched = Watched()
    watched.read(F.cross_entropy(watched.net(X / scale), CLASSES))
    assert watched.measured.inputs.entering == pytest.approx(float((X / scale).square().mean().sqrt()))


def test_a_net_of_linear_layers_alone_is_told() -> None:
    watched = Watched(nn.Linear(2, 3), nn.Linear(3, 2))
    watched.read(F.cross_entropy(watched.net(X), CLASSES))
    net = watched.measured.net
    assert (net.nonlinear, net.depth, net.linear_pairs) == (False, 2, (("0", "1"),))


def test_a_compiled_net_does_not_show_its_structure() -> None:
    watched = Watched()
    watched.measured.net.compiled = True
    watched.read(F.cross_entropy(watched.net(X), CLASSES))
    assert watched.measured.net.nonlinear is None


class ByHand(nn.Module):
    """Matrices [inputs, outputs], as textbooks write them."""

    def __init__(self) -> None:
        super().__init__()
        self.w1, self.w2 = nn.Parameter(torch.ones(2, 5)), nn.Parameter(torch.ones(5, 3))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x @ self.w1) @ self.w2


def test_the_outputs_of_a_matrix_by_hand_are_known_by_what_it_gives() -> None:
    watched = Watched(ByHand())
    watched.read(F.cross_entropy(watched.net(X), CLASSES))
    sizes = [(one.inputs, one.outputs, one.width, one.channels) for one in watched.measured.layers.values()]
    assert sizes == [(2, 5, 5, 2), (5, 3, 3, 5)]


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda net, x: x.fill_(math.nan), ("", "input")),
        (lambda net, x: net[2].weight.data.fill_(math.inf), ("2", "weight")),
        (lambda net, x: None, ("NllLoss", "loss")),
    ],
)
def test_the_origin_of_a_loss_that_is_no_number_is_found_once(spoil: Any, expected: tuple[str, str]) -> None:
    watched, x = Watched(), X.clone()
    spoil(watched.net, x)
    loss = F.cross_entropy(watched.net(x), CLASSES)
    given = watched.probe.nonfinite(loss, 7, x, readable=True)
    measured = watched.measured
    assert (measured.nonfinite_where, measured.nonfinite_what, measured.nonfinite_at) == (*expected, 7)
    assert (given is x) is (expected[1] == "input")
    watched.probe.nonfinite(loss, 8, x, readable=True)
    assert measured.nonfinite_at == 7


def test_a_graph_that_is_not_its_own_is_not_read_for_it() -> None:
    watched = Watched()
    watched.probe.nonfinite(F.cross_entropy(watched.net(X), CLASSES), 3, X, readable=False)
    assert (watched.measured.nonfinite_where, watched.measured.nonfinite_what) == ("", "loss")


def test_arithmetic_by_hand_is_looked_at_in_the_first_steps() -> None:
    """A column beside a row, and a dice of what a layer gave."""
    watched, mask = Watched(nn.Linear(2, 1)), (torch.rand(len(X), 1) > 0.5).float()
    for step in (1, 2, 20):
        output = watched.net(X)
        dice = (2 * (output * mask).sum() + 1) / (output.sum() + mask.sum() + 1)
        watched.read((output * torch.ones(len(X))).mean() - dice, step, given=(output,))
        watched.step()
    assert (watched.measured.grown, watched.measured.grown_steps) == (((len(X), 1), (len(X), len(X))), 2)
    assert watched.measured.overlaps_of_logits == 2


@pytest.mark.parametrize(("rows", "stuck"), [([3] * 9, ("0",)), ([3] * 8 + [2], ()), ([3] * 7, ())])
def test_an_embedding_that_gives_one_row_alone(rows: list[int], stuck: tuple[str, ...]) -> None:
    watched = Watched(nn.Embedding(5, 4), nn.Linear(4, 2))
    watched.read(watched.net(torch.tensor(rows)).square().mean())
    assert watched.measured.net.stuck == stuck
