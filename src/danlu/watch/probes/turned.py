"""Whether a net that fails on held-out pictures knows them once they are turned, mirrored or scaled back."""

from collections.abc import Callable, Mapping

import torch
from torch import nn

from danlu.watch.conduct import Unfair
from danlu.watch.measured import Measured
from danlu.watch.probes.answers import first_answer
from danlu.watch.trying import Copy, ModuleCall, UntriedError

_FEWEST = 24  # samples
_LEARNT = 0.6  # accuracy in training
_FAILS = 0.25  # by so much less on the held-out samples, as they come
_KNOWS = 0.3  # by so much more once they are changed

# Each as code that people can try themselves.
_CHANGES: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "x.transpose(2, 3)": lambda x: x.transpose(2, 3) if x.shape[2] == x.shape[3] else x,
    "x.flip(3)": lambda x: x.flip(3),
    "x.flip(2)": lambda x: x.flip(2),
    "x.rot90(1, (2, 3))": lambda x: x.rot90(1, (2, 3)) if x.shape[2] == x.shape[3] else x,
    "x.rot90(3, (2, 3))": lambda x: x.rot90(3, (2, 3)) if x.shape[2] == x.shape[3] else x,
    "x.flip(1)": lambda x: x.flip(1),
    "x.max() - x": lambda x: x.max() + x.min() - x,
    "x / 255": lambda x: x / 255,
    "x * 255": lambda x: x * 255,
}


def look_turned(measured: Measured, roots: Mapping[str, nn.Module], kept: tuple[torch.Tensor, torch.Tensor]) -> None:
    """Ask a copy of the only net about held-out pictures [N, C, H, W] with their classes [N], as they came and changed;
    what is found stands in `measured.unfair`."""
    inputs, labels = kept
    train = measured.accuracy.end(0.2) if measured.accuracy.count else 0.0
    if len(roots) != 1 or len(labels) < _FEWEST or not train > _LEARNT:
        return
    try:
        copied = Copy(call := ModuleCall(next(iter(roots.values())), (inputs,), {}, None))
        plain = _share_right(copied, call, inputs, labels)
        if not plain < train - _FAILS:
            return
        shares = {how: _share_right(copied, call, change(inputs), labels) for how, change in _CHANGES.items()}
    except UntriedError:
        return
    how = max(shares, key=lambda one: shares[one])
    if shares[how] >= plain + _KNOWS:
        measured.unfair.setdefault("turned", Unfair(measured.step, share=shares[how], score=plain, how=how))


def _share_right(copied: Copy, call: ModuleCall, inputs: torch.Tensor, labels: torch.Tensor) -> float:
    answer = first_answer(copied.answer({id(call.args[0]): inputs}))
    if answer is None or answer.dim() != 2 or len(answer) != len(labels) or answer.shape[1] <= int(labels.max()):
        raise UntriedError("answers")
    return float((answer.argmax(1) == labels.to(answer.device)).float().mean())
