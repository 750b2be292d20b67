"""What a run folder keeps of its surroundings, to tell later whether a resume can be bit-identical."""

from typing import Any

from danlu.base.seeds import hardware
from danlu.lab.setup import Setup


def environment(setup: Setup, *, weights_given: bool, engine: str, metrics: tuple[str, ...] = ()) -> dict[str, Any]:
    """Machine, versions, the fingerprint of the data, the engine, whether the first weights came with a net or a
    file, and the names of the user's own `metrics`.

    Weights that came so are in no recipe: only a checkpoint can bring them back.
    """
    data = {"name": setup.data.name, "sizes": setup.data.sizes, "fingerprint": setup.data.fingerprint()}
    own = {"metrics": list(metrics)} if metrics else {}
    return {"hardware": hardware(setup.device), "data": data, "weights_given": weights_given, "engine": engine, **own}


def differences(before: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What differs in the hardware of an environment and could change the last bits of a result, "key: old → new"."""
    old = before["hardware"]
    keys = ("machine", "torch", "device", "threads")
    return [f"{key}: {old.get(key)} → {new[key]}" for key in keys if old.get(key) != new[key]]
