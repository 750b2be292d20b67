"""Loss, optimiser and schedule that a user hands in as code: taken out of a call, tried, put into the setup."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, cast

from torch import nn
from torch.optim import LBFGS, Optimizer
from torch.optim.lr_scheduler import LRScheduler

from danlu.base.errors import Fault, UserError, fail
from danlu.base.recipe import Recipe, ScheduleRecipe
from danlu.run.engines import optimizer_of
from danlu.run.own.loss import OwnLoss, own_loss, set_loss_in, with_loss
from danlu.run.own.source import facts_of, name_of, refuse_other
from danlu.run.setup import Setup
from danlu.store.run_folder import RunFolder
from danlu.train.freezing import parameters_in
from danlu.train.optimisers import OWN_OPTIMISER
from danlu.train.own_schedule import OwnSchedule, usual_pace
from danlu.train.schedules import OWN_SCHEDULE

MakeOptimiser = Callable[[Iterable[nn.Parameter]], Any]
MakeSchedule = Callable[[Optimizer], Any]
_OPTIMISERS = ("optimizer", "optimiser")
_SCHEDULES = ("schedule", "scheduler", "lr_scheduler")


@dataclass(frozen=True)
class OwnTraining:
    """What of a training is the user's own code; None where it is danlu's, by name."""

    loss: OwnLoss | None = None
    optimizer: Any = None  # an Optimizer, or a function of the parameters that makes one
    schedule: Any = None  # a scheduler of torch's, or a function of the optimiser that makes one

    def facts(self) -> dict[str, dict[str, str]]:
        """By which each is known again, as a run keeps it."""
        own = {"optimizer": self.optimizer, "schedule": self.schedule}
        known = {key: _facts(one) for key, one in own.items() if one is not None}
        return known if self.loss is None else {"loss": {"name": self.loss.name, "source": self.loss.source}, **known}


def own_training(*, loss: object = None, optimizer: object = None, schedule: object = None) -> OwnTraining:
    """The three, checked by their kind; names and settings are none of the user's own. UserError for what is neither.

    >>> import torch
    >>> own_training(loss="mse", optimizer=torch.optim.Adam).optimizer
    <class 'torch.optim.adam.Adam'>
    """
    if _is_code(optimizer) and not isinstance(optimizer, Optimizer) and not callable(optimizer):
        fail("lab.own-optimizer-none", found=type(optimizer).__name__)
    if _is_code(schedule) and not isinstance(schedule, LRScheduler) and not callable(schedule):
        fail("lab.own-schedule-none", found=type(schedule).__name__)
    return OwnTraining(
        own_loss(loss), optimizer if _is_code(optimizer) else None, schedule if _is_code(schedule) else None
    )


def with_own(settings: Mapping[str, Any], loss: object = None) -> tuple[dict[str, Any], OwnTraining]:
    """The settings, where what is the user's own goes by the name "custom", and that apart.

    >>> import torch
    >>> with_own({"optimizer": torch.optim.Adam, "epochs": 2})[0]
    {'epochs': 2, 'optim.name': 'custom'}
    """
    left, own = with_loss(settings, loss)
    given: dict[str, Any] = {}
    for section, words in (("optimizer", (*_OPTIMISERS, "optim")), ("schedule", _SCHEDULES)):
        for word in words:
            if word in left and _is_code(left[word]):
                given[section] = left.pop(word)
    made = replace(own_training(**given), loss=own)
    if made.optimizer is not None:
        left["optim.name"] = OWN_OPTIMISER
    if made.schedule is not None:
        left["schedule.name"] = OWN_SCHEDULE
    return left, made


def refuse_beside(recipe: Recipe, own: OwnTraining) -> None:
    """UserError for settings of the recipe that an optimiser or a schedule of the user's own has no use for."""
    if own.optimizer is not None:
        said = [
            key.name for key in fields(recipe.optim) if key.name != "name" and f"optim.{key.name}" not in recipe.chosen
        ]
        beside = [key for key in said if getattr(recipe.optim, key) is not None]
        if beside:
            fail("lab.own-optimizer-alone", keys=", ".join(f"optim.{key}" for key in beside))
    if own.schedule is not None:
        plain = ScheduleRecipe(name=OWN_SCHEDULE, per=recipe.schedule.per)
        beside = [key.name for key in fields(plain) if getattr(plain, key.name) != getattr(recipe.schedule, key.name)]
        if beside:
            fail("lab.own-schedule-alone", keys=", ".join(f"schedule.{key}" for key in beside))


