"""Which parts of a net FSDP can put together one at a time: those that a step calls once."""

from collections import Counter
from collections.abc import Callable

from danlu.nets import rehearse
from danlu.run.setup import Setup
from danlu.train.distributed.units import possible_units


def units_of(setup: Setup) -> tuple[str, ...]:
    """Their names, in the order in which a rehearsed step calls them; what is left is put together with the whole."""
    called: list[str] = []

    def noting(name: str) -> Callable[..., None]:
        return lambda *call: called.append(name)

    possible = possible_units(setup.net)
    handles = [module.register_forward_pre_hook(noting(name)) for name, module in possible.items()]
    try:
        rehearse(setup.net, setup.data.sample_shape, min(2, setup.recipe.train.batch_size or 2), dtype=setup.dtype)
    finally:
        for handle in handles:
            handle.remove()
    times = Counter(called)
    return tuple(name for name in called if times[name] == 1)
