"""The calls of the watched modules, heard in the one place that all of them go through.

Nothing is hung on a module: a model that is saved, copied, traced, scripted or exported inside the block is as it would
be outside of it, and the calls of a copy are not heard. `nn.Module._call_impl` is replaced only while somebody listens;
an ordinary step of a training is none of that time.
"""

# That function of torch's has no public name; replacing it costs a microsecond, that of __call__ a hundred.
# pyright: reportPrivateUsage=false

import threading
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, Protocol

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from danlu.watch.frames import direct_pass, given_to
from danlu.watch.patches import Patches
from danlu.watch.probes.structure import is_compiled
from danlu.watch.tracing import all_tensors, is_going_backwards, is_symbolic, is_traced

OFF, OUTER, INNER = 0, 1, 2
"""What is listened to: nothing, the calls from outside, those of the layers too."""

_Call = Callable[..., Any]


class CallListener(Protocol):
    """What is told of calls."""

    def forward_begins(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        """A module is called from outside: the model itself or, where a loop calls its parts, one of those."""
        ...

    def forward_ends(self, output: Any) -> None:
        """That call has answered."""
        ...

    def layer_called(self, name: str, output: Any) -> None:
        """A layer has answered."""
        ...

    def stranger_called(self, module: nn.Module) -> None:
        """A module is called that is no part of the model, and of the same class, or one that averages weights."""
        ...


class ModuleCalls:
    """Tells `listener` of the calls of the modules under `roots`; `layers` are the names of those that are layers."""

    def __init__(
        self, roots: Mapping[str, nn.Module], layers: Mapping[str, nn.Module], listener: CallListener, patches: Patches
    ) -> None:
        self._listener = listener
        self.modules = {id(module): module for root in roots.values() for module in root.modules()}
        self._layers = {id(module): name for name, module in layers.items()}
        self._kinds = {type(root) for root in roots.values()} | {AveragedModel}
        self._compiled = {key for key, module in self.modules.items() if is_compiled(module)}
        self._roots = {id(root) for root in roots.values()}
        self._pass: FrameType | None = None  # a `forward` that runs without a call of its module
        self._depth = self._thread = 0
        self._level = OFF
        for module in self.modules.values():
            # model.compile(): its calls go another way, and the code that was made of it must not be heard.
            if getattr(module, "_compiled_call_impl", None) is not None:
                patches.replace(module, "_compiled_call_impl", self._around(module))

    def listen(self, level: int) -> None:
        """Listen to so much from now on."""
        self._pass = None
        if level == self._level:
            return
        self._level = level
        (_SWITCH.add if level else _SWITCH.remove)(self)

    def passes(self, module: nn.Module) -> bool:
        """Whether a call of the module is of no interest now."""
        key = id(module)
        if key not in self.modules:
            if type(module) in self._kinds and not self._depth and not is_traced():
                self._listener.stranger_called(module)
            return True
        return self._depth == 1 and self._level == OUTER and key not in self._compiled

    def heard(self, module: nn.Module, call: _Call, args: Any, kwargs: Any) -> Any:
        """Make the call, and tell of it."""
        if self._depth:
            if self._thread != threading.get_ident():
                return call(module, *args, **kwargs)
            return self._inner(module, call, args, kwargs)
        if is_going_backwards() or is_traced() or _is_symbolic(args, kwargs):
            return call(module, *args, **kwargs)
        return self._outer(module, call, args, kwargs)

    def _outer(self, module: nn.Module, call: _Call, args: Any, kwargs: Any) -> Any:
        self._thread = threading.get_ident()
        direct = direct_pass(self.modules) if id(module) not in self._roots else None
        if direct is not None:
            return self._within(*direct, module, call, args, kwargs)
        self._listener.forward_begins(module, args, kwargs)
        self._depth = 1
        try:
            output = self._inner(module, call, args, kwargs)
        finally:
            self._depth = 0
        self._listener.forward_ends(output)
        return output

    def _within(
        self, frame: FrameType, owner: nn.Module, module: nn.Module, call: _Call, args: Any, kwargs: Any
    ) -> Any:
        """The call of a part by a `forward` that was called by its name: with the first of them that pass begins."""
        if frame is not self._pass:
            self._pass = frame
            self._listener.forward_begins(owner, (), given_to(frame))
            self._listener.forward_ends(None)  # nobody hears what it gives in the end
        self._depth = 1
        try:
            return self._inner(module, call, args, kwargs)
        finally:
            self._depth = 0

    def _inner(self, module: nn.Module, call: _Call, args: Any, kwargs: Any) -> Any:
        if self._level == INNER and id(module) in self._layers:
            output = call(module, *args, **kwargs)
            if torch.is_grad_enabled() and not is_traced():
                self._listener.layer_called(self._layers[id(module)], output)
            return output
        if id(module) not in self._compiled or not self._level:
            return call(module, *args, **kwargs)
        # The compiler would take what it hears into its graph.
        _SWITCH.remove(self)
        try:
            return call(module, *args, **kwargs)
        finally:
            if self._level:
                _SWITCH.add(self)

    def _around(self, module: nn.Module) -> Callable[[_Call], _Call]:
        def wrap(original: _Call) -> _Call:
            def call(_: nn.Module, *args: Any, **kwargs: Any) -> Any:
                return original(*args, **kwargs)

            def called(*args: Any, **kwargs: Any) -> Any:
                return self.heard(module, call, args, kwargs) if self._level else original(*args, **kwargs)

            return called

        return wrap


def _is_symbolic(args: Any, kwargs: Any) -> bool:
    return any(is_symbolic(one) for one in all_tensors((args, kwargs), most=16))


class _Switch:
    """Replaces nn.Module._call_impl while there is somebody to tell, and puts back what was there."""

    def __init__(self) -> None:
        self._listening: list[ModuleCalls] = []
        self._original: _Call = nn.Module._call_impl
        self._buried = False  # somebody has put a function of theirs over ours

        def _call_impl(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            if torch.compiler.is_compiling():
                return self._original(module, *args, **kwargs)
            call = self._original
            for one in self._listening:
                if not one.passes(module):
                    call = _told(one, call)
            return call(module, *args, **kwargs)

        self._replacement = _call_impl

    def add(self, calls: ModuleCalls) -> None:
        if calls not in self._listening:
            self._listening = [*self._listening, calls]
        now = vars(nn.Module)["_call_impl"]
        if now is not self._replacement and not self._buried:
            self._original = now
            setattr(nn.Module, "_call_impl", self._replacement)  # noqa: B010 - the type of torch's own names its self

    def remove(self, calls: ModuleCalls) -> None:
        self._listening = [one for one in self._listening if one is not calls]
        now = vars(nn.Module)["_call_impl"]
        if now is self._replacement:
            self._buried = False
            if not self._listening:
                setattr(nn.Module, "_call_impl", self._original)  # noqa: B010
        elif now is not self._original:
            self._buried = True  # and passes calls on to ours, which tells nobody


def _told(calls: ModuleCalls, call: _Call) -> _Call:
    def told(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return calls.heard(module, call, args, kwargs)

    return told


_SWITCH = _Switch()
