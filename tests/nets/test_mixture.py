"""The mixture density net: its likelihood is that of torch's distributions, and it keeps two branches apart."""

from typing import Any

import pytest
import torch
from torch import nn

from danlu.base.seeds import global_seed, stream
from danlu.nets import MLP, MixtureDensityNet, MixtureHead, mixture
from danlu.train.losses import mixture_nll


def numbers(*shape: int, name: str = "x") -> torch.Tensor:
    return torch.randn(*shape, generator=stream(0, name), dtype=torch.float64)


@pytest.mark.parametrize("size", [1, 3])
def test_likelihood_is_that_of_torchs_mixture(size: int) -> None:
    outputs, targets = numbers(6, 4, 1 + 2 * size), numbers(6, size, name="y")
    expected = -mixture(outputs).log_prob(targets)
    torch.testing.assert_close(mixture_nll(outputs, targets, reduction="none"), expected)
    torch.testing.assert_close(mixture_nll(outputs, targets, reduction="sum"), expected.sum())
    torch.testing.assert_close(mixture_nll(outputs, targets), expected.mean())


def test_density_of_one_gaussian_by_hand() -> None:
    outputs = torch.tensor([[[0.0, 2.0, torch.tensor(4.0).log()]]])  # mean 2, precision 4: deviation 0.5
    distribution = mixture(outputs)
    assert (distribution.mean.item(), distribution.variance.item()) == pytest.approx((2.0, 0.25))
    assert mixture_nll(outputs, torch.tensor([[2.5]])).item() == pytest.approx(0.5 * (1 + 1.8378770664 - 1.3862943611))


def test_gradients_equal_finite_differences(gradients_agree: Any) -> None:
    assert gradients_agree(lambda: MixtureHead(3, outputs=2, components=2), 4, 3)
    assert gradients_agree(lambda: MixtureDensityNet(3, outputs=2, hidden=(4,)), 4, 3)
    outputs, targets = numbers(4, 3, 5).requires_grad_(), numbers(4, 2, name="y")
    assert torch.autograd.gradcheck(mixture_nll, (outputs, targets))


def test_improbable_targets_have_a_finite_loss_and_gradient() -> None:
    outputs = torch.zeros(1, 3, 3, requires_grad=True)
    loss = mixture_nll(outputs, torch.tensor([[1e4]]))
    loss.backward()
    assert loss.isfinite()
    assert outputs.grad is not None
    assert outputs.grad.isfinite().all()


@pytest.mark.parametrize("inputs", [(1,), (5,), (1, 8, 8)])
@pytest.mark.parametrize("hidden", [(), (16,), (16, 8)])
def test_every_size_learns(inputs: tuple[int, ...], hidden: tuple[int, ...]) -> None:
    net = MixtureDensityNet(inputs=torch.Size(inputs).numel(), outputs=2, components=3, hidden=hidden)
    x = numbers(4, *inputs).float()
    mixture_nll(net(x), x.flatten(1)[:, :1].repeat(1, 2)).backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in net.parameters())


def test_two_branches_are_found_that_a_squared_error_averages_away() -> None:
    with global_seed(0, "test"):
        net, plain = MixtureDensityNet(1, components=2, hidden=(16,)), MLP(1, 1, hidden=(16,))
        x = torch.rand(200, 1) * 2 - 1
        side = torch.where(torch.rand(200, 1) < 0.5, 1.0, -1.0)
        y = side * (1 + 0.5 * x) + 0.05 * torch.randn(200, 1)
        for made, loss in ((net, mixture_nll), (plain, nn.functional.mse_loss)):
            optimiser = torch.optim.Adam(made.parameters(), lr=0.02)
            for _ in range(300):
                optimiser.zero_grad()
                loss(made(x), y).backward()
                optimiser.step()
    means = net(torch.zeros(1, 1))[0, :, 1].sort().values
    torch.testing.assert_close(means, torch.tensor([-1.0, 1.0]), atol=0.1, rtol=0)
    assert abs(plain(torch.zeros(1, 1)).item()) < 0.3
