"""Plain arrays, tensors and lists into a data set."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy
import torch
from torch import Tensor

from danlu.base.errors import Fault, fail
from danlu.base.float8 import widened
from danlu.data.dataset import checksum
from danlu.data.images import pixel_dataset
from danlu.data.label_sets import LabelSets, unmet
from danlu.data.layout import CHANNELS, as_tensor, channels_first, refuse_unreadable
from danlu.data.memory import MemoryDataset
from danlu.data.options import NUMBERS, Options, refuse_unfit
from danlu.data.place_labels import PixelLabels, is_masks, told_of_masks, without_channel
from danlu.data.portions import Portion, carve, gather, shared_rows, source_numbers
from danlu.data.ranges import measure_ranges
from danlu.data.sample_weights import checked_weights, of_training
from danlu.data.samples import EXACT_32
from danlu.data.scaling import fit_standard
from danlu.data.standard import refuse_not_finite
from danlu.data.table.frames import is_frame
from danlu.data.targets import Labels, Quantities, read_target, refuse_mixed, standardise_target

EXACT = 2**53


def array_dataset(
    name: str, pools: Mapping[str, tuple[Any, Any]], options: Options, standardised: Tensor | None = None
) -> MemoryDataset:
    """A data set of (x, y) pools: "train" alone is split by the options, further parts are kept as given.

    x: uint8 [N, H, W], [N, C, H, W] or [N, H, W, C] with 1, 3 or 4 channels are images; all else becomes floats, which
    are standardised as `fit_standard` says. y: whole numbers, booleans and text are classes, floats [N] or [N, outputs]
    are regression targets, standardised like those of tables; booleans, or 0 and 1, [N, L] are labels, any number of
    them a sample; whole numbers or booleans [N, H, W] beside pictures are masks, a class a pixel.
    """
    samples = {part: array_samples(x) for part, (x, _) in pools.items()}
    raw_targets = {part: array_target(y) for part, (_, y) in pools.items()}
    for part, x in samples.items():
        if len(x) != len(raw_targets[part]):
            fail("data.lengths-differ", x=len(x), y=len(raw_targets[part]))
        if x.numel() == 0:
            fail("data.no-samples")
        if part == "train" and options.task == "auto" and is_masks(raw_targets[part], tuple(x.shape)):
            options = replace(options, task="segmentation")
        if options.task == "segmentation":
            samples[part], raw_targets[part] = _beside_masks(x, raw_targets[part])
        if samples[part].shape[1:] != samples["train"].shape[1:]:
            fail("data.parts-differ", first=list(samples["train"].shape[1:]), other=list(x.shape[1:]))
    joined, target = read_target(numpy.concatenate(list(raw_targets.values())), options.task, Fault("data.place-y"))
    targets = joined.split([len(x) for x in samples.values()])
    tensors = dict(zip(samples, zip(samples.values(), targets, strict=True), strict=True))
    portions = carve(tensors, options)
    numbers = source_numbers(tensors, portions)
    if samples["train"].dtype == torch.uint8:
        made = pixel_dataset(name, portions, target, options)
    else:
        made = _number_dataset(name, portions, target, options, standardised)
    if options.weight is not None:
        made = replace(made, sample_weights=_weights(options.weight, portions["train"]))
    if isinstance(target, LabelSets):
        made = replace(made, notes=(*made.notes, *unmet(made.y, target, made.sizes["train"])))
    if isinstance(target, Quantities) and _is_one_hot(joined):
        made = replace(made, notes=(*made.notes, Fault("data.one-hot", {"count": joined.shape[1]})))
    return replace(made, numbers=numbers)


def _is_one_hot(y: Tensor) -> bool:
    """Whether each row [N, outputs] has a single 1 among zeros."""
    return y.shape[1] > 1 and bool(((y == 0) | (y == 1)).all()) and bool((y.sum(1) == 1).all())


def _beside_masks(x: Tensor, raw: "numpy.ndarray[Any, Any]") -> tuple[Tensor, "numpy.ndarray[Any, Any]"]:
    """Pictures [N, C, H, W] with their masks [N, H, W]; UserError where the sides of the two differ."""
    masks = without_channel(raw)
    if x.dim() == 3:
        x = x.unsqueeze(1)
    if x.dim() == 4 and x.shape[3] in CHANNELS and tuple(x.shape[1:3]) == masks.shape[1:]:
        x = x.permute(0, 3, 1, 2)
    if x.dim() != 4 or masks.ndim != 3 or tuple(x.shape[2:]) != masks.shape[1:]:
        fail("data.masks-sides", x=list(x.shape), y=list(raw.shape))
    return x, masks


def array_samples(raw: Any) -> Tensor:
    """x as a tensor: uint8 images [N, C, H, W], or finite floats [N, ...]."""
    if is_frame(raw) and numpy.asarray(raw).dtype.kind not in "biuf":
        fail("data.frame-beside-target")
    x = as_tensor(raw)
    if x.dim() == 0:
        fail("data.no-samples")
    if len(x) and not x.numel():
        fail("data.no-numbers", found=list(x.shape))
    x = widened(x)
    if x.dtype == torch.uint8 and x.dim() >= 3:
        images = channels_first(x)
        if images is None:
            fail("data.image-rank", found=list(x.shape))
        return images
    if x.dim() == 1:
        x = x.unsqueeze(1)
    if not x.is_floating_point():
        return _whole_numbers(x)
    refuse_not_finite(x)
    _refuse(x.abs() > torch.finfo(torch.float32).max, "data.beyond-float32")
    return x


def _weights(given: Any, train: Portion) -> Tensor:
    if isinstance(given, str):
        fail("data.no-weight-column", column=given, columns="–", hint="")
    return of_training(checked_weights(given, len(train.x), "weights"), train.rows, "weights")


def _whole_numbers(x: Tensor) -> Tensor:
    """Whole numbers as floats that hold them exactly: float32 does up to 2^24, float64 up to 2^53."""
    if x.dtype in (torch.bool, torch.uint8, torch.int8, torch.int16):
        return x.to(torch.float32)
    x = x.to(torch.int64)  # against an int32, torch would cut the bounds down to 32 bits
    _refuse((x > EXACT) | (x < -EXACT), "data.large-integers")
    return x.to(torch.float64 if x.abs().max() > EXACT_32 else torch.float32)


def _refuse(wrong: Tensor, phrase: str) -> None:
    if wrong.any():
        fail(phrase, count=int(wrong.sum()), row=int(wrong.flatten(1).any(1).int().argmax()) + 1)


def array_target(raw: Any) -> "numpy.ndarray[Any, Any]":
    """y as an array, in its own type."""
    refuse_unreadable(raw, "y")
    if isinstance(raw, Tensor) and raw.is_complex():
        fail("data.labels-type", place=Fault("data.place-y"), found=str(raw.dtype).removeprefix("torch."))
    if isinstance(raw, list | tuple):
        refuse_mixed(cast(Sequence[Any], raw), Fault("data.place-y"))
    if isinstance(raw, Tensor):
        raw = raw.detach().cpu()
        raw = raw.double().numpy() if raw.is_floating_point() else raw.numpy()
    try:
        target = numpy.asarray(raw)
    except ValueError:
        fail("data.ragged-array")
    if target.ndim == 0:
        fail("data.no-samples")
    return target


def _number_dataset(
    name: str,
    portions: Mapping[str, Portion],
    target: Labels | LabelSets | PixelLabels | Quantities,
    options: Options,
    standardised: Tensor | None,
) -> MemoryDataset:
    refuse_unfit(options, name, NUMBERS)
    x, y, sizes = gather(portions)
    notes = shared_rows(portions, x, y)
    standard, told = fit_standard(x, sizes["train"], options.standardise, standardised)
    standard = replace(standard, ranges=measure_ranges(x[: sizes["train"]]))
    if isinstance(target, PixelLabels):
        told = (*told_of_masks(y, target, sizes["train"]), *told)
    content = None
    if standard.mean is not None:
        content = (min(2, len(standard.sample_shape)), *checksum(x, y))
        x = standard.apply(x.double()).to(torch.promote_types(x.dtype, torch.float32))
    if isinstance(target, Quantities) and options.standardise is not False:
        content = content or (0, *checksum(x, y))
        y, target = standardise_target(y, sizes["train"])
        told = (*told, Fault("data.target-standardised"))
    return MemoryDataset(
        name=name,
        sample_shape=standard.sample_shape,
        sizes=sizes,
        target=target,
        encoder=standard,
        notes=(*told, *notes),
        x=x,
        y=y,
        content=content,
    )
