"""Floor 1: nets, built from blocks a learner can read; any other `torch.nn.Module` is a net as well."""

from danlu.nets.autoencoder import Autoencoder
from danlu.nets.catalogue import (
    build,
    example,
    names,
    option_kind,
    option_names,
    recipe_of,
    registered,
    size,
    task_of,
    usual_data,
    usual_options,
    usual_shape,
)
from danlu.nets.cells import GRU, LSTM, RNN
from danlu.nets.densenet import DenseNet121, DenseNet169, SmallDenseNet
from danlu.nets.describe import Description, LayerRow, describe
from danlu.nets.googlenet import GoogLeNet, GoogLeNetOutputs
from danlu.nets.initialisers import initialise
from danlu.nets.language import LanguageModel, detached
from danlu.nets.lenet import LeNet5
from danlu.nets.linear import LinearRegression, LogisticRegression, SoftmaxRegression
from danlu.nets.mixture import MixtureDensityNet, MixtureHead, mixture
from danlu.nets.mlp import MLP
from danlu.nets.rehearsal import rehearse
from danlu.nets.resnet import ResNet18, ResNet34, ResNet50, ResNet101, SmallResNet
from danlu.nets.room import built_where_it_fits
from danlu.nets.sequence import SequenceClassifier
from danlu.nets.small_inception import SmallInception
from danlu.nets.usual import AUTO, options_of_usual_nets, usual_net
from danlu.nets.weights import check_weights, put_weights

__all__ = [
    "AUTO",
    "GRU",
    "LSTM",
    "MLP",
    "RNN",
    "Autoencoder",
    "DenseNet121",
    "DenseNet169",
    "Description",
    "GoogLeNet",
    "GoogLeNetOutputs",
    "LanguageModel",
    "LayerRow",
    "LeNet5",
    "LinearRegression",
    "LogisticRegression",
    "MixtureDensityNet",
    "MixtureHead",
    "ResNet18",
    "ResNet34",
    "ResNet50",
    "ResNet101",
    "SequenceClassifier",
    "SmallDenseNet",
    "SmallInception",
    "SmallResNet",
    "SoftmaxRegression",
    "build",
    "built_where_it_fits",
    "check_weights",
    "describe",
    "detached",
    "example",
    "initialise",
    "mixture",
    "names",
    "option_kind",
    "option_names",
    "options_of_usual_nets",
    "put_weights",
    "recipe_of",
    "registered",
    "rehearse",
    "size",
    "task_of",
    "usual_data",
    "usual_net",
    "usual_options",
    "usual_shape",
]
