"""Parameters around one step: norms of gradients and weights, what it has changed, how steady the direction is."""

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adafactor, Adam, AdamW, Muon, RMSprop

from danlu.watch.layer_facts import Layer
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.probes.parameters import ParameterProbe, capped_share, hyperparameters

Tensor = torch.Tensor


class Watched:
    """Parameters by the name of their layer, and their probe."""

    def __init__(self, **layers: list[Tensor]) -> None:
        self.measured = Measured(layers={name: Layer(name, "Linear") for name in layers})
        owners = {id(one): name for name, parameters in layers.items() for one in parameters}
        self.parameters = [one for parameters in layers.values() for one in parameters]
        self.probe = ParameterProbe(self.measured, owners)
        self.optimiser = Optimiser("SGD")

    def before(self, step: int = 1) -> None:
        decays = dict.fromkeys(map(id, self.parameters), self.optimiser.weight_decay)
        self.probe.before(self.parameters, step, self.optimiser, decays)

    def after(self, step: int = 1) -> None:
        self.probe.after(step, self.optimiser)

    def __getitem__(self, name: str) -> Layer:
        return self.measured.layers[name]


def parameter(values: Any, gradient: Any = None, kind: torch.dtype = torch.float32) -> nn.Parameter:
    made = nn.Parameter(torch.tensor(values, dtype=kind))
    if gradient is not None:
        made.grad = torch.tensor(gradient, dtype=kind)
    return made


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_norms_are_taken_over_the_parameters_of_a_layer(kind: torch.dtype) -> None:
    watched = Watched(
        first=[parameter([[3.0, 0.0]], [[0.0, 6.0]], kind), parameter([4.0], [8.0], kind)],
        second=[parameter(2.0, 0.0, kind)],
    )
    watched.before(5)
    first, second = watched["first"], watched["second"]
    assert (first.gradient.steps, first.gradient.values) == ([5], [10.0])
    assert (first.weight.values, second.weight.values) == ([5.0], [2.0])
    assert first.gradient_zero.values == [pytest.approx(1 / 3)]
    assert (second.gradient.values, second.gradient_zero.values) == ([0.0], [1.0])
    assert (first.reached, second.reached) == (True, True)
    assert (watched.optimiser.gradient.steps, watched.optimiser.gradient.values) == ([5], [10.0])
    assert watched.optimiser.without_gradient.values == [0.0]


def test_what_has_no_gradient_is_counted_and_not_measured() -> None:
    watched = Watched(first=[parameter([1.0]), parameter([1.0], [2.0])], second=[parameter([1.0])])
    watched.before()
    assert watched.optimiser.without_gradient.values == [pytest.approx(2 / 3)]
    assert (watched["first"].gradient.values, watched["first"].weight.values) == ([2.0], [1.0])
    assert (watched["second"].reached, len(watched["second"].gradient)) == (False, 0)


def test_where_nothing_has_a_gradient_there_is_no_norm() -> None:
    watched = Watched(first=[parameter([1.0])])
    watched.before()
    assert (watched.optimiser.without_gradient.values, len(watched.optimiser.gradient)) == ([1.0], 0)


def test_a_sparse_gradient_is_one() -> None:
    weight = parameter([[1.0, 1.0], [1.0, 1.0]])
    weight.grad = torch.tensor([[3.0, 4.0], [0.0, 0.0]]).to_sparse(1)
    watched = Watched(embedding=[weight])
    watched.before()
    assert watched.optimiser.without_gradient.values == [0.0]


def test_a_gradient_that_is_not_finite_is_told_as_such() -> None:
    watched = Watched(first=[parameter([1.0], [math.nan])], second=[parameter([1.0], [3.0])])
    watched.optimiser.weight_decay = 0.1
    watched.before(10)
    assert math.isnan(watched["first"].gradient.last)
    assert math.isnan(watched.optimiser.gradient.last)
    assert watched["second"].gradient.values == [3.0]
    assert (len(watched.optimiser.decay_share), len(watched.measured.noise)) == (0, 0)


