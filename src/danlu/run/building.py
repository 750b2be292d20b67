"""The net that a recipe names, and what is asked of it wherever it stands: its types, its structure."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from danlu.base.errors import Fault, UserError, fail
from danlu.base.places import shown
from danlu.base.recipe import CUSTOM, Recipe
from danlu.base.seeds import global_seed
from danlu.data import Dataset
from danlu.data.preprocessing import Preprocessing
from danlu.data.several_encoder import layout_of
from danlu.nets import build, built_where_it_fits, check_weights


def build_net(recipe: Recipe, data: Dataset | Preprocessing) -> nn.Module:
    """The net the recipe names, its initial weights drawn from the seed's own stream."""
    if recipe.net.name == CUSTOM:
        fail("lab.net-not-in-recipe", name=recipe.net.options.get("class", CUSTOM))

    def built() -> nn.Module:
        with global_seed(recipe.train.seed, "initial-weights"):
            return build(
                recipe.net.name,
                recipe.net.options,
                sample_shape=data.sample_shape,
                outputs=data.outputs,
                task=data.task,
                vocabulary=None if data.vocabulary is None else len(data.vocabulary),
                sha256=recipe.net.sha256,
                several=layout_of(data.encoder),
            )

    return built_where_it_fits(built, recipe.net.label, recipe.net.options)


def dtype_of(precision: str) -> torch.dtype:
    """The type of weights and samples; autocast's precisions leave them float32."""
    return torch.float64 if precision == "float64" else torch.float32


def sample_dtype(net: nn.Module, data: Dataset | Preprocessing, weights: torch.dtype) -> torch.dtype:
    """The type in which samples go into the net: tokens are whole numbers, all else is like the weights.

    Also where an array of whole numbers holds the tokens, and the net (`sample_dtype`) says that it takes such.
    """
    if layout_of(data.encoder) is not None:
        return weights
    tokens = data.task == "classification" and getattr(net, "sample_dtype", weights) == torch.int64
    return torch.int64 if tokens or data.vocabulary is not None else weights


def refuse_other_structure(net: nn.Module, weights: Mapping[str, torch.Tensor], folder: Path) -> None:
    """UserError with the differences where the net given for a run is not of the structure of the run's own."""
    try:
        check_weights(net, weights)
    except UserError as error:
        raise UserError(Fault("lab.other-structure", {"folder": shown(folder)}), *error.faults[1:]) from None
