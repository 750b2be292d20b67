"""How pictures are normalised for weights that a training begins with: as they were where these were trained."""

from dataclasses import replace
from pathlib import Path

from danlu.base.errors import Fault, UserError
from danlu.base.recipe import Recipe
from danlu.base.recipe_text import read_recipe
from danlu.data import Dataset
from danlu.data.normalisation import BY_THE_DATA
from danlu.data.standard import Pixels
from danlu.nets import published_normalisation
from danlu.store.run_folder import RunFolder
from danlu.train.checkpoint import hash_of_part
from danlu.train.weight_file import load_weights


def normalised_for_weights(recipe: Recipe, data: Dataset) -> tuple[Recipe, Fault | None]:
    """The recipe with `data.normalise` filled in where it begins with the weights of a file, and what is to be told.

    Those of a run want what that run had; those laid out as torchvision's for ImageNet what these were trained with;
    all others, and a recipe that standardises nothing, the training part's own. Arrays of numbers stay as they are,
    and that is told where it matters.
    """
    if recipe.net.weights is None or recipe.data.normalise is not None:
        return recipe, None
    wanted = _wanted(recipe.net.name, Path(recipe.net.weights))
    if wanted != BY_THE_DATA and recipe.data.standardise is not False:
        if not isinstance(data.encoder, Pixels) or data.making is None:
            return recipe, Fault("lab.weights-normalise-yourself", {"normalise": wanted})
        told = Fault(f"lab.weights-normalise-{wanted}", {"path": recipe.net.weights})
        return replace(recipe, data=replace(recipe.data, normalise=wanted)), told
    if not isinstance(data.encoder, Pixels):
        return recipe, None
    return replace(recipe, data=replace(recipe.data, normalise=BY_THE_DATA)), None


def _wanted(net: str, path: Path) -> str:
    place = RunFolder(path.parent.parent.parent)
    try:
        if path.parent.parent == place.checkpoints and place.recipe.is_file():
            return read_recipe(place.recipe).data.normalise or BY_THE_DATA
        if hash_of_part(path) is not None:
            return BY_THE_DATA
        return published_normalisation(net, load_weights(path)) or BY_THE_DATA
    except UserError:  # is told where the weights are put into the net
        return BY_THE_DATA
