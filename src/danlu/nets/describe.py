"""A net as a table: layer, output shape, parameters, multiply-adds; and the check that its shapes form a chain."""

import contextlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from danlu.base.errors import fail
from danlu.base.readable import Readable
from danlu.base.seeds import preserved_randomness
from danlu.base.shapes import show_shape
from danlu.base.words import say
from danlu.nets.cost import WHOLE
from danlu.nets.trace import Trace


@dataclass(frozen=True)
class LayerRow:
    """One layer: dotted name, class, shape of its first output tensor for one sample, own parameters, multiply-adds."""

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


@dataclass(frozen=True, repr=False)
class Description(Readable):
    """A net's layers in the order in which they run, and its totals; shapes are without the batch axis.

    `parameters` counts every parameter of the net once, also of layers that the run does not reach and that therefore
    have no row.
    """

    rows: tuple[LayerRow, ...]
    output_shape: tuple[int, ...]
    parameters: int
    trainable: int
    multiply_adds: int

    def __str__(self) -> str:
        """The totals, then a line for each layer: name, class, output shape, parameters, multiply-adds."""
        output = show_shape(self.output_shape) or "1"
        totals = {"layers": len(self.rows), "parameters": self.parameters, "multiply_adds": self.multiply_adds}
        lines = [say("nets.description", output=output, **totals)]
        width = max((len(row.name) for row in self.rows), default=0)
        for row in self.rows:
            shape = show_shape(row.output_shape) or "1"
            numbers = f"{row.parameters:>12,}  {row.multiply_adds:>14,}"
            lines.append(f"{row.name:{width}}  {row.kind:16}  {shape:>12}  {numbers}")
        return "\n".join(lines)


def describe(
    net: nn.Module,
    sample_shape: Sequence[int],
    *,
    dtype: torch.dtype | None = None,
    sample: Tensor | None = None,
    for_loss: bool = False,
) -> Description:
    """Run `net` on a sample of zeros, or on `sample` (of `sample_shape`, no batch axis), and say what each layer did.

    `dtype` is that of the zeros: float32 where nothing is said, or the net's own `sample_dtype`. Samples of whole
    numbers are ones instead, because 0 is the padding of sequences. With `for_loss`, outputs that no loss can take (a
    dict, a list) are refused.

    A second run on two samples shows whether the batch axis stays what it is. The net runs in evaluation mode without
    gradients; its training flags and buffers and torch's generators are left as they were, lazy layers get their
    weights. Multiply-adds are those of one sample (see `cost`). Raises UserError naming the layer, the shape it got and
    the shape it wants where one does not fit the next.

    >>> description = describe(nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10)), (784,))
    >>> description.rows[0]
    LayerRow(name='0', kind='Linear', output_shape=(128,), parameters=100480, multiply_adds=100352)
    >>> description.output_shape, description.multiply_adds
    ((10,), 101632)
    """
    device = next((weight.device for weight in net.parameters()), torch.device("cpu"))
    kind: torch.dtype = dtype or getattr(net, "sample_dtype", torch.float32)
    usual = torch.full(tuple(sample_shape), 0 if kind.is_floating_point else 1, dtype=kind)
    one = usual if sample is None else sample.detach()
    layers: dict[nn.Module, str] = {}
    for module, name in _layers(net, ""):
        layers.setdefault(module, name)
    with undisturbed(net):
        trace = Trace(net, layers, torch.stack([one]).to(device))
        trace.run(for_loss=for_loss)
        output = Trace(net, layers, torch.stack([one, one]).to(device), after_one=True).run()
    if output.shape[:1] != (2,):
        fail("nets.output-without-batch", found=show_shape(output.shape))
    rows = _rows(layers, trace)
    counts = [(0 if is_lazy(weight) else weight.numel(), weight.requires_grad) for weight in net.parameters()]
    return Description(
        rows=rows,
        output_shape=tuple(output.shape[1:]),
        parameters=sum(count for count, _ in counts),
        trainable=sum(count for count, requires_grad in counts if requires_grad),
        multiply_adds=sum(row.multiply_adds for row in rows),
    )


def _layers(module: nn.Module, name: str) -> Iterator[tuple[nn.Module, str]]:
    """What deserves a row: modules without children, modules shown as one, and those that own parameters themselves."""
    whole = isinstance(module, WHOLE)
    children = [] if whole else list(module.named_children())
    if not children or next(module.parameters(recurse=False), None) is not None:
        yield module, name
    for child_name, child in children:
        yield from _layers(child, f"{name}.{child_name}".removeprefix("."))


def _rows(layers: dict[nn.Module, str], trace: Trace) -> tuple[LayerRow, ...]:
    rows: list[LayerRow] = []
    counted: set[nn.Parameter] = set()
    for module, call in trace.calls.items():
        own = set(module.parameters(recurse=isinstance(module, WHOLE))) - counted
        counted |= own
        size = sum(0 if is_lazy(weight) else weight.numel() for weight in own)
        rows.append(LayerRow(layers[module], type(module).__name__, call.output_shape, size, call.multiply_adds))
    return tuple(rows)


@contextlib.contextmanager
def undisturbed(net: nn.Module, *, training: bool = False) -> Generator[None]:
    """Evaluation mode without gradients, or training mode with them; afterwards flags, buffers and generators are what
    they were.
    """
    # The flags are set one by one because a net may override train(), to keep a part frozen for example.
    flags = [(module, module.training) for module in net.modules()]
    buffers = [
        (module, name, buffer)
        for module in net.modules()
        for name, buffer in module.named_buffers(recurse=False)
        if not is_lazy(buffer)
    ]
    try:
        if training:
            net.train()
        else:
            for module, _ in flags:
                module.training = False
        for module, name, buffer in buffers:
            setattr(module, name, buffer.clone())
        with preserved_randomness(), torch.set_grad_enabled(training):
            yield
    finally:
        for module, training in flags:
            module.training = training
        for module, name, buffer in buffers:
            setattr(module, name, buffer)
