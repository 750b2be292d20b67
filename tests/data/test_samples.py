"""Whatever a user's own dataset or loader gives is read, or refused with one sentence: never with a traceback."""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from danlu.base.errors import UserError
from danlu.data import load, torch_data
from danlu.data.feeds import guarded
from danlu.run.fit import fit

CPU = torch.device("cpu")
COUNT = 60
X = torch.linspace(-1, 1, 3 * COUNT).reshape(COUNT, 3)


class Made(Dataset[Any]):
    """Samples made by a function of their index."""

    def __init__(self, make: Callable[[int], Any], count: int = COUNT) -> None:
        self.make, self.count = make, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        return self.make(index)


def good(index: int) -> Any:
    return X[index], index % 2


def once(bad: Any, where: int = 30) -> Callable[[int], Any]:
    return lambda index: bad if index == where else good(index)


def fails_late(index: int) -> Any:
    if index == 50:
        raise KeyError("no such file")
    return good(index)


def ends(index: int) -> Any:
    os._exit(3)


class NoLength(Dataset[Any]):
    def __getitem__(self, index: int) -> Any:
        return good(index)


class Endless(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        index = 0
        while True:
            yield good(index % COUNT)
            index += 1


class Growing(IterableDataset[Any]):
    """Longer each time it is gone through."""

    def __init__(self, by: int) -> None:
        self.by, self.times = by, 0

    def __iter__(self) -> Iterator[Any]:
        self.times += 1
        yield from (good(index % COUNT) for index in range(40 + self.by * self.times))


class Listed(Made):
    def __init__(self, targets: list[Any]) -> None:
        super().__init__(good)
        self.targets = targets


TAKEN: dict[str, Callable[[int], Any]] = {
    "whole numbers": lambda i: ((X[i] * 9).long(), i % 2),
    "whole numbers of numpy": lambda i: (numpy.array([i, 2 * i], dtype=numpy.uint32), i % 2),
    "booleans": lambda i: (X[i] > 0, i % 2),
    "long doubles": lambda i: (X[i].numpy().astype(numpy.longdouble), i % 2),
    "half precision": lambda i: (X[i].half(), i % 2),
    "a number": lambda i: (float(i), i % 2),
    "a list": lambda i: (X[i].tolist(), i % 2),
    "with a gradient": lambda i: (X[i].clone().requires_grad_(), i % 2),
    "eight bits": lambda i: (X[i].to(torch.float8_e4m3fn), i % 2),
    "labels as text": lambda i: (X[i], "ab"[i % 2]),
    "labels of numpy": lambda i: (X[i], numpy.uint8(i % 2)),
    "quantities in a list": lambda i: (X[i], [i / 2, 1.5]),
}


@pytest.mark.every(4)
@pytest.mark.parametrize("make", TAKEN.values(), ids=TAKEN.keys())
def test_what_can_be_read_is_trained_on(make: Callable[[int], Any], tmp_path: Any) -> None:
    run = fit(
        "linear-regression" if isinstance(make(0)[1], list) else "mlp",
        Made(make),
        epochs=1,
        folder=tmp_path,
        progress=False,
    )
    assert numpy.isfinite(run.score["test"]["loss"])


def test_whole_numbers_reach_the_net_as_they_are() -> None:
    data = load(Made(TAKEN["whole numbers"]), validation=0, test=0)
    x, _ = next(data.batches("train", COUNT, device=CPU))
    assert x.dtype == torch.float32
    assert torch.equal(x, (X * 9).long().float())


def test_no_gradient_comes_with_a_sample() -> None:
    x, _ = next(load(Made(TAKEN["with a gradient"]), validation=0, test=0).batches("train", COUNT, device=CPU))
    assert not x.requires_grad
    assert torch.equal(x, X)


BAD_X, BAD_Y = "Sample {0} of the dataset: x is {1}", "Sample {0} of the dataset: y is {1}"
SHAPE = r"labels must be one a sample, \[N\]; these are int64 \[60, {0}\]"
REFUSED: dict[str, tuple[Any, str]] = {
    "complex": (Made(lambda i: (torch.complex(X[i], X[i]), 1)), BAD_X.format(0, "torch.complex64")),
    "sparse": (Made(lambda i: (X[i].to_sparse(), 1)), BAD_X.format(0, "torch.sparse_coo")),
    "meta": (Made(lambda i: (X[i].to("meta"), 1)), BAD_X.format(0, r"torch.float32 \[3\] \(meta\)")),
    "nothing": (Made(lambda i: (None, 1)), BAD_X.format(0, "NoneType")),
    "text": (Made(lambda i: ("abc", 1)), BAD_X.format(0, "str")),
    "a dict as x": (Made(lambda i: ({"a": "abc"}, 1)), "The input a is of the type str"),
    "a ragged list": (Made(lambda i: ([[1], [1, 2]], 1)), BAD_X.format(0, "list")),
    "one bad sample": (Made(once((None, 1))), BAD_X.format(30, "NoneType")),
    "not finite": (Made(once((X[0] * numpy.nan, 1))), "Sample 30 of the dataset: x has values that are not finite"),
    "a dict": (Made(lambda i: {"x": X[i], "z": 1}), "Which of x, z is to be predicted"),
    "three": (Made(lambda i: (X[i], X[i], 1)), r"of the type tuple \(3\) was given"),
    "no target": (Made(lambda i: (X[i], None)), BAD_Y.format(0, "NoneType")),
    "one target missing": (Made(once((X[0], None))), BAD_Y.format(30, "NoneType")),
    "a target not finite": (Made(once((X[0], float("nan")))), "Sample 30 of the dataset: y is not finite"),
    "a dict as target": (Made(lambda i: (X[i], {"box": 1})), BAD_Y.format(0, "dict")),
    "one-hot labels": (Made(lambda i: (X[i], torch.eye(2).long()[i % 2])), SHAPE.format(2)),
    "labels in a list": (Made(lambda i: (X[i], [i % 2, 1])), SHAPE.format(2)),
    "masks": (Made(lambda i: (X[i], torch.ones(4, 4).long())), SHAPE.format("4, 4")),
    "targets of two types": (Made(lambda i: (X[i], "a" if i % 2 else 1)), "do not fit together: int, str"),
    "targets of many shapes": (Made(lambda i: (X[i], [1] * (i % 2 + 1))), "do not fit together: torch.int64"),
    "an error in the dataset": (Made(fails_late), "Sample 50 of the dataset.*KeyError: 'no such file'"),
    "too long a length": (Made(lambda i: good(i) if i < 9 else [][i], 20), "Sample 9 of the dataset.*IndexError"),
    "a length below 0": (Made(good, -1), "Made does not say how many samples it has"),
    "a length beyond all numbers": (Made(good, 10**30), "Made does not say how many samples it has"),
    "a worker that ends": (DataLoader(Made(ends), 8, num_workers=1), "exited unexpectedly"),
    "no length": (NoLength(), "NoLength does not say how many samples it has"),
    "parts of two shapes": ({"train": Made(good), "test": Made(lambda i: (X[i][:2], 1))}, r"shape: \[3\] and \[2\]"),
    "single samples for batches": (DataLoader(Made(good), batch_size=None), "x is torch.float32.*y is int"),
    "a failing collate function": (
        DataLoader(Made(good), collate_fn=lambda b: b[99]),
        "collate function raised IndexError",
    ),
    "a failing worker": (DataLoader(Made(fails_late), 8, num_workers=1), "Sample 50 of the dataset.*KeyError"),
}


@pytest.mark.parametrize(("source", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_read_is_told(source: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        load(source, validation=0, test=0)


@pytest.mark.parametrize(
    ("source", "chinese"), [(REFUSED["nothing"][0], "第 0 个样本"), (NoLength(), "没有给出样本数")]
)
def test_it_is_told_in_both_languages(source: Any, chinese: str, language: str) -> None:
    with pytest.raises(UserError, match=chinese if language == "zh" else "Sample 0|does not say"):
        load(source)


def test_a_worker_that_dies_while_a_step_is_made_is_told_by_the_next_batch() -> None:
    """torch raises an error in whatever the main thread does at that moment."""
    batches = guarded(DataLoader(Made(lambda index: (os.getpid(), index)), 8, num_workers=1))
    worker = int(next(batches)[0][0])
    before = signal.getsignal(signal.SIGCHLD)
    os.kill(worker, signal.SIGKILL)
    os.waitid(os.P_PID, worker, os.WEXITED | os.WNOWAIT)  # a step, in which the signal is heard
    with pytest.raises(UserError, match="DataLoader") as told:
        next(batches)
    assert signal.getsignal(signal.SIGCHLD) != before  # as torch left it
    # Nothing of the loader is kept by the error: as long as it is there, torch may tell of the death once more.
    assert told.value.__context__ is None
    assert not [one for one in gc.get_objects() if type(one).__name__ == "_MultiProcessingDataLoaderIter"]


def test_listed_targets_that_disagree_with_the_samples_are_not_believed() -> None:
    right, wrong = [index % 2 for index in range(COUNT)], [1 - index % 2 for index in range(COUNT)]
    for listed in (wrong, [right[0], *wrong[1:]]):
        data = load(Listed(listed), validation=0, test=0)
        assert "data.scanned" in [note.id for note in data.notes]
        assert next(data.batches("train", COUNT, device=CPU))[1].tolist() == right
    assert "data.scanned" not in [note.id for note in load(Listed(right)).notes]


def test_a_stream_without_an_end_needs_the_steps_of_an_epoch(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setattr(torch_data, "MOST_COUNTED", 50)
    words = {"en": "more than 50 batches.*data.steps_per_epoch", "zh": "50 多个批次.*data.steps_per_epoch"}
    for source in (Endless(), DataLoader(Endless(), batch_size=8)):
        with pytest.raises(UserError, match=words[language]):
            load(source)
        data = load(source, steps_per_epoch=5)
        assert data.batch_count("train", 1) == len(list(data.batches("train", 1, device=CPU))) == 5


def test_steps_of_an_epoch_are_only_for_such_streams(language: str) -> None:
    for source in (Made(good), TensorDataset(X, torch.arange(COUNT) % 2), "iris"):
        with pytest.raises(UserError, match="data.steps_per_epoch"):
            load(source, steps_per_epoch=5)
    with pytest.raises(UserError, match={"en": "ends after 3 batches", "zh": "只有 3 个批次"}[language]):
        load(DataLoader(Growing(8), batch_size=16), steps_per_epoch=5)


@pytest.mark.parametrize("by", [5, -5])
def test_a_loader_whose_length_varies_is_refused(by: int, language: str) -> None:
    words = {"en": "batches when they were counted, and", "zh": "在计数时给出"}
    with pytest.raises(UserError, match=words[language]):
        load(DataLoader(Growing(by), batch_size=1))
    fixed = load(DataLoader(Growing(abs(by)), batch_size=1), steps_per_epoch=20)
    assert len(list(fixed.batches("train", 1, device=CPU))) == 20
