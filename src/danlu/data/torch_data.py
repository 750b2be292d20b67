"""torch Datasets and DataLoaders, alone or one for each part, into a data set."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any, cast

import numpy
import torch
from torch import Tensor
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    default_collate,
)

from danlu.base.errors import Fault, Faults, fail
from danlu.base.seeds import sample_seed
from danlu.data.arrays import array_dataset
from danlu.data.dataset import Dataset as DanluDataset
from danlu.data.divide import divide, keys_of
from danlu.data.feeds import Feed, LoaderFeed, MapFeed, Wanted, guarded, refuse_bad
from danlu.data.label_sets import LabelSets
from danlu.data.options import Options
from danlu.data.place_labels import PixelLabels
from danlu.data.sample_form import Formed, FormedCollate, FormedLoader, SampleForm, form_of
from danlu.data.several_encoder import SeveralInputs
from danlu.data.standard import Pixels, Standard
from danlu.data.stream import StreamDataset, pair_of
from danlu.data.table.to_predict import Columns
from danlu.data.targets import Labels, Quantities, read_target, unscaled

# More batches than these are not counted by going through them: the stream may have no end.
MOST_COUNTED = 10_000
# Samples whose own targets are compared with those that their dataset lists.
COMPARED = 8

_MASKS_HELD = 2 * 2**30  # bytes of pictures and masks that are read into memory
_MADE_ELSEWHERE = ("weight", "image_size", "tokens", "min_frequency", "steps", "partition")


def is_torch_data(source: Any) -> bool:
    """Whether `source` is a torch Dataset or DataLoader."""
    return isinstance(source, Dataset | DataLoader)


def torch_dataset(
    name: str, sources: Mapping[str, Any], options: Options, target: Columns | None = None
) -> DanluDataset:
    """A data set of torch Datasets or DataLoaders by part; what is missing is carved from "train".

    Tensors that lie in memory (TensorDataset, also a Subset of one) become an in-memory data set; everything else is
    streamed, and not standardised. Whole-number targets are classes, floating-point ones quantities. A DataLoader keeps
    its batch size and collate function, and whether it shuffles; the order is danlu's where it draws plainly from a
    map-style dataset. Of samples that are dicts `target` names the one that is predicted.
    """
    held = {part: _tensors(source) for part, source in sources.items()}
    if target is None and all(tensors is not None for tensors in held.values()):
        return array_dataset(name, {part: tensors for part, tensors in held.items() if tensors}, options)
    if options.standardise:
        fail("data.stream-standardise")
    if options.augment:
        fail("data.stream-augment")
    if options.task in ("multi-label", "tagging"):
        fail("data.task-unfit", name=name, found=options.task, wanted="auto, classification, regression, segmentation")
    faults = Faults()
    for key in (key for key in _MADE_ELSEWHERE if getattr(options, key) is not None):
        faults.add("data.stream-unfit", key=f"data.{key}")
    faults.raise_if_any()
    seen = _Form(target)
    feeds = {part: _feed(source, options, seen) for part, source in sources.items()}
    form = seen.found
    if any(feed.count == 0 for feed in feeds.values()):
        fail("data.no-samples")
    examples = {part: _example(feed, seen) for part, feed in feeds.items()}
    x, y = examples["train"]
    if options.task == "segmentation" or _is_mask(y):
        return _with_masks(name, sources, options)
    for other, _ in examples.values():
        if other.shape[1:] != x.shape[1:]:
            fail("data.parts-differ", first=list(x.shape[1:]), other=list(other.shape[1:]))
    notes: list[Fault] = [*form.told] if form else []
    if any(isinstance(feed, LoaderFeed) for feed in feeds.values()):
        notes.append(Fault("data.loader-order"))
    meaning, labels, scanned = _read_targets(feeds, sources, y, options)
    if scanned:
        notes.append(Fault("data.scanned", {"count": sum(feed.count for feed in feeds.values())}))
    feeds = _carve(feeds, labels, options, notes)
    shape = tuple(x.shape[1:])
    pixels = None
    if x.dtype == torch.uint8 and len(shape) == 3:
        pixels = Pixels(shape, 255.0, (0.0,) * shape[0], (1.0,) * shape[0])
    elif len(shape) == 1 and options.standardise is None:
        notes.append(Fault("data.stream-as-it-is"))
    several = SeveralInputs(form.layout, Standard(shape)) if form and form.layout else None
    return StreamDataset(
        name=name,
        sample_shape=shape,
        sizes={part: feeds[part].count if part in feeds else 0 for part in ("train", "validation", "test")},
        target=meaning,
        encoder=several or pixels or Standard(shape),
        notes=tuple(notes),
        feeds=feeds,
        pixels=pixels,
    )


def _tensors(source: Any) -> tuple[Tensor, Tensor] | None:
    """x and y of a dataset that is two tensors in memory, else None."""
    if type(source) is TensorDataset and len(source.tensors) == 2:
        return source.tensors[0], source.tensors[1]
    if type(source) is Subset and (pool := _tensors(source.dataset)):
        rows = torch.as_tensor(list(source.indices), dtype=torch.int64)
        return pool[0][rows], pool[1][rows]
    return None


def _example(feed: Feed, seen: "_Form") -> tuple[Tensor, Any]:
    """The first batch, of one sample where that can be had: the one that was looked at before, if it is that."""
    if isinstance(feed, MapFeed) and feed.collate is None and feed.dataset is seen.looked_at:
        feed = MapFeed([seen.first], torch.arange(1))
    return pair_of(refuse_bad(next(_whole(feed).batches(Wanted(batch_size=1)))))


def _only(samples: list[Any]) -> Any:
    """The first of the samples, as it is."""
    return samples[0]


class _Form:
    """The form of the samples, by the first of them that is seen."""

    def __init__(self, target: Columns | None) -> None:
        if target is not None and not isinstance(target, str):
            fail("data.target-without-table", target=",".join(target), name="torch")
        self._target = target
        self._seen = False
        self.looked_at: Any = None
        self.first: Any = None
        self.found: SampleForm | None = None

    def see_sample(self, dataset: Any, workers: int) -> None:
        """Look at a map-style dataset's first sample; where there are workers, in one of them: what ends a process must
        not end this one. What is wrong with it is told where all are read.
        """
        if self._seen:
            return
        try:
            feed = MapFeed(dataset, torch.arange(1), min(workers, 1), collate=_only)
            first = refuse_bad(next(feed.batches(Wanted(batch_size=1))))
        except Exception:  # noqa: BLE001 - the user's code
            return
        self._see(first, batched=False)
        self.looked_at, self.first = dataset, first

    def brought(self, batches: Iterator[Any]) -> Iterator[Any]:
        """The batches of a loader as pairs; the first of them shows how."""
        for batch in batches:
            if not self._seen:
                self._see(batch, batched=True)
            yield self.found.batch(batch) if self.found else batch

    def _see(self, first: Any, *, batched: bool) -> None:
        self.found, self._seen = form_of(first, self._target, batched=batched), True


def _feed(source: Any, options: Options, seen: _Form) -> Feed:
    workers = options.workers
    if not isinstance(source, DataLoader):
        if isinstance(source, IterableDataset):
            return _as_it_is(DataLoader(source, batch_size=64), options.steps_per_epoch, seen)
        _refuse_number(options)
        rows = torch.arange(_length(source))
        seen.see_sample(source, workers)
        return MapFeed(Formed(source, seen.found) if seen.found else source, rows, workers)
    if _keeps_its_order(source):
        return _as_it_is(source, options.steps_per_epoch, seen)
    _refuse_number(options)
    dataset: Any = source.dataset
    collate: Any = None if source.collate_fn is default_collate else source.collate_fn
    workers = max(workers, source.num_workers)
    if collate is None:
        seen.see_sample(dataset, workers)
        dataset = Formed(dataset, seen.found) if seen.found else dataset
    else:
        next(seen.brought(iter(_first_batch(source))), None)
        collate = FormedCollate(collate, seen.found) if seen.found else collate
    return MapFeed(
        dataset,
        torch.arange(len(dataset)),
        workers,
        batch_size=source.batch_size,
        collate=collate,
        drop_last=source.drop_last,
        shuffled=isinstance(source.sampler, RandomSampler),
    )


def _first_batch(loader: "DataLoader[Any]") -> list[Any]:
    """The first batch of a loader, none where it fails: that is told where all are read."""
    with contextlib.suppress(Exception), sample_seed(0, "form"):
        return [next(iter(loader))]
    return []


def _keeps_its_order(loader: "DataLoader[Any]") -> bool:
    """Whether a loader's order is its own, because it does not draw plainly from a map-style dataset."""
    sampler = loader.sampler
    plain = isinstance(sampler, SequentialSampler) or (
        isinstance(sampler, RandomSampler) and not sampler.replacement and sampler.num_samples == len(loader.dataset)  # pyright: ignore[reportArgumentType]
    )
    return isinstance(loader.dataset, IterableDataset) or loader.batch_size is None or not plain


