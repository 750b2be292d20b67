"""The graph behind a loss: values, local derivatives and gradients are torch's own."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from danlu.base.errors import UserError
from danlu.nets.autograd import autograd_graph


def leaves() -> dict[str, torch.Tensor]:
    return {name: torch.tensor(value, requires_grad=True) for name, value in (("w", 2.0), ("x", 3.0), ("b", 1.0))}


def test_the_notes_example() -> None:
    named = leaves()
    loss = (named["w"] * named["x"] + named["b"] - 5.0) ** 2
    found = {node.title: (node.value, node.gradient) for node in autograd_graph(loss, named).nodes}
    assert found["w"] == ("2", "12")
    assert found["x"] == ("3", "8")
    assert found["b"] == ("1", "4")
    assert found["×"] == ("6", "4")
    assert found["^ 2"] == ("4", "1")


def test_the_gradients_are_those_of_backward_and_leave_no_trace() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    loss = F.mse_loss(net(torch.ones(5, 3)), torch.zeros(5, 1))
    named = dict(net.named_parameters())
    graph = autograd_graph(loss, named)
    assert all(weight.grad is None for weight in net.parameters())
    loss.backward()
    for name, weight in named.items():
        assert weight.grad is not None
        node = next(one for one in graph.nodes if one.title == name)
        rms = float(weight.grad.pow(2).mean().sqrt())
        assert abs(float(node.gradient.split()[-1])) == pytest.approx(rms, rel=1e-3)


def test_of_a_large_graph_what_is_nearest_to_the_loss_is_taken() -> None:
    x = torch.tensor(1.0, requires_grad=True)
    total = x
    for _ in range(200):
        total = total + x
    graph = autograd_graph(total, most=20)
    assert len([node for node in graph.nodes if node.role != "constant"]) == 20
    assert graph.left_out == 181
    assert graph.nodes[-1].role == "result"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: torch.ones(2, 3, requires_grad=True) * 2, "2×3.*mean or its sum"),
        (lambda: torch.tensor(1.0), "no graph"),
        ("freed", "before loss.backward"),
    ],
)
def test_what_has_no_graph_is_told(make: Callable[[], torch.Tensor] | str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        autograd_graph(freed() if isinstance(make, str) else make())


def freed() -> torch.Tensor:
    loss = torch.tensor(2.0, requires_grad=True).exp() ** 2
    loss.backward()
    return loss
