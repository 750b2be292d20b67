"""torch's optimisers as they are without its compiler, which each would import at its first call.

`Optimizer.step` and some other methods are wrapped so that torch.compile does not follow them; to do that they import
torch._dynamo and with it sympy, which takes longer than torch itself. danlu's loop is not compiled, so the wrapped
functions themselves are called: the same arithmetic, to the last bit.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer

_TOLD_TO_KEEP_OUT = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")


@functools.cache
def without_compiler(kind: type[Optimizer]) -> type[Optimizer]:
    """The optimiser `kind` under its own name, whose methods never import the compiler.

    >>> SGD = without_compiler(torch.optim.SGD)
    >>> issubclass(SGD, torch.optim.SGD), SGD.__name__
    (True, 'SGD')
    """
    methods: dict[str, Any] = {name: inspect.unwrap(getattr(kind, name)) for name in _TOLD_TO_KEEP_OUT}
    methods["step"] = _step(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), {**methods, "__module__": kind.__module__, "__doc__": kind.__doc__})


def _step(update: Callable[..., Any]) -> Callable[..., Any]:
    """A step that records no gradients unless it is to be differentiated itself, as torch's wrapper has it."""

    @functools.wraps(update)
    def step(self: Optimizer, *arguments: Any, **options: Any) -> Any:
        with torch.set_grad_enabled(self.defaults.get("differentiable", False)):
            return update(self, *arguments, **options)

    return step
