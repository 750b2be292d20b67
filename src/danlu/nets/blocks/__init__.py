"""Building blocks that several nets share; each is usable on its own."""

from danlu.nets.blocks.convolution import ConvNormActivation
from danlu.nets.blocks.dense import DenseBlock, DenseLayer, Transition
from danlu.nets.blocks.elementary import ACTIVATIONS, FEATURE_NORMS, MAP_NORMS, POOLINGS
from danlu.nets.blocks.inception import CourseInception, Inception, InceptionHead
from danlu.nets.blocks.residual import BasicBlock, Bottleneck, Residual

__all__ = [
    "ACTIVATIONS",
    "FEATURE_NORMS",
    "MAP_NORMS",
    "POOLINGS",
    "BasicBlock",
    "Bottleneck",
    "ConvNormActivation",
    "CourseInception",
    "DenseBlock",
    "DenseLayer",
    "Inception",
    "InceptionHead",
    "Residual",
    "Transition",
]
