"""Which engine carries out a training: chosen by its structure when it begins, and the same one after every resume."""

from pathlib import Path
from typing import Any

import torch

from danlu.base.errors import fail
from danlu.base.places import shown
from danlu.run.fitting_memory import expected_portions, least_portion
from danlu.run.setup import Setup
from danlu.run.sharded_units import units_of
from danlu.stack import StackedEngine, writes_out
from danlu.store.run_environment import MODULE, STACKED
from danlu.train.carried_engine import CarriedEngine
from danlu.train.checkpoint import Checkpoint
from danlu.train.distributed.engine import SharedEngine
from danlu.train.distributed.sharded import ShardedEngine
from danlu.train.engine import Engine
from danlu.train.fitting import FittingEngine
from danlu.train.losses import AT_PLACES, Loss, build_loss
from danlu.train.module_engine import ClosureEngine, ModuleEngine
from danlu.train.optimisers import build_optimiser
from danlu.train.sample_weights import SampleWeighted
from danlu.train.schedules import Schedule

# Tasks whose losses the stacked engine has not.
_ALONE = ("language", "multi-label", *AT_PLACES)


def choose_engine(setup: Setup) -> str:
    """The stacked engine wherever it writes out the net and nothing of the user's needs to hear of its calls."""
    train = setup.recipe.train
    if train.processes is not None or train.workers is not None or train.fsdp or setup.group.world > 1:
        return MODULE
    if setup.own_optimizer is not None or setup.own_schedule is not None or setup.data.weighted() is not None:
        return MODULE
    if train.fit_memory:
        return MODULE
    plain = setup.device.type == "cpu" and setup.data.task not in _ALONE and setup.dtype.is_floating_point
    return STACKED if plain and writes_out(setup.net, setup.recipe, setup.data.sample_shape) else MODULE


def engine_of_run(setup: Setup, facts: dict[str, Any] | None, newest: Checkpoint | None, folder: Path) -> str:
    """The engine that a run in `folder` began with, by what it keeps of its surroundings, else by its newest
    checkpoint; a run of an earlier danlu had the module engine. UserError where this net cannot go on with it.
    """
    if facts is not None:
        name = facts.get("engine", MODULE)
    elif newest is not None:
        name = STACKED if "descent" in newest.state["step"] else MODULE
    else:
        return choose_engine(setup)
    if name == STACKED and setup.group.world > 1:
        fail("processes.stack", folder=shown(folder), processes=setup.group.world)
    if name == STACKED and choose_engine(setup) != STACKED:
        fail("lab.needs-stacked-engine", folder=shown(folder), net=type(setup.net).__name__)
    return name


def build_engine(setup: Setup, name: str) -> Engine:
    """The engine called `name` for a setup."""
    engine = module_engine(setup)
    return StackedEngine(engine, setup.recipe, setup.data.sample_shape) if name == STACKED else engine


def optimizer_of(setup: Setup) -> torch.optim.Optimizer:
    """The optimiser over the setup's net: by the recipe, or the user's own."""
    if setup.own_optimizer is not None:
        return setup.own_optimizer()
    train = setup.recipe.train
    return build_optimiser(
        setup.recipe.optim,
        setup.net,
        scaled=train.precision == "float16",
        frozen=train.freeze or (),
        thaws=train.thaw is not None,
    )


def training_loss(setup: Setup) -> Loss:
    """The loss that is trained by: of the recipe, or the user's own, and of weighted samples a weighted mean."""
    if setup.data.weighted() is not None:
        return SampleWeighted(setup.recipe.loss)
    return setup.own_loss or build_loss(setup.recipe.loss.name, setup.recipe.loss)


def module_engine(setup: Setup) -> ModuleEngine:
    """The engine that carries out any setup: its net with loss, optimiser and schedule."""
    engine = _module_engine(setup)
    engine.compiles = setup.compiled
    return engine


def _module_engine(setup: Setup) -> ModuleEngine:
    recipe, loss = setup.recipe, training_loss(setup)
    optimizer = optimizer_of(setup)
    own = setup.own_schedule
    schedule = Schedule(recipe.schedule, setup.horizon) if own is None else own(optimizer)
    if setup.data.task == "language":
        keeps = setup.data.continues
        return CarriedEngine(setup.net, loss, optimizer, schedule, recipe, setup.device, keeps=keeps)
    if recipe.train.fsdp and setup.group.world > 1:
        given = setup.net, loss, optimizer, schedule, recipe, setup.device
        return ShardedEngine(*given, group=setup.group, units=units_of(setup))
    if setup.recipe.train.workers is not None or setup.group.world > 1:
        return SharedEngine(setup.net, loss, optimizer, schedule, recipe, setup.device, group=setup.group)
    if recipe.train.fit_memory:
        fitting = {"expected": expected_portions(setup), "least": least_portion(setup)}
        return FittingEngine(setup.net, loss, optimizer, schedule, recipe, setup.device, **fitting)
    kind = ClosureEngine if recipe.optim.name == "lbfgs" else ModuleEngine
    return kind(setup.net, loss, optimizer, schedule, recipe, setup.device)
