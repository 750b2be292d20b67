"""A net of the user's own, called as its data have it: with several inputs, or giving one of several outputs."""

from dataclasses import replace

import torch
from torch import nn

from danlu.base.errors import fail
from danlu.base.recipe import Recipe
from danlu.data import Dataset
from danlu.data.preprocessing import Preprocessing
from danlu.data.several_encoder import layout_of
from danlu.nets.call_form import call_as


def called_as(
    net: nn.Module, recipe: Recipe, data: Dataset | Preprocessing, dtype: torch.dtype
) -> tuple[nn.Module, Recipe]:
    """A net of the user's own as the data have it called, with several inputs or giving one of several outputs, and the
    recipe with the name of that. UserError where it cannot be called so, or is danlu's and takes one input.
    """
    layout = layout_of(data.encoder)
    if not recipe.net.is_own:
        if layout is not None:
            fail("lab.one-input-net", net=recipe.net.label, names=", ".join(layout.names))
        return net, recipe
    output = call_as(net, layout, recipe.net.output, data.sample_shape, dtype)
    return net, replace(recipe, net=replace(recipe.net, output=output))
