"""The small U-Net."""

import pytest
import torch

import danlu
from danlu.nets import UNet, recipe_of


@pytest.mark.parametrize("sides", [(1, 1), (5, 33), (16, 16), (50, 7)])
@pytest.mark.parametrize("depth", [1, 3])
def test_any_sides_come_out_as_they_went_in(sides: tuple[int, int], depth: int) -> None:
    net = UNet(classes=3, channels=2, width=2, depth=depth)
    assert net(torch.zeros(1, 2, *sides)).shape == (1, 3, *sides)


@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
def test_every_weight_is_reached_and_the_recipe_builds_it_again(norm: str) -> None:
    net = UNet(classes=2, width=2, depth=2, norm=norm)
    net(torch.rand(2, 1, 9, 9)).square().sum().backward()
    assert all(weight.grad is not None for weight in net.parameters())
    known = {"classes": 2, "channels": 1, "width": 2, "depth": 2, "norm": norm, "init": "default"}
    assert recipe_of(net) == ("unet", known)


def test_a_skip_brings_the_picture_to_the_last_layer() -> None:
    """With the way up cut, what is said of a pixel still depends on it."""
    net = UNet(classes=2, width=16, depth=2, norm="none").eval()
    for up in net.up:
        torch.nn.init.zeros_(up.weight)
    x = torch.rand(1, 1, 8, 8)
    other = x.clone()
    other[0, 0, 3, 3] += 1
    assert not torch.equal(net(x)[..., 3, 3], net(other)[..., 3, 3])


MISTAKES = {
    "depth": ({"depth": 0}, "net.depth", "net.depth"),
    "norm": ({"norm": "group"}, "batch, layer", "batch, layer"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told(mistake: str, language: str) -> None:
    options, english, chinese = MISTAKES[mistake]
    with pytest.raises(danlu.UserError, match=english if language == "en" else chinese):
        UNet(**options)


@pytest.mark.every(2)
@pytest.mark.parametrize("net", ["mlp", "lenet5", "unet"])
def test_nets_for_other_data_are_refused(net: str, language: str) -> None:
    data = danlu.load("digits" if net == "unet" else "digit-masks")
    words = {"en": ("mask", "each pixel"), "zh": ("掩码", "每个像素")}
    with pytest.raises(danlu.UserError, match=words[language][net != "unet"]):
        danlu.fit(net, data, epochs=1)
