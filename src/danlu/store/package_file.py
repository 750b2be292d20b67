"""package.json: what a run needs to answer without its data, read and written without torch.

It is strict JSON. `preprocessing` is what was fitted to the training part, `data` tells the training data from others;
both stand there from the run's first moment (schema 1 had no more). `answers` comes when the training has ended: what
the answers mean, how good they are, which file holds the weights, and golden samples by which any copy of the net, on
any machine and in any format, can be proved. The last key is a checksum of all the others.
"""

import base64
import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, cast

import numpy

from danlu.base.errors import Fault, fail
from danlu.base.files import replace_file
from danlu.base.places import shown
from danlu.base.strict_json import checksum, number, to_json

SCHEMA = 2
KINDS = ("table", "series", "pictures", "numbers", "texts", "several")
_ARRAYS = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
_MAX_BYTES = 64 * 2**20  # of one array: no golden sample is near it, and a forged one must not fill the memory

Array = numpy.ndarray[Any, Any]


@dataclass(frozen=True)
class PackedFile:
    """A file of the run's folder by its path in there, its SHA-256, and for weights the part of a checkpoint it is."""

    file: str
    sha256: str
    part: str = ""

    def path(self, folder: Path) -> Path:
        return folder / self.file

    def refuse_other(self, folder: Path) -> bytes:
        """The bytes of the file. UserError where it is missing, or not the one that was packed."""
        path = self.path(folder)
        try:
            content = path.read_bytes()
        except OSError as error:
            fail("store.packed-file-missing", path=shown(path), reason=error.strerror or error)
        if hashlib.sha256(content).hexdigest() != self.sha256:
            fail("store.packed-file-differs", path=shown(path))
        return content


@dataclass(frozen=True)
class PartScore:
    """How good the answers were on a part of so many samples."""

    samples: int
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class GoldenSample:
    """A raw sample, as `run.predict` takes one of its kind (a row as a dict, a window as a dict of columns, a picture
    or numbers as an array, a text, several inputs as a dict of arrays), and what the run said of it: the answer, the
    probabilities [C] of classes, and the net's outputs.
    """

    raw: Any
    answer: Any
    probabilities: Array | None
    outputs: Array


@dataclass(frozen=True)
class GoldenSamples:
    """Samples of one `kind` (see KINDS) with their answers; where there are none, `missing` is the id of the reason."""

    kind: str = ""
    samples: tuple[GoldenSample, ...] = ()
    missing: str = ""

    def raw(self) -> Any:
        """All raw samples together, as `run.predict` takes them."""
        each = [sample.raw for sample in self.samples]
        if self.kind == "table":
            return {name: [row[name] for row in each] for name in each[0]} if each else {}
        if self.kind == "several":
            return {name: numpy.stack([sample[name] for sample in each]) for name in each[0]} if each else {}
        return numpy.stack(each) if self.kind == "numbers" and each else each


@dataclass(frozen=True)
class RunAnswers:
    """What the answers of a run mean, how good they are, and what gives them.

    `decision` is how an answer is made of outputs (DECISIONS in `danlu.ship.golden`), `recipe` the recipe's
    fingerprint; `program` is a net of the user's own as a program that needs no code, `no_program` why there is none.
    """

    task: str
    decision: str
    classes: tuple[str, ...]
    target: Mapping[str, Any]
    score: Mapping[str, PartScore]
    recipe: str
    weights: PackedFile
    versions: Mapping[str, str]
    golden: GoldenSamples = field(default_factory=GoldenSamples)
    program: PackedFile | None = None
    no_program: Fault | None = None


@dataclass(frozen=True)
class PackageFile:
    """What package.json holds; `preprocessing` and `data` are plain values."""

    preprocessing: Mapping[str, Any]
    data: Mapping[str, Any]
    answers: RunAnswers | None = None

    def write(self, path: Path) -> None:
        """Put the package at `path`, whole or not at all. StorageError where the disk refuses."""
        replace_file(path, self.encoded())

    def encoded(self) -> bytes:
        """The bytes of the file."""
        answers = None if self.answers is None else _answers_to_plain(self.answers)
        content = {"schema": SCHEMA, "preprocessing": self.preprocessing, "data": self.data, "answers": answers}
        return to_json({**content, "checksum": checksum(content)}).encode() + b"\n"


def read_package_file(path: Path) -> PackageFile | None:
    """The package at `path`; None where there is none (danlu 0.1 wrote none). UserError where it is damaged, or was
    written by a later danlu.
    """
    if not path.exists():
        return None
    newer = False
    try:
        content = cast(dict[str, Any], json.loads(path.read_text(encoding="utf-8")))
        newer = type(content["schema"]) is int and content["schema"] > SCHEMA
        if content["schema"] in (1, SCHEMA) and content.pop("checksum") == checksum(content):
            answers = content.get("answers")
            read = None if answers is None else _answers_from_plain(answers)
            return PackageFile(content["preprocessing"], content["data"], read)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return fail("store.package-newer" if newer else "store.package-damaged", path=shown(path))


def array_to_plain(array: Array) -> dict[str, Any]:
    """An array as JSON holds it, bit for bit.

    >>> array_from_plain(array_to_plain(numpy.array([[1.5], [numpy.nan]]))).tolist()
    [[1.5], [nan]]
    """
    little = numpy.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    text = base64.b64encode(little.tobytes()).decode()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "base64": text}


