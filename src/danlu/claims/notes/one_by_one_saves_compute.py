"""A 1×1 convolution in front saves most of the multiplications: the notes' example, 192 maps of 28×28 to 32 by a 5×5
convolution, takes 120 million of them, and 12 million where a 1×1 convolution makes 16 maps first."""

from collections.abc import Sequence

from torch import nn

from danlu.claims.claim import IdentityClaim
from danlu.claims.evidence import CurveData, Plot
from danlu.nets import describe

_DIRECT = 28 * 28 * 32 * 5 * 5 * 192
_REDUCED = 28 * 28 * 16 * 192 + 28 * 28 * 32 * 5 * 5 * 16


def _counted(*layers: nn.Module) -> int:
    """Multiplications (with their additions) for one sample, as `danlu.describe` counts them."""
    return describe(nn.Sequential(*layers), (192, 28, 28)).multiply_adds


def reduced(maps: int) -> list[nn.Module]:
    """The 5×5 convolution behind a 1×1 one that makes so many maps."""
    return [nn.Conv2d(192, maps, 1, bias=False), nn.Conv2d(maps, 32, 5, padding=2, bias=False)]


def _checks() -> dict[str, float]:
    direct = _counted(nn.Conv2d(192, 32, 5, padding=2, bias=False))
    behind = _counted(*reduced(16))
    return {
        "direct-count": abs(direct - _DIRECT),
        "reduced-count": abs(behind - _REDUCED),
        "tenth": abs(behind / direct - _REDUCED / _DIRECT),
    }


def _figure() -> Sequence[Plot]:
    maps = [4, 8, 16, 32, 64, 128, 192]
    with_it = CurveData("one-by-one", maps, [_counted(*reduced(count)) / 1e6 for count in maps])
    without = CurveData("direct", maps, [_DIRECT / 1e6] * len(maps))
    return [Plot("maps", "million-multiplications", [without, with_it])]


ONE_BY_ONE_SAVES_COMPUTE = IdentityClaim(
    "one-by-one-saves-compute", {"direct-count": 0.0, "reduced-count": 0.0, "tenth": 1e-12}, _checks, _figure
)
