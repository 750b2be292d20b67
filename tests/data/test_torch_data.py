"""torch Datasets and DataLoaders: in danlu's order where that is possible, as they are where not."""

import random
from collections.abc import Iterator
from typing import Any

import numpy
import pytest
import torch
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
)

from danlu.base.errors import UserError
from danlu.base.seeds import order
from danlu.data import load
from danlu.data.memory import MemoryDataset
from danlu.data.stream import StreamDataset

CPU = torch.device("cpu")


class Squares(Dataset[Any]):
    """x = (n, n²) with a label or quantity, and notes of what was read."""

    def __init__(self, count: int = 40, kind: str = "label") -> None:
        self.count, self.kind = count, kind
        self.read: list[int] = []

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        self.read.append(index)
        x = torch.tensor([index, index**2], dtype=torch.float32)
        return x, {"label": index % 2, "quantity": index / 2, "tensor": torch.tensor([index / 2, 1.0])}[self.kind]


class Listed(Squares):
    """Lists its labels, as torchvision's data sets do."""

    @property
    def targets(self) -> list[int]:
        return [index % 2 for index in range(self.count)]


class Noisy(Squares):
    """Draws from every global generator, as random transforms do."""

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        noise = torch.tensor([torch.rand(()).item(), random.random(), numpy.random.rand()])
        return noise, index % 2


class Picture:
    """What danlu needs of a Pillow image."""

    def __init__(self, pixels: numpy.ndarray) -> None:
        self.pixels = pixels

    def getbands(self) -> tuple[str, ...]:
        return ("R", "G", "B") if self.pixels.ndim == 3 else ("L",)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> numpy.ndarray:
        return self.pixels


class Pictures(Squares):
    def __init__(self, shape: tuple[int, ...], count: int = 20, grows: bool = False) -> None:
        super().__init__(count)
        self.shape, self.grows = shape, grows

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        height = self.shape[0] + (index if self.grows else 0)
        return Picture(numpy.full((height, *self.shape[1:]), index, dtype=numpy.uint8)), index % 2


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        for index in range(30):
            yield torch.full((2,), float(index)), index % 3


def rows(batches: Any) -> list[int]:
    return [int(value) for x, _ in batches for value in x[:, 0]]


def epoch(data: Any, part: str = "train", size: int = 8, **options: Any) -> list[Any]:
    return list(data.batches(part, size, device=CPU, **options))


def test_tensors_in_memory_are_not_streamed() -> None:
    x, y = torch.randn(40, 3), torch.arange(40) % 2
    data = load(TensorDataset(x, y))
    assert isinstance(data, MemoryDataset)
    assert data.fingerprint() == load((x, y)).fingerprint()
    half = load(Subset(TensorDataset(x, y), range(20)))
    assert half.fingerprint() == load((x[:20], y[:20])).fingerprint()


def test_a_map_style_dataset_streams_in_the_order_of_the_seed() -> None:
    data = load(Squares(), validation=0, test=0)
    assert isinstance(data, StreamDataset)
    assert (data.task, data.classes, data.sample_shape) == ("classification", ("0", "1"), (2,))
    batches = epoch(data, seed=4, epoch=2, shuffle=True)
    assert rows(batches) == order(40, 4, 2).tolist()
    assert [len(x) for x, _ in batches] == [8] * 5
    assert (batches[0][0].dtype, batches[0][1].dtype) == (torch.float32, torch.int64)
    assert rows(epoch(data)) == list(range(40))
    assert epoch(data, dtype=torch.float64)[0][0].dtype == torch.float64


def test_the_split_is_that_of_arrays() -> None:
    data = load(Squares())
    memory = load((torch.arange(40.0), torch.arange(40) % 2), standardise=False)
    assert data.sizes == memory.sizes
    for part in data.sizes:
        assert rows(epoch(data, part)) == rows(epoch(memory, part))


def test_going_on_mid_epoch_reads_no_sample_that_came_before() -> None:
    source = Listed()
    data = load(source, validation=0, test=0)
    whole = epoch(data, seed=1, epoch=3, shuffle=True)
    source.read.clear()
    rest = epoch(data, seed=1, epoch=3, start=3, shuffle=True)
    assert len(source.read) == 16
    assert all(torch.equal(x, same) for (x, _), (same, _) in zip(rest, whole[3:], strict=True))
    assert epoch(data, start=5) == []