def array_from_plain(plain: Mapping[str, Any]) -> Array:
    """The array that `array_to_plain` wrote. ValueError, KeyError or TypeError where it is not of its form."""
    shape = tuple(_whole(side) for side in plain["shape"])
    if plain["dtype"] not in _ARRAYS:
        raise ValueError("no type of an array")
    kind = numpy.dtype(plain["dtype"])
    content = base64.b64decode(plain["base64"], validate=True)
    if math.prod(shape) * kind.itemsize != len(content) or len(content) > _MAX_BYTES:
        raise ValueError("the bytes do not fill the shape")
    return numpy.frombuffer(content, kind.newbyteorder("<")).astype(kind).reshape(shape)


def raw_to_plain(raw: Any) -> Any:
    """One raw sample as JSON holds it."""
    if isinstance(raw, dict):
        return {name: raw_to_plain(one) for name, one in cast(dict[str, Any], raw).items()}
    return array_to_plain(raw) if isinstance(raw, numpy.ndarray) else raw


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("no size")
    return value


def _answers_to_plain(answers: RunAnswers) -> dict[str, Any]:
    golden = answers.golden
    return {
        "task": answers.task,
        "decision": answers.decision,
        "classes": list(answers.classes),
        "target": answers.target,
        "score": {part: vars(score) for part, score in answers.score.items()},
        "recipe": answers.recipe,
        "weights": vars(answers.weights),
        "program": None if answers.program is None else vars(answers.program),
        "no_program": None if answers.no_program is None else vars(answers.no_program),
        "versions": answers.versions,
        "golden": {
            "form": golden.kind,
            "missing": golden.missing,
            "samples": [
                {
                    "raw": raw_to_plain(sample.raw),
                    "answer": sample.answer,
                    "probabilities": None if sample.probabilities is None else array_to_plain(sample.probabilities),
                    "outputs": array_to_plain(sample.outputs),
                }
                for sample in golden.samples
            ],
        },
    }


def _answers_from_plain(plain: Mapping[str, Any]) -> RunAnswers:
    return RunAnswers(
        task=_text(plain["task"]),
        decision=_text(plain["decision"]),
        classes=tuple(map(_text, plain["classes"])),
        target=dict(plain["target"]),
        score={part: _score(score) for part, score in plain["score"].items()},
        recipe=_text(plain["recipe"]),
        weights=_packed(plain["weights"]),
        versions={name: _text(version) for name, version in plain["versions"].items()},
        golden=_golden_from_plain(plain["golden"], plain["task"] == "regression"),
        program=None if plain["program"] is None else _packed(plain["program"]),
        no_program=None if plain.get("no_program") is None else _fault(plain["no_program"]),
    )


def _score(plain: Mapping[str, Any]) -> PartScore:
    return PartScore(_whole(plain["samples"]), {name: number(value) for name, value in plain["metrics"].items()})


def _packed(plain: Mapping[str, Any]) -> PackedFile:
    """A file inside the folder, and nowhere else."""
    file = _text(plain["file"])
    inside = PurePosixPath(file)
    if inside.is_absolute() or ".." in inside.parts or re.search(r"[\\:\0]", file) or not inside.parts:
        raise ValueError("a path that leaves the folder")
    if not re.fullmatch("[0-9a-f]{64}", plain["sha256"]):
        raise ValueError("no SHA-256")
    return PackedFile(file, plain["sha256"], _text(plain["part"]))


def _fault(plain: Mapping[str, Any]) -> Fault:
    """A reason, with nothing but words and numbers in it."""
    values = {_text(name): value for name, value in plain["values"].items()}
    if not all(isinstance(value, str | int | float) for value in values.values()):
        raise TypeError("no reason")
    fault = Fault(_text(plain["id"]), values)
    str(fault)  # KeyError for a phrase that danlu has not, or has with other values
    return fault


def _golden_from_plain(plain: Mapping[str, Any], numbers: bool) -> GoldenSamples:
    if plain["samples"] and plain["form"] not in KINDS:
        raise ValueError("no kind of samples")
    samples = tuple(
        GoldenSample(
            raw=_raw_from_plain(sample["raw"], plain["form"]),
            answer=_number(sample["answer"]) if numbers else sample["answer"],
            probabilities=None if sample["probabilities"] is None else array_from_plain(sample["probabilities"]),
            outputs=array_from_plain(sample["outputs"]),
        )
        for sample in plain["samples"]
    )
    return GoldenSamples(plain["form"], samples, _text(plain["missing"]))


def _number(value: Any) -> Any:
    return [number(one) for one in value] if isinstance(value, list) else number(value)


def _raw_from_plain(plain: Any, kind: str) -> Any:
    if kind == "texts":
        return [_text(token) for token in plain] if isinstance(plain, list) else _text(plain)
    if kind == "several":
        return {name: array_from_plain(array) for name, array in plain.items()}
    if kind not in ("table", "series"):
        return array_from_plain(plain)
    cells = list(plain.values()) if kind == "table" else [cell for column in plain.values() for cell in column]
    if not all(cell is None or isinstance(cell, str | int | float) for cell in cells):
        raise ValueError("no row of a table")
    return dict(plain)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
