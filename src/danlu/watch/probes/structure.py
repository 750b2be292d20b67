"""What a net is made of, and which of its parameters the optimisers move: read from modules, never from data."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from torch import nn

from danlu.watch.layer_facts import Net
from danlu.watch.tracing import is_unmade, unreadable

BATCH_NORMS = (
    nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm,
    nn.LazyBatchNorm1d, nn.LazyBatchNorm2d, nn.LazyBatchNorm3d,
)  # fmt: skip
_MOST_MEMBERS = 1_000  # of a list that are looked at: a longer one is one of numbers or samples
_DROPOUTS = (nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout)


def read_net(roots: Mapping[str, nn.Module]) -> Net:
    """The facts about a net that do not change while it is trained."""
    dropout: dict[str, float] = {}
    norms: list[str] = []
    frozen: list[bool] = []
    recurrent = compiled = False
    parameters: set[nn.Parameter] = set()
    blank: list[str] = []
    seen: set[nn.Module] = set()
    for prefix, root in roots.items():
        for path, module in root.named_modules(seen):  # what two nets share counts once
            name = ".".join(part for part in (prefix, path) if part) or type(module).__name__
            if isinstance(module, _DROPOUTS) and module.p > 0:
                dropout[name] = float(module.p)
            elif isinstance(module, BATCH_NORMS):
                norms.append(name)
                if module.affine:
                    frozen.append(not any(parameter.requires_grad for parameter in module.parameters()))
            recurrent = recurrent or isinstance(module, nn.RNNBase | nn.RNNCellBase)
            compiled = compiled or is_compiled(module)
        blank += [".".join(filter(None, (prefix, path))) for path, one in root.named_parameters() if _is_blank(one)]
        parameters.update(root.parameters())
    return Net(
        trainable=sum(parameter.requires_grad for parameter in parameters),
        dropout=dropout,
        norms=tuple(norms),
        frozen_norms=bool(frozen) and all(frozen),
        compiled=compiled,
        frozen_at_zero=tuple(blank),
        recurrent=recurrent,
    )


def _is_blank(parameter: nn.Parameter) -> bool:
    """Whether a matrix is frozen while it holds nothing but zeros, as the second one of an adapter does at first."""
    if parameter.requires_grad or parameter.dim() < 2 or is_unmade(parameter) or unreadable(parameter):
        return False
    return parameter.numel() > 0 and not bool(parameter.flatten()[:1].any()) and not bool(parameter.any())


def is_compiled(module: nn.Module) -> bool:
    """Whether calls of the module run code that torch.compile made."""
    return hasattr(module, "_orig_mod") or getattr(module, "_compiled_call_impl", None) is not None


def read_optimised(net: Net, roots: Mapping[str, nn.Module], reached: Collection[int], moved: Collection[int]) -> None:
    """Note which parameters a gradient has `reached` (their ids) that no optimiser has `moved` or holds, and whether
    they all lie below the optimised ones."""
    missing: list[str] = []
    seen_optimised = False
    first = True
    for prefix, root in roots.items():
        for path, parameter in root.named_parameters():
            if id(parameter) in moved:
                seen_optimised = True
            elif parameter.requires_grad and id(parameter) in reached:
                missing.append(".".join(part for part in (prefix, path) if part))
                first = first and not seen_optimised
    net.unoptimised = tuple(missing)
    net.unoptimised_first = bool(missing) and first and seen_optimised


def unlisted_parameters(roots: Collection[nn.Module]) -> set[int]:
    """The ids of the parameters in plain lists, tuples, sets and dicts of modules, which do not register them.

    >>> class Net(nn.Module):
    ...     def __init__(self) -> None:
    ...         super().__init__()
    ...         self.layers = [nn.Linear(2, 2), nn.ReLU()]
    >>> len(unlisted_parameters([Net()]))
    2
    """
    registered = {id(parameter) for root in roots for parameter in root.parameters()}
    held = [value for root in roots for module in root.modules() for value in vars(module).values()]
    plain = [value for value in held if isinstance(value, list | tuple | set | dict)]
    return {id(parameter) for value in plain for parameter in _parameters_in(value, depth=3)} - registered


def _parameters_in(value: Any, depth: int) -> Iterator[nn.Parameter]:
    if isinstance(value, nn.Parameter):
        yield value
    elif isinstance(value, nn.Module):
        yield from value.parameters()
    elif depth and isinstance(value, list | tuple | set | dict):
        for member in list(value.values() if isinstance(value, dict) else value)[:_MOST_MEMBERS]:
            yield from _parameters_in(member, depth - 1)


def drops_by_layers(net: nn.Module) -> bool:
    """Whether a dropout layer of a net stands in training mode, whatever the net itself does.

    >>> net = nn.Sequential(nn.Linear(2, 2), nn.Dropout()).eval()
    >>> drops_by_layers(net), drops_by_layers(net.train())
    (False, True)
    """
    return any(one.training for one in net.modules() if isinstance(one, _DROPOUTS))
