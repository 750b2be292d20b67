"""The calls and losses of a measured step reach all probes that look at both."""

import torch
from torch import nn

from danlu.watch.measured import Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes.calls import CallProbes
from danlu.watch.probes.held_out import HeldOutProbe


def stepped(x: torch.Tensor, *, first: bool = True, by_hand: bool = False) -> tuple[Measured, CallProbes]:
    net = nn.Sequential(nn.BatchNorm1d(8).requires_grad_(False), nn.Linear(8, 8))
    measured = Measured()
    probes = CallProbes(measured, {"": net}, HeldOutProbe(measured))
    for step in range(1, 6):
        probes.called(net, (x,), {}, step, first=first)
        output = net(x)
        probes.answered(output)
        if by_hand:
            probes.met("numbers", x.detach(), step)
        else:
            call = LossCall("mse_loss", "numbers", output, x.detach(), weighted=False, summed=False)
            probes.lost(call, output.sum(), step)
        probes.end_step(step)
    return measured, probes


def test_each_probe_hears_of_it() -> None:
    measured, _ = stepped(torch.randn(6, 8))
    assert measured.unrelated.correlation > 0.99
    assert list(measured.drifting) == ["0"]
    assert list(measured.interventions) == [""]


def test_targets_of_a_loss_written_by_hand_are_compared_too() -> None:
    assert stepped(torch.randn(6, 8), by_hand=True)[0].unrelated.correlation > 0.99


def test_calls_after_a_backward_pass_are_tried_alone() -> None:
    measured, _ = stepped(torch.randn(6, 8), first=False)
    assert measured.unrelated.numbers == 0
    assert list(measured.interventions) == [""]


def test_who_asks_for_the_gradient_of_an_input_is_known_until_the_step_is_over() -> None:
    net, x = nn.Linear(8, 8), torch.randn(6, 8).requires_grad_()
    measured = Measured()
    probes = CallProbes(measured, {"": net}, HeldOutProbe(measured))
    probes.called(net, (x,), {}, 1, first=True)
    assert probes.of_inputs
    probes.end_step(1)
    assert not probes.of_inputs
