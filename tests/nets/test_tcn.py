"""The temporal convolutional network: it looks back only, and as far as its window."""

import pytest
import torch

from danlu.base.errors import UserError
from danlu.nets import TCN, build
from danlu.nets.tcn import levels_for


@pytest.mark.parametrize("window", [1, 2, 5, 14, 29, 30, 100])
@pytest.mark.parametrize("kernel", [2, 3, 5])
def test_the_last_step_sees_the_whole_window_and_one_level_less_would_not(window: int, kernel: int) -> None:
    levels = levels_for(window, kernel)
    less, enough = (1 + 2 * (kernel - 1) * (2**count - 1) for count in (levels - 1, levels))
    assert enough >= window
    assert less < window or levels == 1


def test_no_step_sees_a_later_one() -> None:
    net = TCN(window=12, features=2, dropout=0.0).eval()
    x = torch.randn(1, 12, 2, generator=torch.Generator().manual_seed(1))
    changed = x.clone()
    changed[:, 7:] += 5
    before, after = net.blocks(x.transpose(1, 2)), net.blocks(changed.transpose(1, 2))
    torch.testing.assert_close(before[:, :, :7], after[:, :, :7])
    assert not torch.allclose(before[:, :, 7], after[:, :, 7])


def test_the_first_step_of_the_window_counts() -> None:
    net = TCN(window=14, features=1, dropout=0.0).eval()
    x = torch.randn(1, 14, 1, generator=torch.Generator().manual_seed(2)).requires_grad_()
    net(x).sum().backward()
    assert x.grad is not None
    assert bool((x.grad[0, :, 0] != 0).all())


@pytest.mark.parametrize("shortcut", ["last", "linear"])
def test_a_shortcut_begins_as_the_last_value(shortcut: str) -> None:
    net = TCN(window=6, features=2, outputs=3, shortcut=shortcut).eval()
    torch.nn.init.zeros_(net.output.weight)
    torch.nn.init.zeros_(net.output.bias)
    x = torch.randn(4, 6, 2, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(net(x), x[:, -1, :1].expand(-1, 3))


@pytest.mark.parametrize("options", [{"kernel": 1}, {"levels": 0}, {"shortcut": "all"}, {"width": -3}])
def test_options_are_checked(options: dict[str, object]) -> None:
    with pytest.raises(UserError, match=next(iter(options))):
        build("tcn", options, sample_shape=(6, 2), outputs=1, task="regression")
