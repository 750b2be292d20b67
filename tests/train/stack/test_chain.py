"""Chains trained by hand-written products equal torch's autograd and SGD, member by member."""

import itertools

import pytest
import torch
from torch import nn

from danlu.train.stack.chain import Chain, Layer, cross_entropy_slope, logit_slope, squared_error_slope

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "identity": nn.Identity}


def _nets(count: int, sizes: tuple[int, ...], activation: str, bias: bool) -> list[nn.Sequential]:
    nets = []
    for _ in range(count):
        layers: list[nn.Module] = []
        for width_in, width_out in itertools.pairwise(sizes[:-1]):
            layers += [nn.Linear(width_in, width_out, bias=bias), ACTIVATIONS[activation]()]
        nets.append(nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1])).double())
    return nets


def _chain(nets: list[nn.Sequential], activation: str) -> Chain:
    linear = [[layer for layer in net if isinstance(layer, nn.Linear)] for net in nets]
    last = len(linear[0]) - 1
    layers = []
    for index, same in enumerate(zip(*linear, strict=True)):
        weight = torch.stack([layer.weight.detach() for layer in same])
        bias = None if same[0].bias is None else torch.stack([layer.bias.detach() for layer in same])
        layers.append(Layer(weight, bias, "identity" if index == last else activation))
    return Chain(layers)


def _assert_same(chain: Chain, nets: list[nn.Sequential]) -> None:
    for member, net in enumerate(nets):
        linear = [layer for layer in net if isinstance(layer, nn.Linear)]
        for ours, theirs in zip(chain.layers, linear, strict=True):
            torch.testing.assert_close(ours.weight[member], theirs.weight.detach(), rtol=1e-12, atol=1e-14)
            if theirs.bias is not None:
                torch.testing.assert_close(ours.bias[member], theirs.bias.detach(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("momentum", [0.9, torch.tensor([0.0, 0.5, 0.9], dtype=torch.float64)])
def test_fifty_steps_of_classification_with_smoothing_decay_and_a_drop_of_the_rate(
    activation: str, bias: bool, momentum: float | torch.Tensor
) -> None:
    torch.manual_seed(1)
    nets = _nets(3, (5, 7, 6, 4), activation, bias)
    chain = _chain(nets, activation)
    rates = torch.tensor([0.01, 0.1, 0.3], dtype=torch.float64)
    decay = torch.tensor([0.0, 0.01, 0.1], dtype=torch.float64)
    smoothing = torch.tensor([0.0, 0.1, 0.2], dtype=torch.float64)
    momenta = [momentum] * 3 if isinstance(momentum, float) else momentum.tolist()
    optimisers = [
        torch.optim.SGD(net.parameters(), lr=rate, momentum=beta, weight_decay=wd)
        for net, rate, beta, wd in zip(nets, rates.tolist(), momenta, decay.tolist(), strict=True)
    ]
    for step in range(50):
        inputs = torch.randn(3, 8, 5, dtype=torch.float64)
        targets = torch.randint(0, 4, (3, 8))
        if step == 30:
            rates = rates / 10
            chain.rescale(torch.full((3,), 0.1, dtype=torch.float64))
            for optimiser in optimisers:
                optimiser.param_groups[0]["lr"] /= 10
        losses, slope = cross_entropy_slope(chain.forward(inputs), targets, smoothing)
        chain.descend(slope, rates, momentum, decay)
        for member, (net, optimiser) in enumerate(zip(nets, optimisers, strict=True)):
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(
                net(inputs[member]), targets[member], label_smoothing=float(smoothing[member])
            )
            loss.backward()
            optimiser.step()
            torch.testing.assert_close(losses[member], loss.detach(), rtol=1e-10, atol=1e-12)
    _assert_same(chain, nets)


@pytest.mark.parametrize("loss", ["mse", "bce"])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_regression_and_logits_with_dropout(loss: str, activation: str) -> None:
    torch.manual_seed(2)
    nets = _nets(2, (3, 9, 1), activation, True)
    chain = _chain(nets, activation)
    optimisers = [torch.optim.SGD(net.parameters(), lr=0.1) for net in nets]
    for _ in range(20):
        inputs = torch.randn(2, 6, 3, dtype=torch.float64)
        targets = torch.randint(0, 2, (2, 6, 1)).double()
        mask = torch.empty(2, 6, 9, dtype=torch.float64).bernoulli_(0.5).mul_(2)
        slope_of = squared_error_slope if loss == "mse" else logit_slope
        _, slope = slope_of(chain.forward(inputs, [mask, None]), targets)
        chain.descend(slope, torch.full((2,), 0.1, dtype=torch.float64))
        for member, (net, optimiser) in enumerate(zip(nets, optimisers, strict=True)):
            optimiser.zero_grad()
            outputs = net[2](net[1](net[0](inputs[member])) * mask[member])
            function = nn.functional.mse_loss if loss == "mse" else nn.functional.binary_cross_entropy_with_logits
            function(outputs, targets[member]).backward()
            optimiser.step()
    _assert_same(chain, nets)


def test_a_member_that_is_not_a_number_changes_no_bit_of_the_others() -> None:
    torch.manual_seed(3)
    nets = _nets(3, (5, 7, 4), "relu", True)
    inputs, targets = torch.randn(3, 8, 5, dtype=torch.float64), torch.randint(0, 4, (3, 8))
    whole, broken = _chain(nets, "relu"), _chain(nets, "relu")
    broken.layers[0].weight[1] = torch.nan
    for chain in (whole, broken):
        for _ in range(5):
            _, slope = cross_entropy_slope(chain.forward(inputs), targets)
            chain.descend(slope, torch.full((3,), 0.1, dtype=torch.float64), 0.9)
    for ours, theirs in zip(whole.layers, broken.layers, strict=True):
        assert torch.equal(ours.weight[[0, 2]], theirs.weight[[0, 2]])
