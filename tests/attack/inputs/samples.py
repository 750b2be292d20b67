"""torch Datasets and DataLoaders that do what none should."""

import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset, SequentialSampler, TensorDataset

from attack.inputs.case import Case
from attack.inputs.truth import Arrays, changes_in_arrays
from danlu.data import load
from danlu.run.fit import fit

FAMILY = "torch data"
COUNT = 40
X = torch.linspace(-1, 1, 3 * COUNT).reshape(COUNT, 3)
Y = [number % 2 for number in range(COUNT)]


class Made(Dataset[Any]):
    def __init__(self, make: Callable[[int], Any], count: Any = COUNT) -> None:
        self.make, self.count = make, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Any:
        return self.make(index)


class Streamed(IterableDataset[Any]):
    def __init__(self, make: Callable[[], Iterator[Any]]) -> None:
        self.make = make

    def __iter__(self) -> Iterator[Any]:
        return self.make()


def plain(index: int) -> Any:
    return X[index], Y[index]


def once(odd: Any, at: int = 30) -> Callable[[int], Any]:
    return lambda index: odd if index == at else plain(index)


def endless() -> Iterator[Any]:
    while True:
        yield plain(random.randrange(COUNT))


def growing(index: int) -> Any:
    return X[index].repeat(1 + index), Y[index]


def raising(error: BaseException) -> Callable[[int], Any]:
    def make(index: int) -> Any:
        if index == 20:
            raise error
        return plain(index)

    return make


