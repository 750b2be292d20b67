"""Normalisations of frozen parts."""

import pytest
import torch
from torch import nn

from danlu.watch.measured import Measured
from danlu.watch.probes.norms import NormProbe


def after(
    steps: int, *, frozen: bool = True, training: bool = True, averaged: bool = False, shift: float = 5.0
) -> Measured:
    drawn = torch.Generator().manual_seed(0)
    norm = nn.BatchNorm1d(4)
    norm.requires_grad_(not frozen)
    net = nn.Sequential(norm, nn.Linear(4, 2))
    net[0].train(training)
    measured = Measured()
    probe = NormProbe(measured, {"": net})
    for step in range(1, steps + 1):
        net(torch.randn(64, 4, generator=drawn) + shift)
        if averaged:
            norm.weight.data.mul_(0.9)
        probe.end_step(step)
    return measured


def test_one_that_moves_in_several_steps_is_noted() -> None:
    assert after(3).drifting == {}
    assert after(20).drifting["0"] > 2
    assert after(20, shift=0.0).drifting["0"] < 0.2


@pytest.mark.parametrize("given", [{"frozen": False}, {"training": False}, {"averaged": True}])
def test_one_that_learns_rests_or_is_moved_by_hand_is_not(given: dict[str, bool]) -> None:
    assert after(9, **given).drifting == {}