def test_random_transforms_give_the_same_sample_after_a_resume_and_in_any_number_of_workers() -> None:
    alone = load(Noisy(), validation=0, test=0)
    helped = load(Noisy(), validation=0, test=0, workers=2)
    torch.manual_seed(99)
    expected = torch.rand(3)
    torch.manual_seed(99)
    whole = epoch(alone, seed=1, epoch=1, shuffle=True)
    assert torch.equal(torch.rand(3), expected)  # the user's own generators are as they were
    for data in (alone, helped):
        rest = epoch(data, seed=1, epoch=1, start=2, shuffle=True)
        assert all(torch.equal(x, same) for (x, _), (same, _) in zip(rest, whole[2:], strict=True))
    assert not torch.equal(whole[0][0], epoch(alone, seed=1, epoch=2, shuffle=True)[0][0])


@pytest.mark.parametrize(("kind", "outputs"), [("quantity", 1), ("tensor", 2)])
def test_floating_point_targets_are_quantities(kind: str, outputs: int) -> None:
    source = Squares(kind=kind)
    data = load(source, standardise=False)
    assert (data.task, data.outputs, data.classes, data.notes) == ("regression", outputs, (), ())
    assert len(source.read) == 1
    x, y = epoch(data)[0]
    assert (y.shape, y.dtype) == ((8, outputs), torch.float32)
    assert y[:, 0].tolist() == (x[:, 0] / 2).tolist()
    assert load(Squares(), task="regression").task == "regression"


def test_listed_labels_spare_the_reading_of_all_samples() -> None:
    source = Listed()
    data = load(Subset(ConcatDataset([source, source]), list(range(60))), standardise=False)
    assert len(source.read) < 10
    assert (sum(data.sizes.values()), data.notes) == (60, ())
    assert [note.id for note in load(Squares(), standardise=False).notes] == ["data.scanned"]


@pytest.mark.parametrize(
    ("shape", "sample_shape"),
    [((4, 5), (1, 4, 5)), ((4, 5, 3), (3, 4, 5)), ((3, 5, 3), (3, 3, 5)), ((4, 5, 2), (2, 4, 5))],
)
def test_pictures_become_floats_with_channels_first(shape: tuple[int, ...], sample_shape: tuple[int, ...]) -> None:
    data = load(Pictures(shape), validation=0, test=0)
    assert data.sample_shape == sample_shape
    x, _ = epoch(data, size=20)[0]
    assert x[:, 0, 0, 0].tolist() == pytest.approx([index / 255 for index in range(20)])
    assert torch.equal(data.encode(numpy.full((1, *shape), 7, numpy.uint8)), x[7:8])


@pytest.mark.every(2)
@pytest.mark.parametrize("workers", [0, 1])
def test_pictures_of_different_size_are_refused(workers: int, language: str) -> None:
    words = {"en": r"differ in shape: \[1, 4, 5\] and \[1, 5, 5\]", "zh": "样本形状不一致"}
    with pytest.raises(UserError, match=words[language]):
        load(Pictures((4, 5), grows=True), workers=workers)


def test_a_loader_keeps_its_batch_size_and_collate_function_and_takes_our_order() -> None:
    def double(samples: list[Any]) -> Any:
        return torch.stack([x for x, _ in samples]) * 2, torch.tensor([y for _, y in samples])

    loader = DataLoader(Squares(), batch_size=6, shuffle=True, collate_fn=double, drop_last=True)
    data = load(loader, validation=0, test=0)
    batches = epoch(data, size=99, seed=4, epoch=2, shuffle=True)
    assert [len(x) for x, _ in batches] == [6] * 6
    assert data.batch_count("train", 99) == 6
    assert rows(batches) == (order(40, 4, 2)[:36] * 2).tolist()
    parts = load(loader)
    assert (parts.sizes["test"], sum(len(x) for x, _ in epoch(parts, "test"))) == (8, 8)


def test_a_loader_that_does_not_shuffle_is_not_shuffled() -> None:
    data = load(DataLoader(Squares(), batch_size=6), validation=0, test=0)
    assert rows(epoch(data, shuffle=True)) == list(range(40))


