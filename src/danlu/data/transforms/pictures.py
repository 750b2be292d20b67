"""Transforms of a batch of pictures [B, C, H, W] at once, on its device. What is drawn comes in as tensors [B]."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def normalise(pictures: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """(pixel - mean) / std, channel by channel.

    >>> normalise(torch.ones(1, 2, 1, 1), mean=(0.0, 0.5), std=(1.0, 0.25)).flatten().tolist()
    [1.0, 2.0]
    """
    means, stds = (torch.tensor(values, device=pictures.device, dtype=pictures.dtype) for values in (mean, std))
    return (pictures - means.view(-1, 1, 1)) / stds.view(-1, 1, 1)


def crop(pictures: Tensor, padding: int, top: Tensor, left: Tensor) -> Tensor:
    """Each picture with `padding` black pixels on all sides, cut to its old size from `top` and `left` (int64 [B], from
    0 to 2 · padding) on.

    >>> crop(torch.tensor([[[[1, 2], [3, 4]]]]), 1, top=torch.tensor([2]), left=torch.tensor([1])).tolist()
    [[[[3, 4], [0, 0]]]]
    """
    count, channels, height, width = pictures.shape
    padded = F.pad(pictures, (padding,) * 4).contiguous()
    tall, wide = padded.shape[2:]
    # Every run of `width` pixels, wherever it begins, is a row of this view: a crop is then a choice of rows.
    runs = padded.view(-1).as_strided((max(0, padded.numel() - width + 1), width), (1, 1))
    first = (top.unsqueeze(1) + torch.arange(height, device=top.device)) * wide + left.unsqueeze(1)
    planes = torch.arange(count * channels, device=top.device).view(count, channels, 1) * (tall * wide)
    return runs.index_select(0, (planes + first.unsqueeze(1)).flatten()).view(pictures.shape)


def flip(pictures: Tensor, chosen: Tensor) -> Tensor:
    """The `chosen` pictures (bool [B]) with left and right exchanged.

    >>> flip(torch.tensor([[[[1, 2]]], [[[1, 2]]]]), torch.tensor([True, False])).flatten().tolist()
    [2, 1, 1, 2]
    """
    return torch.where(chosen.view(-1, 1, 1, 1), pictures.flip(-1), pictures)


def rotate(pictures: Tensor, degrees: Tensor) -> Tensor:
    """Each picture turned about its middle by `degrees` (float [B], anticlockwise), bilinear, black where nothing was.

    >>> rotate(torch.tensor([[[[1, 2], [3, 4]]]], dtype=torch.uint8), torch.tensor([90.0])).tolist()
    [[[[2, 4], [1, 3]]]]
    """
    height, width = pictures.shape[2:]
    angle = torch.deg2rad(degrees.to(torch.float32))
    sine, cosine, zero = angle.sin(), angle.cos(), torch.zeros_like(angle)
    turn = torch.stack([cosine, -sine * height / width, zero, sine * width / height, cosine, zero], 1).view(-1, 2, 3)
    grid = F.affine_grid(turn, [len(pictures), 1, height, width], align_corners=False)
    floats = _floats(pictures)
    turned = F.grid_sample(floats, grid.to(floats.dtype), align_corners=False)
    return turned if pictures.is_floating_point() else turned.round_().clamp_(0, 255).to(pictures.dtype)


def cutout(pictures: Tensor, side: int, row: Tensor, column: Tensor) -> Tensor:
    """Each picture with a black square of `side` pixels around `row` and `column` (int64 [B]), as far as it lies inside
    (DeVries and Taylor 2017, https://arxiv.org/abs/1708.04552).

    >>> cutout(torch.ones(1, 1, 2, 3), 2, row=torch.tensor([1]), column=torch.tensor([1])).tolist()
    [[[[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]]]]
    """
    rows = torch.arange(pictures.shape[2], device=pictures.device) - row.unsqueeze(1) + side // 2
    columns = torch.arange(pictures.shape[3], device=pictures.device) - column.unsqueeze(1) + side // 2
    inside = ((rows >= 0) & (rows < side)).unsqueeze(2) & ((columns >= 0) & (columns < side)).unsqueeze(1)
    return pictures.masked_fill(inside.unsqueeze(1), 0)


def resize(pictures: Tensor, height: int, width: int) -> Tensor:
    """All pictures in another size: bilinear, each pixel the mean of those it stands for where they get smaller.

    >>> resize(torch.full((1, 3, 8, 8), 7, dtype=torch.uint8), 4, 2).shape
    torch.Size([1, 3, 4, 2])
    """
    resized = F.interpolate(_floats(pictures), (height, width), mode="bilinear", antialias=True)
    return resized if pictures.is_floating_point() else resized.round_().clamp_(0, 255).to(pictures.dtype)


def nearest(masks: Tensor, height: int, width: int) -> Tensor:
    """Masks [N, H, W] in another size, each pixel what the one nearest to its middle was.

    >>> nearest(torch.tensor([[[1, 2], [3, 4]]]), 1, 4).tolist()
    [[[3, 3, 4, 4]]]
    """
    rows, columns = (
        ((torch.arange(wanted, device=masks.device) + 0.5) * (found / wanted)).long().clamp(max=found - 1)
        for wanted, found in ((height, masks.shape[1]), (width, masks.shape[2]))
    )
    return masks[:, rows][:, :, columns]


def _floats(pictures: Tensor) -> Tensor:
    return pictures if pictures.is_floating_point() else pictures.to(torch.float32)
