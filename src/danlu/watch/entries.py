"""The modules that a loop calls from outside: the model itself or, where a loop calls its parts, those."""

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from danlu.watch.observer import Observer
from danlu.watch.patches import Patches
from danlu.watch.probes.structure import is_compiled


class Entries:
    """Listens to every module until the first backward pass, then only to those that were called from outside."""

    def __init__(self, roots: Mapping[str, nn.Module], observer: Observer, patches: Patches) -> None:
        self._observer = observer
        self._depth = 0
        self._handles: dict[nn.Module, list[Any]] = {}
        self._called: dict[nn.Module, None] = {}
        self._settled = False
        for root in roots.values():
            if getattr(root, "_compiled_call_impl", None) is not None:
                # torch.compile would take hooks into its graph; the call of that graph is replaced from outside.
                patches.replace(root, "_compiled_call_impl", self._around(root))
                self._called[root] = None
                continue
            for module in [root] if is_compiled(root) else root.modules():
                if module not in self._handles:
                    self._handles[module] = self._listen(module)

    def _listen(self, module: nn.Module) -> list[Any]:
        return [
            module.register_forward_pre_hook(self._before, with_kwargs=True),
            module.register_forward_hook(self._after, always_call=True),
        ]

    def _before(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        self._depth += 1
        if self._depth == 1:
            self._called[module] = None
            self._observer.forward_begins(module, args, kwargs)

    def _after(self, module: nn.Module, args: Any, output: Any) -> None:
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
        """After the first step: leave alone all modules that are only called by others."""
        self._depth = 0
        if self._settled or not self._called:
            return
        self._settled = True
        for module in [module for module in self._handles if module not in self._called]:
            for handle in self._handles.pop(module):
                handle.remove()

    def detach(self) -> None:
        """Take every hook off."""
        for handles in self._handles.values():
            for handle in handles:
                handle.remove()
        self._handles.clear()
