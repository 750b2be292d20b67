"""Trying a net out: a copy of it answers to inputs that were changed, and nothing of the user's is touched.

The copy shares no tensor with the net; the global generators, and whatever else the net's code reaches by a global
name and could change, are as they were before. Where that cannot be promised nothing is tried, and why is said.
"""

import contextlib
import copy
import dis
import functools
import inspect
import io
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as torch_modules

from danlu.base.seeds import attention_of_training, generator_state, preserved_randomness, seed_globally
from danlu.watch.frames import is_theirs
from danlu.watch.tracing import all_tensors, is_distributed, modes_but_devices, unreadable, with_torch_functions

_MOST_BYTES = 2**30  # of the parameters and buffers that are copied
_MOST_NUMBERS = 2**26  # of the tensors that go in
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")
_GLOBAL_HOOKS = ("_global_forward_hooks", "_global_forward_pre_hooks")
_KEY = 0  # of the random numbers that every answer draws
_KEPT = (list, dict, set)  # containers whose members are put back


class UntriedError(Exception):
    """Nothing can be tried; its words are the end of a phrase's id, `watch.untried-…`."""


@dataclass(frozen=True)
class ModuleCall:
    """One call of a module, from outside, in a step of the training."""

    module: nn.Module
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    autocast: torch.dtype | None  # the type it ran in, where it ran under autocast

    @classmethod
    def of(cls, module: nn.Module, args: Any, kwargs: Any) -> "ModuleCall":
        """The call that begins now."""
        kind = _device(module).type
        known = torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)
        return cls(module, tuple(args), dict(kwargs), torch.get_autocast_dtype(kind) if known else None)

    @property
    def tensors(self) -> list[torch.Tensor]:
        """What went in."""
        return all_tensors((self.args, self.kwargs))

    def name_of(self, tensor: torch.Tensor) -> str:
        """The name of the argument that a tensor went in as; empty where it was part of one, or that is not known."""
        try:
            names = list(inspect.signature(self.module.forward).parameters)
        except (TypeError, ValueError):
            names = []
        given = {**dict(zip(names, self.args, strict=False)), **self.kwargs}
        return next((name for name, value in given.items() if value is tensor), "")