def test_a_gradient_whose_norm_its_own_type_cannot_hold_is_finite() -> None:
    watched = Watched(first=[parameter([1.0] * 100, [30_000.0] * 100, torch.float16)])
    watched.before()
    assert watched["first"].gradient.values == [pytest.approx(300_000.0)]


def test_an_empty_parameter_disturbs_nobody() -> None:
    watched = Watched(empty=[parameter([], [])], first=[parameter([[2.0]], [[3.0]])])
    watched.before()
    with torch.no_grad():
        watched.parameters[1].add_(1.0)
    watched.after()
    assert (watched["first"].gradient.values, watched["first"].update.values) == ([3.0], [0.5])
    assert watched["empty"].gradient.values == [0.0]


@pytest.mark.parametrize("strange", [torch.ones(2, 2).to_sparse(), torch.ones(2, device="meta"), torch.ones(3)])
def test_what_cannot_be_read_or_is_another_nets_is_passed_over(strange: Tensor) -> None:
    watched = Watched(first=[parameter([[1.0]], [[2.0]])])
    if strange.device.type == "meta" or strange.is_sparse:
        watched.probe = ParameterProbe(watched.measured, {id(one): "first" for one in (*watched.parameters, strange)})
    watched.parameters.append(strange)
    watched.before()
    watched.after()
    assert watched["first"].gradient.values == [2.0]
    assert watched.optimiser.without_gradient.values == [0.0]


def test_the_update_is_the_change_of_a_matrix_over_its_size() -> None:
    matrix, bias = parameter([[3.0, 4.0]], [[1.0, 1.0]]), parameter([1.0], [1.0])
    watched = Watched(first=[matrix, bias])
    watched.before(2)
    with torch.no_grad():
        matrix[0, 0] += 0.5
        bias += 9.0  # its own ratio tells nothing
    watched.after(2)
    assert (watched["first"].update.steps, watched["first"].update.values) == ([2], [pytest.approx(0.1)])
    assert watched.optimiser.unmoved.values == [0.0]


def test_of_two_matrices_the_one_that_changed_most_counts() -> None:
    one, two = parameter([[1.0]]), parameter([[1.0]])
    watched = Watched(first=[one, two])
    watched.before()
    with torch.no_grad():
        two += 0.25
    watched.after()
    assert watched["first"].update.values == [0.25]


def test_a_step_that_changes_nothing_is_told() -> None:
    watched = Watched(first=[parameter([[1.0]], [[1.0]])])
    watched.before(4)
    watched.after(4)
    assert (watched.optimiser.unmoved.values, watched["first"].update.values) == ([1.0], [0.0])
    watched.after(5)  # nothing was taken before
    assert watched.optimiser.unmoved.steps == [4]


def test_a_bias_alone_that_moves_is_a_step() -> None:
    bias = parameter([0.0], [1.0])
    watched = Watched(first=[bias])
    watched.before()
    with torch.no_grad():
        bias += 1e-6
    watched.after()
    assert watched.optimiser.unmoved.values == [0.0]
    assert len(watched["first"].update) == 0


def test_a_matrix_of_zeros_has_no_ratio() -> None:
    matrix = parameter([[0.0]], [[1.0]])
    watched = Watched(first=[matrix])
    watched.before()
    with torch.no_grad():
        matrix += 1.0
    watched.after()
    assert len(watched["first"].update) == 0


def test_a_large_tensor_is_sampled_evenly() -> None:
    large = nn.Parameter(torch.ones(4, 2048))
    large.grad = torch.zeros(4, 2048)
    large.grad[:, ::4] = 2.0  # every fourth entry is read
    watched = Watched(first=[large])
    watched.before()
    assert watched["first"].gradient.values == [pytest.approx(2 * 2048**0.5)]  # exact, over all of them
    assert watched["first"].gradient_zero.values == [0.0]
    with torch.no_grad():
        large[:, 1::4] += 1.0  # between the entries that are read
    watched.after()
    assert watched["first"].update.values == [0.0]


