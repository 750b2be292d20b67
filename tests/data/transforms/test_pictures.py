"""Transforms of whole batches do to each picture what is done to it alone."""

import numpy
import PIL.Image
import pytest
import torch

from danlu.base.seeds import stream
from danlu.data.transforms import crop, cutout, flip, normalise, resize, rotate, to_image


def pictures(channels: int = 3, count: int = 9, height: int = 10, width: int = 7) -> torch.Tensor:
    shape = (count, channels, height, width)
    return torch.randint(0, 256, shape, dtype=torch.uint8, generator=stream(0, "pictures"))


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
def test_crop_cuts_each_picture_out_of_its_padding(kind: torch.dtype) -> None:
    x = pictures().to(kind)
    top, left = (torch.randint(0, 5, (9,), generator=stream(1, name)) for name in ("top", "left"))
    padded = torch.nn.functional.pad(x, (2, 2, 2, 2))
    wanted = [padded[n, :, t : t + 10, s : s + 7] for n, (t, s) in enumerate(zip(top, left, strict=True))]
    assert torch.equal(crop(x, 2, top, left), torch.stack(wanted))


def test_crop_of_no_pictures_and_of_a_view() -> None:
    none = torch.zeros(0, dtype=torch.int64)
    assert crop(pictures(count=0), 2, none, none).shape == (0, 3, 10, 7)
    x = pictures().permute(0, 1, 3, 2)
    middle = torch.full((9,), 2)
    assert torch.equal(crop(x, 2, middle, middle), x)


def test_flip_exchanges_left_and_right_of_those_chosen() -> None:
    x = pictures()
    chosen = torch.arange(9) % 2 == 0
    flipped = flip(x, chosen)
    assert torch.equal(flipped[chosen], x[chosen].flip(-1))
    assert torch.equal(flipped[~chosen], x[~chosen])


@pytest.mark.parametrize("degrees", [0, 90, 180, -90])
def test_quarter_turns_move_pixels_as_pillow_does(degrees: int) -> None:
    x = pictures(height=8, width=8)
    turned = rotate(x, torch.full((9,), float(degrees)))
    for before, after in zip(x, turned, strict=True):
        assert numpy.array_equal(numpy.asarray(to_image(before).rotate(degrees)), numpy.asarray(to_image(after)))


def test_a_turn_by_any_angle_is_near_pillows() -> None:
    smooth = resize(pictures(count=1, height=4, width=6), 40, 60)
    turned = rotate(smooth, torch.tensor([17.0]))
    pillows = to_image(smooth[0]).rotate(17, PIL.Image.Resampling.BILINEAR)
    difference = numpy.asarray(pillows).astype(int) - numpy.asarray(to_image(turned[0])).astype(int)
    assert numpy.abs(difference[8:-8, 12:-12]).max() <= 2


def test_cutout_blackens_a_square_as_far_as_it_lies_inside() -> None:
    x = torch.ones(2, 3, 10, 7)
    cut = cutout(x, 4, row=torch.tensor([5, 0]), column=torch.tensor([3, 6]))
    assert [int((picture[0] == 0).sum()) for picture in cut] == [16, 2 * 3]
    assert (cut[0, :, 3:7, 1:5] == 0).all()


def test_resize_is_near_pillows() -> None:
    x = pictures(count=1, height=32, width=24)
    pillows = to_image(x[0]).resize((12, 8), PIL.Image.Resampling.BILINEAR)
    difference = numpy.asarray(pillows).astype(int) - numpy.asarray(to_image(resize(x, 8, 12)[0])).astype(int)
    assert numpy.abs(difference).max() <= 1


def test_normalise_takes_each_channel_by_itself() -> None:
    x = torch.rand(4, 2, 3, 3, dtype=torch.float64, generator=stream(0, "x"))
    wanted = torch.stack([(x[:, 0] - 0.5) / 0.2, (x[:, 1] - 0.1) / 2.0], 1)
    assert torch.allclose(normalise(x, (0.5, 0.1), (0.2, 2.0)), wanted)
