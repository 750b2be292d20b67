"""The graph of a net: which layer's output goes into which, followed through one pass by the tensors themselves."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from danlu.base.graphs import LayerNode, NetGraph
from danlu.nets.cost import CONVOLUTIONS, TRANSPOSED, WHOLE, multiply_adds
from danlu.nets.describe import describe, undisturbed
from danlu.nets.trace import first_tensor

INPUT, OUTPUT = "input", "output"
# What only changes how numbers are laid out makes no node: the shapes tell it.
_LAYOUT = {
    "chunk", "clone", "contiguous", "detach", "double", "expand", "flatten", "float", "getitem", "half", "movedim",
    "narrow", "permute", "reshape", "select", "split", "squeeze", "swapaxes", "t", "to", "transpose", "type", "unbind",
    "unflatten", "unsqueeze", "view",
}  # fmt: skip
_NAMES = {
    "iadd": "add", "radd": "add", "isub": "sub", "rsub": "sub", "imul": "mul", "rmul": "mul", "truediv": "div",
    "itruediv": "div", "rtruediv": "div", "concat": "cat", "concatenate": "cat", "rmatmul": "matmul",
}  # fmt: skip
_OURS = (__file__, torch.__path__[0])


def net_graph(
    net: nn.Module,
    sample_shape: Sequence[int],
    *,
    name: str = "",
    dtype: torch.dtype | None = None,
    sample: Tensor | None = None,
) -> NetGraph:
    """Run `net` once as `describe` does, and say what flows where; its flags, buffers and generators stay as they were.

    Layers are modules without parts; whatever else makes a tensor of tensors is an operation. A loop in the net's
    forward that runs the same layers over and over gives them once, with the number of their calls; a layer or block
    that the forward calls in several places is a node, or a block, in each: "drop" and "drop (2)". Raises UserError as
    `describe` does.

    >>> graph = net_graph(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), (4,))
    >>> graph.edges
    (('input', '0'), ('0', '1'), ('1', '2'), ('2', 'output'))
    """
    described = describe(net, sample_shape, dtype=dtype, sample=sample)
    kind: torch.dtype = dtype or getattr(net, "sample_dtype", torch.float32)
    device = next((weight.device for weight in net.parameters()), torch.device("cpu"))
    usual = torch.full(tuple(sample_shape), 0 if kind.is_floating_point else 1, dtype=kind)
    batch = torch.stack([(usual if sample is None else sample.detach()).to(device)])
    follower = _Follower(net)
    with undisturbed(net), follower.hooks(), follower:
        follower.begin(batch)
        follower.end(net(batch))
    modules = cast(Iterator[tuple[str, nn.Module]], net.named_modules())
    return NetGraph(
        name=name or type(net).__name__,
        nodes=tuple(node.frozen() for node in follower.nodes.values()),
        edges=tuple(edge for edge in follower.edges if edge[0] != edge[1]),
        kinds={path: type(module).__name__ for path, module in modules} | follower.kinds,
        input_shape=tuple(sample_shape),
        output_shape=described.output_shape,
        parameters=described.parameters,
        multiply_adds=described.multiply_adds,
    )


Path = tuple[str, ...]
Place = tuple[Any, ...]
"""Where a module is called: in the code, and by which module."""


@dataclass
class _Call:
    """A module whose forward is under way; `path` is its name in the graph, `children` how many it has called."""

    module: nn.Module
    path: Path
    children: int = 0


@dataclass
class _Node:
    """A node in the making."""

    node: LayerNode
    calls: int = 0
    work: int = field(default=0)

    @property
    def is_operation(self) -> bool:
        return self.node.operation

    def frozen(self) -> LayerNode:
        return replace(self.node, calls=max(1, self.calls), multiply_adds=self.work)


class _Follower(TorchFunctionMode):
    """Knows of every tensor in a pass which nodes made it."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.nodes: dict[str, _Node] = {}
        self.edges: dict[tuple[str, str], None] = {}
        self._net = net
        self._names = {module: path for path, module in cast(Iterator[tuple[str, nn.Module]], net.named_modules())}
        self._made_by: dict[int, tuple[str, ...]] = {}
        self._kept: list[Tensor] = []  # so that no id is given twice
        self.kinds: dict[str, str] = {}
        self._stack: list[_Call] = []
        self._whole = 0  # layers under way whose insides make no nodes
        self._places: dict[tuple[str, str, Place, frozenset[str]], str] = {}
        self._called: dict[Path, list[Place]] = {}  # where each module is called
        self._counted: set[nn.Parameter] = set()

    def hooks(self) -> "_Hooks":
        return _Hooks(self._net, self._before, self._after)

    def begin(self, batch: Tensor) -> None:
        self._put(batch, (INPUT,))

    def end(self, output: Any) -> None:
        for tensor in tensors_in(output):
            self._connect(self._sources([tensor]), OUTPUT)

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if not self._whole:
            made = list(tensors_in(result))
            sources = self._sources(tensors_in((args, kwargs)))
            if made and sources:
                self._operation(func, sources, made)
        return result

    def _operation(self, func: Callable[..., Any], sources: tuple[str, ...], made: list[Tensor]) -> None:
        name = getattr(func, "__name__", "").strip("_")
        name = _NAMES.get(name, name)
        if name in _LAYOUT or not name or not made[0].is_floating_point():
            for tensor in made:
                self._put(tensor, sources)
            return
        path = ".".join(self._stack[-1].path) if self._stack else ""
        # Over a list of layers each turn of a loop is an operation of its own; over one layer they all are the same.
        layers = frozenset(source for source in sources if source in self.nodes and not self.nodes[source].is_operation)
        place = (path, name, _called_from(), layers)
        if place not in self._places:
            number = sum(1 for other in self._places if other[:2] == (path, name))
            self._places[place] = ".".join(part for part in (path, f"{name}{number or ''}()") if part)
        id = self._places[place]
        node = LayerNode(
            id, name, (*(self._stack[-1].path if self._stack else ()), id), _shape(made[0]), operation=True
        )
        self._add(node, sources, made)

    def _before(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._stack.append(_Call(module, self._path_of(module, _called_from())))
        self._whole += self._is_layer(module)

    def _path_of(self, module: nn.Module, place: Place) -> Path:
        """The module's path, its name numbered where the block around it has called it in another place before."""
        own = tuple(self._names.get(module, "").split(".")) if self._names.get(module) else ()
        if not own:
            return ()
        names = [tuple(filter(None, self._names.get(call.module, "").split("."))) for call in self._stack]
        inside = [(call, name) for call, name in zip(self._stack, names, strict=True) if own[: len(name)] == name]
        around, name = inside[-1] if inside else (None, ())
        above = around.path if around else ()
        caller = self._stack[-1] if self._stack else None
        if caller:
            # That of a Sequential is no loop of the net's own.
            caller.children += type(caller.module).forward is nn.Sequential.forward
            place = (*place, caller.path, caller.children)
        path = (*above, *own[len(name) :])
        places = self._called.setdefault(path, [])
        if place not in places:
            places.append(place)
        number = places.index(place) + 1
        if number > 1 and path:
            path = (*path[:-1], f"{path[-1]} ({number})")
        if path != own:
            self.kinds[".".join(path)] = type(module).__name__
        return path

    def _after(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        # A net that catches an error of its own leaves modules on the stack whose forward never ended.
        while True:
            ended = self._stack.pop()
            self._whole -= self._is_layer(ended.module)
            if ended.module is module:
                break
        given, made = list(tensors_in((args, kwargs))), list(tensors_in(output))
        unknown = made and not self._sources(made)  # made where we cannot look: compiled code
        if self._whole or not made or not (self._is_layer(module) or unknown):
            return
        own = set(module.parameters(recurse=isinstance(module, WHOLE))) - self._counted
        self._counted |= own
        first = first_tensor((args, kwargs))
        work = multiply_adds(module, made[0] if first is None else first, made[0])
        size = sum(weight.numel() for weight in own)
        kind = type(module).__name__
        path = ended.path or (kind,)
        node = LayerNode(".".join(path), kind, path, _shape(made[0]), size, detail=_detail(module))
        self._add(node, self._sources(given) or (INPUT,), made, work)

    def _add(self, node: LayerNode, sources: tuple[str, ...], made: list[Tensor], work: int = 0) -> None:
        known = self.nodes.setdefault(node.id, _Node(node))
        known.node = replace(known.node, output_shape=node.output_shape)
        known.calls += 1
        known.work += work
        self._connect(sources, node.id)
        for tensor in made:
            self._put(tensor, (node.id,))

    def _connect(self, sources: Iterable[str], target: str) -> None:
        self.edges.update({(source, target): None for source in sources})

    def _put(self, tensor: Tensor, makers: tuple[str, ...]) -> None:
        self._kept.append(tensor)
        self._made_by[id(tensor)] = makers

    def _sources(self, tensors: Iterable[Tensor]) -> tuple[str, ...]:
        makers = (maker for tensor in tensors for maker in self._made_by.get(id(tensor), ()))
        return tuple(dict.fromkeys(makers))

    def _is_layer(self, module: nn.Module) -> bool:
        return isinstance(module, WHOLE) or next(module.children(), None) is None


class _Hooks:
    """Hooks on every module of a net, for the length of a block."""

    def __init__(self, net: nn.Module, before: Callable[..., None], after: Callable[..., None]) -> None:
        self._net, self._before, self._after = net, before, after
        self._handles: list[Any] = []

    def __enter__(self) -> None:
        for module in self._net.modules():
            if not isinstance(module, torch.jit.ScriptModule):  # compiled, so that no hook can follow it
                self._handles.append(module.register_forward_pre_hook(self._before, with_kwargs=True))
                self._handles.append(module.register_forward_hook(self._after, with_kwargs=True))

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.remove()


def tensors_in(value: Any) -> Iterator[Tensor]:
    """All tensors in `value`: tuples, lists and dictionaries of them in any depth."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        for entry in cast(dict[Any, Any], value).values():
            yield from tensors_in(entry)
    elif isinstance(value, list | tuple):
        for entry in cast(Iterable[Any], value):
            yield from tensors_in(entry)
    elif hasattr(value, "__dataclass_fields__"):
        yield from tensors_in(vars(value))


def _called_from() -> Place:
    """Where in the code of the net the call under way comes from, by way of which calls: a loop is one place.

    The nearest frame alone does not tell: between a forward and what it calls may stand a function of somebody who
    listens, as a watch of the training does.
    """
    places: list[tuple[int, int]] = []
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    while frame is not None and frame.f_code is not net_graph.__code__:
        if not frame.f_code.co_filename.startswith(_OURS):
            places.append((frame.f_lineno, frame.f_lasti))
        frame = frame.f_back
    return tuple(places)


def _shape(tensor: Tensor) -> tuple[int, ...]:
    shape = tuple(tensor.shape)
    return shape[1:] if shape[:1] == (1,) else shape


def _detail(module: nn.Module) -> str:
    """What a person wants to know of a layer beside its class: the kernel and its stride, the rate of a dropout."""
    if isinstance(module, CONVOLUTIONS + TRANSPOSED):
        stride = max(module.stride)
        groups = f" ÷{module.groups}" if module.groups > 1 else ""
        return "×".join(map(str, module.kernel_size)) + (f" /{stride}" if stride > 1 else "") + groups
    kernel: Any = getattr(module, "kernel_size", None)
    if kernel is not None:
        sides = cast(tuple[int, ...], kernel if isinstance(kernel, tuple) else (kernel, kernel))
        stride = cast(Any, getattr(module, "stride", None)) or kernel
        step = max(cast(tuple[int, ...], stride)) if isinstance(stride, tuple) else stride
        return "×".join(map(str, sides)) + (f" /{step}" if step > 1 else "")
    rate: Any = getattr(module, "p", None)
    return f"{rate:g}" if isinstance(rate, float) else ""