# What x may be, made of the sample's number; whether it must arrive as it is.
XS: dict[str, tuple[Callable[[int], Any], bool]] = {
    "float64": (lambda i: X[i].double(), True),
    "float16": (lambda i: (X[i] * 8).round().half(), False),
    "int64": (lambda i: (X[i] * 9).long(), False),
    "int64 beyond 2^53": (lambda i: torch.tensor([2**60 + i]), False),
    "uint8": (lambda i: (X[i] * 9 + 9).byte(), False),
    "bool": (lambda i: X[i] > 0, False),
    "complex": (lambda i: torch.complex(X[i], X[i]), False),
    "sparse": (lambda i: X[i].to_sparse(), False),
    "meta": (lambda i: X[i].to("meta"), False),
    "quantised": (lambda i: torch.quantize_per_tensor(X[i], 0.1, 0, torch.qint8), False),
    "float8": (lambda i: X[i].to(torch.float8_e4m3fn), False),
    "numpy": (lambda i: X[i].numpy(), True),
    "numpy float64": (lambda i: X[i].numpy().astype("f8"), True),
    "numpy objects": (lambda i: X[i].numpy().astype(object), False),
    "numpy masked": (lambda i: numpy.ma.masked_array(X[i].numpy(), mask=[1, 0, 0]), False),
    "numpy datetime": (lambda i: numpy.datetime64("2024-01-01") + i, False),
    "numpy text": (lambda i: numpy.array(["a", "b"]), False),
    "a float": (lambda i: float(i), False),
    "an int": (lambda i: i, False),
    "a huge int": (lambda i: 10**400, False),
    "a bool": (lambda i: i % 2 == 0, False),
    "a list": (lambda i: X[i].tolist(), True),
    "a tuple": (lambda i: tuple(X[i].tolist()), False),
    "a nested list": (lambda i: [X[i].tolist()] * 2, False),
    "a ragged list": (lambda i: [[1.0], [1.0, 2.0]], False),
    "None": (lambda i: None, False),
    "text": (lambda i: "abc", False),
    "bytes": (lambda i: b"abc", False),
    "a dict": (lambda i: {"a": X[i]}, False),
    "a set": (lambda i: {1, 2}, False),
    "a function": (lambda i: plain, False),
    "NaN": (lambda i: X[i] * math.nan, False),
    "infinity": (lambda i: X[i] * math.inf, False),
    "NaN later": (lambda i: X[i] * (math.nan if i == 30 else 1), False),
    "1e39": (lambda i: X[i].double() * 1e39, False),
    "empty": (lambda i: X[i][:0], False),
    "0-d": (lambda i: X[i][0], False),
    "growing": (lambda i: X[i].repeat(1 + i), False),
    "6-d": (lambda i: torch.ones(1, 2, 1, 2, 1, 2), False),
    "huge": (lambda i: torch.zeros(1).expand(10**9), False),
    "with a gradient": (lambda i: X[i].clone().requires_grad_(), True),
    "a parameter": (lambda i: torch.nn.Parameter(X[i]), True),
    "types in turn": (lambda i: X[i] if i % 2 else X[i].tolist(), False),
    "dtypes in turn": (lambda i: X[i] if i % 2 else X[i].double(), False),
}
YS: dict[str, Callable[[int], Any]] = {
    "int": lambda i: i % 2,
    "negative": lambda i: -(i % 2),
    "huge": lambda i: 2**62 + i % 2,
    "beyond int64": lambda i: 10**30 + i % 2,
    "float": lambda i: i / 2,
    "float of whole numbers": lambda i: float(i % 2),
    "bool": lambda i: i % 2 == 0,
    "text": lambda i: "ab"[i % 2],
    "bytes": lambda i: b"ab"[i % 2 : i % 2 + 1],
    "None": lambda i: None,
    "None later": lambda i: None if i == 33 else i % 2,
    "NaN": lambda i: math.nan,
    "infinite": lambda i: math.inf,
    "1e39": lambda i: 1e39 * i,
    "complex": lambda i: 1j,
    "0-d tensor": lambda i: torch.tensor(i % 2),
    "1-d tensor": lambda i: torch.tensor([i % 2]),
    "one-hot": lambda i: torch.eye(2)[i % 2],
    "one-hot whole": lambda i: torch.eye(2).long()[i % 2],
    "mask": lambda i: torch.ones(4, 4).long(),
    "many quantities": lambda i: X[i],
    "empty": lambda i: torch.zeros(0),
    "sparse": lambda i: torch.eye(2)[i % 2].to_sparse(),
    "meta": lambda i: torch.tensor(1, device="meta"),
    "list": lambda i: [i % 2, 1],
    "tuple": lambda i: (i % 2, 1),
    "dict": lambda i: {"box": i},
    "mixed": lambda i: i % 2 if i < 20 else "a",
    "int then float": lambda i: i % 2 if i < 20 else 0.5,
    "shapes in turn": lambda i: torch.ones(1 + i % 2),
    "all the same": lambda i: 1,
    "all differ": lambda i: i,
    "numpy uint64": lambda i: numpy.uint64(2**63 + i % 2),
    "numpy text": lambda i: numpy.str_("ab"[i % 2]),
    "escape": lambda i: f"\x1b[31m{i % 2}",
    "surrogate": lambda i: f"\ud800{i % 2}",
}
SAMPLES: dict[str, Callable[[int], Any]] = {
    "a tensor alone": lambda i: X[i],
    "three": lambda i: (X[i], X[i], Y[i]),
    "a list": lambda i: [X[i], Y[i]],
    "a dict": lambda i: {"x": X[i], "y": Y[i]},
    "None": lambda i: None,
    "None later": once(None),
    "another shape later": once((X[0][:2], 1)),
    "another type later": once(("abc", 1)),
    "a KeyError": raising(KeyError("no such file")),
    "a MemoryError": raising(MemoryError()),
    "a RecursionError": raising(RecursionError()),
    "a StopIteration": raising(StopIteration()),
    "an error of no Exception": raising(BaseException("panic")),
    "an error in other signs": raising(ValueError("\x1b[31m\ud800")),
}
WHOLE: dict[str, Callable[[], Any]] = {
    "endless": lambda: Streamed(endless),
    "endless in a loader": lambda: DataLoader(Streamed(endless), batch_size=4),
    "a stream of nothing": lambda: Streamed(lambda: iter(())),
    "a stream of None": lambda: Streamed(lambda: iter([None] * 9)),
    "a stream that is used up": lambda: Streamed(lambda used=iter([plain(i) for i in range(COUNT)]): used),
    "a stream that fails": lambda: Streamed(lambda: map(raising(OSError("gone")), range(COUNT))),
    "a length of 0": lambda: Made(plain, 0),
    "a length of -1": lambda: Made(plain, -1),
    "a length of text": lambda: Made(plain, "40"),
    "a length of 10^18": lambda: Made(lambda i: plain(i % COUNT), 10**18),
    "a length too long": lambda: Made(lambda i: plain(i) if i < 9 else [][i], 20),
    "no pairs": lambda: TensorDataset(X),
    "three tensors": lambda: TensorDataset(X, X, torch.tensor(Y)),
    "no batches": lambda: DataLoader(Made(plain), batch_size=None),
    "batches of 10^9": lambda: DataLoader(Made(plain), batch_size=10**9),
    "the last dropped, and all with it": lambda: DataLoader(Made(plain), batch_size=100, drop_last=True),
    "a collate function of None": lambda: DataLoader(Made(plain), batch_size=4, collate_fn=lambda batch: None),
    "a collate function that fails": lambda: DataLoader(Made(plain), batch_size=4, collate_fn=lambda batch: batch[99]),
    "a collate function of lists": lambda: DataLoader(Made(plain), batch_size=4, collate_fn=list),
    "a sampler of nothing": lambda: DataLoader(Made(plain), batch_size=4, sampler=[]),
    "a sampler beyond the end": lambda: DataLoader(Made(plain), batch_size=4, sampler=[999]),
    "an endless sampler": lambda: DataLoader(Made(plain), batch_sampler=iter(lambda: [0, 1], None)),
    "a batch sampler": lambda: DataLoader(Made(plain), batch_sampler=BatchSampler(SequentialSampler(Y), 7, False)),
    "workers": lambda: DataLoader(Made(plain), batch_size=8, num_workers=2),
    "workers that fail": lambda: DataLoader(Made(raising(KeyError("x"))), batch_size=8, num_workers=2),
    "workers that exit": lambda: DataLoader(Made(raising(SystemExit(1))), batch_size=8, num_workers=1),
    "a timeout": lambda: DataLoader(Made(plain), batch_size=8, num_workers=1, timeout=30),
    "the class itself": lambda: Made,
    "a loader's iterator": lambda: iter(DataLoader(Made(plain), batch_size=4)),
    "parts of two kinds": lambda: {"train": Made(plain), "test": (X, Y)},
    "parts of two shapes": lambda: (Made(plain), Made(lambda i: (X[i][:2], Y[i]))),
    "parts of two tasks": lambda: (Made(plain), Made(lambda i: (X[i], 0.5))),
    "a part with another class": lambda: (Made(plain), Made(lambda i: (X[i], 7))),
    "an empty part": lambda: {"train": Made(plain), "test": Made(plain, 0)},
    "four parts": lambda: (Made(plain),) * 4,
}