def test_a_large_tensor_that_lies_in_pieces_is_read_at_its_corner() -> None:
    large = nn.Parameter(torch.ones(64, 64).t())
    assert large.is_contiguous() is False
    watched = Watched(first=[large])
    watched.before()
    with torch.no_grad():
        large[:32, :32] += 0.5
    watched.after()
    assert watched["first"].update.values == [pytest.approx(0.5)]


@pytest.mark.parametrize(
    ("rows", "apart"),
    [
        ([[1.0, 1.0], [1.0, 1.0]], 0.0),
        ([[1.0, 0.0], [-1.0, 0.0]], 1.0),
        ([[2.0, 1.0], [0.0, 1.0]], (2 / 6) ** 0.5),
        ([[0.0, 0.0], [0.0, 0.0]], 0.0),
    ],
)
def test_how_far_the_rows_of_a_weight_differ(rows: list[list[float]], apart: float) -> None:
    watched = Watched(first=[parameter(rows)])
    for step in (1, 4, 50):
        watched.before(step)
        watched.after(step)
    assert (watched["first"].apart.steps, watched["first"].apart.values) == ([1, 50], [pytest.approx(apart)] * 2)


def test_one_row_differs_from_nothing() -> None:
    watched = Watched(first=[parameter([[1.0, 2.0]])])
    watched.before()
    watched.after()
    assert len(watched["first"].apart) == 0


def test_the_decay_is_held_against_the_gradient() -> None:
    watched = Watched(first=[parameter([3.0, 4.0], [0.0, 2.0])])
    watched.optimiser.weight_decay = 0.2
    watched.before()
    assert watched.optimiser.decay_share.values == [pytest.approx(0.2 * 5 / 2)]


def test_without_decay_or_gradient_nothing_is_shared() -> None:
    watched = Watched(first=[parameter([3.0, 4.0], [0.0, 0.0])])
    watched.before()
    watched.optimiser.weight_decay = 0.2
    watched.before(2)
    assert len(watched.optimiser.decay_share) == 0


@pytest.mark.parametrize(
    ("second", "noise"),
    [
        ([1.0, 0.0], 1.0),
        ([-1.0, 0.0], 0.36),  # 0.8 of it one way and 0.2 the other
        ([0.0, 1.0], 0.68),
        ([0.0, 2.0], (0.8**2 + 0.4**2) / (0.8 + 0.2 * 4)),
    ],
)
def test_the_share_of_the_gradient_that_stays(second: list[float], noise: float) -> None:
    weight = parameter([1.0, 1.0], [1.0, 0.0])
    watched = Watched(first=[weight])
    for step, gradient in ((10, [1.0, 0.0]), (15, [9.0, 9.0]), (20, second)):
        weight.grad = torch.tensor(gradient)
        watched.before(step)
    assert (watched.measured.noise.steps, watched.measured.noise.values) == ([20], [pytest.approx(noise)])


def test_a_direction_that_was_never_there_is_none() -> None:
    watched = Watched(first=[parameter([1.0], [0.0])])
    watched.before(10)
    watched.before(20)
    assert len(watched.measured.noise) == 0


@pytest.mark.parametrize(
    ("gradients", "share"),
    [
        ([[1.0, -1.0, 0.5, 0.0]], 0.5),
        ([[1.0], [0.25]], 0.5),
        ([[0.9995]], 1.0),
        ([[0.998]], 0.0),
        ([[]], 0.0),
        ([None], 0.0),
        ([], 0.0),
        ([1.0], 1.0),
    ],
)
def test_the_share_of_entries_at_the_limit(gradients: list[Any], share: float) -> None:
    parameters = [parameter([0.0] * len(one) if isinstance(one, list) else 0.0, one) for one in gradients]
    assert capped_share(parameters, 1.0) == share


