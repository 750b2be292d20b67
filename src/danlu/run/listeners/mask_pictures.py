"""A picture with its true mask and the predicted one beside it, and what is to be told of them."""

import base64
import io
from collections.abc import Sequence

import torch
from torch import Tensor

from danlu.base.naming import listed
from danlu.data.transforms.pictures import nearest, resize
from danlu.ship import palette

_SIDE = 64
_BETWEEN = 2  # pixels between two panels
_MOST_NAMED = 4
_GREY = 200  # where there is no class, and between the panels


def side_by_side(sample: Tensor, actual: Tensor, predicted: Tensor) -> str:
    """Picture [C, H, W] with one or three channels and, right of it in white, the pixels that came out wrong; below,
    the true and the predicted classes, int64 [H, W] each: one PNG in base64.
    """
    from PIL import Image

    scale = _SIDE / max(sample.shape[1:])
    height, width = (max(1, round(side * scale)) for side in sample.shape[1:])
    low, high = sample.min(), sample.max()
    grey = ((sample - low) / (high - low).clamp(min=1e-12) * 255).nan_to_num()
    shown = resize(grey[None], height, width)[0].clamp(0, 255).byte().expand(3, -1, -1).permute(1, 2, 0)
    colours = torch.tensor(palette(), dtype=torch.uint8).view(-1, 3)
    true, said = nearest(torch.stack([actual, predicted]), height, width)
    wrong = ((true != said) & (true >= 0))[..., None].expand(-1, -1, 3).byte() * 255
    below = [colours[mask.clamp(0, 255)].masked_fill((mask < 0)[..., None], _GREY) for mask in (true, said)]
    rows = [torch.cat([left, _gap(height, _BETWEEN), right], 1) for left, right in ((shown, wrong), below)]
    whole = torch.cat([rows[0], _gap(_BETWEEN, rows[0].shape[1]), rows[1]])
    file = io.BytesIO()
    Image.fromarray(whole.numpy()).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def _gap(height: int, width: int) -> Tensor:
    return torch.full((height, width, 3), _GREY, dtype=torch.uint8)


def shown_classes(mask: Tensor, names: Sequence[str]) -> str:
    """The classes in a mask, the most frequent first.

    >>> shown_classes(torch.tensor([[0, 1], [1, -100]]), ["sky", "sea"])
    'sea, sky'
    """
    counts = torch.bincount(mask[mask >= 0], minlength=len(names))
    there = [int(number) for number in counts.argsort(descending=True, stable=True) if counts[number]]
    return listed((names[number] for number in there), _MOST_NAMED)
