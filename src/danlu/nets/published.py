"""Weights as torchvision publishes them for ImageNet, and how pictures were normalised to train them."""

from collections.abc import Mapping

import torch
from torch import Tensor

from danlu.base.naming import spelled
from danlu.nets.registry import IMAGENET, NETS
from danlu.nets.weights import has_layout_of


def published_normalisation(name: str, weights: Mapping[str, Tensor]) -> str | None:
    """How pictures were normalised ("imagenet" or "symmetric") to train `weights`, a weight file's tensors by name,
    where these are laid out exactly as torchvision's ImageNet weights for the net called `name`: every name and shape,
    three colours in and 1,000 classes out. Else None.

    >>> published_normalisation("resnet18", {"fc.weight": torch.zeros(1000, 512)}) is None
    True
    """
    found = spelled(name, NETS)
    entry = NETS[found] if found else None
    if entry is None or entry.published is None:
        return None
    with torch.device("meta"):
        net = entry.net_class()(classes=IMAGENET["outputs"], channels=IMAGENET["sample_shape"][0])
    return entry.published if has_layout_of(net, weights) else None
