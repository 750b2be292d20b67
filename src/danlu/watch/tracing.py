"""Whether what runs now is the user's computation itself, and whether the numbers of a tensor can be read."""

# What tells it (the stacks of torch's modes and transforms) has no public name. In this file alone it is touched.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false, reportAttributeAccessIssue=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from typing import Any

import torch
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack
from torch.fx._symbolic_trace import is_fx_symbolic_tracing
from torch.overrides import _get_current_function_mode_stack
from torch.utils._device import DeviceContext

without_modes = torch._C.DisableTorchFunction
"""A block in which no `__torch_function__`, of a subclass or of a mode such as a default device, hears of what runs."""

with_torch_functions = torch._C._EnableTorchFunction
"""A block inside one of those in which they hear again."""

outside_transforms = temporarily_clear_interpreter_stack
"""A block in which operations on plain tensors are plain again, though torch.func is at work around it."""


_TORCHS = (torch.Tensor, torch.nn.Parameter)


def is_traced() -> bool:
    """Whether somebody records what runs (jit, fx, export, torch.compile), or a mode stands between it and the numbers.

    >>> is_traced()
    False
    """
    return bool(
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()
        or torch._C._len_torch_dispatch_stack()
        or is_fx_symbolic_tracing()
    )


def is_going_backwards() -> bool:
    """Whether the autograd engine is at work in this thread: what it calls again is none of the loop's own calls.

    >>> is_going_backwards()
    False
    """
    return torch._C._current_graph_task_id() != -1


def modes_but_devices() -> bool:
    """Whether a mode of somebody's hears every call of torch: any but the one of a default device.

    >>> modes_but_devices()
    False
    """
    return any(not isinstance(mode, DeviceContext) for mode in _get_current_function_mode_stack())


def is_distributed() -> bool:
    """Whether other processes train the same net.

    >>> is_distributed()
    False
    """
    return torch.distributed.is_available() and torch.distributed.is_initialized()


def is_transformed() -> bool:
    """Whether it runs inside torch.func: grad, vmap, jacrev and their kin.

    >>> torch.func.vmap(lambda x: x if is_transformed() else None)(torch.zeros(2)).tolist()
    [0.0, 0.0]
    """
    return torch._C._functorch.peek_interpreter_stack() is not None


def unwrapped(tensor: torch.Tensor) -> torch.Tensor:
    """The plain tensor inside one that torch.func handed out."""
    while torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        tensor = torch._C._functorch.get_unwrapped(tensor)
    return tensor


def is_symbolic(tensor: torch.Tensor) -> bool:
    """Whether it has a shape and no numbers.

    >>> is_symbolic(torch.zeros(2, device="meta")), is_symbolic(torch.zeros(2))
    (True, False)
    """
    return tensor.device.type == "meta" or isinstance(tensor, torch._subclasses.FakeTensor)


def is_unmade(tensor: torch.Tensor) -> bool:
    """Whether it is the parameter of a lazy module that has not seen its first batch: it has no shape even.

    >>> [is_unmade(one) for one in torch.nn.LazyLinear(2).parameters()]
    [True, True]
    """
    return torch.nn.parameter.is_lazy(tensor)


def unreadable(tensor: torch.Tensor) -> str:
    """Why the numbers of a tensor cannot be read with plain operations: a word, empty where they can.

    A subclass that answers every operation by itself (DTensor, a quantised weight) may need other processes for that.

    >>> [unreadable(one) for one in (torch.zeros(2), torch.zeros(2, 2).to_sparse(), torch.zeros(2, device="meta"))]
    ['', 'sparse', 'meta']
    """
    if type(tensor) not in _TORCHS:
        if is_unmade(tensor):
            return "uninitialized"
        dispatch = type(tensor).__torch_dispatch__
        if dispatch is not torch.Tensor.__torch_dispatch__ and dispatch is not torch._C._disabled_torch_dispatch_impl:
            return "nested" if tensor.is_nested else type(tensor).__name__
    if torch._C._functorch.is_functorch_wrapped_tensor(tensor):
        return "torch.func"
    if tensor.is_meta:
        return "meta"
    if tensor.is_nested:
        return "nested"
    if tensor.layout is not torch.strided:
        return "sparse" if "sparse" in str(tensor.layout) else str(tensor.layout).removeprefix("torch.")
    if tensor.is_quantized:
        return "quantized"
    if tensor.is_complex():
        return "complex"
    return "freed" if tensor.numel() and not tensor.untyped_storage().nbytes() else ""


def all_tensors(value: Any, most: int = 64) -> list[torch.Tensor]:
    """The tensors in what a module took or gave, in order: inside tuples, lists, mappings and dataclasses."""
    found: list[torch.Tensor] = []
    stack: list[Any] = [value]
    for _ in range(most):
        if not stack:
            break
        one = stack.pop()
        if isinstance(one, torch.Tensor):
            found.append(one)
        else:
            stack.extend(reversed(_entries(one)))
    return found


def _entries(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value[:64])
    if hasattr(type(value), "keys") and hasattr(type(value), "values"):  # a dict, and what behaves like one
        return list(value.values())[:64]
    if hasattr(type(value), "__dataclass_fields__"):
        return list(vars(value).values())[:64]
    logits = getattr(value, "logits", None)
    return [logits] if isinstance(logits, torch.Tensor) else []
