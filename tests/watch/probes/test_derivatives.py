"""Derivatives of a net's answers, taken with and without a graph of their own."""

import pytest
import torch
from torch import Tensor, nn

import danlu


def critic_loss(net: nn.Module, x: Tensor, *, create_graph: bool, used: bool = True) -> Tensor:
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(net(x).sum(), x, create_graph=create_graph)
    penalty = (slope.norm(dim=1) - 1).square().mean()
    return net(x).mean() + 10 * penalty if used else net(x).mean()


@pytest.mark.parametrize(
    ("create_graph", "used", "told"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_a_penalty_that_is_a_number_is_told_where_it_is_taken(create_graph: bool, used: bool, told: bool) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    with danlu.watch(net, optimizer) as watch:
        for _ in range(12):
            loss = critic_loss(net, torch.randn(16, 2), create_graph=create_graph, used=used)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    found = [one.as_dict()["line"]["line"] for one in watch.findings if one.rule == "loss-mismatch"]
    assert found == ([critic_loss.__code__.co_firstlineno + 2] if told else [])


def test_of_another_net_it_is_a_number_like_any_other() -> None:
    torch.manual_seed(0)
    net, field = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with danlu.watch(net, optimizer) as watch:
        for _ in range(12):
            x = torch.randn(16, 2, requires_grad=True)
            (force,) = torch.autograd.grad(field(x).sum(), x)
            loss = (net(x) - force).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert [one for one in watch.findings if one.rule == "loss-mismatch"] == []
