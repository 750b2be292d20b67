"""Published weights into a net: every name and shape must fit, or nothing is changed."""

import re
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from danlu.base.errors import Fault, UserError, fail
from danlu.base.naming import listed
from danlu.base.shapes import show_shape

_MOST_ROWS = 10
# torchvision's DenseNet files carry names of a time when they might have a dot: norm.1.weight for norm1.weight.
_OLD_NAME = re.compile(r"(?P<layer>denselayer\d+\.(?:norm|relu|conv))\.(?P<rest>[12]\.)")
_AUXILIARY = ("aux1.", "aux2.")
_COUNTER = ".num_batches_tracked"


def put_weights(net: nn.Module, weights: Mapping[str, Tensor]) -> tuple[Fault, ...]:
    """Put `weights`, tensors by name as a weight file holds them, into `net`; what is to be told of it comes back.

    Names and shapes must be the net's, with three exceptions: the head (the net's `heads`, else its last layer) keeps
    its own first weights where the file's are for another number of classes; auxiliary heads that the net lacks are
    left out; counters of batches are not asked for, which old files lack. Old DenseNet names are understood. Anything
    else is a UserError with a table of differences, and the net stays as it was.

    >>> net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> file = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 7)).state_dict()
    >>> [str(note) for note in put_weights(net, file)]
    ['The layer 2 starts anew: it has 2 outputs, in the weights it has 7.']
    """
    wanted = net.state_dict()
    found = _by_todays_names(weights)
    notes: list[Fault] = []
    left_out = {name for name in found if name.startswith(_AUXILIARY) and name not in wanted}
    if left_out:
        layers = sorted({name.partition(".")[0] for name in left_out})
        notes.append(Fault("nets.weights-auxiliary", {"layers": ", ".join(layers)}))
    for head in _heads(net, wanted):
        names = {name for name in wanted if name.startswith(f"{head}.")}
        if _other_classes(names, wanted, found):
            weight = f"{head}.weight"
            values = {"layer": head, "wanted": len(wanted[weight]), "found": len(found[weight])}
            notes.append(Fault("nets.weights-new-head", values))
            left_out |= names
    fitting = {name: tensor for name, tensor in found.items() if name not in left_out}
    _refuse_not_finite(fitting)
    _refuse_misfits({name: tensor for name, tensor in wanted.items() if name not in left_out}, fitting)
    _refuse_too_large(wanted, fitting)
    with torch.no_grad():
        for name, tensor in fitting.items():
            wanted[name].copy_(tensor)
    return tuple(notes)


def has_layout_of(net: nn.Module, weights: Mapping[str, Tensor]) -> bool:
    """Whether names and shapes of a weight file's tensors are exactly those of `net`, but for what `put_weights` leaves
    out or does not ask for.
    """
    wanted = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items() if not name.endswith(_COUNTER)}
    found = {name: tuple(tensor.shape) for name, tensor in _by_todays_names(weights).items()}
    extra = {name for name in found if name not in wanted and (name.startswith(_AUXILIARY) or name.endswith(_COUNTER))}
    return wanted == {name: shape for name, shape in found.items() if name not in extra}


def _by_todays_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {_OLD_NAME.sub(r"\g<layer>\g<rest>", name): tensor for name, tensor in weights.items()}


def check_weights(net: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """UserError with a table of differences unless names and shapes of `weights` are the net's."""
    _refuse_misfits({name: part for name, part in net.state_dict().items() if isinstance(part, Tensor)}, weights)


def _heads(net: nn.Module, wanted: Mapping[str, Tensor]) -> Sequence[str]:
    own = getattr(net, "heads", None)
    if own is not None:
        return own
    return [name.rpartition(".")[0] for name in list(wanted)[-1:]]


def _other_classes(names: Iterable[str], wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> bool:
    """Whether the layer's tensors are all there and differ in their first axis, and in nothing else."""
    pairs = [(wanted[name].shape, found[name].shape) for name in names if name in found]
    complete = bool(pairs) and len(pairs) == len(list(names))
    return complete and all(
        len(ours) and len(ours) == len(theirs) and ours[0] != theirs[0] and ours[1:] == theirs[1:]
        for ours, theirs in pairs
    )


def _refuse_misfits(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Raise with a table where `found` is not what is wanted."""
    missing = [name for name in wanted if name not in found and not name.endswith(_COUNTER)]
    unexpected = [name for name in found if name not in wanted]
    wrong = [name for name in found if name in wanted and found[name].shape != wanted[name].shape]
    # A copy would round, drop an imaginary part, or make 0 and 1 of yes and no.
    other = [name for name in found if name in wanted and _differ_in_kind(wanted[name], found[name])]
    if not (missing or unexpected or wrong or other):
        return
    head = {"missing": len(missing), "unexpected": len(unexpected), "wrong": len({*wrong, *other})}
    rows = [Fault("nets.weights-do-not-fit", head)]
    rows += _rows("missing", missing, wanted)
    rows += _rows("unexpected", unexpected, found)
    for name in wrong[:_MOST_ROWS]:
        shapes = {"wanted": show_shape(tuple(wanted[name].shape)), "found": show_shape(tuple(found[name].shape))}
        rows.append(Fault("nets.weights-wrong-shape", {"name": name, **shapes}))
    rows += _rest("wrong-shape", wrong)
    for name in other[:_MOST_ROWS]:
        kinds = {"wanted": show_dtype(wanted[name]), "found": show_dtype(found[name])}
        rows.append(Fault("nets.weights-wrong-type", {"name": name, **kinds}))
    rows += _rest("wrong-type", other)
    raise UserError(*rows)


def show_dtype(tensor: Tensor) -> str:
    """The type of a tensor's numbers, as people write it."""
    return str(tensor.dtype).removeprefix("torch.")


def _differ_in_kind(ours: Tensor, theirs: Tensor) -> bool:
    return (ours.is_floating_point(), ours.is_complex()) != (theirs.is_floating_point(), theirs.is_complex())


def _refuse_not_finite(found: Mapping[str, Tensor]) -> None:
    """UserError where weights to begin with are NaN or infinite: nothing could be learnt from them."""
    bad = [name for name, tensor in found.items() if not torch.isfinite(tensor).all()]
    if bad:
        fail("nets.weights-not-finite", names=listed(bad, _MOST_ROWS), count=len(bad))


def _refuse_too_large(wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """UserError where numbers that are finite would be infinite in the net's own type."""
    bad = [name for name, tensor in found.items() if not torch.isfinite(tensor.to(wanted[name].dtype)).all()]
    if bad:
        kept = show_dtype(wanted[bad[0]])
        fail("nets.weights-too-large", names=listed(bad, _MOST_ROWS), count=len(bad), kept=kept)


def _rows(kind: str, names: Sequence[str], tensors: Mapping[str, Tensor]) -> list[Fault]:
    rows = [
        Fault(f"nets.weights-{kind}", {"name": name, "shape": show_shape(tuple(tensors[name].shape))})
        for name in names[:_MOST_ROWS]
    ]
    return rows + _rest(kind, names)


def _rest(kind: str, names: Sequence[str]) -> list[Fault]:
    count = len(names) - _MOST_ROWS
    return [Fault(f"nets.weights-{kind}-rest", {"count": count})] if count > 0 else []
