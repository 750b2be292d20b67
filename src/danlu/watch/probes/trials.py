"""What is tried of one call: later and earlier places, another sample, other orders, other samples, padding."""

import math
import re
from typing import Any

import torch
from torch import nn

from danlu.watch.probes.answers import by_place, by_sample, changed, moved, size
from danlu.watch.probes.arguments import ignored_arguments
from danlu.watch.probes.design import is_batch_second, shares_by_design
from danlu.watch.probes.masks import DrawnMasks
from danlu.watch.probes.orders import other_orders
from danlu.watch.probes.padded import counted, try_padding
from danlu.watch.probes.sequences import Relation, gaps, is_declared, is_one_hot, left_out, padding_of
from danlu.watch.probes.spreading import first_module, module_that_mixes
from danlu.watch.probes.statistics_kept import averages
from danlu.watch.probes.tried import TriedCall
from danlu.watch.tracing import all_tensors
from danlu.watch.trying import UntriedError

_REORDERED = 0.2  # share of the inputs that are others then
_SEEN = 1e-3  # of what is changed itself: others that move by more are looked into
_FEWEST = 4  # places
_REPEATED = 1e-4  # of the size of the answers: two that are to be the same differ by less
_NO_TOKENS = re.compile(r"mask|label|target|position|segment|type", re.IGNORECASE)


def try_all(tried: TriedCall, *, always_the_same: bool) -> None:
    """Everything that is tried once."""
    trial = tried.trial
    masks = DrawnMasks()
    again = tried.answer({}, masks)
    trial.masks = masks.drawn
    trial.averages = averages(tried.copy.module, lambda: tried.answer({}))
    if again.shape != tried.base.shape or float(moved(tried.base, again).max()) > _REPEATED * size(tried.base):
        raise UntriedError("random")
    modules = list(tried.call.module.modules())
    trial.tokens = not tried.inputs.dtype.is_floating_point or is_one_hot(tried.inputs)
    if tried.relation is not None:
        trial.lag, trial.places, trial.few = tried.relation.lag, tried.relation.places, tried.relation.few
        if trial.tokens or trial.lag > 0:
            _try_places(tried, tried.relation)
        if tried.loss is not None and trial.lag == 1:
            trial.gaps = gaps(tried.inputs, tried.loss.targets, tried.loss.ignored, tried.relation.time)
    if tried.batch is not None:
        trial.sequential = tried.inputs.dim() == 3 or not tried.inputs.dtype.is_floating_point
        trial.batch_second = tried.batch == 0 and any(map(is_batch_second, modules))
        if not (always_the_same and tried.inputs.dim() == 2 and tried.inputs.dtype.is_floating_point):
            _try_samples(tried, tried.batch, modules)
        respond(tried)
        _try_orders(tried, modules)
        if trial.order <= _SEEN:
            trial.embeds = ".".join(part for part in (trial.name, first_module(tried.copy, tried.inputs)) if part)
        trial.ignores = ignored_arguments(tried.call, tried.inputs, tried.batch)
    if tried.padding is not None:
        trial.padded = tried.padding.share
        trial.declares_padding = is_declared(tried.padding, tried.inputs, tried.call.tensors, modules)
        # A token that begins rows too is their end as well, and to be told, unless something calls it padding.
        if trial.declares_padding or not tried.padding.begins:
            trial.pads_counted = counted(tried, tried.padding)
        if tried.loss is not None and tried.loss.kind == "classes":
            trial.left_out = left_out(tried.padding, tried.loss.targets, tried.loss.ignored)
        if tried.batch == 0 and trial.response.last > 0:
            try_padding(tried, tried.padding)


def padded_beside(tried: TriedCall) -> list[tuple[str, torch.Tensor]]:
    """Other rows of tokens that are padded, such as those that a decoder looks up, by the name of the argument."""
    found = [(tried.call.name_of(one), one) for one in tried.call.tensors if one is not tried.inputs]
    return [
        (name, one) for name, one in found
        if name and not _NO_TOKENS.search(name) and padding_of(one) is not None and int(one.max()) > 1
    ]  # fmt: skip


def try_beside(tried: TriedCall) -> None:
    """Whether the answers hang on what is no padding."""
    if tried.padding is None:
        return
    respond(tried)
    tried.trial.padded = tried.padding.share
    if tried.trial.response.last > 0:
        try_padding(tried, tried.padding)


def try_again(tried: TriedCall) -> None:
    """What a training changes: how far samples are told apart, and how much of what comes later is used."""
    respond(tried)
    if tried.trial.ignores and tried.batch is not None:
        tried.trial.ignores &= ignored_arguments(tried.call, tried.inputs, tried.batch)
    if tried.relation is not None and tried.relation.lag > 0 and tried.trial.later > 0:
        before = tried.trial.later
        _try_places(tried, tried.relation)
        tried.trial.later = max(before, tried.trial.later)


def respond(tried: TriedCall) -> None:
    """How far answers move where each sample is exchanged for another."""
    if tried.batch is None or tried.inputs.shape[tried.batch] < 2:
        return
    other = tried.inputs.roll(1, tried.batch)
    if float((other != tried.inputs).float().mean()) < 0.01:
        return
    answers = by_sample(tried.base, tried.inputs, tried.batch)
    if answers is None or not size(answers):
        return
    tried.trial.outputs = answers[0].numel()
    tried.trial.reconstructs = answers.numel() == tried.inputs.numel()
    after = tried.answer({id(tried.inputs): other})
    tried.trial.response.add(tried.trial.step, size(moved(tried.base, after)) / size(answers))
    exchanged = by_sample(after, tried.inputs, tried.batch)
    if tried.trial.outputs > 1 and exchanged is not None and exchanged.shape == answers.shape:
        one, other = (torch.nn.functional.normalize(rows.flatten(1).float()) for rows in (answers, exchanged))
        tried.trial.turn.add(tried.trial.step, size(moved(one, other)) * tried.trial.outputs**0.5)


