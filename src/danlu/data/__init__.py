"""Data: readers, split, transforms, batches."""

from danlu.data.dataset import Dataset
from danlu.data.listing import catalogue_facts
from danlu.data.load import load
from danlu.data.parts import PARTS
from danlu.data.reconstruction import reconstruction

__all__ = ["PARTS", "Dataset", "catalogue_facts", "load", "reconstruction"]
