"""What is read from a batch of sequences alone: how its targets lie to its inputs, and where it is padded."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import nn

from danlu.watch.patches import LossCall
from danlu.watch.probes.answers import by_place, first_answer

_FEWEST = 16  # places that are compared
_SAME, _OTHER = 0.98, 0.9  # share of equal places from which on two rows are the same, and up to which they are not
_MOST_ASKED = 0.25  # of the places, of a masked language model
_FEWEST_TOKENS = 4  # that are asked for
_MOST_FEATURES = 8
_MOST_INSIDE = 0.02  # of a padding token's places, those before the end
_PADDED_ROWS, _PADDED_PLACES = 0.3, 0.05


@dataclass(frozen=True)
class Relation:
    """The targets are the inputs, `lag` places on: 1 where each target is the next place's input, 0 where its own, 2
    where it is that after the next.

    `time` is the dimension of the places, 2 where channels come before them [N, C, T]; `places` is how many there are.
    """

    lag: int
    time: int
    places: int
    few: bool = False  # a few of the places alone are asked for, as of a masked language model

    @property
    def batch(self) -> int:
        """The dimension of the samples."""
        return 1 if self.time == 0 else 0


@dataclass(frozen=True)
class Padding:
    """Rows [N, T] end in runs of `token`, of several lengths; `mask` is True there.

    `begins`: every row begins with it too.
    """

    token: int
    mask: torch.Tensor
    begins: bool

    @property
    def share(self) -> float:
        """Of all places."""
        return float(self.mask.float().mean())

    @property
    def lengths(self) -> torch.Tensor:
        """Places of each row that are not padded [N]."""
        return (~self.mask).sum(1)


def relation_of(
    inputs: torch.Tensor, targets: torch.Tensor, ignored: int | None, outputs_begin: int = 0
) -> Relation | None:
    """How targets, in whatever shape, lie to inputs [N, T] or [T, N], tokens, or numbers with features behind; None
    where they are something else.

    Where the targets are a place shorter than the inputs, `outputs_begin` says whether the outputs that met them are
    those of the first places (0) or of all but the first (1).

    >>> x = torch.randint(9, (4, 12), generator=torch.Generator().manual_seed(0))
    >>> pairs = [(x[:, :-1], x[:, 1:].flatten()), (x, x), (x, x[:, 1:])]
    >>> [(one.lag, one.time, one.places) for one in (relation_of(*pair, None) for pair in pairs) if one]
    [(1, 1, 11), (0, 1, 12), (1, 1, 12)]
    """
    for known in _as_places(inputs):
        for time in (1, 0):
            found = _relation(known, targets, ignored, time, outputs_begin)
            if found is not None:
                return found
    if inputs.dim() == 3 and inputs.dtype.is_floating_point and inputs.shape[1] <= _MOST_FEATURES < inputs.shape[2]:
        for channel in inputs.unbind(1):
            found = _relation(channel, targets, ignored, 1, outputs_begin)
            if found is not None:
                return replace(found, time=2)
    return None


def _as_places(inputs: torch.Tensor) -> Iterator[torch.Tensor]:
    """The inputs as one number for each place [A, B], or as they are [A, B, D], where that is what targets may be."""
    if inputs.dim() == 2:
        yield inputs
    elif inputs.dim() == 3:
        if inputs.shape[2] == 1:
            yield inputs[:, :, 0]
            return
        if is_one_hot(inputs):
            yield inputs.argmax(2)
            return
        yield inputs
        if inputs.shape[2] <= _MOST_FEATURES:
            yield from inputs.unbind(2)


def is_one_hot(inputs: torch.Tensor) -> bool:
    """Whether every place of floating numbers [A, B, D] is one 1 among zeros.

    >>> is_one_hot(torch.eye(3)[None]), is_one_hot(torch.ones(1, 2, 2))
    (True, False)
    """
    if inputs.dim() != 3 or not inputs.dtype.is_floating_point or inputs.shape[2] < 2:
        return False
    return bool(((inputs == 0) | (inputs == 1)).all()) and bool((inputs.sum(2) == 1).all())


def _relation(
    inputs: torch.Tensor, targets: torch.Tensor, ignored: int | None, time: int, outputs_begin: int
) -> Relation | None:
    places = inputs.shape[time]
    if places < 3:
        return None
    first, last = _part(inputs, time, 0, places - 1), _part(inputs, time, 1, places)
    if targets.numel() == inputs.numel():
        whole = targets.reshape(inputs.shape)
        lags = {1: (_part(whole, time, 0, places - 1), last), 0: (whole, inputs)}
    elif targets.numel() == first.numel():
        short = targets.reshape(first.shape)
        lags = {1 - outputs_begin: (short, last), -outputs_begin: (short, first)}
    else:
        return None
    shares = {lag: _share_equal(*pair, ignored) for lag, pair in lags.items()}
    best = max(shares, key=lambda lag: shares[lag])
    other = min(shares.values()) if len(shares) > 1 else 0.0
    if shares[best] >= _SAME and other <= _OTHER:
        return Relation(best, time, places)
    if targets.numel() == inputs.numel() and _are_given(targets.reshape(inputs.shape), inputs, ignored):
        return Relation(0, time, places, few=True)
    if shares[best] <= _OTHER and not inputs.dtype.is_floating_point and places > 3:
        whole = targets.reshape(inputs.shape if targets.numel() == inputs.numel() else first.shape)
        twice = 2 - outputs_begin if targets.numel() < inputs.numel() else 2
        start = _part(whole, time, 0, places - twice)
        if _share_equal(start, _part(inputs, time, twice, places), ignored) >= _SAME:
            return Relation(2, time, places)
    return None


def _are_given(targets: torch.Tensor, inputs: torch.Tensor, ignored: int | None) -> bool:
    """Whether tokens that are asked for in a few places stand there in the inputs."""
    if ignored is None or targets.dtype.is_floating_point or inputs.dtype.is_floating_point:
        return False
    asked = targets != ignored
    known = targets[asked]
    return (
        _FEWEST <= known.numel() < _MOST_ASKED * targets.numel()
        and len(known.unique()) >= _FEWEST_TOKENS
        and float((known == inputs[asked]).float().mean()) >= _SAME
    )


def _share_equal(targets: torch.Tensor, inputs: torch.Tensor, ignored: int | None) -> float:
    same = targets == inputs
    if ignored is not None and not targets.dtype.is_floating_point:
        counted = targets != ignored
        same = same[counted]
        if counted.float().mean() < _MOST_ASKED:  # a few places alone are asked for: a masked language model
            return 0.0
    return float(same.float().mean()) if same.numel() >= _FEWEST else 0.0


def _part(tensor: torch.Tensor, dimension: int, start: int, stop: int) -> torch.Tensor:
    return tensor.narrow(dimension, start, stop - start)


def padding_of(tokens: torch.Tensor) -> Padding | None:
    """Where rows of tokens [N, T] are padded at their ends; None where they are not.

    >>> padding_of(torch.tensor([[5, 6, 7, 0], [5, 0, 0, 0], [4, 3, 0, 0]])).lengths.tolist()
    [3, 1, 2]

    The same token may begin every row.

    >>> padding_of(torch.tensor([[0, 6, 7, 0, 0], [0, 5, 0, 0, 0], [0, 4, 3, 5, 0]])).lengths.tolist()
    [3, 2, 4]
    """
    if tokens.dim() != 2 or tokens.dtype.is_floating_point or tokens.dtype == torch.bool or tokens.shape[1] < 3:
        return None
    token = tokens[:, -1].mode().values
    is_token = tokens == token
    mask = is_token.flip(1).cumprod(1).flip(1).bool()
    runs = mask.sum(1)
    begins = bool(is_token[:, 0].all())
    inside = float((is_token & ~mask)[:, int(begins) :].sum()) / max(1.0, float(is_token.sum()))
    padded = float((runs >= 2).float().mean())
    if inside > _MOST_INSIDE or padded < _PADDED_ROWS or float(mask.float().mean()) < _PADDED_PLACES:
        return None
    return (
        Padding(int(token), mask, begins) if len(runs.unique()) > 1 and bool((runs < tokens.shape[1]).any()) else None
    )


def is_declared(
    padding: Padding, inputs: torch.Tensor, given: Iterable[torch.Tensor], modules: Iterable[nn.Module]
) -> bool:
    """Whether a net is told what of its `inputs` is padding: by its embedding, or, among all that it is `given`, by a
    mask or by the lengths."""
    if any(isinstance(one, nn.Embedding) and one.padding_idx == padding.token for one in modules):
        return True
    lengths = padding.lengths
    for one in given:
        if one is not inputs and one.shape == padding.mask.shape:
            same = (one != 0) == padding.mask
            if bool(same.all()) or not bool(same.any()):
                return True
        if one.shape == lengths.shape and torch.equal(one.to(lengths), lengths):
            return True
    return False


def gaps(inputs: torch.Tensor, targets: torch.Tensor, ignored: int | None, time: int) -> float:
    """Of the targets, which are the inputs [N, T] (or [T, N] with `time` 0) one place on, the share that a loss leaves
    out though others before and after them count: padding, which ends a row, is none of them. NaN where that is not
    known.

    >>> row = torch.tensor([[5, 0, 7, 0, 0]])
    >>> gaps(row, torch.tensor([[0, 7, 0, 0, 0]]), 0, 1), gaps(row, torch.tensor([[0, 7, 0, 0, 6]]), 0, 1)
    (0.0, 0.5)
    """
    if ignored is None or ignored < 0 or inputs.dim() != 2 or targets.numel() != inputs.numel():
        return float("nan")
    targets = targets.reshape(inputs.shape)
    if time == 0:
        inputs, targets = inputs.t(), targets.t()
    counts = targets != ignored
    between = (counts.cumsum(1) > 0) & (counts.flip(1).cumsum(1).flip(1) > 0)
    left = ((targets == ignored) & between)[:, :-1] & (inputs[:, 1:] == ignored)
    return float(left.sum()) / max(1.0, float(counts.sum() + left.sum()))


def left_out(padding: Padding, targets: torch.Tensor, ignored: int | None) -> float:
    """Of the places that are no padding the share whose class the loss leaves out; NaN where that is not known.

    >>> padded = padding_of(torch.tensor([[5, 6, 7, 0], [5, 0, 0, 0], [4, 3, 0, 0]]))
    >>> left_out(padded, torch.tensor([1, 0, 2, 0, 0, 0, 0, 0, 1, 1, 0, 0]), 0)
    0.333...
    """
    if ignored is None or ignored < 0 or targets.numel() != padding.mask.numel():
        return float("nan")
    return float((targets.reshape(padding.mask.shape)[~padding.mask] == ignored).float().mean())


def begins(inputs: torch.Tensor, given: list[torch.Tensor], loss: LossCall) -> int:
    """Whether outputs that are a place shorter than the inputs [N, T] are all but the first (1) or the last (0)."""
    answers = first_answer(given)
    answers = by_place(answers, inputs) if answers is not None and inputs.dim() >= 2 else None
    if answers is None or loss.outputs.numel() != answers[:, 1:].numel() or answers.shape[1] < 2:
        return 0
    met = loss.outputs
    if met.dim() == 3 and met.shape[1] == answers.shape[2] != met.shape[2]:
        met = met.transpose(1, 2)
    met = met.reshape(answers.shape[0], answers.shape[1] - 1, answers.shape[2])
    return int(torch.equal(met.to(answers.dtype), answers[:, 1:]))