class Copy:
    """A copy of the net of a call, in evaluation mode or as in `training`; `answer` makes the call once more with other
    tensors. `preserved`: whoever asks gives the global generators back, once for several answers.

    Raises UntriedError where a copy would not stand alone.

    >>> net = nn.Linear(2, 1)
    >>> call = ModuleCall.of(net, (torch.zeros(3, 2),), {})
    >>> own = Copy(call)
    >>> torch.equal(own.answer({})[0], own.answer({id(call.tensors[0]): torch.ones(3, 2)})[0])
    False
    """

    def __init__(self, call: ModuleCall, *, training: bool = False, preserved: bool = False) -> None:
        _check(call)
        self._preserved = preserved
        self._call = call
        self._globals = _globals_of(call.module)
        try:
            self._module = copy.deepcopy(call.module, _computed(call.module))
            self._module = self._module if training else self._module.eval()
        except Exception as error:
            raise UntriedError("copy") from error
        _check_alone(call.module, self._module)
        held = [value for module in self._module.modules() for value in vars(module).values()]
        self._globals += [value for value in held if not isinstance(value, _KEPT) and _state_of(value) is not None]

    def answer(
        self,
        others: Mapping[int, torch.Tensor],
        hear: Callable[[str, Any, Any], None] | None = None,
        mode: contextlib.AbstractContextManager[Any] | None = None,
    ) -> list[torch.Tensor]:
        """The tensors that the copy gives; `others` stand, by the id of a tensor of the call, in that one's place.

        Every time the same random numbers are drawn. `hear` is told of each call of a module in it, when that is over:
        its path, what it was given and what it gave. The call is made inside of `mode`.
        """
        call = self._call
        args, kwargs = _replaced((call.args, dict(call.kwargs)), others)
        handles = _listening(self._module, hear) if hear is not None else []
        try:
            with (
                contextlib.nullcontext() if self._preserved else preserved_randomness(),
                _as_it_was(self._globals), _quiet(), with_torch_functions(), torch.no_grad(), self._precision(),
                mode or contextlib.nullcontext(),
            ):  # fmt: skip
                given = {id(one) for one in all_tensors((args, kwargs))}
                output = self._module(*args, **kwargs)
        except Exception as error:
            raise UntriedError("call") from error
        finally:
            for handle in handles:
                handle.remove()
        found = [one for one in all_tensors(output) if not unreadable(one)]
        made = [one for one in found if id(one) not in given]  # what it hands on as it was given is no answer
        return [one.detach() for one in made or found]

    @contextlib.contextmanager
    def other_embedding(self, tokens: torch.Tensor, token: int) -> Generator[bool]:
        """Inside of it a token of the call's `tokens` is embedded in the copy as another one is; whether it is."""
        found: list[nn.Embedding] = []

        def hear(path: str, given: Any, output: Any) -> None:
            one, first = self._module.get_submodule(path), next(iter(all_tensors(given)), None)
            if isinstance(one, nn.Embedding) and first is not None and first.shape == tokens.shape:
                found.extend([one] if torch.equal(first, tokens) and one not in found else [])

        self.answer({}, hear)
        kept = [(one, one.weight.detach().clone()) for one in found if one.num_embeddings > 1]
        try:
            with torch.no_grad():
                for one, weight in kept:
                    one.weight[token] = weight[token - 1]
            yield bool(kept)
        finally:
            with torch.no_grad():
                for one, weight in kept:
                    one.weight.copy_(weight)

    @property
    def module(self) -> nn.Module:
        """The copy itself."""
        return self._module

    def exchange(self, place: tuple[str, str], change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        """Put `change` of it in the place of the tensor, or of those of a tuple, that a module of the copy holds: its
        path, and the name of the attribute."""
        module = self._module.get_submodule(place[0])
        value: Any = getattr(module, place[1])
        with torch.no_grad():
            several = isinstance(value, tuple | list)
            each: list[Any] = (
                [change(one) if isinstance(one, torch.Tensor) else one for one in value] if several else []
            )
            setattr(module, place[1], type(value)(each) if several else change(value))

    def _precision(self) -> contextlib.AbstractContextManager[Any]:
        kind, dtype = _device(self._call.module).type, self._call.autocast
        return torch.autocast(kind, dtype, cache_enabled=False) if dtype else contextlib.nullcontext()


def _listening(module: nn.Module, hear: Callable[[str, Any, Any], None]) -> list[Any]:
    def hook(path: str) -> Callable[..., None]:
        def told(one: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            hear(path, (args, kwargs), output)

        return told

    return [one.register_forward_hook(hook(path), with_kwargs=True) for path, one in module.named_modules()]


def _computed(module: nn.Module) -> dict[int, Any]:
    """What modules keep of a pass, such as the weight that weight_norm makes anew before each: deepcopy() refuses the
    results of a graph, and is given these."""
    held = (one for part in module.modules() for one in vars(part).values())
    return {id(one): one.detach().clone() for one in held if isinstance(one, torch.Tensor) and one.grad_fn is not None}


def _check(call: ModuleCall) -> None:
    if is_distributed():
        raise UntriedError("distributed")
    if modes_but_devices():
        raise UntriedError("mode")
    if any(not _is_torchs(hook) for name in _GLOBAL_HOOKS for hook in getattr(torch_modules, name, {}).values()):
        raise UntriedError("hooks")
    for module in call.module.modules():
        if "forward" in vars(module) or hasattr(module, "_orig_mod"):
            raise UntriedError("forward")
        if vars(module).get("_trainer") is not None:  # it would be copied with all that it holds
            raise UntriedError("copy")
        if any(not _is_torchs(hook) for name in _HOOKS for hook in getattr(module, name).values()):
            raise UntriedError("hooks")
    tensors = [*call.module.parameters(), *call.module.buffers()]
    if any(unreadable(one) for one in (*tensors, *call.tensors)):
        raise UntriedError("tensors")
    if sum(one.numel() * one.element_size() for one in tensors) > _MOST_BYTES:
        raise UntriedError("size")
    if sum(one.numel() for one in call.tensors) > _MOST_NUMBERS:
        raise UntriedError("size")


def _check_alone(module: nn.Module, copied: nn.Module) -> None:
    """That no module and no tensor is part of both: a copy that a class makes itself may share them."""
    own = {id(one) for one in module.modules()} | {id(one) for one in (*module.parameters(), *module.buffers())}
    if any(id(one) in own for one in (*copied.modules(), *copied.parameters(), *copied.buffers())):
        raise UntriedError("copy")


def _is_torchs(hook: Any) -> bool:
    """Whether a hook is torch's own: that of a parametrisation, a norm of weights, a pruning."""
    kind = hook if isinstance(hook, FunctionType) else type(hook)
    return (getattr(kind, "__module__", None) or "").partition(".")[0] == "torch"


def _device(module: nn.Module) -> torch.device:
    return next((one.device for one in module.parameters()), torch.device("cpu"))


def _globals_of(module: nn.Module) -> list[Any]:
    """What the code of the user's classes can change by a global name: generators, lists, dicts, sets.

    Raises UntriedError where it assigns a global name, or calls a module that is not part of this one.
    """
    inside = {id(one) for one in module.modules()}
    found: dict[int, Any] = {}
    waiting = [function for kind in {type(one) for one in module.modules()} for function in _functions(kind)]
    seen: set[int] = set()
    while waiting:
        function = waiting.pop()
        if id(function.__code__) in seen:
            continue
        seen.add(id(function.__code__))
        names, writes = _names(function.__code__)
        if writes:
            raise UntriedError("globals")
        values = [function.__globals__[name] for name in names if name in function.__globals__]
        values += [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
        for value in values:
            if isinstance(value, nn.Module) and id(value) not in inside:
                raise UntriedError("globals")
            if isinstance(value, FunctionType) and is_theirs(value.__code__.co_filename):
                waiting.append(value)
            elif _state_of(value) is not None:
                found[id(value)] = value
    return list(found.values())


def _functions(kind: type) -> list[FunctionType]:
    """The methods of a class and of those of its parents that are the user's."""
    members = [value for parent in kind.__mro__ for value in vars(parent).values()]
    plain = [getattr(value, "__func__", value) for value in members]
    return [one for one in plain if isinstance(one, FunctionType) and is_theirs(one.__code__.co_filename)]


@functools.cache
def _names(code: CodeType) -> tuple[frozenset[str], bool]:
    """The global names that a function loads, those inside it too; whether it assigns one."""
    names: set[str] = set()
    writes = False
    for step in dis.get_instructions(code):
        if step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            writes = True
        elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            names.add(str(step.argval))
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            more, too = _names(inner)
            names |= more
            writes = writes or too
    return frozenset(names), writes


def _is_filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _state_of(value: Any) -> Callable[[], None] | None:
    """What puts the state of a generator, a container or an object of the user's back as it is now; None for anything
    else."""
    state = generator_state(value)
    if state is not None:
        return state
    if isinstance(value, _KEPT) and type(value) in _KEPT:
        members: Any = copy.copy(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return lambda: _refill(value, members)
    if _is_own(value):
        return _state_of_own(value)
    return None


def _is_own(value: Any) -> bool:
    """Whether it is an object of a class of the user's that is no part of a net."""
    if isinstance(value, nn.Module | type | FunctionType) or not hasattr(value, "__dict__"):
        return False
    return any(
        is_theirs(one.__code__.co_filename) for one in vars(type(value)).values() if isinstance(one, FunctionType)
    )


def _state_of_own(value: Any) -> Callable[[], None]:
    members = dict(vars(value))
    inner = [state for one in members.values() if not _is_own(one) and (state := _state_of(one)) is not None]

    def restore() -> None:
        _refill(vars(value), members)
        for one in inner:
            one()

    return restore


def _refill(value: Any, members: Any) -> None:
    if isinstance(value, list):
        value[:] = members
    else:
        value.clear()
        value.update(members)


@contextlib.contextmanager
def _as_it_was(values: Sequence[Any]) -> Generator[None]:
    """The same random numbers in every block, and afterwards `values` as before."""
    restore = [state for state in map(_state_of, values) if state is not None]
    seed_globally(_KEY)
    for value in values:
        if isinstance(value, torch.Generator):
            value.manual_seed(0)
    try:
        yield
    finally:
        for one in restore:
            one()


@contextlib.contextmanager
def _quiet() -> Generator[None]:
    """What the net prints it does not print twice; and attention goes the way that it goes in training."""
    with attention_of_training(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _replaced(value: Any, others: Mapping[int, torch.Tensor]) -> Any:
    """The same arguments with tensors of their own: a net may write into what it is given."""
    if isinstance(value, torch.Tensor):
        return others.get(id(value), value).detach().clone()
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_replaced(one, others) for one in value))  # pyright: ignore[reportUnknownVariableType]
    if type(value) in (list, tuple):
        return type(value)(_replaced(one, others) for one in value)
    if type(value) is dict:
        return {key: _replaced(one, others) for key, one in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if all_tensors(value, most=2):
        raise UntriedError("arguments")
    return value
