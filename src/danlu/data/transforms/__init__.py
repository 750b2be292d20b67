"""What is done to pictures: between Pillow's and tensors, and to a whole batch at once, on whatever device it lies."""

from danlu.data.transforms.augment import Augmentation
from danlu.data.transforms.convert import to_image, to_tensor
from danlu.data.transforms.pictures import crop, cutout, flip, normalise, resize, rotate

__all__ = ["Augmentation", "crop", "cutout", "flip", "normalise", "resize", "rotate", "to_image", "to_tensor"]
