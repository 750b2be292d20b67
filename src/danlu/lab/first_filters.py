"""The first weights of a net that see pictures, as pictures themselves."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from danlu.lab.prediction_collector import png

_MOST = 16
_MOST_PIXELS = 8192  # of all filters together
_CHANNELS = (1, 3)  # grey, and colours


def first_filters(net: nn.Module, sample_shape: Sequence[int]) -> tuple[str, tuple[str, ...]]:
    """The name of the first layer whose weights lie over the pixels, a convolution or a linear layer, and its first
    filters as PNG in base64, all on one scale around mid-grey; nothing where samples are no pictures, or no layer is.

    >>> name, filters = first_filters(nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU()), (1, 28, 28))
    >>> name, len(filters)
    ('0', 6)
    >>> first_filters(nn.Sequential(nn.Linear(4, 2)), (4,))
    ('', ())
    """
    if len(sample_shape) != 3 or sample_shape[0] not in _CHANNELS:
        return "", ()
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d):
            return name, _drawn(module.weight) if module.weight.shape[1] == sample_shape[0] else ()
        if isinstance(module, nn.Linear):
            over_all = module.in_features == math.prod(sample_shape)
            return name, _drawn(module.weight.view(-1, *sample_shape)) if over_all else ()
    return "", ()


def _drawn(weights: Tensor) -> tuple[str, ...]:
    """Weights [F, C, h, w], as many of the first ones as there is room for; of a single pixel there is no picture."""
    count = min(_MOST, _MOST_PIXELS // math.prod(weights.shape[2:]))
    if math.prod(weights.shape[2:]) == 1:
        return ()
    shown = weights[:count].detach().float().cpu()
    shown = 0.5 + 0.5 * shown / shown.abs().max().clamp(min=1e-12) if count else shown
    return tuple(png((one * 255).nan_to_num().byte()) for one in shown)
