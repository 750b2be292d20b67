"""Arrays, tensors, lists and data frames of every type, shape and oddity."""

import datetime
import decimal
import fractions
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import torch

from attack.inputs.case import Case
from attack.inputs.truth import Arrays, Odd, Table, changes_in_arrays, changes_in_table
from danlu.data import load

FAMILY = "arrays and frames"
COUNT = 40
Y = [number % 2 for number in range(COUNT)]
LABELS = [("cat", "dog")[number % 2] for number in range(COUNT)]
DTYPES = [
    "bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32", "float64",
    "longdouble", "complex64", "complex128", ">f8", ">i4", "S3", "U3", "object", "datetime64[D]", "timedelta64[s]", "V4",
]  # fmt: skip
SHAPES: list[tuple[int, ...]] = [(), (1,), (3,), (2, 3), (8, 8), (3, 8, 8), (8, 8, 3), (2, 2, 2, 2), (0,), (1, 1, 1)]


def given(name: str, source: Callable[[], Any], truth: Callable[[], Arrays] | None = None, **options: Any) -> Case:
    def act(place: Path) -> list[str]:
        data = load(source(), validation=0, test=0, standardise=False, **options)
        return list(changes_in_arrays(data, truth())) if truth else []

    return Case(FAMILY, name, act)


def of_type(dtype: str, shape: tuple[int, ...]) -> Case:
    """Numbers 0 … 99 in this type; where it is one of numbers, they must arrive as they are (bytes, as pictures, as
    255ths where they have a picture's shape, with the channels first).
    """
    numbers = numpy.random.default_rng(0).integers(0, 100, (COUNT, *shape))
    picture = dtype == "uint8" and len(shape) in (2, 3)

    def source() -> Any:
        if dtype == "object":
            return numbers.astype(object), Y
        if dtype == "V4":
            return numbers.astype("int32").view("V4"), Y
        return numbers.astype(dtype), Y

    def truth() -> Arrays:
        x = numbers.astype(dtype).astype("float64") if dtype == "bool" else numbers.astype("float64")
        x = x.reshape(COUNT, *(shape or (1,)))
        if picture:
            x = x[:, None] if len(shape) == 2 else x if shape[0] in (1, 3) else x.transpose(0, 3, 1, 2)
            x = x / 255
        return Arrays(x, Y)

    numeric = numpy.dtype("U1" if dtype == "V4" else dtype).kind in "iufb"
    return given(f"{dtype} {list(shape)}", source, truth if numeric else None)


X = numpy.random.default_rng(1).normal(size=(COUNT, 3))
T = torch.tensor(X, dtype=torch.float32)


def with_value(value: float, dtype: str = "float64") -> Any:
    x = X.astype(dtype)
    x[7, 1] = value
    return x


class Sub(torch.Tensor):
    """A user's own kind of tensor."""


def recursive() -> list[Any]:
    rows: list[Any] = [[1.0], [2.0]]
    rows.append(rows)
    return rows


