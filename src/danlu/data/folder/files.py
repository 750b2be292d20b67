"""Pictures that do not fit into memory, each decoded when it is its turn, in worker processes."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from danlu.base.errors import Fault, UserError
from danlu.data.decode import Shape, read_pixels
from danlu.data.folder.scan import PictureFile
from danlu.data.transforms.convert import to_image


class PictureFiles(Dataset[Any]):
    """Samples (uint8 [C, H, W], answer); `answers` are those of all pictures: the names of their classes, or which
    labels they have, float32 [N, L]. The pictures go through `callables` first, as Pillow's.
    """

    def __init__(
        self,
        pictures: Sequence[PictureFile],
        answers: Sequence[str] | Tensor,
        shape: Shape,
        callables: tuple[Callable[[Any], Any], ...] = (),
    ) -> None:
        self.pictures, self.answers, self.shape, self.callables = pictures, answers, shape, callables

    def __getitem__(self, row: int) -> tuple[Any, str | Tensor]:
        found = read_pixels(self.pictures[row].path, self.shape)
        if isinstance(found, Fault):
            raise UserError(found)
        picture: Any = torch.from_numpy(found.copy())
        if self.callables:
            picture = to_image(picture)
            for step in self.callables:
                picture = step(picture)
        return picture, self.answers[row]
