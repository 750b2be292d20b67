"""Optimisers: what they own, whether gradients were cleared before them, how they were clipped, who wraps whom."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer, lr_scheduler

from danlu.watch.guard import Guard
from danlu.watch.layer_facts import Layer
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.probes.optimisers import OptimiserProbe, parameters_of
from danlu.watch.sites import Sites


def net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))


class Watched:
    """A net, its probe, and the calls that a loop makes."""

    def __init__(self, model: nn.Module | None = None, strangers: set[int] | None = None) -> None:
        self.model = model if model is not None else net()
        owners = {id(one): "0" for one in self.model.parameters()}
        self.measured = Measured(layers={"0": Layer("0", "Linear")})
        self.probe = OptimiserProbe(
            self.measured, owners, strangers or set(), Sites(self.measured, Guard(lambda *_: None))
        )
        self.count = 0

    def backward(self, *, clear: bool = True, measuring: bool = True) -> None:
        if clear:
            self.model.zero_grad()
        self.probe.backward_begins(measuring=measuring)
        self.model(torch.ones(1, 2)).sum().backward()

    def step(self, optimizer: Any, *, measuring: bool = True) -> Optimiser | None:
        self.count += 1
        self.probe.before(optimizer, self.count, measuring=measuring)
        optimizer.step()
        return self.probe.after(optimizer, self.count, measuring=measuring)

    @property
    def only(self) -> Optimiser:
        (record,) = self.measured.optimisers
        return record


def sgd(model: nn.Module, rate: float = 0.1, **settings: Any) -> SGD:
    return SGD(model.parameters(), lr=rate, **settings)


def test_an_optimiser_is_found_when_it_steps() -> None:
    watched = Watched()
    optimizer = AdamW(watched.model.parameters(), lr=0.01, weight_decay=0.1)
    watched.backward()
    record = watched.step(optimizer)
    assert record is watched.only
    assert (record.kind, record.steps, record.given, record.owned, record.foreign) == ("AdamW", 1, False, 4, 0)
    assert (record.momentum, record.weight_decay, record.decoupled) == (0.9, 0.1, True)
    assert (record.rate.steps, record.rate.values, record.highest_rate) == ([1], [0.01], 0.01)
    assert (record.recreated, record.scheduled, record.clipped_to) == (0, False, None)
    assert (len(record.gradient), len(record.decay_share), record.unmoved.values) == (1, 1, [0.0])


def test_one_that_the_user_names_is_known_before_it_steps() -> None:
    watched = Watched()
    elsewhere = sgd(net())
    assert watched.probe.record(elsewhere) is None
    optimizer = sgd(watched.model)
    assert watched.probe.record(optimizer, given=True) is watched.only
    assert (watched.only.given, watched.only.steps) == (True, 0)
    assert watched.probe.record(optimizer) is watched.only


def test_one_that_is_named_and_moves_nothing_of_the_net_is_told_so() -> None:
    watched = Watched()
    record = watched.probe.record(sgd(net()), given=True)
    assert record is not None
    assert (record.owned, record.foreign) == (0, 4)


def test_what_an_optimiser_moves_beside_the_net_is_foreign() -> None:
    watched, other = Watched(), nn.Linear(3, 3)
    record = watched.probe.record(SGD([*watched.model.parameters(), *other.parameters()], lr=0.1))
    assert record is not None
    assert (record.owned, record.foreign) == (4, 2)
    assert watched.probe.elsewhere == {id(one) for one in other.parameters()}


def test_a_net_without_parameters_is_moved_by_whoever_moves_what_the_loss_reaches() -> None:
    other = nn.Linear(3, 3)
    watched = Watched(nn.ReLU(), {id(other.weight)})
    record = watched.probe.record(sgd(other))
    assert record is not None
    assert (record.owned, record.foreign) == (1, 1)
    assert watched.probe.record(sgd(nn.Linear(1, 1))) is None


def test_each_of_two_optimisers_has_its_own_record() -> None:
    watched = Watched()
    one, two = sgd(watched.model[0], 0.1), sgd(watched.model[1], 0.2)  # type: ignore
    assert watched.probe.only is None
    watched.backward()
    watched.step(one)
    assert watched.probe.only == id(one)
    watched.step(two)
    watched.step(two)
    assert [(record.steps, record.rate.first) for record in watched.measured.optimisers] == [(1, 0.1), (2, 0.2)]
    assert watched.probe.only is None


def test_one_made_anew_for_the_same_parameters_is_counted() -> None:
    watched = Watched()
    kept = []
    for _ in range(3):
        kept.append(sgd(watched.model))
        watched.backward()
        watched.step(kept[-1])
    assert [record.recreated for record in watched.measured.optimisers] == [0, 1, 2]
    assert watched.measured.optimisers[0].steps == 1


class Wrapper:
    """An optimiser around another, as libraries put them: the same groups, a class of its own."""

    def __init__(self, optimizer: Optimizer, name: str = "optimizer") -> None:
        setattr(self, name, optimizer)
        self._inner = optimizer

    @property
    def param_groups(self) -> Any:
        return list(self._inner.param_groups)

    def step(self) -> None:
        self._inner.step()


@pytest.mark.parametrize("name", ["optimizer", "_optimizer", "optim", "base_optimizer"])
def test_an_optimiser_and_what_wraps_it_are_one(name: str) -> None:
    watched = Watched()
    inner = AdamW(watched.model.parameters(), lr=0.01)
    outer = Wrapper(inner, name)
    assert watched.probe.record(outer, given=True) is watched.probe.record(inner)
    assert watched.only.kind == "AdamW"
    assert watched.probe.is_same(inner, outer)
    assert not watched.probe.is_same(inner, sgd(watched.model))
    watched.backward()
    assert watched.step(outer) is watched.only
    assert (watched.only.steps, watched.only.recreated, watched.only.decoupled) == (1, 0, True)


class AdamWOfAnother(SGD):
    """One whose class alone says that its decay is decoupled."""


def test_what_a_wrapped_optimiser_is_does_not_change_with_its_wrapper() -> None:
    watched = Watched()
    inner = AdamWOfAnother(watched.model.parameters(), lr=0.1, weight_decay=0.1)
    outer = Wrapper(inner)
    watched.backward()
    watched.step(outer)
    assert (watched.only.kind, watched.only.decoupled) == ("AdamWOfAnother", True)


@pytest.mark.parametrize(("clear", "stale", "since"), [(True, 0, 4), (False, 3, 2)])
def test_steps_on_gradients_that_nobody_cleared_are_counted(clear: bool, stale: int, since: int) -> None:
    watched = Watched()
    optimizer = sgd(watched.model)
    for _ in range(4):
        watched.backward(clear=clear)
        watched.step(optimizer)
    assert (watched.only.stale, watched.only.stale_since) == (stale, since)


def test_clearing_to_zero_is_clearing_and_one_clearing_ends_the_row() -> None:
    watched = Watched()
    optimizer = sgd(watched.model)
    for clear in (True, False, False):
        watched.backward(clear=clear)
        watched.step(optimizer)
    assert (watched.only.stale, watched.only.stale_since) == (2, 2)
    optimizer.zero_grad(set_to_none=False)
    watched.backward(clear=False)
    watched.step(optimizer)
    assert watched.only.stale == 0


def test_several_backward_passes_for_one_step_are_no_fault() -> None:
    watched = Watched()
    optimizer = sgd(watched.model)
    for _ in range(3):
        watched.backward()
        watched.backward(clear=False)
        watched.step(optimizer)
    assert watched.only.stale == 0


def test_a_step_without_a_backward_pass_tells_nothing_of_clearing() -> None:
    watched = Watched()
    optimizer = sgd(watched.model)
    watched.backward()
    for _ in range(3):
        watched.step(optimizer)
    assert (watched.only.steps, watched.only.stale) == (3, 0)


def test_the_rate_is_noted_when_it_changes_and_on_measured_steps() -> None:
    watched = Watched()
    optimizer = sgd(watched.model)
    for rate, measuring in ((0.1, True), (0.1, False), (0.4, False), (0.2, True)):
        optimizer.param_groups[0]["lr"] = rate
        watched.step(optimizer, measuring=measuring)
    assert (watched.only.rate.steps, watched.only.rate.values) == ([1, 3, 4], [0.1, 0.4, 0.2])
    assert watched.only.highest_rate == 0.4


def test_an_optimiser_that_finds_its_rate_itself_has_none() -> None:
    watched = Watched()
    optimizer = sgd(watched.model)
    inner = Wrapper(optimizer)
    optimizer.param_groups[0]["lr"] = None
    watched.probe.before(inner, 1, measuring=True)
    watched.probe.after(inner, 1, measuring=True)
    assert (watched.only.rate.values, watched.only.highest_rate) == ([0.0], 0.0)


def test_a_closure_that_runs_several_times_is_measured_once() -> None:
    watched = Watched()
    optimizer = sgd(watched.model)
    watched.backward()
    for _ in range(3):
        watched.probe.before(optimizer, 1, measuring=True)
    optimizer.step()
    watched.probe.after(optimizer, 1, measuring=True)
    assert (watched.only.steps, watched.only.gradient.steps, watched.only.rate.steps) == (1, [1], [1])


def test_clipping_by_norm_is_told_with_how_much_was_cut() -> None:
    watched = Watched()
    optimizer = sgd(watched.model)
    watched.backward()
    watched.probe.clipped(2.0, torch.tensor(8.0), "norm")
    watched.step(optimizer)
    assert (watched.only.clipped_to, watched.only.clip.values, len(watched.only.capped)) == (2.0, [0.25], 0)
    watched.backward()
    watched.step(optimizer)
    assert watched.only.clip.steps == [1]  # a clipping holds for one step


def test_clipping_by_value_is_told_by_the_share_at_the_limit() -> None:
    watched = Watched(nn.Linear(3, 1, bias=False))
    watched.model.weight.grad = torch.tensor([[0.5, -0.5, 0.1]])
    optimizer = sgd(watched.model)
    watched.probe.clipped(0.5, None, "value")
    watched.step(optimizer)
    assert (watched.only.clipped_to, len(watched.only.clip)) == (0.5, 0)
    assert watched.only.capped.values == [pytest.approx(2 / 3)]


def test_the_clipping_of_another_nets_gradients_is_not_ours() -> None:
    watched, other = Watched(), net()
    optimizer, elsewhere = sgd(watched.model), sgd(other)
    watched.probe.clipped(0.01, torch.tensor(8.0), "norm")
    watched.step(elsewhere)
    watched.backward()
    watched.step(optimizer)
    assert (watched.only.clipped_to, len(watched.only.clip)) == (None, 0)


def test_a_gradient_of_nothing_was_not_cut() -> None:
    watched = Watched()
    watched.probe.clipped(1.0, 0.0, "norm")
    watched.step(sgd(watched.model))
    assert watched.only.clip.last > 1


def test_the_decay_is_that_of_each_group() -> None:
    one, two = nn.Parameter(torch.tensor([3.0])), nn.Parameter(torch.tensor([4.0]))
    model = nn.ParameterList([one, two])
    one.grad, two.grad = torch.tensor([3.0]), torch.tensor([4.0])
    watched = Watched(model)
    groups = [{"params": [one], "weight_decay": 0.0}, {"params": [two], "weight_decay": 0.5}]
    watched.step(SGD(groups, lr=0.1))
    assert watched.only.decay_share.values == [pytest.approx(0.5 * 4 / 5)]


def test_what_never_had_a_gradient_is_named() -> None:
    watched = Watched()
    optimizer = sgd(watched.model)
    first, roots = watched.model[0], {"model": watched.model}  # type: ignore
    watched.probe.record(optimizer)
    assert watched.probe.unreached(roots, ()) == tuple(
        f"model.{name}" for name in ("0.weight", "0.bias", "1.weight", "1.bias")
    )
    first.weight.grad = torch.zeros(2, 2)
    watched.step(optimizer)
    assert watched.probe.unreached(roots, {id(first.bias)}) == ("model.1.weight", "model.1.bias")
    watched.model[1].requires_grad_(False)  # type: ignore
    assert watched.probe.unreached({"": watched.model}, ()) == ("0.bias",)


def test_what_is_trained_later_is_not_unreached() -> None:
    watched = Watched()
    first, second = watched.model[0], watched.model[1]  # type: ignore
    early, late = sgd(first), sgd(second)
    for optimizer in (early, late):
        watched.probe.record(optimizer)
    first.weight.grad = torch.zeros(2, 2)
    watched.step(early)
    assert watched.probe.unreached({"": watched.model}, ()) == ("0.bias",)
    watched.step(late)
    assert watched.probe.unreached({"": watched.model}, ()) == ("0.bias", "1.weight", "1.bias")


def test_what_an_optimiser_held_stays_moved_when_it_is_gone() -> None:
    watched = Watched()
    parameters = {id(one) for one in watched.model.parameters()}
    optimizer = sgd(watched.model[0])  # type: ignore
    watched.backward()
    watched.step(optimizer)
    optimizer.add_param_group({"params": list(watched.model[1].parameters())})  # type: ignore
    assert watched.probe.moved == parameters
    del optimizer
    assert watched.probe.moved == {id(one) for one in watched.model[0].parameters()}  # type: ignore
    assert watched.probe.only is None


def test_a_scheduler_that_was_made_and_never_called_is_told() -> None:
    watched = Watched()
    optimizer = sgd(watched.model)
    assert not watched.probe.has_silent_scheduler()
    scheduler = lr_scheduler.StepLR(optimizer, 3)
    watched.step(optimizer)
    assert watched.probe.has_silent_scheduler()
    watched.only.scheduled = True
    assert not watched.probe.has_silent_scheduler()
    assert scheduler.get_last_lr() == [0.1]


def test_an_optimiser_of_another_net_leaves_no_record() -> None:
    watched = Watched()
    assert watched.step(sgd(net())) is None
    assert watched.measured.optimisers == []


def test_all_groups_are_an_optimisers_parameters() -> None:
    model = net()
    groups = [{"params": list(layer.parameters())} for layer in model]
    assert [id(one) for one in parameters_of(SGD(groups, lr=0.1))] == [id(one) for one in model.parameters()]


def test_steps_that_follow_one_gradient_twice_are_counted() -> None:
    watched = Watched()
    optimizer = sgd(watched.model)
    for _ in range(3):
        watched.backward()
        watched.step(optimizer)
        watched.step(optimizer)
    assert (watched.only.repeated, watched.only.repeated_since) == (3, 2)


@pytest.mark.parametrize("clear", [True, False])
def test_a_backward_pass_before_each_step_repeats_nothing(clear: bool) -> None:
    watched = Watched()
    optimizer = sgd(watched.model)
    for _ in range(3):
        watched.backward(clear=clear)
        watched.step(optimizer)
    watched.model.zero_grad()
    watched.step(optimizer)
    assert watched.only.repeated == 0


@pytest.mark.parametrize(("reached", "cleared", "mixed"), [(True, False, 1), (True, True, 0), (False, False, 0)])
def test_gradients_of_a_loss_that_another_nets_optimiser_has_stepped_for(
    reached: bool, cleared: bool, mixed: int
) -> None:
    """As of a generator, when the loss of its judge goes back through what it made."""
    watched = Watched()
    ours, other = sgd(watched.model), sgd(net())
    watched.backward()
    watched.step(ours)
    watched.model.zero_grad()
    watched.probe.backward_begins(measuring=True)
    if reached:
        watched.model(torch.ones(1, 2)).sum().backward()
    assert watched.step(other) is None
    watched.backward(clear=cleared)
    watched.step(ours)
    assert watched.only.mixed == mixed
