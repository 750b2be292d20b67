"""What a run folder keeps of its surroundings, to tell later whether a resume can be bit-identical."""

from dataclasses import asdict
from typing import Any

from danlu.base.errors import Fault
from danlu.base.places import shown
from danlu.base.seeds import hardware
from danlu.run.setup import Setup
from danlu.store.records import ParentRun
from danlu.store.run_environment import read_environment
from danlu.store.run_folder import RunFolder
from danlu.view.reporter import Reporter


def environment(
    setup: Setup,
    *,
    weights_given: bool,
    engine: str,
    metrics: tuple[str, ...] = (),
    parent: ParentRun | None = None,
    job: str | None = None,
) -> dict[str, Any]:
    """Machine, versions, the fingerprint of the data, the engine, whether the first weights came with a net, a file or
    another run, the names of the user's own `metrics`, loss, optimiser and schedule where they are the user's, and the
    run that this one begins from; the `job` of a launcher of processes, by which a restart finds it; and whether the
    net is compiled, where that was tried.

    Weights that came so are in no recipe: only a checkpoint can bring them back.
    """
    data = {"name": setup.data.name, "sizes": setup.data.sizes, "fingerprint": setup.data.fingerprint()}
    own: dict[str, Any] = {"metrics": list(metrics)} if metrics else {}
    own |= setup.own_facts
    own |= {"parent": asdict(parent)} if parent else {}
    own |= {"job": job} if job else {}
    own |= {"compiled": setup.compiled} if setup.recipe.train.compile else {}
    return {"hardware": hardware(setup.device), "data": data, "weights_given": weights_given, "engine": engine, **own}


def differences(before: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What differs in the hardware of an environment and could change the last bits of a result, "key: old → new"."""
    old = before["hardware"]
    keys = ("machine", "torch", "device", "threads")
    return [f"{key}: {old.get(key)} → {new[key]}" for key in keys if old.get(key) != new[key]]


def compared_with_before(place: RunFolder, setup: Setup, reporter: Reporter) -> dict[str, Any] | None:
    """Tell what is not as it was when the run in `place` began; what was kept of that."""
    before = read_environment(place.environment)
    if before is None:
        reporter.note(Fault("lab.no-environment", {"path": shown(place.environment)}))
        return None
    changed = differences(before, hardware(setup.device))
    if changed:
        reporter.note(Fault("lab.other-machine", {"changes": ", ".join(changed)}))
    return before
