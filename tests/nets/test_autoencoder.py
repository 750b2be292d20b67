"""The autoencoder: outputs between 0 and 1 in the shape of its input, flattened; it learns to hand pictures on."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

from danlu.base.seeds import global_seed
from danlu.nets import Autoencoder


@pytest.mark.parametrize("shape", [(4,), (1, 8, 8), (3, 5, 7)])
def test_reconstructions_lie_between_0_and_1_and_learn(shape: tuple[int, ...]) -> None:
    net = Autoencoder(inputs=torch.Size(shape).numel(), hidden=(16, 8), code=3, activation="tanh")
    x = torch.linspace(0, 1, 5 * net.inputs).reshape(5, *shape)
    y = net(x)
    assert y.shape == (5, net.inputs)
    assert ((y > 0) & (y < 1)).all()
    assert torch.equal(y, net.decode(net.encode(x)))
    F.mse_loss(y, x.flatten(1)).backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in net.parameters())


def test_the_way_back_mirrors_the_way_in() -> None:
    net = Autoencoder(inputs=64, hidden=(32, 16), code=4)
    widths = [(layer.in_features, layer.out_features) for layer in net.modules() if isinstance(layer, nn.Linear)]
    assert widths == [(64, 32), (32, 16), (16, 4), (4, 16), (16, 32), (32, 64)]


def test_gradients_equal_finite_differences(gradients_agree: Any) -> None:
    assert gradients_agree(lambda: Autoencoder(inputs=4, hidden=(3,), code=2, activation="tanh"), 3, 2, 2)


def test_real_digits_come_back_better_than_their_mean() -> None:
    pictures = torch.tensor(load_digits().images / 16, dtype=torch.float32)[:500]
    with global_seed(0, "test"):
        net = Autoencoder(inputs=64, hidden=(64,), code=8)
        optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
        for _ in range(100):
            optimiser.zero_grad()
            loss = F.mse_loss(net(pictures), pictures.flatten(1))
            loss.backward()
            optimiser.step()
    assert loss.item() < 0.5 * pictures.var(0, correction=0).mean().item()
