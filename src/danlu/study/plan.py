"""What a study will train, and how: which trainings make a stack, and which run one after another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from danlu.base.errors import Fault, UserError
from danlu.base.memory import memory_guard
from danlu.base.recipe import DataRecipe, Recipe
from danlu.data import Dataset
from danlu.run.building import build_net, dtype_of, sample_dtype
from danlu.run.called_as import called_as
from danlu.run.distributed.sharing import refuse_shared
from danlu.run.own.training import OwnTraining, set_in
from danlu.run.settings.loss_settings import measured_anew
from danlu.run.settings.usual import of_usual_length
from danlu.run.settings.weights_normalisation import normalised_for_weights
from danlu.run.setup import Setup, data_as_taken, load_data, load_given_weights, set_up
from danlu.stack import recipe_stackable, same_step, same_structure, stackable
from danlu.study.builders import Builder
from danlu.study.factors import Cell, cells
from danlu.study.levels import Level
from danlu.study.samples import fits_a_stack, folds_of
from danlu.train.losses import AT_PLACES


@dataclass(frozen=True)
class Planned:
    """A combination that can be trained, set up for the first fold."""

    cell: Cell
    setup: Setup
    folds: Sequence[Dataset]

    def net(self, seed: int) -> nn.Module:
        """The net with the first weights of `seed`."""
        net = made_net(self.cell, self.setup.recipe, self.setup.data, seed)
        return net.to(self.setup.device, dtype_of(self.setup.recipe.train.precision))  # not that of samples: tokens

    def recipe(self, seed: int, data: Dataset) -> Recipe:
        """The recipe with the seed, and with what is measured on the training part of `data`, a fold or the whole."""
        recipe = replace(self.setup.recipe, train=replace(self.setup.recipe.train, seed=seed))
        return replace(recipe, loss=measured_anew(recipe.loss, self.cell.recipe.loss, data))


@dataclass(frozen=True)
class Group:
    """Combinations whose members form one stack; or that run one after another, for the reason given."""

    planned: Sequence[Planned]
    alone: Fault | None


@dataclass(frozen=True)
class Plan:
    """All of a study: groups of combinations, each to be trained with every seed on every fold; and what failed.
    `notes` tell what was chosen for the data where nobody named it.
    """

    factors: dict[str, list[Level]]
    seeds: Sequence[int]
    folds: int
    groups: Sequence[Group]
    failed: Sequence[tuple[dict[str, Level], Fault]]
    notes: tuple[Fault, ...] = ()

    @property
    def planned(self) -> list[Planned]:
        return [planned for group in self.groups for planned in group.planned]

    @property
    def members(self) -> int:
        return len(self.planned) * len(self.seeds) * self.folds

    def facts(self) -> dict[str, Any]:
        """What `--plan` tells, as plain values."""
        groups = [
            {
                "combinations": [planned.cell.factors for planned in group.planned],
                "members": len(group.planned) * len(self.seeds) * self.folds,
                "stacked": group.alone is None,
                "reason": "" if group.alone is None else str(group.alone),
                "parameters": group.planned[0].setup.description.parameters,
                "steps": group.planned[0].setup.horizon.epochs * group.planned[0].setup.horizon.steps_per_epoch,
            }
            for group in self.groups
        ]
        failed = [{"factors": factors, "reason": str(fault)} for factors, fault in self.failed]
        return {"factors": self.factors, "seeds": list(self.seeds), "folds": self.folds, "members": self.members} | {
            "groups": groups,
            "failed": failed,
            "notes": list(map(str, self.notes)),
        }


def make_plan(
    recipe: Recipe,
    factors: dict[str, list[Level]],
    seeds: Sequence[int],
    folds: int,
    *,
    data: object = None,
    maker: Builder | None = None,
) -> Plan:
    """Set up every combination; those that cannot be trained are kept with the reason. UserError where none can."""
    return plan_cells(cells(recipe, factors, maker), factors, seeds, folds, data=data)


def plan_cells(
    chosen: Sequence[Cell], factors: dict[str, list[Level]], seeds: Sequence[int], folds: int, *, data: object = None
) -> Plan:
    """The plan of the combinations `chosen` alone."""
    loaded: dict[DataRecipe, list[Dataset]] = {}
    ready: list[Planned] = []
    failed: list[tuple[dict[str, Level], Fault]] = []
    errors: list[Fault] = []
    for cell in chosen:
        try:
            with memory_guard("fit"):
                ready.append(_set_up(cell, seeds[0], folds, data, loaded))
        except UserError as error:
            failed.append((cell.factors, error.faults[0]))
            errors += [fault for fault in error.faults if str(fault) not in map(str, errors)]
    if not ready:
        raise UserError(*errors)
    return Plan(factors, seeds, folds, _grouped(ready), failed)


def made_net(cell: Cell, recipe: Recipe, data: Dataset, seed: int) -> nn.Module:
    """The net of a combination as `seed` draws it, or with the weights of the file that the recipe names."""
    if cell.maker is None:
        made = build_net(replace(recipe, train=replace(recipe.train, seed=seed)), data)
        load_given_weights(made, recipe.net.weights)
    else:
        made = cell.maker.net(seed)
    return called_as(made, recipe, data, sample_dtype(made, data, dtype_of(recipe.train.precision)))[0]


def _set_up(cell: Cell, seed: int, folds: int, data: object, loaded: dict[DataRecipe, list[Dataset]]) -> Planned:
    refuse_shared(cell.recipe)
    cell = replace(cell, recipe=cell.recipe.without_trackers())  # they hear of the study, not of each training

    def folds_by(how: DataRecipe) -> list[Dataset]:
        if how not in loaded:
            loaded[how] = folds_of(load_data(how, data), folds)
        return loaded[how]

    datasets = folds_by(cell.recipe.data)
    recipe, _ = normalised_for_weights(cell.recipe, datasets[0])
    datasets = folds_by(recipe.data)
    recipe = replace(recipe, train=replace(of_usual_length(recipe), seed=seed))
    net = None if cell.maker is None else made_net(cell, recipe, datasets[0], seed)
    # A study takes no code of the user's: a recipe that wants some misses it here, before there is a folder.
    setup = set_in(set_up(recipe, datasets[0], net), OwnTraining())
    load_given_weights(setup.net, setup.recipe.net.weights)
    if data_as_taken(datasets[0], setup.net) is not datasets[0]:
        as_they_came = replace(recipe.data, standardise=False)
        if as_they_came not in loaded:
            loaded[as_they_came] = folds_of(setup.data, folds)
        datasets = loaded[as_they_came]
    return Planned(cell, setup, datasets)


def _grouped(ready: Sequence[Planned]) -> list[Group]:
    groups: list[list[Planned]] = []
    reasons: list[Fault | None] = []
    for planned in ready:
        reason = why_alone(planned.setup)
        joined = None
        if reason is None:
            stacks = [group for group, alone in zip(groups, reasons, strict=True) if alone is None]
            joined = next((group for group in stacks if _together(group[0], planned)), None)
        if joined is None:
            groups.append([planned])
            reasons.append(reason)
        else:
            joined.append(planned)
    return [Group(group, reason) for group, reason in zip(groups, reasons, strict=True)]


def _together(first: Planned, other: Planned) -> bool:
    return (
        first.folds is other.folds
        and same_step(first.setup.recipe, other.setup.recipe)
        and same_structure(first.setup.net, other.setup.net)
    )


def why_alone(setup: Setup) -> Fault | None:
    """None where members of this setup can be stacked."""
    recipe, data = setup.recipe, setup.data
    if not fits_a_stack(data):
        return Fault("study.streamed", {"name": data.name})
    if data.task == "multi-label":
        return Fault("study.several-labels")
    if data.weighted() is not None:
        return Fault("study.sample-weights")
    if data.task in AT_PLACES:
        return Fault("study.at-places")
    if recipe.train.freeze or recipe.optim.rates:
        return Fault("study.parts-of-nets")
    if fault := recipe_stackable(recipe):
        return fault
    batch = next(iter(data.batches("train", 4, device=setup.device, dtype=setup.dtype)))
    return stackable(setup.net, batch[0])
