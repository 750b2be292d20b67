"""Floor 1: nets, built from blocks a learner can read; any other `torch.nn.Module` is a net as well."""

from danlu.nets.catalogue import build, example, names, option_names, recipe_of
from danlu.nets.describe import Description, LayerRow, describe
from danlu.nets.lenet import LeNet5
from danlu.nets.linear import LinearRegression, LogisticRegression, SoftmaxRegression
from danlu.nets.mlp import MLP

__all__ = [
    "MLP",
    "Description",
    "LayerRow",
    "LeNet5",
    "LinearRegression",
    "LogisticRegression",
    "SoftmaxRegression",
    "build",
    "describe",
    "example",
    "names",
    "option_names",
    "recipe_of",
]
