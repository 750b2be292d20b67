"""A user's own transforms, torchvision's included: one picture at a time, in worker processes."""

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils.data import Dataset

from danlu.data.transforms.convert import to_image


class OneByOne(Dataset[Any]):
    """Pictures uint8 [N, C, H, W] as Pillow's, through `callables`; what comes out may be Pillow's, uint8 or float."""

    def __init__(self, x: Tensor, y: Tensor, callables: tuple[Callable[[Any], Any], ...]) -> None:
        self.x, self.y, self.callables = x, y, callables

    def __getitem__(self, row: int) -> tuple[Any, Tensor]:
        picture = to_image(self.x[row])
        for step in self.callables:
            picture = step(picture)
        return picture, self.y[row]