def _length(source: Any) -> int:
    try:
        return len(source)
    except (TypeError, NotImplementedError, ValueError, OverflowError):  # the last two: below 0, or beyond all numbers
        fail("data.no-length", found=type(source).__name__)


def _refuse_number(options: Options) -> None:
    if options.steps_per_epoch is not None:
        fail("data.steps-are-counted", found=options.steps_per_epoch)


def _as_it_is(given: "DataLoader[Any]", number: int | None, seen: _Form) -> LoaderFeed:
    """Counted by one pass where `number` does not say how many batches make an epoch."""
    # One more than what is allowed tells that there are more.
    sizes = [len(pair_of(batch)[0]) for batch in islice(seen.brought(guarded(given)), number or MOST_COUNTED + 1)]
    if number is None and len(sizes) > MOST_COUNTED:
        fail("data.endless", limit=MOST_COUNTED)
    if number is not None and len(sizes) < number:
        fail("data.too-few-batches", wanted=number, found=len(sizes))
    loader: Any = FormedLoader(given, seen.found) if seen.found else given
    return LoaderFeed(loader, sum(sizes), len(sizes), max(sizes, default=None), fixed=number is not None)


def _read_targets(
    feeds: Mapping[str, Feed], sources: Mapping[str, Any], example: Any, options: Options
) -> tuple[Labels | LabelSets | Quantities, dict[str, Tensor], bool]:
    """What the target means, the class indices of each part, and whether all samples had to be read for that."""
    is_float = isinstance(example, Tensor) and example.is_floating_point()
    if options.task == "regression" or (options.task == "auto" and is_float):
        return unscaled(int(numpy.prod(tuple(example.shape[1:]))) if isinstance(example, Tensor) else 1), {}, False
    known = {part: _known_targets(sources[part]) for part in feeds}
    for part, listed in known.items():
        feed = feeds[part]
        if listed is not None and not (isinstance(feed, MapFeed) and _agree(listed, feed)):
            known[part] = None
    scanned = any(targets is None for targets in known.values())
    found = [_scan(feed) if (targets := known[part]) is None else targets for part, feed in feeds.items()]
    joined, target = read_target(numpy.concatenate(found), "classification", Fault("data.place-y"))
    assert not isinstance(target, PixelLabels)
    return target, dict(zip(feeds, joined.split([len(y) for y in found]), strict=True)), scanned