SOURCES: dict[str, tuple[Callable[[], Any], Callable[[], Arrays] | None]] = {
    "NaN in x": (lambda: (with_value(math.nan), Y), None),
    "infinity in x": (lambda: (with_value(math.inf), Y), None),
    "1e39 in float64": (lambda: (with_value(1e39), Y), lambda: Arrays(with_value(1e39), Y)),
    "1e308": (lambda: (with_value(1e308), Y), lambda: Arrays(with_value(1e308), Y)),
    "int64 beyond 2^53": (
        lambda: ((numpy.arange(COUNT) + 2**60).reshape(-1, 1), Y),
        lambda: Arrays((numpy.arange(COUNT) + 2**60).reshape(-1, 1), Y),
    ),
    "uint64 beyond 2^63": (lambda: ((numpy.arange(COUNT, dtype="uint64") + 2**63).reshape(-1, 1), Y), None),
    "labels beyond 2^53": (
        lambda: (X, [2**60 + n % 3 for n in range(COUNT)]),
        lambda: Arrays(X, [2**60 + n % 3 for n in range(COUNT)]),
    ),
    "labels of uint64": (
        lambda: (X, numpy.array([2**64 - 1 - n % 2 * 5000 for n in range(COUNT)], dtype="uint64")),
        lambda: Arrays(X, [2**64 - 1 - n % 2 * 5000 for n in range(COUNT)]),
    ),
    "labels of Python, huge": (
        lambda: (X, [10**30 + n % 2 for n in range(COUNT)]),
        lambda: Arrays(X, [10**30 + n % 2 for n in range(COUNT)]),
    ),
    "labels negative": (
        lambda: (X, [-1 if n % 2 else 1 for n in range(COUNT)]),
        lambda: Arrays(X, [-1 if n % 2 else 1 for n in range(COUNT)]),
    ),
    "labels text": (lambda: (X, LABELS), lambda: Arrays(X, LABELS)),
    "labels text with NaN": (lambda: (X, [*LABELS[:-1], math.nan]), lambda: Arrays(X, [*LABELS[:-1], None])),
    "labels text with None": (lambda: (X, [*LABELS[:-1], None]), lambda: Arrays(X, [*LABELS[:-1], None])),
    "labels text nan": (lambda: (X, [*LABELS[:-2], "nan", "nan"]), lambda: Arrays(X, [*LABELS[:-2], "nan", "nan"])),
    "labels mixed": (lambda: (X, [1 if n % 2 else "1" for n in range(COUNT)]), None),
    "labels True and 1": (lambda: (X, [True if n % 2 else 0 for n in range(COUNT)]), None),
    "labels 1 and 1.5": (
        lambda: (X, [1 if n % 2 else 1.5 for n in range(COUNT)]),
        lambda: Arrays(X, [1 if n % 2 else 1.5 for n in range(COUNT)]),
    ),
    "labels bytes": (lambda: (X, [one.encode() for one in LABELS]), lambda: Arrays(X, LABELS)),
    "labels broken bytes": (lambda: (X, [b"\xff\xfe" if n % 2 else b"\xff\xff" for n in range(COUNT)]), None),
    "labels escape": (
        lambda: (X, [f"{one}\x1b[31m" for one in LABELS]),
        lambda: Arrays(X, [f"{one}\x1b[31m" for one in LABELS]),
    ),
    "labels surrogate": (lambda: (X, [f"{one}\ud800" for one in LABELS]), None),
    "labels of tuples": (lambda: (X, [(n % 2, 1) for n in range(COUNT)]), None),
    "labels of dicts": (lambda: (X, [{"a": n % 2} for n in range(COUNT)]), None),
    "labels of Decimal": (lambda: (X, [decimal.Decimal(n % 2) for n in range(COUNT)]), None),
    "labels of Fraction": (lambda: (X, [fractions.Fraction(n, 3) for n in range(COUNT)]), None),
    "labels of dates": (lambda: (X, [datetime.date(2024, 1, 1 + n % 2) for n in range(COUNT)]), None),
    "labels of numpy scalars": (lambda: (X, [numpy.int8(n % 2) for n in Y]), lambda: Arrays(X, Y)),
    "labels of 0-d tensors": (lambda: (X, [torch.tensor(n) for n in Y]), lambda: Arrays(X, Y)),
    "labels complex": (lambda: (X, [complex(n, 1) for n in Y]), None),
    "labels one-hot": (lambda: (X, torch.eye(2)[torch.tensor(Y)]), None),
    "labels one-hot whole": (lambda: (X, torch.eye(2).long()[torch.tensor(Y)]), None),
    "labels all differ": (lambda: (X, list(range(COUNT))), None),
    "labels all the same": (lambda: (X, [1] * COUNT), None),
    "labels too few": (lambda: (X, Y[:-1]), None),
    "labels a scalar": (lambda: (X, 1), None),
    "labels a string": (lambda: (X, "ab" * 20), None),
    "labels masked": (lambda: (X, numpy.ma.masked_array(Y, mask=[n % 5 == 0 for n in range(COUNT)])), None),
    "labels masked nowhere": (lambda: (X, numpy.ma.masked_array(Y, mask=False)), lambda: Arrays(X, Y)),
    "labels with gaps of NaN": (lambda: (X, [math.nan, *X[1:, 0]]), lambda: Arrays(X, [None, *X[1:, 0]])),
    "quantities infinite": (lambda: (X, [math.inf, *X[1:, 0]]), lambda: Arrays(X, [None, *X[1:, 0]])),
    "quantities 1e39": (lambda: (X, [1e39, *X[1:, 0]]), lambda: Arrays(X, [1e39, *X[1:, 0]])),
    "quantities 1e-50": (lambda: (X, X[:, 0] * 1e-50), lambda: Arrays(X, X[:, 0] * 1e-50)),
    "x masked": (lambda: (numpy.ma.masked_array(X, mask=X > 1), Y), None),
    "x masked nowhere": (lambda: (numpy.ma.masked_array(X, mask=False), Y), lambda: Arrays(X, Y)),
    "x structured": (lambda: (numpy.array([(1.0, 2)] * COUNT, dtype=[("a", "f8"), ("b", "i4")]), Y), None),
    "x of objects": (lambda: (numpy.array([[1.0, None]] * COUNT, dtype=object), Y), None),
    "x of Decimals": (lambda: ([[decimal.Decimal("1.5")]] * COUNT, Y), None),
    "x of huge ints": (lambda: ([[10**30 + n] for n in range(COUNT)], Y), lambda: Arrays([[10.0**30]] * COUNT, Y)),
    "x of huge ints beyond float": (lambda: ([[10**400 + n] for n in range(COUNT)], Y), None),
    "x of bytes": (lambda: ([b"abc"] * COUNT, Y), None),
    "x of texts": (lambda: (["a b c", "c d e"] * (COUNT // 2), Y), None),
    "x of empty texts": (lambda: ([""] * COUNT, Y), None),
    "x of None": (lambda: ([None] * COUNT, Y), None),
    "x None": (lambda: (None, Y), None),
    "x ragged": (lambda: ([[1.0], [1.0, 2.0]] * (COUNT // 2), Y), None),
    "x recursive": (lambda: (recursive(), Y[:3]), None),
    "x a generator": (lambda: ((row for row in X), Y), None),
    "x a range": (lambda: (range(COUNT), Y), lambda: Arrays(numpy.arange(COUNT)[:, None], Y)),
    "x a set": (lambda: (set(range(COUNT)), Y), None),
    "x a dict": (lambda: ({"a": 1}, Y), None),
    "x a memoryview": (lambda: (memoryview(X), Y), None),
    "x an array.array": (lambda: (__import__("array").array("d", X[:, 0]), Y), None),
    "x a scalar": (lambda: (numpy.float64(3), Y), None),
    "x 0-d tensor": (lambda: (torch.tensor(3.0), torch.tensor(1)), None),
    "x numpy.matrix": (lambda: (numpy.asmatrix(X), Y), lambda: Arrays(X, Y)),
    "x reversed": (lambda: (X[::-1], Y), lambda: Arrays(X[::-1], Y)),
    "x Fortran": (lambda: (numpy.asfortranarray(X), Y), lambda: Arrays(X, Y)),
    "x broadcast": (
        lambda: (numpy.broadcast_to(numpy.arange(COUNT, dtype="f8")[:, None], (COUNT, 3)), Y),
        lambda: Arrays(numpy.broadcast_to(numpy.arange(COUNT)[:, None], (COUNT, 3)), Y),
    ),
    "x read-only": (lambda: (numpy.frombuffer(X.tobytes()).reshape(COUNT, 3), Y), lambda: Arrays(X, Y)),
    "x with a gradient": (lambda: (T.clone().requires_grad_(), Y), lambda: Arrays(T.numpy(), Y)),
    "x a parameter": (lambda: (torch.nn.Parameter(T), Y), lambda: Arrays(T.numpy(), Y)),
    "x a subclass": (lambda: (T.as_subclass(Sub), Y), lambda: Arrays(T.numpy(), Y)),
    "x sparse": (lambda: (T.to_sparse(), Y), None),
    "x sparse CSR": (lambda: (T.to_sparse_csr(), Y), None),
    "x meta": (lambda: (T.to("meta"), Y), None),
    "x quantised": (lambda: (torch.quantize_per_tensor(T, 0.1, 0, torch.qint8), Y), None),
    "x nested": (lambda: (torch.nested.nested_tensor([T[0], T[1]]), Y[:2]), None),
    "x bfloat16": (lambda: (T.bfloat16(), Y), lambda: Arrays(T.bfloat16().double().numpy(), Y)),
    "x float8": (lambda: (T.to(torch.float8_e4m3fn), Y), None),
    "x complex": (lambda: (torch.complex(T, T), Y), None),
    "x conjugate": (lambda: (torch.complex(T, T).conj().imag, Y), lambda: Arrays(-T.numpy(), Y)),
    "x negative view": (lambda: (torch.complex(T, -T).conj().imag, Y), lambda: Arrays(T.numpy(), Y)),
    "y sparse": (lambda: (X, torch.tensor(Y).to_sparse()), None),
    "y meta": (lambda: (X, torch.tensor(Y, device="meta")), None),
    "y with a gradient": (lambda: (X, T[:, 0].clone().requires_grad_()), lambda: Arrays(X, T[:, 0].tolist())),
    "y float16": (lambda: (X, T[:, 0].half()), lambda: Arrays(X, T[:, 0].half().tolist())),
    "no samples": (lambda: (X[:0], Y[:0]), None),
    "one sample": (lambda: (X[:1], Y[:1]), None),
    "three in a tuple": (lambda: (X, Y, Y), None),
    "one in a tuple": (lambda: (X,), None),
    "an int": (lambda: 3, None),
    "NaN": (lambda: math.nan, None),
    "bytes": (lambda: b"t.csv", None),
    "a function": (lambda: load, None),
    "a class": (lambda: Sub, None),
    "a module": (lambda: torch.nn.Linear(2, 2), None),
    "empty text": (lambda: "", None),
    "a zero byte": (lambda: "t\0.csv", None),
    "a name of 300 signs": (lambda: "b" * 300 + ".csv", None),
    "a name of 5,000 signs": (lambda: "b/" * 2500, None),
    "a surrogate": (lambda: "t\udc80.csv", None),
    "a URL": (lambda: "https://example.invalid/t.csv", None),
    "escapes": (lambda: "\x1b[2J\x1b]0;x\x07", None),
    "an empty dict": (dict, None),
    "an empty list": (list, None),
    "a dict of parts": (lambda: {"train": (X, Y), "test": (X[:, :2], Y)}, None),
    "a dict of kinds": (lambda: {"train": (X, Y), "test": "digits"}, None),
    "parts in a circle": (lambda: {"train": {"train": (X, Y)}}, None),
}


def frame(name: str, columns: Callable[[], Any], truth: dict[str, Any] | None = None, target: Any = "y") -> Case:
    def act(place: Path) -> list[str]:
        data = load(columns(), target=target, validation=0, test=0, standardise=False)
        return list(changes_in_table(data, Table(truth, LABELS))) if truth is not None else []

    return Case(FAMILY, f"frame: {name}", act)


def polar(values: Any, dtype: str | None = None) -> Callable[[], Any]:
    def made() -> Any:
        import polars

        kind = None if dtype is None else eval(f"polars.{dtype}", {"polars": polars})  # of the table below alone
        return polars.DataFrame({"a": polars.Series(values, dtype=kind, strict=False), "b": X[:, 0], "y": LABELS})

    return made


WHOLE = [number * 7 % 11 for number in range(COUNT)]
SERIES: dict[str, tuple[Any, str | None, Any]] = {
    "Int8": (WHOLE, "Int8", WHOLE),
    "UInt64": ([2**63 + n for n in WHOLE], "UInt64", [2**63 + n for n in WHOLE]),
    "Int128": ([2**100 + n for n in WHOLE], "Int128", [2**100 + n for n in WHOLE]),
    "Decimal": ([decimal.Decimal(n) / 4 for n in WHOLE], "Decimal(10, 2)", [n / 4 for n in WHOLE]),
    "Decimal of 38 digits": ([decimal.Decimal(10**30 + n) for n in WHOLE], "Decimal(38, 0)", [Odd("") for _ in WHOLE]),
    "Float32": ([n / 2 for n in WHOLE], "Float32", [n / 2 for n in WHOLE]),
    "NaN": ([math.nan, *[n / 2 for n in WHOLE[1:]]], "Float64", [None, *[n / 2 for n in WHOLE[1:]]]),
    "null": ([None, *WHOLE[1:]], "Int64", [None, *WHOLE[1:]]),
    "infinity": ([math.inf, *WHOLE[1:]], "Float64", [Odd("inf"), *WHOLE[1:]]),
    "Boolean": ([n % 2 == 0 for n in WHOLE], "Boolean", [float(n % 2 == 0) for n in WHOLE]),
    "Categorical": ([f"k{n % 3}" for n in WHOLE], "Categorical", [f"k{n % 3}" for n in WHOLE]),
    "Enum": ([f"k{n % 3}" for n in WHOLE], "Enum(['k0', 'k1', 'k2'])", [f"k{n % 3}" for n in WHOLE]),
    "Date": ([datetime.date(1970, 1, 1 + n) for n in WHOLE], "Date", [float(n) for n in WHOLE]),
    "Datetime": ([datetime.datetime(1970, 1, 1 + n, 12) for n in WHOLE], "Datetime('ns')", [n + 0.5 for n in WHOLE]),
    "Time": ([datetime.time(n) for n in WHOLE], "Time", [Odd("") for _ in WHOLE]),
    "Duration": ([datetime.timedelta(hours=n) for n in WHOLE], "Duration('ms')", [n / 24 for n in WHOLE]),
    "Binary": ([bytes([n]) for n in WHOLE], "Binary", [Odd("") for _ in WHOLE]),
    "List": ([[n, 1] for n in WHOLE], "List(polars.Int64)", [Odd("") for _ in WHOLE]),
    "Array": ([[n, 1] for n in WHOLE], "Array(polars.Int64, 2)", [Odd("") for _ in WHOLE]),
    "Struct": ([{"p": n} for n in WHOLE], None, [Odd("") for _ in WHOLE]),
    "Object": ([Sub for _ in WHOLE], "Object", [Odd("") for _ in WHOLE]),
    "Null": ([None] * COUNT, "Null", [Odd("") for _ in WHOLE]),
    "String of numbers": ([str(n) for n in WHOLE], "String", WHOLE),
    "String with 007": (["007", *[str(10 + n) for n in WHOLE[1:]]], "String", [Odd("007"), *[10 + n for n in WHOLE[1:]]]),
}  # fmt: skip
FRAMES: dict[str, Callable[[], Any]] = {
    "columns 1 and '1'": lambda: {1: WHOLE, "1": WHOLE, "y": LABELS},
    "columns of None and NaN": lambda: {None: WHOLE, math.nan: WHOLE, "y": LABELS},
    "an empty name": lambda: {"": WHOLE, "y": LABELS},
    "no rows": lambda: {"a": [], "y": []},
    "no columns but the target": lambda: {"y": LABELS},
    "lengths differ": lambda: {"a": WHOLE[:-1], "y": LABELS},
    "a scalar column": lambda: {"a": 3, "y": LABELS},
    "a column of lists": lambda: {"a": [[n] for n in WHOLE], "y": LABELS},
    "a column of dicts": lambda: {"a": [{"p": n} for n in WHOLE], "y": LABELS},
    "a column of arrays": lambda: {"a": X, "y": LABELS},
    "a column of everything": lambda: {"a": [1, "x", None, 2.5, b"b", True, [1], {}] * 5, "y": LABELS},
    "a column of huge ints": lambda: {"a": [10**400 + n for n in WHOLE], "y": LABELS},
    "a column of ints and a float": lambda: {"a": [0.5, *[2**60 + n for n in WHOLE[1:]]], "y": LABELS},
    "labels text and NaN": lambda: {"a": WHOLE, "y": [*LABELS[:-1], math.nan]},
    "labels None": lambda: {"a": WHOLE, "y": [*LABELS[:-1], None]},
    "labels 2^60 and more": lambda: {"a": WHOLE, "y": [2**60 + n % 3 for n in range(COUNT)]},
    "a tensor column": lambda: {"a": T[:, 0], "y": LABELS},
    "a masked column": lambda: {"a": numpy.ma.masked_array(X[:, 0], mask=X[:, 0] > 0), "y": LABELS},
    "a surrogate in a name": lambda: {"a\ud800": WHOLE, "y": LABELS},
    "a surrogate in a cell": lambda: {"a": ["x\ud800", "y"] * 20, "y": LABELS},
    "a zero byte in a name": lambda: {"a\0": WHOLE, "y": LABELS},
    "10,000 columns": lambda: {**{f"c{n}": WHOLE for n in range(10_000)}, "y": LABELS},
}
TARGETS: list[Any] = [
    "nope",
    "",
    "9" * 5000,
    "-1",
    "-99",
    "1e3",
    "\x1b[31m",
    3,
    -1,
    10**30,
    1.5,
    True,
    math.nan,
    [],
    b"y",
    "y\0",
]


def lazy() -> Any:
    import polars

    return polars.LazyFrame({"a": WHOLE, "y": LABELS})


def cases() -> Iterator[Case]:
    for dtype in DTYPES:
        for shape in SHAPES:
            yield of_type(dtype, shape)
    for name, (source, truth) in SOURCES.items():
        yield given(name, source, truth)
    for name, (values, dtype, wanted) in SERIES.items():
        yield frame(name, polar(values, dtype), {"a": wanted})
    for name, columns in FRAMES.items():
        yield frame(name, columns)
    for target in TARGETS:
        yield frame(f"target {str(target)[:20]!r}", lambda: {"a": WHOLE, "y": LABELS}, target=target)
    yield frame("lazy", lazy)
