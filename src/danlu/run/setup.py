"""From a recipe to the objects it names, every fit between them checked before the first step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import reduce
from pathlib import Path
from typing import Any

import torch
from torch import nn

from danlu.base.errors import Fault, Faults, UserError, fail
from danlu.base.files import absolute
from danlu.base.memory import is_out_of_memory
from danlu.base.recipe import CUSTOM, DataRecipe, OptimRecipe, Recipe
from danlu.base.recipe_values import MOST_STEPS
from danlu.base.seeds import choose_device, has_device
from danlu.base.shapes import show_shape
from danlu.data import Dataset, load, reconstruction
from danlu.data.memory import MemoryDataset
from danlu.data.standard import Standard
from danlu.nets import Description, describe, put_weights, rehearse, usual_training
from danlu.nets.before_training import SeesTrainingPart
from danlu.run.batches import steps_per_epoch
from danlu.run.building import build_net, dtype_of, sample_dtype
from danlu.run.called_as import called_as
from danlu.run.settings.balance import OF_ORDER, balanced_data, told_of_weights
from danlu.run.settings.draft import source_of
from danlu.run.settings.loss_settings import settled_loss
from danlu.run.settings.net_and_data import data_for_net, net_for_data
from danlu.run.settings.usual import limits_predictions, usual_train
from danlu.run.settings.weights_normalisation import normalised_for_weights
from danlu.run.translators import translator_of
from danlu.train.checkpoint import saved_weights
from danlu.train.distributed.group import Alone, TrainingGroup
from danlu.train.freezing import check_parts
from danlu.train.losses import Loss
from danlu.train.optimisers import OWN_OPTIMISER, build_optimiser, rates_of_parts, resolve_optim
from danlu.train.schedules import Horizon, Schedule
from danlu.train.weight_file import load_weights
from danlu.watch import check_rules


@dataclass(frozen=True)
class Setup:
    """A checked training: the recipe with every choice made, and the objects it names."""

    recipe: Recipe
    data: Dataset
    net: nn.Module
    description: Description
    device: torch.device
    dtype: torch.dtype  # in which samples go into the net
    horizon: Horizon
    own_loss: Loss | None = None  # a function of the user's
    own_optimizer: Callable[[], torch.optim.Optimizer] | None = None
    own_schedule: Callable[[torch.optim.Optimizer], Schedule] | None = None
    own_facts: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict[str, Mapping[str, str]]
    )  # to know them again
    group: TrainingGroup = field(default_factory=Alone)  # the processes that share it
    compiled: bool = False  # whether the net's calls run compiled code


def set_up(recipe: Recipe, data: object = None, net: nn.Module | None = None) -> Setup:
    """Load the data, build the net (unless given), and check that recipe, data and net fit each other."""
    drafted, faults, optim, dataset = recipe, Faults(), recipe.optim, None
    recipe = replace(recipe, data=data_for_net(recipe, data))
    with faults.gathered():
        optim = resolve_optim(optim, usual_training(recipe.net.name).optimiser)
    with faults.gathered():
        check_rules(recipe.watch.silence, recipe.watch.thresholds)
    if not has_device(recipe.train.device) and recipe.train.device != "auto":
        faults.add("lab.no-device", device=recipe.train.device)
    with faults.gathered():
        dataset = load_data(recipe.data, data)
    faults.raise_if_any()
    assert dataset is not None
    recipe, dataset = _called_for(_from_anywhere(recipe), drafted, dataset)
    of_net = usual_training(recipe.net.name)  # the data may have called for the net
    optim = resolve_optim(recipe.optim, of_net.optimiser)
    device = choose_device(recipe.train.device)
    dtype = dtype_of(recipe.train.precision)
    own, wanted = dataset.own_batch_size, recipe.train.batch_size
    if own and wanted not in (None, own):
        fail("lab.own-batches", found=wanted, own=own)
    train = replace(recipe.train, batch_size=own or wanted)
    train = usual_train(train, optim.name, dataset.sizes["train"], dataset.sizes["validation"], of_net)
    dataset = told_of_weights(balanced_data(recipe.data, dataset))
    dataset = dataset.limited(limits_predictions(recipe, dataset))
    if dataset.bounds is not None:
        train = replace(train, limit_predictions=True)
    recipe = replace(recipe, optim=optim, train=train)
    with faults.gathered():
        _check_against_data(recipe, dataset)
    with faults.gathered():
        net = _built(recipe, dataset) if net is None else net
    faults.raise_if_any()
    assert net is not None
    dataset = data_as_taken(dataset, net)
    if isinstance(dataset.encoder, Standard):
        recipe = replace(recipe, data=replace(recipe.data, standardise=dataset.encoder.mean is not None))
    net.to(device=device, dtype=dtype)
    last = train.channels_last
    if last or (last is None and not recipe.net.is_own and _takes_channels_last(recipe, dataset)):
        # Convolutions and pooling are a fifth faster so. Unasked only for danlu's own nets: one of the user's may say
        # .view(…).
        net.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    taken = sample_dtype(net, dataset, dtype)
    net, recipe = called_as(net, recipe, dataset, taken)
    description = describe(net, dataset.sample_shape, dtype=taken, for_loss=True)
    _check_parts(recipe, optim, net)
    translator_of(net, dataset.task)
    loss, told = settled_loss(recipe.loss, dataset, description.output_shape)
    recipe, dataset = replace(recipe, loss=loss), replace(dataset, notes=(*dataset.notes, *told))
    recipe = replace(recipe, chosen=recipe.chosen | _filled_in(drafted, recipe))
    horizon = Horizon(recipe.train.epochs or 1, steps_per_epoch(recipe, dataset))
    if horizon.steps > MOST_STEPS and not train.open_ended:
        sizes = {"epochs": horizon.epochs, "steps": horizon.steps_per_epoch, "most": MOST_STEPS}
        fail("lab.too-many-steps", total=horizon.steps, **sizes)
    _try_parts(recipe, net, horizon)
    _check_range(net, dataset, taken)
    _rehearse(recipe, dataset, net, taken)
    return Setup(recipe, dataset, net, description, device, taken, horizon)


def _built(recipe: Recipe, data: Dataset) -> nn.Module:
    """The net that the recipe names. UserError where the data do not suit it: for a net that reads texts it says which
    column of the table could be read.
    """
    try:
        net = build_net(recipe, data)
    except UserError as error:
        reads = any(fault.id == "nets.needs-vocabulary" for fault in error.faults)
        texts = [note for note in data.notes if reads and note.id == "data.dropped-prose"]
        raise UserError(*error.faults, *texts) from None
    if isinstance(net, SeesTrainingPart) and isinstance(data, MemoryDataset):
        net.see_training_part(data.x[: data.sizes["train"]])
    return net


def _takes_channels_last(recipe: Recipe, data: Dataset) -> bool:
    """Whether samples are images, and the optimiser does not say .view(…) to gradients, as L-BFGS does."""
    return len(data.sample_shape) == 3 and recipe.optim.name != "lbfgs"


def _try_parts(recipe: Recipe, net: nn.Module, horizon: Horizon) -> None:
    """What schedule and optimiser refuse is told now, not after the folder is made."""
    Schedule(recipe.schedule, horizon)
    frozen, thaws = recipe.train.freeze or (), recipe.train.thaw is not None
    if recipe.optim.name != OWN_OPTIMISER:
        build_optimiser(recipe.optim, net, frozen=frozen, thaws=thaws)


def _filled_in(drafted: Recipe, recipe: Recipe) -> set[str]:
    """The keys whose values were left to danlu in `drafted`, and stand in `recipe` now."""
    before, now = drafted.as_dict(), recipe.as_dict()
    return {
        f"{section}.{key}"
        for section, keys in now.items()
        for key in keys
        if before[section].get(key) in (None, "auto") and keys[key] != before[section].get(key)
    }


def _from_anywhere(recipe: Recipe) -> Recipe:
    """The recipe with absolute paths, so that its run can be resumed from another working directory."""

    def anywhere(path: str | None) -> str | None:
        return None if path is None else str(absolute(Path(path).expanduser()))

    paths = {key: anywhere(getattr(recipe.data, key)) for key in ("path", "validation_path", "test_path", "root")}
    data = replace(recipe.data, **paths)
    return replace(recipe, data=data, net=replace(recipe.net, weights=anywhere(recipe.net.weights)))


def _called_for(recipe: Recipe, drafted: Recipe, data: Dataset) -> tuple[Recipe, Dataset]:
    """The recipe with what its data and its weights call for; and the data in the size, with the augmentation and by
    the mean that were chosen for them, which is told.
    """
    recipe, told = net_for_data(recipe, data)
    recipe, of_weights = normalised_for_weights(recipe, data)
    chosen = {key: getattr(recipe.data, key) for key in ("augment", "image_size", "normalise")}
    other = {key: value for key, value in chosen.items() if value != getattr(drafted.data, key)}
    data = prepared_anew(data, other) if other else data
    return recipe, replace(data, notes=(*data.notes, *(one for one in (told, of_weights) if one)))


def load_data(recipe: DataRecipe, given: object = None, root: str | Path | None = None) -> Dataset:
    """The data set the recipe names, or made of the arrays, tables or loaders the user gave.

    A name or path given stands for the recipe's own, and `root` for its root: data may have been moved.
    """
    if isinstance(given, Dataset):
        given = _prepared_anew(given, recipe)
        again = recipe.task == "reconstruction" != given.task
        return reconstruction(given) if again else given
    if root is not None:
        recipe = replace(recipe, root=str(root))
    if isinstance(given, str | Path):
        recipe, given = replace(recipe, **{"name": None, "path": None, **source_of(given)}), None
    if given is None:
        if recipe.name == CUSTOM:
            fail("lab.data-not-in-recipe")
        if recipe.path is not None and recipe.name is not None:
            fail("lab.name-and-path", name=recipe.name, path=recipe.path)
        given = recipe.path or recipe.name
    options = {key.name: getattr(recipe, key.name) for key in fields(recipe)}
    for key in ("name", "path", *OF_ORDER):
        del options[key]
    return load(given, **options)


def _prepared_anew(data: Dataset, recipe: DataRecipe) -> Dataset:
    """The data as they are, or prepared in another way where a study varies that."""
    making = data.making
    if making is None:
        return data
    wanted = {key: getattr(recipe, key) for key in ("standardise", "normalise", "augment", "image_size")}
    other = {key: value for key, value in wanted.items() if value is not None and value != getattr(making.options, key)}
    return prepared_anew(data, other) if other else data


def prepared_anew(data: Dataset, other: dict[str, Any]) -> Dataset:
    """The data made once more with `other` options; as they are where they cannot be."""
    making = data.making
    if making is None:
        return data
    options = replace(making.options, **other)
    source = data.recipe and replace(data.recipe, **other)
    return replace(making.read()(options), making=replace(making, options=options), recipe=source)


def data_as_taken(data: Dataset, net: nn.Module) -> Dataset:
    """The data, and arrays once more as they came where danlu would standardise what this net takes for numbers of
    tokens: it says so (`sample_dtype`), or looks them up in an embedding.
    """
    making = data.making
    if making is None or making.options.standardise is not None or not isinstance(data.encoder, Standard):
        return data
    embeds = any(isinstance(module, nn.Embedding | nn.EmbeddingBag) for module in net.modules())
    if not embeds and getattr(net, "sample_dtype", None) != torch.int64:
        return data
    return prepared_anew(data, {"standardise": False})


def load_given_weights(net: nn.Module, path: str | None) -> tuple[Fault, ...]:
    """Put the weights of the file that a recipe names, or of a run's file, into its net; what is to be told comes
    back.

    UserError, with nothing loaded, where names or shapes differ by more than the head.
    """
    if path is None:
        return ()
    try:
        found = saved_weights(Path(path))
        return put_weights(net, load_weights(Path(path)) if found is None else found)
    except UserError as error:
        if error.faults[0].id.startswith("nets."):
            fail("lab.weights-refused", path=path, what=reduce(_under, error.faults))
        raise


def _under(above: Fault, below: Fault) -> Fault:
    return Fault("base.under", {"above": above, "below": below})


def _check_parts(recipe: Recipe, optim: OptimRecipe, net: nn.Module) -> None:
    """Check the parts of the net that the recipe names."""
    faults = Faults()
    frozen = recipe.train.freeze or ()
    check_parts(net, frozen, "train.freeze", faults)
    with faults.gathered():
        check_parts(net, list(rates_of_parts(optim)), "optim.rates", faults)
    thaw, epochs = recipe.train.thaw, recipe.train.epochs or 1
    if thaw is not None and not frozen:
        faults.add("train.thaw-without-freeze")
    elif thaw is not None and thaw > epochs:
        faults.add("train.thaw-after-the-end", thaw=thaw, epochs=epochs)
    faults.raise_if_any()


def _rehearse(recipe: Recipe, data: Dataset, net: nn.Module, dtype: torch.dtype) -> None:
    """Try a step of every kind that will come: also of one sample, where a batch has no more."""
    size, samples = recipe.train.batch_size or 1, data.sizes["train"]
    last = samples - (data.batch_count("train", size) - 1) * size
    if size > 1:
        try:
            rehearse(net, data.sample_shape, 2, dtype=dtype)
        except UserError as error:
            raise UserError(Fault("lab.fails-in-training", {"what": error.faults[0]})) from error
        except Exception as error:
            if not (recipe.train.fit_memory and is_out_of_memory(error)):
                raise
            rehearse(net, data.sample_shape, 1, dtype=dtype)
    if size == 1 or last == 1:
        try:
            rehearse(net, data.sample_shape, 1, dtype=dtype)
        except UserError as error:
            other = next((other for other in range(size + 1, samples) if samples % other != 1), samples)
            facts = {"samples": samples, "batch": size, "other": other, "what": error.faults[0]}
            raise UserError(Fault("lab.batch-of-one", facts)) from error


def _check_range(net: nn.Module, data: Dataset, dtype: torch.dtype) -> None:
    """UserError where a net gives samples back within a range (`sample_range`), and the first of them lie outside."""
    wanted: tuple[float, float] | None = getattr(net, "sample_range", None)
    if wanted is None:
        return
    size = min(256, data.sizes["train"])
    x, _ = next(iter(data.batches("train", size, device=choose_device("cpu"), dtype=dtype)))
    least, most = x.min().item(), x.max().item()
    if least < wanted[0] or most > wanted[1]:
        values = {"least": f"{least:.4g}", "most": f"{most:.4g}", "low": wanted[0], "high": wanted[1]}
        fail("lab.samples-out-of-range", net=type(net).__name__, name=data.name, **values)


def _check_against_data(recipe: Recipe, data: Dataset) -> None:
    faults = Faults()
    train = recipe.train
    if train.limit_predictions and data.bounds is None:
        faults.add("lab.nothing-to-limit", name=data.name)
    if train.channels_last and not _takes_channels_last(recipe, data):
        faults.add("lab.channels-last", shape=show_shape(data.sample_shape), optimiser=recipe.optim.name)
    samples = data.sizes["train"]
    assert train.batch_size is not None
    if train.batch_size > samples or train.accumulate > -(-samples // train.batch_size):
        key = "train.batch_size" if train.accumulate == 1 else "train.batch_size × train.accumulate"
        faults.add("lab.batch-larger-than-data", key=key, batch=train.batch_size * train.accumulate, samples=samples)
    if not data.sizes["validation"]:
        for key in ("patience", "weights"):
            if getattr(train, key) not in (None, "last"):
                faults.add("lab.needs-validation", key=f"train.{key}")
        if recipe.schedule.name == "plateau":
            faults.add("lab.needs-validation", key="schedule.name = plateau")
    if data.task == "language" and train.accumulate > 1:
        faults.add("lab.no-accumulation-with-memory")
    if data.task == "language" and train.fit_memory:
        faults.add("lab.no-portions-with-memory")
    if data.task == "language" and recipe.optim.name == "lbfgs":
        faults.add("lab.no-lbfgs-with-memory")
    if recipe.optim.name == "lbfgs":
        for key in ("clip_norm", "clip_value"):
            if getattr(train, key) is not None:
                faults.add("lab.no-clipping-with-lbfgs", key=f"train.{key}")
        if train.precision == "float16":
            faults.add("lab.no-float16-with-lbfgs")
        if train.fit_memory:
            faults.add("lab.no-portions-with-lbfgs")
    faults.raise_if_any()
