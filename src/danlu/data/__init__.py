"""Data: readers, split, transforms, batches."""

from danlu.base.lazily import lazily

lazily(__name__)
