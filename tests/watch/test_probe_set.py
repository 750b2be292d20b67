"""The probes of a block and what they know of each other."""

import torch
from torch import nn

from danlu.watch.guard import Guard
from danlu.watch.measured import Measured
from danlu.watch.probe_set import ProbeSet
from danlu.watch.probes.held_out import HeldOutProbe


def made(net: nn.Module) -> tuple[Measured, ProbeSet]:
    measured = Measured()
    return measured, ProbeSet(measured, {"": net}, Guard(lambda name, error: None), HeldOutProbe(measured))


def test_the_layers_of_the_models_are_written_down_at_once() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    measured, probes = made(net)
    assert list(measured.layers) == list(probes.modules) == ["0", "2"]
    assert (measured.net.layers, measured.net.trainable) == (2, 4)
    assert {probes.owners[id(one)] for one in net[2].parameters()} == {"2"}


def test_what_the_losses_reach_is_asked_of_the_optimisers() -> None:
    """A net without parameters of its own is known by what its losses lead to."""
    _, probes = made(nn.Identity())
    stranger = nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.SGD([stranger], lr=0.1)
    assert probes.optimisers.record(optimizer) is None
    probes.loss.strangers.add(id(stranger))
    record = probes.optimisers.record(optimizer)
    assert record is not None
    assert record.owned == 1


def test_targets_of_losses_by_hand_come_to_the_probes_of_calls() -> None:
    _, probes = made(nn.Linear(2, 1))
    assert probes.loss.met == probes.heard.met
