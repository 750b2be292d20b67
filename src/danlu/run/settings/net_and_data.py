"""What a net and data decide for each other, where a recipe leaves it open: which ones, for which task."""

from dataclasses import replace

from danlu.base.errors import Fault
from danlu.base.recipe import DataRecipe, Recipe
from danlu.data import Dataset
from danlu.data.series.dataset import SeriesDataset
from danlu.nets import AUTO, names, option_names, task_of, usual_data, usual_net
from danlu.run.settings.usual_pictures import is_picture_folder, usual_pictures
from danlu.train import schedules


def data_for_net(recipe: Recipe, given: object = None) -> DataRecipe:
    """The data of a recipe, with what is left to the net: which ones, where nobody names any, and its one task.

    >>> from danlu.base.recipe import NetRecipe
    >>> data_for_net(Recipe(net=NetRecipe(name="language-model"))).name
    'time-machine'
    """
    data, net = recipe.data, recipe.net.name
    if net not in names():
        return data
    usual = usual_data(net)
    if given is None and (data.name, data.path, data.target) == (None, None, None) and usual not in ("", "digits"):
        data = replace(data, name=usual)
    if data.task == "auto" and (task_of(net) == "reconstruction" or (task_of(net) == "translation" and data.path)):
        data = replace(data, task=task_of(net))
    return data


def net_for_data(recipe: Recipe, data: Dataset) -> tuple[Recipe, Fault | None]:
    """The recipe with the net that its data call for, where it names none, and a schedule. For a folder of pictures
    all that befits them is chosen, which is to be told; nets on windows of a time series say what comes on top of a
    weighted sum of these.
    """
    told = None
    if recipe.net.name == AUTO:
        recipe, told = _with_net(recipe, data)
    recipe = _for_series(recipe, data)
    if recipe.schedule.name == schedules.AUTO:
        recipe = replace(recipe, schedule=replace(recipe.schedule, name="constant"))
    return recipe, told


def _with_net(recipe: Recipe, data: Dataset) -> tuple[Recipe, Fault | None]:
    words = None if data.vocabulary is None else len(data.vocabulary)
    name = usual_net(data.sample_shape, data.task, words, forecasts=isinstance(data, SeriesDataset))
    if is_picture_folder(recipe, data):
        return usual_pictures(recipe, data)
    return replace(recipe, net=replace(recipe.net, name=name)), None


def _for_series(recipe: Recipe, data: Dataset) -> Recipe:
    if not isinstance(data, SeriesDataset) or recipe.net.name not in names():
        return recipe
    if "shortcut" not in option_names(recipe.net.name):
        return recipe
    return replace(recipe, net=replace(recipe.net, options={"shortcut": "linear", **recipe.net.options}))
