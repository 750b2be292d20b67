"""What a net refuses only when it trains is told before, and leaves no trace."""

import random

import pytest
import torch
from torch import nn

import danlu
from danlu.base.errors import UserError
from danlu.nets import rehearse


class Fails(nn.Module):
    """Breaks in training mode, in the way it is told."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.layer = nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.layer(x)
        if not self.training:
            return y
        if self.how == "raises":
            raise ValueError("no such branch")
        if self.how == "shape":
            return self.layer(y)
        if self.how == "detached":
            return y.detach()
        return y.sigmoid().mul_(2) if self.how == "in-place" else y.exp().add_(1).exp()


WORDS = {
    "raises": ("Fails fails between its layers: no such branch", "Fails 的 forward 在层与层之间出错：no such branch"),
    "shape": (r"layer \(Linear\) got the shape 2, but wants 3", r"layer \(Linear\) 层得到的输入形状是 2，而它要求"),
    "detached": (r"cut off from its parameters.*\.detach\(\)", r"计算图断开了.*\.detach\(\)"),
    "in-place": ("gradients of the net cannot be computed: .*inplace", "无法计算网络的梯度：.*inplace"),
}


@pytest.mark.parametrize("how", WORDS)
def test_what_fails_in_training_mode_is_told(how: str, language: str) -> None:
    net = Fails(how).eval()
    with pytest.raises(UserError, match=WORDS[how][language == "zh"]):
        rehearse(net, (3,), 2)
    assert not net.training
    assert net.layer.weight.grad is None


def test_a_rehearsal_leaves_the_net_as_it_was() -> None:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(), nn.Linear(4, 1))
    net[1].eval()
    net(torch.rand(5, 3)).sum().backward()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    gradients = [weight.grad for weight in net.parameters()]
    states = torch.get_rng_state(), random.getstate()
    rehearse(net, (3,), 2)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert all(weight.grad is gradient for weight, gradient in zip(net.parameters(), gradients, strict=True))
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert [module.training for module in net] == [True, False, True, True]


@pytest.mark.parametrize("name", ["mlp", "lenet5", "sequence-classifier", "autoencoder", "googlenet"])
def test_nets_of_ours_pass(name: str) -> None:
    outputs, vocabulary = (1, None) if name == "autoencoder" else (4, 9)
    shape = (6,) if name == "sequence-classifier" else (3, 32, 32)
    task = "reconstruction" if name == "autoencoder" else "classification"
    net = danlu.nets.build(name, {}, sample_shape=shape, outputs=outputs, task=task, vocabulary=vocabulary)
    rehearse(net, shape, 2, dtype=torch.int64 if len(shape) == 1 else torch.float32)