def _is_mask(y: Any) -> bool:
    return isinstance(y, Tensor) and not y.is_floating_point() and y.dim() > 2 and min(y.shape[-2:]) > 1


def _with_masks(name: str, sources: Mapping[str, Any], options: Options) -> DanluDataset:
    """Pictures with masks of map-style datasets, all read into memory. UserError for loaders, and where they are too
    many.
    """
    pools: dict[str, tuple[Any, Any]] = {}
    for part, source in sources.items():
        if not isinstance(source, Dataset) or not hasattr(source, "__len__"):
            fail("data.no-streamed-masks", name=name)
        samples, held = list[tuple[Tensor, Tensor]](), 0
        for row in range(len(cast(Any, source))):
            x, y = (torch.as_tensor(numpy.asarray(one)) for one in source[row])
            samples.append((x, y))
            held += x.nbytes + y.nbytes
            if held > _MASKS_HELD or x.shape != samples[0][0].shape or y.shape != samples[0][1].shape:
                fail("data.no-streamed-masks", name=name)
        xs, ys = zip(*samples, strict=True)
        pools[part] = torch.stack(xs), torch.stack(ys)
    return array_dataset(name, pools, options)


def _known_targets(source: Any) -> "numpy.ndarray[Any, Any] | None":
    """The targets that a dataset lists without reading its samples (`targets` or `labels`, as torchvision's do)."""
    if isinstance(source, Subset):
        targets = _known_targets(source.dataset)
        return None if targets is None else targets[numpy.array(source.indices, dtype=int)]
    if isinstance(source, ConcatDataset):
        lists = [known for dataset in source.datasets if (known := _known_targets(dataset)) is not None]
        return numpy.concatenate(lists) if len(lists) == len(source.datasets) else None
    listed = getattr(source, "targets", getattr(source, "labels", None))
    if listed is None or isinstance(source, DataLoader) or getattr(source, "target_transform", None) is not None:
        return None
    targets = listed.numpy() if isinstance(listed, Tensor) else numpy.asarray(listed)
    return targets if targets.shape == (len(source),) else None