def test_a_sparse_gradient_is_not_looked_through_for_the_limit() -> None:
    weight = parameter([[1.0]])
    weight.grad = torch.ones(1, 1).to_sparse()
    assert capped_share([weight], 1.0) == 0.0


class Foreign:
    """An optimiser of another library: what its groups hold."""

    def __init__(self, *groups: dict[str, Any]) -> None:
        self.param_groups = list(groups)


class AdamW8bit(Foreign):
    """One that another library named after torch's."""


WEIGHT = parameter([1.0])


@pytest.mark.parametrize(
    ("optimizer", "expected"),
    [
        (SGD([WEIGHT], lr=0.1), (0.1, 0.0, 0.0, False)),
        (SGD([WEIGHT], lr=0.1, momentum=0.9, weight_decay=1e-3), (0.1, 0.9, 1e-3, False)),
        (Adam([WEIGHT], lr=0.01, betas=(0.8, 0.9)), (0.01, 0.8, 0.0, False)),
        (Adam([WEIGHT], lr=torch.tensor(0.25)), (0.25, 0.9, 0.0, False)),
        (Adam([WEIGHT], decoupled_weight_decay=True), (1e-3, 0.9, 0.0, True)),
        (AdamW([WEIGHT]), (1e-3, 0.9, 1e-2, True)),
        (Muon([parameter([[1.0]])], weight_decay=0.2), (1e-3, 0.95, 0.2, True)),
        (Adafactor([WEIGHT]), (0.01, 0.0, 0.0, True)),
        (RMSprop([WEIGHT], momentum=0.5), (0.01, 0.5, 0.0, False)),
        (SGD([{"params": [WEIGHT], "lr": 0.5}, {"params": [parameter([1.0])], "weight_decay": 0.1}], lr=0.2),
         (0.5, 0.0, 0.1, False)),
        (Foreign({"params": [], "lr": None, "weight_decay": None, "momentum": None}), (0.0, 0.0, 0.0, False)),
        (Foreign({"params": []}), (0.0, 0.0, 0.0, False)),
        (Foreign(), (0.0, 0.0, 0.0, False)),
        (AdamW8bit({"params": [], "lr": 0.1, "betas": (0.9, 0.99), "weight_decay": 0.1}), (0.1, 0.9, 0.1, True)),
    ],
)  # fmt: skip
def test_rate_momentum_and_decay_are_the_largest_of_the_groups(optimizer: Any, expected: tuple[Any, ...]) -> None:
    assert hyperparameters(optimizer) == pytest.approx(expected)


@pytest.mark.parametrize(("kind", "step", "share"), [
    (torch.bfloat16, 1e-4, 1.0), (torch.bfloat16, 0.1, 0.0), (torch.float16, 1e-5, 1.0), (torch.float32, 1e-7, None),
])  # fmt: skip
def test_what_is_lost_to_rounding(kind: torch.dtype, step: float, share: float | None) -> None:
    """Of the weights that have a gradient; the third one has none."""
    one = parameter([[1.0, -2.0, 3.0]], [[1.0, 1.0, 0.0]], kind)
    watched = Watched(first=[one])
    watched.before()
    with torch.no_grad():
        one.sub_(step * one.grad)
    watched.after()
    assert watched.optimiser.rounded.values == ([] if share is None else [share])
    assert watched.optimiser.low_precision == ("" if share is None else str(kind).removeprefix("torch."))


@pytest.mark.parametrize(("gradient", "step", "inward"), [(2.0, 10, [1.0]), (-2.0, 10, [-1.0]), (2.0, 11, [])])
def test_how_far_the_gradient_points_at_the_weight(gradient: float, step: int, inward: list[float]) -> None:
    weights = torch.tensor([[1.0, -2.0], [0.5, 3.0]])
    watched = Watched(fc=[parameter(weights.tolist(), (gradient * weights).tolist()), parameter([0.0], [1.0])])
    watched.before(step)
    assert watched["fc"].inward.values == pytest.approx(inward)
