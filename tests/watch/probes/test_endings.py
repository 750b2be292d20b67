"""Targets, rewards and ends that stand around a loss."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from danlu.watch.conduct import Rewarded
from danlu.watch.measured import Measured
from danlu.watch.probes.endings import EndingsProbe

GAMMA = 0.9


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Rewards, ends (2 of 10) and values of next states."""
    torch.manual_seed(0)
    dones = torch.zeros(10)
    dones[[3, 7]] = 1
    return torch.rand(10) + 0.5, dones, torch.rand(10) + 1


def seen(how: str) -> Rewarded:
    rewards, dones, values = batch()
    data = SimpleNamespace(rewards=rewards, not_done=1 - dones)
    target = {
        "masked": data.rewards + GAMMA * (1 - dones) * values,
        "inverted": data.rewards + GAMMA * dones * values,
        "missing": data.rewards + GAMMA * values,
        "cleared": (data.rewards + GAMMA * values) * (1 - dones),
    }[how]
    measured = Measured()
    EndingsProbe(measured).met("numbers", target, 1)
    return measured.rewarded


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("masked", Rewarded(ends=2, exact=2, others=8, plain=0, rewarded=2, cleared=0)),
        ("inverted", Rewarded(ends=2, exact=0, others=8, plain=8, rewarded=2, cleared=0)),
        ("missing", Rewarded(ends=2, exact=0, others=8, plain=0, rewarded=2, cleared=0)),
        ("cleared", Rewarded(ends=2, exact=0, others=8, plain=0, rewarded=2, cleared=2)),
    ],
)
def test_what_the_targets_are_at_ends_and_elsewhere(how: str, expected: Rewarded) -> None:
    assert seen(how) == expected


def test_lists_of_a_rollout_and_a_target_known_by_its_name() -> None:
    rewards, dones, values = batch()
    rows: dict[str, Any] = {"rewards": list(rewards.view(2, 5)), "dones": list(dones.view(2, 5))}
    returns = rewards + GAMMA * (1 - dones) * values
    measured = Measured()
    EndingsProbe(measured).met("", None, 1)
    assert (measured.rewarded.ends, measured.rewarded.exact) == (2, 2), (rows.keys(), returns.shape)


def test_each_step_is_counted_once_and_classes_are_no_values() -> None:
    rewards, dones, _ = batch()
    measured = Measured()
    probe = EndingsProbe(measured)
    for kind, step in (("numbers", 1), ("numbers", 1), ("classes", 2)):
        probe.met(kind, rewards * (1 + dones), step)
    assert measured.rewarded.ends == 2


def test_where_no_rewards_are_the_frames_are_left_alone_soon() -> None:
    measured = Measured()
    probe = EndingsProbe(measured)
    for step in range(1, 8):
        probe.met("numbers", torch.rand(10), step)
    rewards, dones, _ = batch()
    probe.met("numbers", rewards + dones, 9)
    assert measured.rewarded == Rewarded()
