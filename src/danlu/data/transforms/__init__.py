"""What is done to pictures: between Pillow's and tensors, and to a whole batch at once, on whatever device it lies."""

from danlu.base.lazily import lazily

lazily(__name__)
