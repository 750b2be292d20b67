"""What an export of a run is made of and proved on: its answerer, its test part as raw samples, all that it tells."""

import contextlib
import importlib.metadata
import json
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from danlu.base.errors import UserError, fail
from danlu.base.places import shown
from danlu.data import Dataset
from danlu.data.raw import raw_samples
from danlu.run.package import Package
from danlu.run.run_record import RunRecord
from danlu.ship import Answerer, ErrorBand
from danlu.ship.export import Evidence, Exporting

_AT_ONCE = 256
_PICTURES_AT_ONCE = 32  # where each pixel has a number for each class
_READ_AT_ONCE = 16  # times as many are read together: a source is read anew each time
_TEXTS = 512
_GOLDEN = 8


def exporting(
    run: RunRecord, answerer: Answerer, data: Dataset | UserError, package: Package | None, band: ErrorBand | None
) -> Exporting:
    """What is exported of a run that has ended well, and proved on: its test part, or the golden samples of its
    `package` where the `data` cannot be had (an error says why) or do not give back their raw samples. UserError for a
    run that has not ended, or diverged, or has neither.
    """
    if not run.finished:
        fail("export.unfinished", run=shown(run.folder))
    if run.diverged:
        fail("export.diverged", run=shown(run.folder), step=run.diverged_since)
    try:
        example, evidence = _of_test_part(run, data)
    except UserError:
        golden = None if package is None or package.answers is None else package.answers.golden
        if golden is None or not golden.samples:
            raise
        example, evidence = golden.raw(), Evidence("golden", [(golden.raw(), None)])
    net = run.recipe.net
    named = None if net.is_own else {"name": net.name, "options": dict(net.options)}
    told = about(run, answerer, None if isinstance(data, UserError) else data, band)
    return Exporting(answerer, example, evidence, told, net=named)


def _of_test_part(run: RunRecord, data: Dataset | UserError) -> tuple[Any, Evidence]:
    if isinstance(data, UserError):
        raise data
    count = data.sizes["test"]
    if not count:
        fail("export.no-test-part", run=shown(run.folder))
    score = {name: value for name, value in run.score.get("test", {}).items() if name != "loss"}
    example = raw_samples(data, "test", range(min(_GOLDEN, count))).samples
    return example, Evidence("test", _portions(data, count), score)


def _portions(data: Dataset, count: int) -> Iterator[tuple[Any, Tensor | None]]:
    """The test part's raw samples with their right answers, in the order in which the run was scored."""
    if data.task in ("language", "translation"):  # answers are held against each other, not against the right ones
        rows = range(min(count, _TEXTS) if data.task == "language" else count)
        yield from ((some, None) for some in _some(raw_samples(data, "test", rows).samples, _AT_ONCE))
        return
    at_once = _PICTURES_AT_ONCE if data.task == "segmentation" else _AT_ONCE
    batches = data.batches("test", at_once, device=torch.device("cpu"))
    for first in range(0, count, at_once * _READ_AT_ONCE):
        raw = raw_samples(data, "test", range(first, min(count, first + at_once * _READ_AT_ONCE))).samples
        for some, (_, targets) in zip(_some(raw, at_once), batches, strict=False):
            yield some, targets


def _some(raw: Any, size: int) -> Iterator[Any]:
    """Raw samples, so many at a time."""
    count = len(next(iter(raw.values()))) if isinstance(raw, dict) else len(raw)
    for first in range(0, count, size):
        rows = slice(first, first + size)
        yield {name: column[rows] for name, column in raw.items()} if isinstance(raw, dict) else raw[rows]


def _versions() -> dict[str, str]:
    """Those of danlu and of what an export is made with, as far as they are installed."""
    found: dict[str, str] = {}
    for name in ("danlu", "torch", "onnx", "onnxruntime", "onnxscript"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def about(run: RunRecord, answerer: Answerer, data: Dataset | None, band: ErrorBand | None) -> dict[str, Any]:
    """What an exported file tells of its run: recipe, scores with their n, all else of its package, versions."""
    recipe, package = run.recipe.data, _package_of(run)
    facts = package.get("data", {})
    sizes = facts.get("sizes") or ({} if data is None else dict(data.sizes))
    told: dict[str, Any] = {
        "run": run.folder.name,
        "recipe": run.recipe.as_dict(),
        "scores": {part: {**score, "n": sizes.get(part)} for part, score in run.score.items()},
        "data": {"name": answerer.fitted.name, "sizes": sizes},
        "package": {key: value for key, value in package.items() if key != "preprocessing"},
        "versions": _versions(),
        "reading": {
            "header": recipe.header,
            "encoding": recipe.encoding,
            "sheet": recipe.sheet,
            "target": recipe.target,
        },
    }
    if data is not None:
        told |= {"licence": data.origin.licence, "source": data.origin.source}
    if band is not None:
        told["error_band"] = {"low": band.low, "high": band.high, "samples": band.samples, "share": band.share}
    return told


def _package_of(run: RunRecord) -> dict[str, Any]:
    """The run's package as it stands in its folder; empty where it has none (danlu 0.1 wrote none)."""
    try:
        content: dict[str, Any] = json.loads((run.folder / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content
