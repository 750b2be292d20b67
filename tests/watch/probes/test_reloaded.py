"""Weights that were kept as a copy, or not."""

import copy
import linecache
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from danlu.base.records import CodeLine
from danlu.watch.measured import Measured
from danlu.watch.probes import reloaded
from danlu.watch.probes.reloaded import ReloadProbe

KEPT: dict[str, tuple[Callable[[nn.Module], Any], bool]] = {
    "the weights themselves": (lambda net: net.state_dict(), True),
    "a dict of the same": (lambda net: dict(net.state_dict()), True),
    "a deep copy": (lambda net: copy.deepcopy(net.state_dict()), False),
    "clones": (lambda net: {name: one.clone() for name, one in net.state_dict().items()}, False),
    "some clones": (lambda net: {**net.state_dict(), "weight": net.weight.detach().clone()}, False),
    "another net's": (lambda net: nn.Linear(2, 2).state_dict(), False),
    "nothing": (lambda net: {}, False),
}


@pytest.mark.parametrize("kind", KEPT)
def test_a_state_that_has_moved_on_with_the_net(kind: str) -> None:
    keep, found = KEPT[kind]
    net = nn.Linear(2, 2)
    measured = Measured(step=5)
    ReloadProbe(measured, {"": net}).loaded(net, keep(net))
    assert ("kept" in measured.unfair) == found


def test_before_any_step_and_of_other_modules_nothing_is_said() -> None:
    net, other = nn.Linear(2, 2), nn.Linear(2, 2)
    for measured, module in ((Measured(), net), (Measured(step=5), other)):
        ReloadProbe(measured, {"": net}).loaded(module, module.state_dict())
        assert not measured.unfair


@pytest.mark.parametrize(
    ("line", "found"), [("net.load_state_dict(net.state_dict())\n", False), ("net.load_state_dict(best)\n", True)]
)
def test_a_state_that_one_statement_takes_and_gives_back(
    line: str, found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reloaded, "calling_line", lambda: CodeLine("<me>", 1))
    monkeypatch.setitem(linecache.cache, "<me>", (len(line), None, [line], "<me>"))
    net, measured = nn.Linear(2, 2), Measured(step=5)
    ReloadProbe(measured, {"": net}).loaded(net, net.state_dict())
    assert ("kept" in measured.unfair) == found


def test_lazy_parameters_are_left_alone() -> None:
    net = nn.LazyLinear(2)
    measured = Measured(step=5)
    ReloadProbe(measured, {"": net}).loaded(net, {"weight": torch.zeros(2, 2)})
    assert not measured.unfair