def set_in(setup: Setup, own: OwnTraining) -> Setup:
    """The setup that trains by them, each tried. UserError where one fails, or the recipe wants one that is missing."""
    setup = set_loss_in(setup, own.loss)
    recipe = setup.recipe
    if own.optimizer is None and recipe.optim.name == OWN_OPTIMISER:
        fail("train.own-missing", key="optim.name", word="optimizer")
    if own.schedule is None and recipe.schedule.name == OWN_SCHEDULE:
        fail("train.own-missing", key="schedule.name", word="schedule")
    setup = replace(setup, own_facts=own.facts())
    if own.optimizer is not None:
        setup = _with_optimiser(setup, own.optimizer)
    return setup if own.schedule is None else _with_schedule(setup, own.schedule)


def refuse_others(before: Mapping[str, Any] | None, own: OwnTraining, place: RunFolder) -> None:
    """UserError where what a run was trained by as the user's own is not given again as it was."""
    facts = own.facts()
    for key in ("loss", "optimizer", "schedule"):
        refuse_other(before, key, facts.get(key), place)


def _is_code(given: object) -> bool:
    return given is not None and not isinstance(given, str | Mapping)


def _facts(given: Any) -> dict[str, str]:
    """Of an object that is made already its class, and the settings of its groups."""
    if not isinstance(given, Optimizer | LRScheduler):
        return facts_of(given)
    kept: Any = given.param_groups if isinstance(given, Optimizer) else [given.state_dict()]
    plain = (bool, int, float, str, tuple, list, type(None))
    groups = [{key: one for key, one in group.items() if key != "params" and isinstance(one, plain)} for group in kept]
    return facts_of(type(given), repr(groups))


def _with_optimiser(setup: Setup, given: Any) -> Setup:
    train, name = setup.recipe.train, name_of(given)
    still = set() if train.thaw is not None else set(parameters_in(setup.net, train.freeze or ()))
    trained = [one for one in setup.net.parameters() if one.requires_grad and one not in still]

    def make() -> Optimizer:
        return given if isinstance(given, Optimizer) else given(list(trained))

    made = _tried(make, "optimizer", name)
    if not isinstance(made, Optimizer):
        fail("lab.own-optimizer-makes", name=name, found=type(made).__name__)
    held = [one for group in made.param_groups for one in group["params"]]
    known = {id(one) for one in setup.net.parameters()}
    strange = sum(id(one) not in known for one in held)
    if strange:
        fail("lab.own-optimizer-strangers", name=name, count=strange, total=len(held))
    if isinstance(made, LBFGS):
        fail("lab.own-optimizer-closure", name=name)
    recipe = setup.recipe
    optim = replace(recipe.optim, name=OWN_OPTIMISER, lr=float(made.param_groups[0]["lr"]))
    recipe = replace(recipe, optim=optim, chosen=recipe.chosen | {"optim.lr"})
    return replace(setup, recipe=recipe, own_optimizer=make)


def _with_schedule(setup: Setup, given: Any) -> Setup:
    name = name_of(given)

    def make(optimizer: Optimizer) -> LRScheduler:
        if not isinstance(given, LRScheduler):
            return given(optimizer)
        if given.optimizer is not optimizer:
            fail("lab.own-schedule-other", name=name)
        return given

    optimizer = optimizer_of(setup)
    before = [dict(group) for group in optimizer.param_groups]
    made = _tried(lambda: make(optimizer), "schedule", name)
    if made is not given:  # a scheduler changes the rate as it is made, and it is made once more for the training
        for group, kept in zip(optimizer.param_groups, before, strict=True):
            group.clear()
            group.update(kept)
    if not isinstance(made, LRScheduler):
        fail("lab.own-schedule-makes", name=name, found=type(cast(object, made)).__name__)
    per = setup.recipe.schedule.per or usual_pace(made)
    recipe = setup.recipe
    recipe = replace(recipe, schedule=replace(recipe.schedule, per=per), chosen=recipe.chosen | {"schedule.per"})

    def schedule(optimizer: Optimizer) -> OwnSchedule:
        return OwnSchedule(make(optimizer), recipe.schedule, setup.horizon)

    note = Fault("lab.own-schedule-per", {"name": name, "per": Fault(f"lab.per-{per}")})
    data = replace(setup.data, notes=(*setup.data.notes, note))
    return replace(setup, recipe=recipe, own_schedule=schedule, data=data)


def _tried(make: Callable[[], Any], key: str, name: str) -> Any:
    try:
        return make()
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever somebody's function raises
        return fail("lab.own-fails", key=key, name=name, why=error)
