"""All pictures of a folder into one array of bytes, with all cores busy."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, UserError
from danlu.base.seeds import cores
from danlu.data.decode import PictureHeader, Shape, read_head, read_pixels
from danlu.data.folder.scan import first_told
from danlu.data.tar_member import PicturePath

# Files that one thread works through at a time: Pillow lets go of Python's lock while it decodes, and more of them to a
# piece of work cost least (1.4 times as fast as one by one, and as two processes, which must send the pixels over).
AT_A_TIME = 64

Given = TypeVar("Given")
Made = TypeVar("Made")


def read_heads(paths: Sequence[PicturePath]) -> list[PictureHeader]:
    """The head of every picture; UserError, with the files, where one has none or cannot be decoded."""
    heads = _spread(paths, lambda places: [read_head(paths[place]) for place in places])
    if any(isinstance(head, Fault) for head in heads):
        # The user hears of all that are bad, also of those whose head is whole.
        small = Shape(1, 8, 8)
        _sound(_spread(paths, lambda places: [read_pixels(paths[place], small) for place in places]))
    return _sound(heads)


def decode(paths: Sequence[PicturePath], shape: Shape) -> Tensor:
    """The pictures as uint8 [N, C, H, W]; UserError, with the files, where one cannot be decoded."""
    pixels = numpy.empty((len(paths), *shape.sample_shape), dtype=numpy.uint8)

    def fill(places: range) -> list[Fault]:
        faults: list[Fault] = []
        for place in places:
            found = read_pixels(paths[place], shape)
            if isinstance(found, Fault):
                faults.append(found)
            else:
                pixels[place] = found
        return faults

    _sound(_spread(paths, fill))
    return torch.from_numpy(pixels)


def each_file(given: Sequence[Given], read: Callable[[Given], "Made | Fault"]) -> list[Made]:
    """What `read` makes of each; UserError, with the files, where that is a fault."""
    return _sound(_spread(given, lambda places: [read(given[place]) for place in places]))


def _spread(paths: Sequence[Any], work: Callable[[range], list[Made]]) -> list[Made]:
    pieces = [range(first, min(first + AT_A_TIME, len(paths))) for first in range(0, len(paths), AT_A_TIME)]
    with ThreadPoolExecutor(cores()) as pool:
        return [made for piece in pool.map(work, pieces) for made in piece]


def _sound(made: "Sequence[Made | Fault]") -> list[Made]:
    faults = [one for one in made if isinstance(one, Fault)]
    if faults:
        raise UserError(*first_told(faults))
    return [one for one in made if not isinstance(one, Fault)]
