"""What a run records for its pictures, and the report in its folder: nothing here may stop a training."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from danlu.base.errors import Fault
from danlu.base.files import replace_file
from danlu.base.graphs import MOST_NODES, graph_record
from danlu.base.places import shown
from danlu.lab.setup import Setup
from danlu.nets.graph import net_graph
from danlu.store.history import History
from danlu.store.journal import read
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder
from danlu.view.info.ending import diverged_at
from danlu.view.info.run import RunInfo, flat
from danlu.view.info.study import StudyInfo, read_study
from danlu.view.report import run_report, study_report


def drawn_net(setup: Setup) -> dict[str, Any] | None:
    """The graph of the net as a record; None where it cannot be followed, which is no reason not to train."""
    dtype = None if getattr(setup.net, "sample_dtype", torch.float32) != torch.float32 else setup.dtype
    try:
        graph = net_graph(setup.net, setup.data.sample_shape, name=setup.recipe.net.name, dtype=dtype)
    except Exception:  # noqa: BLE001  (a net is the user's code, and this pass is for a picture only)
        return None
    return graph_record(graph) if len(graph.nodes) <= MOST_NODES else None


def run_info(place: RunFolder, history: History | None = None) -> RunInfo:
    """A run folder as the pictures see it."""
    recipe = place.recipe.read_text(encoding="utf-8")
    history = history or History.of(read(place.journal))
    try:
        environment = json.loads(place.environment.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        environment = {}
    environment = environment if isinstance(environment, dict) else {}
    return RunInfo(
        name=place.path.name,
        state=_state(history),
        course=history,
        recipe=recipe,
        settings=flat(tomllib.loads(recipe)),
        environment=environment,
        where=str(shown(place.path)),
    )


def _state(history: History) -> str:
    if not history.finished:
        return "stopped"
    return "finished" if diverged_at(history.steps, history.loss, history.score) is None else "diverged"


def write_run_report(place: RunFolder) -> Fault | None:
    """Put report.html into the folder of a run; what the user should know where that cannot be."""
    return _write(place.report, lambda: run_report(run_info(place)))


def study_info(place: StudyFolder) -> StudyInfo:
    """A study folder as the pictures see it."""
    best = place.best.read_text(encoding="utf-8") if place.best.is_file() else ""
    records = read(place.journal) if place.journal.is_file() else ()
    info = read_study(place.path.name, place.read_design(), records, recipe=best, where=str(shown(place.path)))
    return replace(info, state="finished") if info.best else info


def write_study_report(place: StudyFolder) -> Fault | None:
    """Put report.html into the folder of a study; what the user should know where that cannot be."""
    return _write(place.report, lambda: study_report(study_info(place)))


def _write(path: Path, make: Callable[[], str]) -> Fault | None:
    try:
        replace_file(path, make().encode())
    except Exception as error:  # noqa: BLE001  (whatever is wrong with a picture, the training is done and kept)
        return Fault("lab.no-report", {"path": shown(path), "reason": str(error) or type(error).__name__})
    return None
