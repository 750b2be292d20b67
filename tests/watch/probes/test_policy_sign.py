"""Chances times what followed: which way a step moves them."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Normal

from danlu.watch.measured import Measured
from danlu.watch.probes.policy_sign import PolicySignProbe

Loss = Callable[[Tensor, Tensor], Tensor]


def logits() -> Tensor:
    torch.manual_seed(0)
    return nn.Linear(8, 4)(torch.randn(16, 8))


def told(loss: Tensor, step: int) -> Measured:
    measured = Measured()
    assert loss.grad_fn is not None
    PolicySignProbe(measured).looked(loss.grad_fn, step)
    loss.backward()
    return measured


def heard(loss_of: Loss, *, step: int = 1) -> Measured:
    """What a backward pass told; `loss_of` is given logits [16, 4] and what followed each action [16]."""
    advantage = torch.randn(16)
    return told(loss_of(logits(), advantage), step)


def of_cost(loss_of: Loss) -> Measured:
    cost = torch.randn(16)
    return told(loss_of(logits(), cost), 1)


ACTIONS = torch.arange(16) % 4


def of_categorical(sign: float) -> Loss:
    return lambda logits, adv: sign * (Categorical(logits=logits).log_prob(ACTIONS) * adv).mean()


def of_ratio(sign: float) -> Loss:
    def loss(logits: Tensor, adv: Tensor) -> Tensor:
        new = Categorical(logits=logits).log_prob(ACTIONS)
        ratio = (new - new.detach()).exp()
        return torch.max(sign * adv * ratio, sign * adv * ratio.clamp(0.8, 1.2)).mean()

    return loss


def of_cross_entropy(sign: float) -> Loss:
    return lambda logits, adv: sign * (nn.functional.cross_entropy(logits, ACTIONS, reduction="none") * adv).mean()


def of_normal(sign: float) -> Loss:
    return lambda out, adv: sign * (Normal(out[:, 0], out[:, 1].exp()).log_prob(torch.ones(16)) * adv).mean()


def of_chances(sign: float) -> Loss:
    return lambda out, adv: sign * (out.softmax(1).gather(1, ACTIONS[:, None]).squeeze(1).log() * adv).sum()


@pytest.mark.parametrize("kind", [of_categorical, of_ratio, of_normal, of_chances])
def test_likelier_or_less_likely(kind: Callable[[float], Loss]) -> None:
    assert heard(kind(-1.0)).rewarded.against == {False: 1}
    assert heard(kind(1.0)).rewarded.against == {True: 1}


def test_a_cross_entropy_falls_where_the_chance_grows() -> None:
    assert heard(of_cross_entropy(1.0)).rewarded.against == {False: 1}
    assert heard(of_cross_entropy(-1.0)).rewarded.against == {True: 1}


def test_costs_other_factors_and_steps_in_between_are_left_alone() -> None:
    assert of_cost(of_categorical(1.0)).rewarded.against == {}
    assert heard(of_categorical(1.0), step=7).rewarded.against == {}
    assert heard(lambda out, adv: (out.sigmoid()[:, 0] * adv).mean()).rewarded.against == {}


@pytest.mark.parametrize(("coefficient", "lowered"), [(0.01, False), (-0.01, True)])
def test_the_entropy_beside_it(coefficient: float, lowered: bool) -> None:
    def loss(logits: Tensor, adv: Tensor) -> Tensor:
        dist = Categorical(logits=logits)
        return -(dist.log_prob(ACTIONS) * adv).mean() - coefficient * dist.entropy().mean()

    assert heard(loss).rewarded.entropy_lowered == {lowered: 1}
