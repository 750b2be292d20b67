"""One forward pass of a net, followed layer by layer; what fails is told with its layer and the one before."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from danlu.base.errors import Fault, UserError, fail
from danlu.base.memory import is_out_of_memory
from danlu.base.shapes import show_shape
from danlu.nets.cost import WHOLE, multiply_adds
from danlu.nets.misfit import dtype_name, shape_misfit, type_misfit
from danlu.nets.own_file import telling_line

_LONGEST_REASON = 160


@dataclass
class Call:
    """What a layer did in the pass: the shape it gave first, and its multiply-adds over all its calls."""

    output_shape: tuple[int, ...] = ()
    multiply_adds: int = 0
    count: int = 0


@dataclass(frozen=True)
class _Running:
    """A module whose forward has begun, with its first input tensor."""

    module: nn.Module
    given: Tensor | None


class Trace:
    """Follows one forward pass of `net` on `batch` through `layers`, given with their dotted names.

    Afterwards `calls` holds what each layer did, in the order of the first calls. Where one sample alone passed before
    (`after_one`), what fails is told as a matter of the batch.
    """

    def __init__(
        self, net: nn.Module, layers: Mapping[nn.Module, str], batch: Tensor, *, after_one: bool = False
    ) -> None:
        self.calls: dict[nn.Module, Call] = {}
        self._net = net
        self._layers = layers
        self._batch = batch
        self._after_one = after_one
        self._running: list[_Running] = []
        self._before: tuple[nn.Module, tuple[int, ...]] | None = None

    def run(self, *, for_loss: bool = False) -> Tensor:
        """The net's first output tensor. Raises UserError where a layer refuses what it gets; and, where the outputs
        are `for_loss`, unless they are a tensor or a tuple that begins with one.
        """
        handles: list[Any] = []
        for module in self._net.modules():
            if isinstance(module, torch.jit.ScriptModule):  # compiled, so that no hook can follow it
                continue
            handles.append(module.register_forward_pre_hook(self._begin, with_kwargs=True))
            handles.append(module.register_forward_hook(self._end, with_kwargs=True))
        try:
            given = self._net(self._batch)
        except (UserError, Warning):  # a warning is an error only where the caller wants it so
            raise
        except Exception as error:  # a net is the user's code: whatever it raises is told as theirs
            if is_out_of_memory(error):
                raise
            raise UserError(telling_line(error, self._fault(error))) from error
        finally:
            for handle in handles:
                handle.remove()
        output = first_tensor(given)
        if output is None:
            fail("nets.no-tensor", kind=type(self._net).__name__)
        if for_loss:
            self._refuse_for_loss(given)
        return output

    def _refuse_for_loss(self, given: Any) -> None:
        """UserError for outputs of which no loss knows which tensor it is for."""
        if isinstance(given, tuple) and hasattr(given, "loss"):  # several heads that add their losses up themselves
            return
        first = cast(tuple[Any, ...], given)[0] if isinstance(given, tuple) else given
        kind = type(self._net).__name__
        if isinstance(first, Mapping):
            keys = [str(key) for key in cast(Mapping[Any, Any], first)]
            fail("nets.outputs-by-name", kind=kind, keys=", ".join(keys), key=keys[0])
        if not isinstance(first, Tensor):
            fail("nets.outputs-in-list", kind=kind, found=type(first).__name__)

    def _begin(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._running.append(_Running(module, first_tensor((args, kwargs))))
        if module in self._layers:
            self.calls.setdefault(module, Call())

    def _end(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        # A net that catches an error of its own leaves modules on the stack whose forward never ended.
        while (ended := self._running.pop()).module is not module:
            pass
        result = first_tensor(output)
        if module not in self._layers or result is None:
            return
        axis = 0 if getattr(module, "batch_first", True) or result.dim() < 3 else 1
        shape = self._without_batch(tuple(result.shape), axis)
        call = self.calls[module]
        call.output_shape = call.output_shape if call.count else shape
        call.multiply_adds += multiply_adds(module, result if ended.given is None else ended.given, result)
        call.count += 1
        self._before = (module, shape)

    def _without_batch(self, shape: tuple[int, ...], axis: int = 0) -> tuple[int, ...]:
        if shape and shape[axis] == self._batch.shape[0]:
            return shape[:axis] + shape[axis + 1 :]
        return shape

    def _fault(self, error: Exception) -> Fault:
        """The error as one fault: by layer, shape and what is wanted where that is known, else in torch's own words."""
        module, given = (self._running[-1].module, self._running[-1].given) if self._running else (self._net, None)
        samples = self._batch.shape[0]
        values: dict[str, Any] = {"place": self._place(module), "before": self._story(), "samples": samples}
        is_layer = isinstance(module, WHOLE) or next(module.children(), None) is None
        if given is None or not is_layer:
            id = "nets.forward-failed-for-batch" if self._after_one else "nets.forward-failed"
            return Fault(id, {**values, "reason": reason_of(error)})
        values["found"] = show_shape(self._without_batch(tuple(given.shape)))
        if self._after_one and given.shape[:1] != (samples,):
            return Fault("nets.batch-axis-lost", values)
        if misfit := shape_misfit(module, given):
            return Fault("nets.wrong-shape", {**values, "wanted": misfit.wanted, "advice": misfit.advice})
        if misfit := type_misfit(module, given):
            values["found"] = dtype_name(given)
            return Fault("nets.wrong-type", {**values, "wanted": misfit.wanted, "advice": misfit.advice})
        return Fault("nets.layer-failed", {**values, "reason": reason_of(error)})

    def _place(self, module: nn.Module) -> Fault | str:
        kind = type(module).__name__
        names = cast(Iterator[tuple[str, nn.Module]], self._net.named_modules())
        name = next((name for name, found in names if found is module), "")
        return Fault("nets.place", {"name": name, "kind": kind}) if name else kind

    def _story(self) -> Fault:
        if self._before is None:
            return Fault("nets.first-layer", {"shape": show_shape(tuple(self._batch.shape[1:]))})
        module, shape = self._before
        return Fault("nets.layer-before", {"place": self._place(module), "shape": show_shape(shape)})


def first_tensor(value: Any) -> Tensor | None:
    """The first tensor in `value`: a tensor, or tuples, lists and dictionaries of them in any depth.

    >>> import torch
    >>> first_tensor({"logits": (None, torch.ones(3))}).shape
    torch.Size([3])
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, Mapping):
        return first_tensor(list(cast(Mapping[Any, Any], value).values()))
    if isinstance(value, list | tuple):
        found = (first_tensor(item) for item in cast(Iterable[Any], value))
        return next((tensor for tensor in found if tensor is not None), None)
    return None


def reason_of(error: Exception) -> str:
    """The first line of an error's own words, cut to a readable length."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return line.rstrip(".") if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}…"
