"""TabM: members that share their weights and learn each for itself."""

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from danlu.base.errors import UserError
from danlu.base.recipe import LossRecipe
from danlu.base.seeds import global_seed, stream
from danlu.nets import MemberOutputs, TabM
from danlu.nets.blocks.members import MemberLinear, Waves
from danlu.train.losses import build_loss, loss_of
from danlu.train.sample_weights import SampleWeighted


def net(**options: Any) -> TabM:
    with global_seed(0, "test"):
        return TabM(**{"inputs": 5, "outputs": 3, "members": 4, "width": 8, "embedding": 2, **options})


def saying(members: Tensor) -> MemberOutputs:
    return MemberOutputs(members.mean(1), members)


def rows(count: int) -> Tensor:
    return torch.randn(count, 5, generator=stream(0, "rows"))


@pytest.mark.parametrize("embedding", [0, 2])
@pytest.mark.parametrize("members", [1, 4])
def test_every_weight_learns(embedding: int, members: int) -> None:
    model = net(embedding=embedding, members=members)
    outputs = model(rows(32))
    assert outputs.members.shape == (32, members, 3)
    loss_of(outputs, torch.arange(32) % 3, F.cross_entropy).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in model.parameters())


def test_scored_is_the_mean_of_the_members() -> None:
    model, x = net(), rows(7)
    torch.testing.assert_close(model.eval()(x), model.train()(x).members.mean(1))
    torch.testing.assert_close(model.eval()(x), model.train()(x)[0])  # what counts of several outputs


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    ("name", "targets"), [("cross-entropy", torch.arange(6) % 3), ("mse", torch.ones(6, 3)), ("bce", torch.ones(6, 3))]
)
def test_each_member_learns_by_its_own_loss(name: str, targets: Tensor, reduction: Any) -> None:
    loss = build_loss(name, LossRecipe(reduction=reduction))
    outputs = saying(torch.randn(6, 4, 3, generator=stream(0, "outputs")))
    each = [float(loss(outputs.members[:, member], targets)) for member in range(4)]
    assert float(outputs.loss(loss, targets)) == pytest.approx(sum(each) / 4)


LOSSES = {
    "weighed": build_loss("cross-entropy", LossRecipe(class_weights=(1.0, 2.0, 5.0), label_smoothing=0.1)),
    "summed": build_loss("cross-entropy", LossRecipe(class_weights=(1.0, 2.0, 5.0), reduction="sum")),
    "by samples": SampleWeighted(LossRecipe(name="mse")),
    "of one's own, no mean over samples": lambda outputs, targets: (outputs - targets[:, :3]).square().mean().sqrt(),
}


@pytest.mark.parametrize("name", LOSSES)
def test_the_members_losses_are_as_one_by_one(name: str) -> None:
    outputs = saying(torch.randn(6, 4, 3, generator=stream(0, "outputs")))
    targets = torch.arange(6) % 3 if name in ("weighed", "summed") else torch.rand(6, 4, generator=stream(0, "targets"))
    each = [float(LOSSES[name](outputs.members[:, member], targets)) for member in range(4)]
    assert float(outputs.loss(LOSSES[name], targets)) == pytest.approx(sum(each) / 4)


@pytest.mark.parametrize(("inputs", "embedding"), [(16, 8), (17, 0)])
def test_few_inputs_are_laid_out_in_waves(inputs: int, embedding: int) -> None:
    model = TabM(inputs=inputs, members=2, width=4)
    assert model.embedding == embedding
    assert isinstance(model.waves, Waves) == (embedding > 0)
    assert TabM(inputs=inputs, members=2, width=4, embedding=3).embedding == 3


def test_the_members_differ_from_the_start() -> None:
    members = net()(rows(50)).members.detach()
    spread = members.std(1).mean() / members.std(0).mean()
    assert spread > 0.3


def test_a_far_off_number_is_drawn_in() -> None:
    model = net().eval()
    near, far, farther = (model(torch.full((1, 5), size)) for size in (3.0, 300.0, 3e6))
    assert (far - near).abs().max() > 1e-4
    torch.testing.assert_close(far, farther, atol=1e-3, rtol=0)


def test_a_wave_is_the_formula() -> None:
    with global_seed(0, "test"):
        waves = Waves(features=2, width=3, waves=4)
    x = torch.tensor([[0.5, -1.5]])
    by_hand = []
    for feature in range(2):
        mixed = waves.bias[feature].clone()
        for wave in range(4):
            speed, phase = float(waves.speeds[feature, wave].detach()), float(waves.phases[feature, wave].detach())
            mixed += math.cos(2 * math.pi * speed * float(x[0, feature]) + phase) * waves.weight[feature, wave]
        by_hand += [x[0, feature : feature + 1], mixed.relu()]
    torch.testing.assert_close(waves(x)[0], torch.cat(by_hand))


def test_a_member_is_a_linear_layer() -> None:
    layer, x = MemberLinear(2, 3, 4), torch.randn(5, 2, 3, generator=stream(0, "test"))
    for member in range(2):
        alone = F.linear(x[:, member], layer.weight[member].T, layer.bias[member])
        torch.testing.assert_close(layer(x)[:, member], alone)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"members": 0}, "members"),
        ({"embedding": -1}, "embedding"),
        ({"depth": 0}, "depth"),
        ({"dropout": 1}, "dropout"),
    ],
)
def test_options_that_do_not_fit_are_named(options: dict[str, Any], named: str, language: str) -> None:
    with pytest.raises(UserError, match=rf"net\.{named}"):
        net(**options)