def _agree(listed: "numpy.ndarray[Any, Any]", feed: MapFeed) -> bool:
    """Whether some of the samples bear the targets that the dataset lists: one may list what it was before a change."""
    some = numpy.unique(numpy.linspace(0, feed.count - 1, min(COMPARED, feed.count)).astype(int))
    few = replace(feed, rows=feed.rows[torch.from_numpy(some)], workers=0, collate=None, batch_size=None)
    _, y = pair_of(refuse_bad(next(few.batches(Wanted(batch_size=len(some))))))
    read = numpy.asarray(y)
    return read.shape == (len(some),) and bool((read == listed[some]).all())


def _scan(feed: Feed) -> "numpy.ndarray[Any, Any]":
    feed = _whole(feed)
    if isinstance(feed, MapFeed):
        feed = replace(feed, targets_only=True)
    found = [numpy.asarray(pair_of(refuse_bad(batch))[1]) for batch in feed.batches(Wanted(batch_size=256))]
    for y in found:
        if y.size != len(y):
            fail(
                "data.labels-shape",
                place=Fault("data.place-y"),
                found=f"{y.dtype} {[sum(map(len, found)), *y.shape[1:]]}",
            )
    return numpy.concatenate([y.reshape(len(y)) for y in found])


def _whole(feed: Feed) -> Feed:
    """The feed with its last batch, also where that is not full."""
    return replace(feed, drop_last=False) if isinstance(feed, MapFeed) else feed


def _carve(
    feeds: dict[str, Feed], labels: Mapping[str, Tensor], options: Options, notes: list[Fault]
) -> dict[str, Feed]:
    if options.refit and "validation" in feeds:
        # The test part is the one that a training which holds the validation part out has.
        parts = _carve(feeds, labels, replace(options, refit=False), notes)
        whole = _joined(parts["train"], parts["validation"])
        if whole is None:
            fail("data.loader-not-split")
        return {"train": whole, **{part: feed for part, feed in parts.items() if part == "test"}}
    train = feeds["train"]
    share = 0.0 if "test" in feeds else options.test
    if "validation" in feeds or not isinstance(train, MapFeed):
        if options.fold or options.refit or options.group is not None or options.time is not None:
            fail("data.loader-not-split")
        if "validation" not in feeds:
            notes.append(Fault("data.loader-undivided"))
        if not share or not isinstance(train, MapFeed):
            return feeds
        options = replace(options, validation=0.0)
    rows = divide(train.count, options, keys_of(options, train.count, labels.get("train")), test=share)
    carved: dict[str, Feed] = {
        part: replace(train, rows=train.rows[chosen], drop_last=train.drop_last and part == "train")
        for part, chosen in rows.items()
        if len(chosen)
    }
    return {**carved, **{part: feed for part, feed in feeds.items() if part != "train"}}


def _joined(train: Feed, validation: Feed) -> Feed | None:
    """The training part with the validation part behind it; None where one of them keeps an order of its own."""
    if not (isinstance(train, MapFeed) and isinstance(validation, MapFeed)):
        return None
    rows = torch.cat([train.rows, validation.rows + len(train.dataset)])
    return replace(train, dataset=ConcatDataset([train.dataset, validation.dataset]), rows=rows)
