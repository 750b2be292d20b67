"""Layers that normalise over the samples of a batch, so that what a net learns depends on who is in it."""

from torch import nn

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
