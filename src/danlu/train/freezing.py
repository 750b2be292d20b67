"""Parts of a net that are not trained, for good or until an epoch; and rates of their own for parts that are."""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from torch import nn

from danlu.base.errors import Faults, nearest


def parts_of(net: nn.Module) -> list[str]:
    """Everything in a net that has parameters, by dotted name: layers, groups of layers, single parameters.

    >>> parts_of(nn.Sequential(nn.Linear(2, 2), nn.ReLU()))
    ['0', '0.weight', '0.bias']
    """
    names: dict[str, None] = {}
    for name, _ in net.named_parameters(remove_duplicate=False):
        pieces = name.split(".")
        names.update((".".join(pieces[:count]), None) for count in range(1, len(pieces) + 1))
    return list(names)


def lies_in(name: str, parts: Iterable[str]) -> bool:
    """Whether the parameter or module called `name` is one of `parts` or lies in one."""
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def parameters_in(net: nn.Module, parts: Iterable[str]) -> dict[nn.Parameter, str]:
    """The parameters of `parts`, each with its name there; one that two layers share lies in both."""
    parts = tuple(parts)
    every = net.named_parameters(remove_duplicate=False)
    return {parameter: name for name, parameter in every if lies_in(name, parts)}


def check_parts(net: nn.Module, named: Sequence[str], key: str, faults: Faults) -> None:
    """Collect a fault for each of `named` that is no part of the net."""
    known = parts_of(net)
    for name in named:
        if name not in known:
            outer = ", ".join(part for part in known if "." not in part)
            faults.add("train.no-such-part", key=key, name=name, parts=outer, hint=nearest(name, known))


class Freezer:
    """Keeps the parts called `frozen` as they are, until epoch `thaw` (from 1; None: to the end).

    Batch norm inside them keeps its running statistics too: it would drift away from weights that stand still. Entered,
    it leaves the net behind as it was before, whatever happens.

    >>> net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    >>> with Freezer(net, ["0"], thaw=3) as freeze:
    ...     for epoch in (0, 1, 2):
    ...         freeze(epoch)
    ...         print(net[0].weight.requires_grad)
    False
    False
    True
    """

    def __init__(self, net: nn.Module, frozen: Sequence[str], thaw: int | None) -> None:
        self._thaw = thaw
        self._parameters = [parameter for parameter in parameters_in(net, frozen) if parameter.requires_grad]
        self._modules = [module for name, module in net.named_modules() if lies_in(name, frozen)]

    def __call__(self, epoch: int) -> None:
        """Freeze or thaw for `epoch`, counted from 0; called after `net.train()`."""
        frozen = self._thaw is None or epoch + 1 < self._thaw
        for parameter in self._parameters:
            parameter.requires_grad_(not frozen)
        if frozen:
            for module in self._modules:
                module.eval()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for parameter in self._parameters:
            parameter.requires_grad_(True)
