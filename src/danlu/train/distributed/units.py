"""The parts of a net that FSDP puts together one at a time, each before its forward and again before its backward."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import nn

from danlu.base.errors import fail

_LEAST_SHARE = 1 / 64  # of the weights: what is smaller is not worth a message of its own


def possible_units(net: nn.Module) -> dict[str, nn.Module]:
    """The entries of sequences and lists of layers by name, but for small ones, and those that share weights with
    what is outside of them.

    >>> list(possible_units(nn.Sequential(nn.Linear(9, 9), nn.ReLU(), nn.Sequential(nn.Linear(9, 9), nn.Linear(9, 9)))))
    ['0', '2.0', '2.1']
    """
    owners: dict[nn.Parameter, int] = {}
    for module in net.modules():
        for parameter in module.parameters(recurse=False):
            owners[parameter] = owners.get(parameter, 0) + 1
    least = _LEAST_SHARE * sum(parameter.numel() for parameter in owners)

    def is_unit(module: nn.Module) -> bool:
        inside: dict[nn.Parameter, int] = {}
        for part in module.modules():
            for parameter in part.parameters(recurse=False):
                inside[parameter] = inside.get(parameter, 0) + 1
        large = sum(parameter.numel() for parameter in inside) >= least
        return large and all(owners[parameter] == count for parameter, count in inside.items())

    found: dict[str, nn.Module] = {}

    def look(module: nn.Module, name: str) -> None:
        listed = isinstance(module, nn.Sequential | nn.ModuleList)
        for child_name, child in module.named_children():
            inner = f"{name}.{child_name}".removeprefix(".")
            if listed and not isinstance(child, nn.Sequential | nn.ModuleList | nn.ModuleDict) and is_unit(child):
                found[inner] = child
            else:
                look(child, inner)

    look(net, "")
    return found


class Units:
    """A net whose parameters FSDP holds in parts, but for the `whole` ones; `names` are its units as they are called.

    What the processes send each other belongs together by its order alone, so a call of other units, or in another
    order, ends the process that makes it with a UserError. `reached` are the numbers of those parameters that had a
    gradient since it was emptied last.
    """

    def __init__(self, net: nn.Module, names: Sequence[str], world: int, whole: set[nn.Parameter]) -> None:
        # A second of importing, which no other training needs.
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import FSDPModule, fully_shard

        mesh = init_device_mesh("cpu", (world,))
        self.reached: set[int] = set()
        self._names = names
        self._called = 0
        numbers = {parameter: number for number, parameter in enumerate(net.parameters())}
        every = set(net.modules())
        units: list[Any] = [net.get_submodule(name) for name in names]
        inside = [set(unit.modules()) for unit in units]
        of_root = every.difference(*inside)
        for unit, modules in zip([*units, net], [*inside, of_root], strict=True):
            places = [
                (module, name, numbers[parameter])
                for module in modules
                for name, parameter in module.named_parameters(recurse=False)
                if parameter not in whole
            ]
            fully_shard(unit, mesh=mesh, reshard_after_forward=True, ignored_params=whole)
            if places:
                unit.register_forward_hook(self._noting(places), prepend=True)
        for unit in net.modules():
            if isinstance(unit, FSDPModule):  # the sum of all, as it comes
                unit.set_force_sum_reduction_for_comms(True)
                unit.set_gradient_divide_factor(1.0)
        root: Any = net
        root.set_reduce_scatter_unused_params(True)
        for place, unit in enumerate(units):
            unit.register_forward_pre_hook(self._following(place), prepend=True)
        net.register_forward_pre_hook(self._begin, prepend=True)
        net.register_forward_hook(self._end)

    def _noting(self, places: Sequence[tuple[nn.Module, str, int]]) -> Callable[..., None]:
        """After the first forward of a unit, while it is together: its parameters tell when they get a gradient."""
        done = False

        def note(*call: Any) -> None:
            nonlocal done
            if done:
                return
            done = True
            for module, name, number in places:
                parameter = getattr(module, name)
                if parameter.requires_grad:
                    parameter.register_post_accumulate_grad_hook(self._reaching(number))

        return note

    def _reaching(self, number: int) -> Callable[[Any], None]:
        return lambda parameter: self.reached.add(number)

    def _begin(self, *call: Any) -> None:
        self._called = 0

    def _following(self, place: int) -> Callable[..., None]:
        def follow(*call: Any) -> None:
            if place != self._called:
                self._refuse(self._names[place])
            self._called += 1

        return follow

    def _end(self, *call: Any) -> None:
        if self._called != len(self._names):
            self._refuse(self._names[self._called])

    def _refuse(self, name: str) -> None:
        fail("processes.fsdp-other-calls", name=name)
