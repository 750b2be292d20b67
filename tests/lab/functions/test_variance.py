"""Variance by layer: against what initialisations are known to do, and the net is left as it was."""

import copy
import math

import pytest
import torch
from torch import Tensor, nn

import danlu
from danlu.base.seeds import global_seed
from danlu.lab.draw import named_variances
from danlu.lab.functions.variance import layer_variances


def chain(activation: type[nn.Module], gain: float, depth: int = 8, width: int = 256) -> nn.Sequential:
    """Layers whose weights have the variance gain² / width."""
    layers: list[nn.Module] = []
    with global_seed(0, "chain"):
        for _ in range(depth):
            linear = nn.Linear(width, width)
            nn.init.normal_(linear.weight, std=gain / math.sqrt(width))
            nn.init.zeros_(linear.bias)
            layers += [linear, activation()]
    return nn.Sequential(*layers)


def test_a_linear_chain_scales_by_its_gain_squared() -> None:
    found = layer_variances(chain(nn.Identity, 0.5), (256,), "chain")
    assert found.layers == tuple(str(2 * at) for at in range(8)), "what passes numbers on as they are is left out"
    for before, after in zip(found.variances, found.variances[1:], strict=False):
        assert after / before == pytest.approx(0.25, rel=0.1)
    assert found.inputs == pytest.approx(1, abs=0.02)


def test_he_keeps_a_relu_net_alive_and_xavier_halves_it() -> None:
    for gain, ratio in ((math.sqrt(2), 1.0), (1.0, 0.5)):
        found = layer_variances(chain(nn.ReLU, gain), (256,), "chain")
        before_relu = found.variances[::2]
        assert (before_relu[-1] / before_relu[1]) ** (1 / 6) == pytest.approx(ratio, rel=0.15)


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm, self.drop, self.out = nn.BatchNorm1d(6), nn.Dropout(), nn.LazyLinear(3)
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.out(self.drop(self.norm(x)))


@pytest.mark.parametrize("training", [True, False])
def test_the_net_its_mode_and_the_generators_stay_as_they_were(training: bool) -> None:
    net = Counting().train(training)
    state, before = torch.get_rng_state(), copy.deepcopy(net.norm.state_dict())
    x = torch.randn(20, 6, generator=torch.Generator().manual_seed(1)) * 3 + 2
    found = layer_variances(net, x, "net")
    assert torch.equal(torch.get_rng_state(), state)
    assert (net.calls, net.training, net.drop.training) == (0, training, training)
    assert isinstance(net.out.weight, nn.UninitializedParameter)
    assert all(torch.equal(value, before[name]) for name, value in net.norm.state_dict().items())
    assert not net._forward_hooks  # pyright: ignore[reportPrivateUsage]
    assert found.variances[0] == pytest.approx(1, abs=1e-3), "normalised by the batch, as in the first step"
    assert found.source == "data"


@pytest.mark.every(2)
def test_on_real_data_and_by_name(language: str) -> None:
    data = danlu.load("digits")
    by_name, again = (named_variances("mlp", {"hidden": [9]}, given) for given in (data, "digits"))
    assert by_name == again
    assert by_name.source == "data"
    svg = danlu.draw("mlp", data, kind="variance").file_content(".svg").decode()
    assert ("方差" if language == "zh" else "variance") in svg


@pytest.mark.parametrize("name", ["lenet5", "mlp", "language-model", "autoencoder"])
def test_danlus_own_nets_without_data(name: str) -> None:
    found = named_variances(name, {})
    assert len(found.layers) == len(found.variances) > 1
    assert all(map(math.isfinite, found.variances))


def test_recurrent_layers_and_shared_ones() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.same = nn.LSTM(4, 4, batch_first=True), nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.same(self.same(self.lstm(x)[0]))

    assert layer_variances(Twice(), (7, 4), "twice").layers == ("lstm", "same")


def test_mistakes(language: str) -> None:
    net = nn.Sequential(nn.Linear(4, 2), nn.ReLU())
    for data, words in (((5,), "Linear"), (None, r"\(3, 32, 32\)")):
        with pytest.raises(danlu.UserError, match=words):
            danlu.draw(net, data, kind="variance")
    with pytest.raises(danlu.UserError, match="kind="):
        danlu.draw(torch.ones(3), kind="variance")


def test_constant_and_broken_outputs_are_told() -> None:
    dead = nn.Linear(3, 3)
    nn.init.zeros_(dead.weight)
    nn.init.zeros_(dead.bias)
    svg = danlu.draw(nn.Sequential(dead, nn.ReLU()), (3,), kind="variance").file_content(".svg").decode()
    assert "constant" in svg
    nn.init.constant_(dead.weight, math.inf)
    svg = danlu.draw(nn.Sequential(dead, nn.ReLU()), (3,), kind="variance").file_content(".svg").decode()
    assert "not finite" in svg
