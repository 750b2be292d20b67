"""The optimisers of torch.optim by name, with exactly the options each of them has."""

import inspect
import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch
from torch import nn

from danlu.base.errors import Faults, fail, nearest
from danlu.base.naming import listed, spelled
from danlu.base.recipe import OptimRecipe
from danlu.train.freezing import parameters_in
from danlu.train.without_compiler import without_compiler

OPTIMISERS: dict[str, type[torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "nadam": torch.optim.NAdam,
    "radam": torch.optim.RAdam,
    "adamax": torch.optim.Adamax,
    "adagrad": torch.optim.Adagrad,
    "adadelta": torch.optim.Adadelta,
    "adafactor": torch.optim.Adafactor,
    "rmsprop": torch.optim.RMSprop,
    "rprop": torch.optim.Rprop,
    "asgd": torch.optim.ASGD,
    "sparse-adam": torch.optim.SparseAdam,
    "muon": torch.optim.Muon,
    "lbfgs": torch.optim.LBFGS,
}

OWN_OPTIMISER = "custom"
"""Name in a recipe of an optimiser that was given as an object or a function, and that no recipe can bring back."""

# torch's own SGD, 0.001 without momentum, trains next to nothing in the epochs a learner waits for. Each of the two
# stands for itself: naming the rate leaves the momentum as it is, or a rate could not be compared with the default.
_USUAL_SGD = {"lr": 0.01, "momentum": 0.9}


def registered_optimiser(name: str) -> str:
    """The name of an optimiser in its own spelling; torch's names of classes are understood. UserError for others.

    >>> registered_optimiser("SparseAdam")
    'sparse-adam'
    """
    found = spelled(name, (*OPTIMISERS, OWN_OPTIMISER))
    if found is None:
        hint = nearest(name.lower(), OPTIMISERS)
        fail("train.unknown-optimiser", name=name, names=", ".join(OPTIMISERS), hint=hint)
    return found


def resolve_optim(recipe: OptimRecipe, usual: str = "sgd") -> OptimRecipe:
    """The recipe with rate and momentum filled in, every option checked against the optimiser; `usual` is the one that
    is taken where it names none.

    >>> resolve_optim(OptimRecipe(name="adam")).lr
    0.001
    >>> resolve_optim(OptimRecipe(lr=0.05)).momentum
    0.9
    """
    name = registered_optimiser(usual if recipe.name == "auto" else recipe.name)
    if name == OWN_OPTIMISER:
        return replace(recipe, name=name)
    if name == "sgd":
        recipe = replace(recipe, **{key: value for key, value in _USUAL_SGD.items() if getattr(recipe, key) is None})
    if name == "lbfgs" and recipe.line_search_fn is None:
        # torch takes full steps, which diverge on most losses.
        recipe = replace(recipe, line_search_fn="strong_wolfe")
    if recipe.lr is None:
        recipe = replace(recipe, lr=float(inspect.signature(OPTIMISERS[name]).parameters["lr"].default))
    known = inspect.signature(OPTIMISERS[name]).parameters
    faults = Faults()
    for key in _given(recipe):
        if key not in known:
            ours = [option for option in asdict(recipe) if option in known]
            faults.add("train.optimiser-lacks-option", key=key, name=name, options=", ".join(ours))
    faults.raise_if_any()
    return replace(recipe, name=name)


def build_optimiser(
    recipe: OptimRecipe,
    net: nn.Module,
    *,
    scaled: bool = False,
    frozen: Sequence[str] = (),
    thaws: bool = False,
) -> torch.optim.Optimizer:
    """The optimiser over the net's trainable parameters, for a recipe that `resolve_optim` gave.

    The fused kernels are used where torch has them: one pass over memory instead of several. Not under a GradScaler
    (`scaled`): torch 2.13's fused SGD on the CPU turns weights to NaN after a step that the scaler skips. Parts
    `frozen` are left out, or, where they are trained later (`thaws`), form groups of their own: torch's kernels want a
    state for all of a group, or for none.
    """
    if recipe.name == OWN_OPTIMISER:
        fail("train.own-missing", key="optim.name", word="optimizer")
    still = parameters_in(net, frozen)
    trained = {
        name: parameter
        for name, parameter in net.named_parameters()
        if parameter.requires_grad and (thaws or parameter not in still)
    }
    parameters = list(trained.values())
    if all(parameter in still for parameter in parameters):
        fail("train.nothing-to-train")
    sparse = any(getattr(module, "sparse", False) for module in net.modules())
    kind = without_compiler(OPTIMISERS[recipe.name])
    if recipe.name == "sparse-adam" and not sparse:
        fail("train.sparse-adam-needs-sparse")
    if recipe.name == "muon":
        others = [name for name, parameter in trained.items() if parameter.ndim != 2]
        if others:
            fail("train.muon-needs-matrices", names=listed(others, 5), count=len(others))
    options = _given(recipe)
    if "fused" in inspect.signature(kind).parameters and not sparse and not scaled:
        options["fused"] = all(parameter.is_floating_point() for parameter in parameters)
    try:
        return kind(_groups(net, trained.values(), recipe, still), **options)
    except ValueError as error:
        fail("train.optimiser-refused", name=recipe.name, reason=error)


def load_optimiser(optimizer: torch.optim.Optimizer, saved: dict[str, Any]) -> None:
    """Take back what `optimizer.state_dict()` gave, every tensor in the type it had.

    torch brings each one to its parameter's type, which for NAdam's running product of momenta, float32 also where the
    weights are float64, would change all that follows. UserError where other parameters are frozen than were.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    numbers = [number for group in saved["param_groups"] for number in group["params"]]
    check_trained(len(parameters), len(numbers))
    optimizer.load_state_dict(saved)
    for number, parameter in zip(numbers, parameters, strict=True):
        state = optimizer.state.get(parameter, {})
        for name, entry in state.items():
            if isinstance(entry, torch.Tensor):
                state[name] = entry.to(saved["state"][number][name].dtype)


def check_trained(found: int, wanted: int) -> None:
    """UserError where so many tensors are trained now, and another number was before."""
    if found != wanted:
        fail("train.other-frozen", found=found, wanted=wanted)


def rates_of_parts(recipe: OptimRecipe) -> dict[str, float]:
    """The rates that parts of the net have of their own, by the part's name. Raises UserError for what is none.

    >>> rates_of_parts(OptimRecipe(rates=("layer4:0.001", "fc:0.1")))
    {'layer4': 0.001, 'fc': 0.1}
    """
    rates: dict[str, float] = {}
    faults = Faults()
    for entry in recipe.rates or ():
        part, _, number = entry.rpartition(":")
        try:
            rates[part] = float(number)
        except ValueError:
            rates[part] = math.nan
        if not (part and 0 < rates[part] < math.inf):
            faults.add("train.rate-of-part", found=entry)
    faults.raise_if_any()
    return rates


def _groups(
    net: nn.Module, trained: Iterable[nn.Parameter], recipe: OptimRecipe, still: Collection[nn.Parameter]
) -> list[dict[str, Any]]:
    """Parameter groups by rate, the longest name that fits counting, and by whether they are frozen at first."""
    rates = rates_of_parts(recipe)
    part_of: dict[nn.Parameter, str] = {}
    for part in sorted(rates, key=len):
        part_of.update(dict.fromkeys(parameters_in(net, [part]), part))
    groups: dict[tuple[str, bool], list[nn.Parameter]] = {}
    for parameter in trained:
        groups.setdefault((part_of.get(parameter, ""), parameter in still), []).append(parameter)
    return [
        {"params": members, **({"lr": rates[part]} if part else {})}
        for (part, _), members in sorted(groups.items(), key=lambda entry: entry[0])
    ]


def _given(recipe: OptimRecipe) -> dict[str, Any]:
    options = asdict(recipe).items()
    return {key: value for key, value in options if value is not None and key not in ("name", "rates")}
