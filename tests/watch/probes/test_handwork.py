"""Steps made by hand: whether the weights were changed between two backward passes."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from danlu.watch.probes.handwork import Handwork

Change = Callable[[nn.Module], None]


def net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 2), nn.Linear(2, 1))


def first(model: nn.Module) -> None:
    with torch.no_grad():
        model[0].weight -= 0.5  # type: ignore


def through_data(model: nn.Module) -> None:
    model[2].bias.data = torch.full((1,), 9.0)  # type: ignore


def nothing(model: nn.Module) -> None:
    model[0].weight.grad = torch.ones(2, 3)  # type: ignore


@pytest.mark.parametrize(("change", "moved"), [(first, True), (through_data, True), (nothing, False)])
def test_weights_that_were_changed_have_moved(change: Change, moved: bool) -> None:
    model = net()
    handwork = Handwork([model])
    assert not handwork.has_moved()  # there is nothing yet to compare with
    change(model)
    assert handwork.has_moved() is moved
    assert not handwork.has_moved()


def test_what_needs_no_gradient_is_not_looked_at() -> None:
    model = nn.Sequential(nn.Linear(2, 2).requires_grad_(False), nn.Linear(2, 1))
    handwork = Handwork([model])
    handwork.has_moved()
    first(model)
    assert not handwork.has_moved()


@pytest.mark.parametrize(
    "roots",
    [
        [],
        [nn.ReLU()],
        [nn.Linear(2, 2).requires_grad_(False)],
        [nn.LazyLinear(2)],
        [nn.Linear(2, 2, device="meta")],
    ],
)
def test_nets_without_numbers_never_move(roots: list[nn.Module]) -> None:
    handwork = Handwork(roots)
    assert not handwork.has_moved()
    assert not handwork.has_moved()


def test_a_scalar_weight_is_seen_beside_an_empty_one() -> None:
    model = nn.Module()
    model.empty, model.scale = nn.Parameter(torch.empty(0, 3)), nn.Parameter(torch.tensor(1.0))
    handwork = Handwork([model])
    handwork.has_moved()
    with torch.no_grad():
        model.scale += 1
    assert handwork.has_moved()


def test_a_lazy_layer_that_is_made_meanwhile_is_no_step() -> None:
    for lazy in (nn.Sequential(nn.LazyLinear(2)), nn.Sequential(nn.LazyLinear(2), nn.Linear(2, 5))):
        handwork = Handwork([lazy])
        handwork.has_moved()
        lazy(torch.zeros(1, 3))
        assert not handwork.has_moved()


def test_weights_given_to_a_call_are_compared_with_those_given_before() -> None:
    model = net()
    handwork = Handwork([model])
    assert not handwork.is_given
    handwork.see_given(model)
    assert handwork.is_given
    assert not handwork.has_moved_given()
    assert not handwork.is_given
    handwork.see_given(model)
    assert not handwork.has_moved_given()
    first(model)
    handwork.see_given(model)
    assert handwork.has_moved_given()


def test_gradients_that_are_still_there_after_a_change_by_hand_are_counted() -> None:
    model, x = net(), torch.ones(2, 3)
    handwork = Handwork([model])
    for cleared in (False, False, True):
        handwork.has_moved()
        model(x).sum().backward()
        first(model)
        model[2].bias.data -= 0.1  # type: ignore
        if cleared:
            model.zero_grad()
        assert handwork.has_moved()
        assert handwork.stale == 0 if cleared else handwork.stale > 0