def test_a_loader_with_a_sampler_of_its_own_is_taken_as_it_is() -> None:
    loader = DataLoader(Squares(), batch_size=8, sampler=WeightedRandomSampler([1.0] * 40, 24))
    data = load({"train": loader, "test": DataLoader(Squares(10), batch_size=4)}, standardise=False)
    assert (data.sizes, data.batch_count("train", 99)) == ({"train": 24, "validation": 0, "test": 10}, 3)
    assert [note.id for note in data.notes] == ["data.loader-order", "data.scanned", "data.loader-undivided"]
    whole = rows(epoch(data, seed=1, epoch=0))
    assert rows(epoch(data, seed=1, epoch=0)) == whole != rows(epoch(data, seed=1, epoch=1))
    for start in range(5):
        assert rows(epoch(data, seed=1, epoch=0, start=start)) == whole[8 * start :]


def test_an_iterable_dataset_is_taken_as_it_is() -> None:
    for source in (Stream(), DataLoader(Stream(), batch_size=7)):
        data = load(source)
        assert (data.sizes, data.classes) == ({"train": 30, "validation": 0, "test": 0}, ("0", "1", "2"))
        assert rows(epoch(data, shuffle=True)) == list(range(30))
        assert epoch(data, "test") == []


def test_parts_may_be_given_one_by_one() -> None:
    pools = [TensorDataset(torch.full((20, 2), float(n)), torch.arange(20) % 2) for n in range(3)]
    data = load(tuple(pools), standardise=False)
    assert data.sizes == {"train": 20, "validation": 20, "test": 20}
    assert [set(rows(epoch(data, part))) for part in data.sizes] == [{0}, {1}, {2}]
    carved = load({"train": pools[0], "test": pools[2]}, standardise=False)
    assert carved.sizes == {"train": 18, "validation": 2, "test": 20}
    two = load({"train": pools[0], "validation": pools[1]}, standardise=False)
    assert two.sizes == {"train": 16, "validation": 20, "test": 4}
    streamed = load({"train": Squares(), "test": Squares(10)})
    assert streamed.sizes == {"train": 36, "validation": 4, "test": 10}
    held = load({"train": Squares(), "val": Squares(10)})
    assert held.sizes == {"train": 32, "validation": 10, "test": 8}


def test_the_fingerprint_knows_samples_split_and_target() -> None:
    seen = {
        data.fingerprint()
        for data in (
            load(Squares()),
            load(Squares(41)),
            load(Squares(), split_seed=1),
            load(Squares(kind="quantity")),
            load(Pictures((4, 5))),
        )
    }
    assert len(seen) == 5
    assert load(Squares()).fingerprint() == load(Squares()).fingerprint()


def test_labels_that_are_no_indices_are_mapped() -> None:
    class Signs(Squares):
        def __getitem__(self, index: int) -> tuple[Any, Any]:
            return torch.zeros(2), -1 if index % 2 else 1

    class Words(Squares):
        def __getitem__(self, index: int) -> tuple[Any, Any]:
            return torch.zeros(2), "odd" if index % 2 else "even"

    for source, values in ((Signs(), [1, -1]), (Words(), ["even", "odd"])):
        data = load(source, validation=0, test=0)
        _, y = epoch(data)[0]
        assert data.decode(y).tolist() == values * 4


@pytest.mark.parametrize(
    ("source", "english", "chinese"),
    [
        ({"train": Squares(), "held": Squares()}, "parts given are train, held", "给出的部分是 train, held"),
        ({"train": Squares(), "val": Squares(), "dev": Squares()}, "more than once: val, dev", "不止一次：val, dev"),
        ({"test": Squares()}, "train must be one of them", "必须包含 train"),
        (Squares(0), "no samples", "没有样本"),
        (TensorDataset(torch.zeros(9, 2)), "must be a pair", r"应为 \(x, y\) 对"),
    ],
)
def test_what_makes_no_data_set_is_refused(source: Any, english: str, chinese: str, language: str) -> None:
    with pytest.raises(UserError, match={"en": english, "zh": chinese}[language]):
        load(source)


def test_streamed_data_come_as_they_are(language: str) -> None:
    words = {
        "en": r"leave data\.image_size out\.\n.*leave data\.steps out",
        "zh": r"请去掉 data\.image_size。\n.*请去掉 data\.steps",
    }
    with pytest.raises(UserError, match=words[language]):
        load(Pictures((4, 5)), image_size=8, steps=3)


def test_streamed_data_are_not_standardised_here(language: str) -> None:
    with pytest.raises(UserError, match={"en": "cannot be standardised here", "zh": "无法在这里标准化"}[language]):
        load(Squares(), standardise=True)
