"""LeNet-5: the parameters of the paper's layers, pictures of every size up to 32×32, and that it learns real digits."""

import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

from danlu.base.errors import UserError
from danlu.base.seeds import global_seed, order, stream
from danlu.nets import LeNet5
from danlu.nets.lenet import Field


def test_parameters_are_those_of_the_layers_in_the_paper() -> None:
    by_hand = (25 + 1) * 6 + (6 * 25 + 1) * 16 + (400 + 1) * 120 + (120 + 1) * 84 + (84 + 1) * 10
    assert sum(weight.numel() for weight in LeNet5().parameters()) == by_hand == 61_706


@pytest.mark.parametrize("size", [(8, 8), (28, 28), (32, 32), (20, 31)])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_up_to_32_give_logits_and_gradients(size: tuple[int, int], channels: int) -> None:
    net = LeNet5(channels=channels)
    pictures = torch.rand(4, channels, *size, generator=stream(0, "test"))
    logits = net(pictures)
    F.cross_entropy(logits, torch.arange(4)).backward()
    assert logits.shape == (4, 10)
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in net.parameters())


def test_field_equals_padding_two_in_the_first_convolution() -> None:
    pictures = torch.rand(4, 1, 28, 28, generator=stream(0, "test"))
    convolution = nn.Conv2d(1, 6, 5)
    padded = F.conv2d(pictures, convolution.weight, convolution.bias, padding=2)
    torch.testing.assert_close(convolution(Field()(pictures)), padded)


def test_field_hands_on_32_by_32_without_a_copy() -> None:
    pictures = torch.rand(2, 3, 32, 32, generator=stream(0, "test"))
    assert Field()(pictures) is pictures


def test_field_enlarges_small_pictures_to_28() -> None:
    field = Field()(torch.ones(1, 1, 8, 8))
    assert field.shape == (1, 1, 32, 32)
    torch.testing.assert_close(field, F.pad(torch.ones(1, 1, 28, 28), (2, 2, 2, 2)))


def test_pictures_above_32_are_refused(language: str) -> None:
    with pytest.raises(UserError, match=r"lenet5.*32×32.*(these are|这些图像是) 64×48"):
        LeNet5()(torch.zeros(1, 1, 64, 48))


def test_the_net_of_1998_has_sigmoids_and_average_pooling() -> None:
    kinds = [type(module).__name__ for module in LeNet5(activation="sigmoid", pooling="average").modules()]
    assert (kinds.count("Sigmoid"), kinds.count("AvgPool2d")) == (4, 2)
    assert not {"ReLU", "MaxPool2d"} & set(kinds)


def test_learns_real_digits_in_three_epochs() -> None:
    digits = load_digits()
    pictures = torch.tensor(digits.images / 16, dtype=torch.float32).unsqueeze(1)
    classes = torch.tensor(digits.target)
    with global_seed(0, "test"):
        net = LeNet5()
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(3):
        for batch in order(len(classes), 0, epoch).split(64):
            optimiser.zero_grad()
            F.cross_entropy(net(pictures[batch]), classes[batch]).backward()
            optimiser.step()
    assert (net(pictures).argmax(1) == classes).float().mean().item() > 0.8
