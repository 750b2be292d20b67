"""What a padded batch answers: whether the loss counts its padding, and whether the net sees it."""

import torch

from danlu.watch.probes.answers import by_place, changed, cut, moved, size
from danlu.watch.probes.sequences import Padding
from danlu.watch.probes.spreading import module_that_mixes
from danlu.watch.probes.tried import TriedCall
from danlu.watch.trying import UntriedError

_SEEN = 0.01  # of what exchanging samples does: padding that moves answers by more is looked for


def counted(tried: TriedCall, padding: Padding) -> float:
    """Of the targets that the loss counts the share that stands at padded places; NaN where it is not known."""
    loss = tried.loss
    if loss is None or loss.kind != "classes" or loss.single or loss.weighted:
        return float("nan")
    rows, places = tried.inputs.shape
    mask = padding.mask
    if loss.targets.numel() == rows * (places - 1) and tried.relation is not None:
        mask = mask[:, :-1]
    elif loss.targets.numel() != rows * places:
        return float("nan")
    held = loss.targets.reshape(mask.shape) != (loss.ignored if loss.ignored is not None else -100)
    return float((held & mask).sum()) / max(1.0, float(held.sum()))


def try_padding(tried: TriedCall, padding: Padding) -> None:
    """Cut off the padding of the shorter rows; then change all places of each row before its last one."""
    lengths, scale = padding.lengths, tried.trial.response.last * size(tried.base)
    length = int(lengths.clamp(min=1).median())
    rows = (lengths <= length) & (lengths > 0)
    if length >= tried.inputs.shape[1] or not bool(rows.any()) or not scale:
        return
    kept = torch.arange(tried.inputs.shape[1], device=tried.inputs.device) == (lengths - 1)[:, None]
    others = changed(tried.inputs, ~padding.mask & ~kept, 0)
    real = others.masked_fill((others == padding.token) & ~padding.mask, int(tried.inputs[~padding.mask].max()))
    after = tried.answer({id(tried.inputs): real})
    tried.trial.context = tried.apart(tried.base, after, kept) / scale
    shape = tried.inputs.shape[0], tried.inputs.shape[1]
    try:
        less = {id(one): cut(one, rows, length, shape) for one in tried.call.tensors}
        short = tried.answer(less)
    except UntriedError:  # its places are as many as they are
        _try_other_padding(tried, padding, scale)
        return
    short_inputs = less[id(tried.inputs)]
    whole, part = by_place(tried.base, tried.inputs), by_place(short, short_inputs)
    if whole is not None and part is not None:
        apart = moved(whole[rows][:, :length], part)[~padding.mask[rows][:, :length]]
        tried.trial.pads = size(apart) / scale
    elif tried.base.shape[0] == shape[0] and short.shape == tried.base[rows].shape:
        tried.trial.pads = size(moved(tried.base[rows], short)) / scale
    if tried.trial.pads > _SEEN:
        _note_where(tried, padding)


def _note_where(tried: TriedCall, padding: Padding) -> None:
    """Through which module padding reaches what is none."""
    others = tried.inputs.masked_fill(padding.mask, int(tried.inputs[~padding.mask].max()))
    path = module_that_mixes(tried.copy, {id(tried.inputs): others}, padding.mask)
    if path is not None:
        tried.trial.lets_in = ".".join(part for part in (tried.trial.name, path) if part)


def _try_other_padding(tried: TriedCall, padding: Padding, scale: float) -> None:
    """Embed the padding as another token is, of which nothing is to be seen at the other places."""
    with tried.copy.other_embedding(tried.inputs, padding.token) as changes:
        after = tried.answer({}) if changes else None
    if after is not None:
        tried.trial.pads = tried.apart(tried.base, after, ~padding.mask) / scale
