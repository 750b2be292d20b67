"""Which engine carries out a training."""

from danlu.lab.setup import Setup
from danlu.train.carried import CarriedEngine
from danlu.train.losses import build_loss
from danlu.train.module_engine import ClosureEngine, ModuleEngine
from danlu.train.optimisers import build_optimiser
from danlu.train.schedules import Schedule


def module_engine(setup: Setup) -> ModuleEngine:
    """The engine that carries out any setup: its net with loss, optimiser and schedule."""
    recipe = setup.recipe
    loss = build_loss(recipe.loss.name, recipe.loss)
    optimizer = build_optimiser(
        recipe.optim,
        setup.net,
        scaled=recipe.train.precision == "float16",
        frozen=recipe.train.freeze or (),
        thaws=recipe.train.thaw is not None,
    )
    schedule = Schedule(recipe.schedule, setup.horizon)
    if setup.data.task == "language":
        keeps = setup.data.continues
        return CarriedEngine(setup.net, loss, optimizer, schedule, recipe, setup.device, keeps=keeps)
    kind = ClosureEngine if recipe.optim.name == "lbfgs" else ModuleEngine
    return kind(setup.net, loss, optimizer, schedule, recipe, setup.device)
