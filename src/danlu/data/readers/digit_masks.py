"""Real handwritten digits in larger fields, with a mask of each: segmentation without a download."""

from pathlib import Path

import torch

from danlu.base.seeds import stream
from danlu.data.images import Images, Pool
from danlu.data.place_labels import PixelLabels
from danlu.data.readers.bundled import read_digits

_CELL, _CELLS, _EACH = 12, 2, 2  # pixels of a cell, cells a side, digits a field
_INK = 4  # of 16: from here on a pixel belongs to the digit


def read_digit_masks(path: Path) -> Images:
    """898 fields of 24 × 24 pixels, each with two of the 1,797 digits in two of its four quarters, at a random place
    there. A mask is 0 where there is no ink, and 1 + the digit where there is.
    """
    digits = read_digits(path).train
    side, count = _CELL * _CELLS, len(digits.images) // _EACH
    drawn = stream(0, "digit-masks")
    quarters = torch.rand(count, _CELLS**2, generator=drawn).argsort(1)[:, :_EACH]
    shifts = torch.randint(_CELL - digits.images.shape[-1] + 1, (count, _EACH, 2), generator=drawn)
    fields = torch.zeros(count, 1, side, side, dtype=torch.uint8)
    masks = torch.zeros(count, side, side, dtype=torch.int64)
    for field in range(count):
        for place in range(_EACH):
            number, quarter = field * _EACH + place, int(quarters[field, place])
            top, left = (int(shift) for shift in shifts[field, place])
            top, left = top + quarter // _CELLS * _CELL, left + quarter % _CELLS * _CELL
            digit, rows, columns = digits.images[number, 0], slice(top, top + 8), slice(left, left + 8)
            fields[field, 0, rows, columns] = digit
            masks[field, rows, columns] = torch.where(digit >= _INK, int(digits.labels[number]) + 1, 0)
    target = PixelLabels(tuple(range(11)), ("background", *map(str, range(10))))
    return Images(Pool(fields, masks), None, (), peak=16.0, target=target)
