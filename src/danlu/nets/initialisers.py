"""First weights by name, for all layers or by layer type."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from torch import Tensor, nn

from danlu.base.errors import Fault, Faults, nearest
from danlu.nets.options import OptionCheck, number_in

Init = str | tuple[str, float] | list[Any] | Mapping[str, Any]
"""A name; a name and its scale; or such by layer type: {"Linear": "xavier-uniform", "Conv2d": ("normal", 0.02)}."""

DEFAULT = "default"


def _kaiming_uniform(weight: Tensor, scale: float) -> None:
    nn.init.kaiming_uniform_(weight, nonlinearity="relu").mul_(scale)


def _kaiming_normal(weight: Tensor, scale: float) -> None:
    nn.init.kaiming_normal_(weight, nonlinearity="relu").mul_(scale)


# What `scale` means, and the scale where none is given.
INITIALISERS: dict[str, tuple[Callable[[Tensor, float], object], float]] = {
    "normal": (lambda weight, scale: nn.init.normal_(weight, std=scale), 0.01),  # its standard deviation
    "constant": (nn.init.constant_, 0.0),  # the constant itself
    "xavier-uniform": (nn.init.xavier_uniform_, 1.0),  # from here on: a factor on the published spread
    "xavier-normal": (nn.init.xavier_normal_, 1.0),
    "kaiming-uniform": (_kaiming_uniform, 1.0),
    "kaiming-normal": (_kaiming_normal, 1.0),
    "orthogonal": (nn.init.orthogonal_, 1.0),
}

_RECURRENT = ("RNN", "GRU", "LSTM")
_LAYERS = (
    *("Linear", "Bilinear", "Conv1d", "Conv2d", "Conv3d"),
    *("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d", *_RECURRENT),
)


def initialise(net: nn.Module, init: Init, *, scale: float | None = None) -> None:
    """Draw the weights of `net` anew: `init` for every linear, convolution and recurrent layer, or by layer type.

    The names are those of `INITIALISERS`; layer types are class names, "Embedding" too, and what `init` does not name
    keeps its weights. `scale` is the standard deviation of "normal", the value of "constant", and for the others a
    factor on the spread of the paper (Glorot and Bengio 2010 at gain 1; He et al. 2015 for ReLU, by inputs; Saxe et al.
    2013). Biases become 0, but those of recurrent layers stay, where the forget gate's bias may have been chosen; each
    gate's matrix is drawn on its own. Draws from torch's global generator. Raises UserError for unknown names.

    >>> net = nn.Sequential(nn.Conv2d(1, 6, 5), nn.Flatten(), nn.Linear(6, 2))
    >>> initialise(net, {"Linear": "constant"}, scale=0.5)
    >>> net[2].weight.unique()
    tensor([0.5000], grad_fn=<Unique2Backward0>)
    """
    own = {type(layer).__name__ for layer in net.modules() if hasattr(layer, "weight")}
    faults = Faults()
    plan = _plan(init, own, faults)
    faults.raise_if_any()
    for layer in net.modules():
        kind = next((base.__name__ for base in type(layer).__mro__ if base.__name__ in plan), None)
        if kind is not None:
            name, own_scale = plan[kind]
            _draw(layer, name, own_scale if own_scale is not None else scale)


def init_option(check: OptionCheck, value: object) -> Any:
    """The net option `init`, checked, as plain values for a recipe; "default" leaves the net its own first weights."""
    if value == DEFAULT:
        return DEFAULT
    plan = _plan(value, (), check.faults)
    if isinstance(value, Mapping):
        return {kind: _together(*choice) for kind, choice in plan.items()}
    return _together(*next(iter(plan.values()), (DEFAULT, None)))


def _together(name: str, scale: float | None) -> str | list[Any]:
    return name if scale is None else [name, scale]


def _plan(init: object, own: Iterable[str], faults: Faults) -> dict[str, tuple[str, float | None]]:
    """Name and scale of the initialiser by layer type."""
    if not isinstance(init, Mapping):
        choice = _choice(init, "net.init", faults)
        return dict.fromkeys(_LAYERS, choice) if choice else {}
    known = {*_LAYERS, "Embedding", *own}
    plan: dict[str, tuple[str, float | None]] = {}
    for kind, value in cast(Mapping[str, object], init).items():
        if kind not in known:
            hint = nearest(kind, known)
            faults.add("nets.unknown-layer-type", key=f"net.init.{kind}", kinds=", ".join(sorted(known)), hint=hint)
        if choice := _choice(value, f"net.init.{kind}", faults):
            plan[kind] = choice
    return plan


def _choice(value: object, key: str, faults: Faults) -> tuple[str, float | None] | None:
    given, scale = value, None
    if isinstance(value, list | tuple) and len(cast(list[object], value)) == 2:
        given, scale = cast(list[object], value)
        scale = number_in(scale)
        if scale is None:
            faults.add("nets.bad-option", key=key, found=repr(value), wanted=Fault("nets.wanted-scale"), hint="")
    name = given.lower().replace("_", "-") if isinstance(given, str) else ""
    if name not in INITIALISERS:
        wanted = Fault("nets.wanted-one-of", {"choices": ", ".join(INITIALISERS)})
        faults.add("nets.bad-option", key=key, found=repr(given), wanted=wanted, hint=nearest(name, INITIALISERS))
        return None
    return name, scale


def _draw(layer: nn.Module, name: str, scale: float | None) -> None:
    draw, usual = INITIALISERS[name]
    recurrent = hasattr(layer, "weight_hh_l0")
    for key, weight in layer.named_parameters(recurse=False):
        if weight.dim() >= 2:
            # Gates are stacked on the first axis; without gates this is the matrix itself.
            for part in weight.detach().split(cast(int, layer.hidden_size) if recurrent else len(weight)):
                draw(part, usual if scale is None else scale)
        elif key.startswith("bias") and not recurrent:
            nn.init.zeros_(weight)
