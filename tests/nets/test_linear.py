"""The linear models are one affine map of the flattened sample, and give logits."""

import pytest
import torch

from danlu.base.errors import UserError
from danlu.base.seeds import stream
from danlu.nets import LinearRegression, LogisticRegression, SoftmaxRegression


@pytest.mark.parametrize(
    ("net", "outputs"),
    [
        (LinearRegression(inputs=12, outputs=3), 3),
        (LogisticRegression(inputs=12), 1),
        (SoftmaxRegression(inputs=12, classes=4), 4),
    ],
)
def test_output_is_the_affine_map_of_the_flattened_sample(net: torch.nn.Module, outputs: int) -> None:
    x = torch.randn(5, 3, 2, 2, generator=stream(0, "test"))
    weight, bias = net.get_parameter("linear.weight"), net.get_parameter("linear.bias")
    assert net(x).shape == (5, outputs)
    torch.testing.assert_close(net(x), x.reshape(5, 12) @ weight.T + bias)


def test_options_are_checked_in_the_constructor_too() -> None:
    with pytest.raises(UserError, match=r"net\.inputs is 0.*\n.*net\.classes is 'many'"):
        SoftmaxRegression(inputs=0, classes="many")  # pyright: ignore[reportArgumentType]
