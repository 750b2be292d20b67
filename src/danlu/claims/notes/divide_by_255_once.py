"""ToTensor divides by 255 already; dividing again hurts: pixels from 0 to 1 against pixels from 0 to 1/255, at the rate
that is best for the first, and at each one's own best."""

from torch import Tensor, nn

from danlu.claims.effect import EffectClaim


class Divided(nn.Module):
    """Inputs over `divisor`."""

    def __init__(self, divisor: float) -> None:
        super().__init__()
        self.divisor = divisor

    def forward(self, x: Tensor) -> Tensor:
        return x / self.divisor


def _net(divisor: float) -> nn.Module:
    return nn.Sequential(Divided(divisor), nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def once() -> nn.Module:
    """A net on pixels from 0 to 1, as the digits are handed on."""
    return _net(1.0)


def twice() -> nn.Module:
    """The same net on pixels that are divided again."""
    return _net(255.0)


DIVIDE_BY_255_ONCE = EffectClaim(
    "divide-by-255-once",
    factor="divided by 255",
    levels={"once": {}, "twice": {}},
    builders={"once": once, "twice": twice},
    settings={"data.standardise": False, "train.batch_size": 32, "train.epochs": 10},
    expected="less",
    condition="rate",
    places={"that of once": {}, "its own": {}},
    keeps_rate=("that of once",),
    rates={"once": (0.01, 0.03, 0.1, 0.3), "twice": (0.3, 1.0, 3.0, 10.0)},
    refuses=("data", "target", "net"),
)
