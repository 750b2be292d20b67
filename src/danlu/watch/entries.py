"""The modules that a loop calls from outside: the model itself or, where a loop calls its parts, those."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from danlu.watch.observer import Observer
from danlu.watch.patches import Patches
from danlu.watch.probes.structure import is_compiled


class Entries:
    """Listens to every module until the first step is done, then only to those that were called from outside."""

    def __init__(self, roots: Mapping[str, nn.Module], observer: Observer, patches: Patches) -> None:
        self._observer = observer
        self._depth = 0
        self._handles: list[Any] = []
        self._outputs: list[Any] = []
        self._called: dict[nn.Module, None] = {}
        self._settled = self._nested = False
        for root in roots.values():
            if getattr(root, "_compiled_call_impl", None) is not None:
                # torch.compile would take hooks into its graph; the call of that graph is replaced from outside.
                patches.replace(root, "_compiled_call_impl", self._around(root))
                continue
            for module in [root] if is_compiled(root) else root.modules():
                self._handles.append(module.register_forward_pre_hook(self._search, with_kwargs=True))
                self._handles.append(module.register_forward_hook(self._searched, always_call=True))

    def _search(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        self._depth += 1
        if self._depth == 1:
            self._called[module] = None
            self._observer.forward_begins(module, args, kwargs)

    def _searched(self, module: nn.Module, args: Any, output: Any) -> None:
        self._depth = max(0, self._depth - 1)
        if not self._depth:
            self._observer.forward_ends(output)

    def _around(self, root: nn.Module) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
            def called(*args: Any, **kwargs: Any) -> Any:
                self._observer.forward_begins(root, args, kwargs)
                output = original(*args, **kwargs)
                self._observer.forward_ends(output)
                return output

            return called

        return wrap

    def settle(self) -> None:
        """After each step: from the first one on, listen to the modules called from outside alone; to what they give
        only in steps that are measured."""
        if not self._settled and self._called:
            self._settled = True
            self._settle()
        if self._settled and not self._nested:
            if self._observer.measuring and not self._outputs:
                self._outputs = [module.register_forward_hook(self._ended) for module in self._called]
            elif self._outputs and not self._observer.measuring:
                _remove(self._outputs)

    def _settle(self) -> None:
        _remove(self._handles)
        outer = list(self._called)
        # Where one of them lies inside another, only the depth of the calls tells who was called from outside.
        if any(inner is not module and inner in set(module.modules()) for module in outer for inner in outer):
            for module in outer:
                self._handles.append(module.register_forward_pre_hook(self._search, with_kwargs=True))
                self._handles.append(module.register_forward_hook(self._searched, always_call=True))
            self._depth, self._nested = 0, True
            return
        self._handles = [
            module.register_forward_pre_hook(self._observer.forward_begins, with_kwargs=True) for module in outer
        ]

    def _ended(self, module: nn.Module, args: Any, output: Any) -> None:
        self._observer.forward_ends(output)

    def detach(self) -> None:
        """Take every hook off."""
        _remove(self._handles)
        _remove(self._outputs)


def _remove(handles: list[Any]) -> None:
    for handle in handles:
        handle.remove()
    handles.clear()