def loaded(name: str, source: Callable[[], Any], truth: Arrays | None = None) -> Case:
    def act(place: Path) -> list[str]:
        data = load(source(), validation=0, test=0)
        if truth:
            return list(changes_in_arrays(data, truth))
        for part, size in data.sizes.items():  # all that an epoch would read
            if size:
                list(data.batches(part, 8, device=torch.device("cpu")))
        return []

    return Case(FAMILY, name, act)


def trained(name: str, source: Callable[[], Any]) -> Case:
    def act(place: Path) -> list[str]:
        run = fit("mlp", source(), epochs=1, progress=False, folder=place / "run")
        return [] if run.finished else ["the run did not finish"]

    return Case(FAMILY, f"fit: {name}", act)


def cases() -> Iterator[Case]:
    for name, (make, same) in XS.items():
        truth = Arrays(X.numpy(), Y) if same else None
        yield loaded(f"x {name}", lambda make=make: Made(lambda i: (make(i), Y[i])), truth)
    for name, target in YS.items():
        yield trained(f"y {name}", lambda target=target: Made(lambda i: (X[i], target(i))))
    for name, sample in SAMPLES.items():
        yield loaded(f"sample {name}", lambda sample=sample: Made(sample))
    for name, source in WHOLE.items():
        yield loaded(name, source)
    for name in ("endless", "workers", "a batch sampler", "a stream that is used up", "an empty part"):
        yield trained(name, WHOLE[name])