def _try_places(tried: TriedCall, relation: Relation) -> None:
    """Change the later half of the places, then the earlier one."""
    laid = tried.inputs.transpose(1, 2) if relation.time == 2 else tried.inputs
    answers = by_place(tried.base, laid)
    if answers is None:
        _try_shorter(tried, relation)
        return
    half = relation.places // 2
    late = torch.arange(relation.places, device=tried.inputs.device) >= half
    where = (late[:, None] if relation.time == 0 else late).expand(laid.shape[:2])
    for places, name in ((where, "later"), (~where, "earlier")):
        others = changed(laid, places, relation.batch)
        others = others.transpose(1, 2) if relation.time == 2 else others
        after = by_place(tried.answer({id(tried.inputs): others}), laid)
        if after is None or after.shape != answers.shape:
            return
        apart = moved(answers, after).amax(2)
        own, other = float(apart[places].max()), float(apart[~places].max())
        if own > 0:
            setattr(tried.trial, name, other / own)
        if name == "later" and other > _SEEN * own:
            tried.trial.leaks = _first_to_mix(tried, where, others)


def _try_shorter(tried: TriedCall, relation: Relation) -> None:
    """The same of answers that are a place shorter than the inputs [N, T]: which of them is for which place only shows
    in what it hangs on. One that sees its own target, and nothing later, is for the place that it is asked for."""
    if relation.time != 1 or relation.lag != 1 or relation.places < _FEWEST:
        return
    answers = by_place(tried.base, tried.inputs[:, 1:])
    if answers is None:
        return
    late = torch.arange(relation.places, device=tried.inputs.device) >= relation.places // 2
    where = late.expand(tried.inputs.shape[:2])
    after = by_place(tried.answer({id(tried.inputs): changed(tried.inputs, where, 0)}), tried.inputs[:, 1:])
    if after is None or after.shape != answers.shape:
        return
    apart = moved(answers, after).amax((0, 2))
    for lag, places in ((1, late[:-1]), (0, late[1:])):
        own, other = float(apart[places].max()), float(apart[~places].max())
        if own > 0 and other <= _SEEN * own:
            tried.trial.lag, tried.trial.later = lag, other / own
            return


def _try_samples(tried: TriedCall, batch: int, modules: list[nn.Module]) -> None:
    """Change one sample."""
    samples = tried.inputs.shape[batch]
    answers = by_sample(tried.base, tried.inputs, batch)
    if answers is None or samples < 3 or samples in answers.shape[1:] or shares_by_design(tried.call, modules, samples):
        return
    chosen = torch.arange(samples, device=tried.inputs.device) == samples // 2
    where = (chosen[:, None] if batch == 0 else chosen).expand(tried.inputs.shape[:2])
    after = by_sample(tried.answer({id(tried.inputs): changed(tried.inputs, where, batch)}), tried.inputs, batch)
    if after is None or after.shape != answers.shape:
        return
    apart = moved(answers, after).reshape(samples, -1).amax(1)
    own, other = float(apart[chosen].max()), float(apart[~chosen].max())
    if max(own, other) > 0:
        tried.trial.others = other / own if own > 0 else float("inf")
    elif tried.trial.batch_second:
        tried.trial.laid = _layer_laid(tried, samples)
    if other > _SEEN * own:
        tried.trial.mixes = _first_to_mix(tried, where, changed(tried.inputs, where, batch))


def _layer_laid(tried: TriedCall, samples: int) -> str:
    """The name of a layer that wants the samples along the second dimension, and is given them along the first."""
    found: list[str] = []

    def hear(path: str, given: Any, output: Any) -> None:
        first = next(iter(all_tensors(given)), None)
        if is_batch_second(tried.copy.module.get_submodule(path)) and first is not None and first.dim() == 3:
            found.extend([path] if first.shape[0] == samples != first.shape[1] else [])

    tried.copy.answer({}, hear)
    return ".".join(part for part in (tried.trial.name, *found[:1]) if part) if found else ""


def _first_to_mix(tried: TriedCall, where: torch.Tensor, others: torch.Tensor) -> str:
    """The name of the module through which a change in these places first reaches others."""
    path = module_that_mixes(tried.copy, {id(tried.inputs): others}, where)
    return ".".join(part for part in (tried.trial.name, path) if part)


def _try_orders(tried: TriedCall, modules: list[nn.Module]) -> None:
    """Let places change places; answers for each place are to follow them."""
    scale = tried.trial.response.last * size(tried.base) if len(tried.trial.response) else 0.0
    if tried.batch != 0 or not tried.measured.net.self_attends or not scale > 0:
        return
    for inputs, order in other_orders(tried.inputs, tried.relation, tried.padding, modules):
        if float((inputs != tried.inputs).float().mean()) < _REORDERED:
            continue
        after = tried.answer({id(tried.inputs): inputs})
        one = by_place(tried.base, tried.inputs) if order is not None else None
        other = by_place(after, tried.inputs) if one is not None else None
        if one is not None and other is not None and order is not None:
            apart = size(moved(one[:, order], other)) / scale
        elif after.shape == tried.base.shape:
            apart = size(moved(tried.base, after)) / scale
        else:
            return
        tried.trial.order = apart if math.isnan(tried.trial.order) else min(apart, tried.trial.order)
