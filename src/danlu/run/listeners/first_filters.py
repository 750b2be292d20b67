"""The first weights of a net that see pictures, as pictures themselves."""

import base64
import math
import struct
import zlib
from collections.abc import Sequence

import torch
from torch import Tensor, nn

_MOST = 16
_MOST_PIXELS = 8192  # of all filters together
_KINDS = {1: 0, 3: 2}  # of PNG by the channels: grey, and colours


def first_filters(net: nn.Module, sample_shape: Sequence[int]) -> tuple[str, tuple[str, ...]]:
    """The name of the first layer whose weights lie over the pixels, a convolution or a linear layer, and its first
    filters as PNG in base64, all on one scale around mid-grey; nothing where samples are no pictures, or no layer is.

    >>> name, filters = first_filters(nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU()), (1, 28, 28))
    >>> name, len(filters)
    ('0', 6)
    >>> first_filters(nn.Sequential(nn.Linear(4, 2)), (4,))
    ('', ())
    """
    if len(sample_shape) != 3 or sample_shape[0] not in _KINDS:
        return "", ()
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d):
            return name, _drawn(module.weight) if module.weight.shape[1] == sample_shape[0] else ()
        if isinstance(module, nn.Linear):
            over_all = module.in_features == math.prod(sample_shape)
            return name, _drawn(module.weight.reshape(-1, *sample_shape)) if over_all else ()
    return "", ()


def _drawn(weights: Tensor) -> tuple[str, ...]:
    """Weights [F, C, h, w], as many of the first ones as there is room for; of a single pixel there is no picture, nor
    of weights that are not finite."""
    count = min(_MOST, _MOST_PIXELS // math.prod(weights.shape[2:]))
    if math.prod(weights.shape[2:]) == 1 or not weights[:count].isfinite().all():
        return ()
    shown = weights[:count].detach().float().cpu()
    shown = 0.5 + 0.5 * shown / shown.abs().max().clamp(min=1e-12) if count else shown
    return tuple(map(_png, (shown * 255).byte()))


def _png(levels: Tensor) -> str:
    """Levels uint8 [C, h, w] as PNG in base64, as it is: for so few pixels a library takes ten times as long."""
    channels, height, width = levels.shape
    rows = levels.permute(1, 2, 0).reshape(height, -1)
    lines = torch.cat([rows.new_zeros(height, 1), rows], 1).numpy().tobytes()  # each begins with how it is filtered
    size = struct.pack(">IIBBBBB", width, height, 8, _KINDS[channels], 0, 0, 0)
    parts = ((b"IHDR", size), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(part)) + name + part + struct.pack(">I", zlib.crc32(name + part)) for name, part in parts
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(chunks)).decode()
