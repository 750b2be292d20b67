"""Arguments of a net beside its inputs: whether any answer hangs on them."""

import re

import torch

from danlu.watch.trying import Copy, ModuleCall

_MOST = 4
_TARGETS = re.compile(r"label|target|truth|tgt|^ys?$|mask", re.IGNORECASE)  # may go into a loss that is not handed out


def ignored_arguments(call: ModuleCall, inputs: torch.Tensor, batch: int) -> set[str]:
    """The names of the arguments that differ from sample to sample, and whose exchange among the samples changes no
    answer of a copy in training mode; `batch` is the dimension of the samples of `inputs`."""
    samples = inputs.shape[batch]
    others = [
        one for one in call.tensors
        if one is not inputs and one.dim() and len(one) == samples and bool((one.roll(1, 0) != one).any())
    ]  # fmt: skip
    if not others or len(others) > _MOST:
        return set()
    trained = Copy(call, training=True)
    before = trained.answer({})
    found: set[str] = set()
    for one in others:
        if _TARGETS.search(call.name_of(one)):
            continue
        name, after = call.name_of(one), trained.answer({id(one): one.roll(1, 0)})
        if name and len(after) == len(before) and all(map(torch.equal, before, after)):
            found.add(name)
    return found
