"""Whether a training can be shared by so many processes, and what is said of that."""

from dataclasses import replace

from danlu.base.errors import Fault, Faults, UserError
from danlu.base.recipe import Recipe
from danlu.nets import rehearse
from danlu.run.setup import Setup
from danlu.train.distributed.group import TrainingGroup, hear_all
from danlu.train.distributed.shares import bounds
from danlu.train.norms import BATCH_NORMS

_KEYS = ("processes", "batch_norm", "exact", "virtual_workers", "fsdp", "compile")
_BY_ENTRY = ("sgd", "adam", "adamw", "nadam", "radam", "adamax", "adagrad", "adadelta", "rmsprop", "rprop", "asgd")


def is_shared(recipe: Recipe, group: TrainingGroup) -> bool:
    """Whether the steps are cut into parts, by several processes or for any number of them."""
    return group.world > 1 or recipe.train.workers is not None


def check_sharing(setup: Setup, world: int) -> None:
    """UserError with all that keeps the training from being shared by `world` processes."""
    recipe, faults = setup.recipe, Faults()
    train = recipe.train
    workers = train.workers
    samples = (train.batch_size or 1) * train.accumulate
    if workers is None and train.virtual_workers is not None:
        faults.add("processes.workers-without-exact", found=train.virtual_workers)
    if workers is not None and train.batch_norm is not None:
        faults.add("processes.batch-norm-with-exact", found=train.batch_norm)
    if workers is not None and train.fsdp:
        faults.add("processes.fsdp-with-exact")
    if world == 1 and workers is None:
        faults.raise_if_any()
        return
    if workers is not None and world > workers:
        faults.add("processes.more-than-workers", processes=world, workers=workers)
    if (workers or world) > samples:
        key = "train.processes" if workers is None else "train.virtual_workers"
        faults.add("processes.more-than-samples", key=key, parts=workers or world, samples=samples)
    if setup.data.task == "language":
        faults.add("processes.memory")
    if recipe.optim.name == "lbfgs":
        faults.add("processes.lbfgs")
    if train.fit_memory:
        faults.add("processes.fit-memory")
    if train.compile:
        faults.add("processes.compile")
    if train.fsdp and workers is None:
        _check_fsdp(setup, faults)
    faults.raise_if_any()
    _rehearse_smallest(setup, workers or world, samples)


def _check_fsdp(setup: Setup, faults: Faults) -> None:
    """What keeps weights and all that is trained with them from being held in parts."""
    train, optimiser = setup.recipe.train, setup.recipe.optim.name
    if setup.device.type != "cpu":
        faults.add("processes.fsdp-device", device=setup.device.type)
    if optimiser not in _BY_ENTRY and optimiser != "lbfgs":
        faults.add("processes.fsdp-optimiser", name=optimiser, names=", ".join(_BY_ENTRY))
    if train.precision == "float16":
        faults.add("processes.fsdp-float16")
    if train.thaw is not None:
        faults.add("processes.fsdp-thaw", epoch=train.thaw)
    if any(getattr(module, "sparse", False) for module in setup.net.modules()):
        faults.add("processes.fsdp-sparse")
    if setup.data.task == "translation":
        faults.add("processes.fsdp-translation")


def check_alike(setup: Setup) -> None:
    """UserError where the processes have different data, or trainings."""
    group = setup.group
    own = [setup.data.fingerprint(), setup.recipe.fingerprint()]
    others = hear_all(group, own)
    faults = Faults()
    for rank, other in enumerate(others):
        if other != others[0]:
            faults.add("processes.other-data" if other[0] != others[0][0] else "processes.other-recipe", rank=rank)
    faults.raise_if_any()


def sharing_notes(setup: Setup) -> list[Fault]:
    """What is said of how a training is shared."""
    train, group = setup.recipe.train, setup.group
    if not is_shared(setup.recipe, group):
        return [Fault("processes.fsdp-alone")] if train.fsdp else []
    notes: list[Fault] = []
    if train.workers is not None:
        notes.append(Fault("processes.exact", {"workers": train.workers, "processes": group.world}))
    else:
        notes.append(Fault("processes.fsdp" if train.fsdp else "processes.shared", {"processes": group.world}))
    if train.fsdp and setup.recipe.watch.on:
        notes.append(Fault("processes.fsdp-unwatched"))
    if any(isinstance(module, BATCH_NORMS) for module in setup.net.modules()):
        way = "exact" if train.workers is not None else train.batch_norm or "synchronised"
        notes.append(Fault(f"processes.batch-norm-{way}"))
    return notes


def _rehearse_smallest(setup: Setup, parts: int, samples: int) -> None:
    """Try a step of a part of one sample, where there will be one and its layers do not see the others'."""
    train = setup.recipe.train
    if train.workers is None and train.batch_norm != "per-process":
        return
    last = setup.data.sizes["train"] % samples or samples
    smallest = min(end - begin for size in (samples, last) for begin, end in bounds(size, parts) if end > begin)
    if smallest > 1:
        return
    try:
        rehearse(setup.net, setup.data.sample_shape, 1, dtype=setup.dtype)
    except UserError as error:
        facts = {"parts": parts, "batch": samples, "last": last, "what": error.faults[0]}
        raise UserError(Fault("processes.part-of-one", facts)) from error


def unshared(recipe: Recipe) -> Recipe:
    """The recipe for one process alone.

    >>> unshared(Recipe(train={"processes": 2})).train.processes is None
    True
    """
    return replace(recipe, train=replace(recipe.train, **dict.fromkeys(_KEYS)))


def refuse_shared(recipe: Recipe) -> None:
    """UserError with all that shares the steps of a training, where many trainings are shared out."""
    faults = Faults()
    for key in _KEYS:
        if getattr(recipe.train, key) is not None:
            faults.add("processes.study", key=f"train.{key}")
    faults.raise_if_any()
