"""What a run records for its pictures, and the report in its folder: nothing here may stop a training."""

from collections.abc import Callable
from pathlib import Path

import torch

from danlu.base.errors import Fault
from danlu.base.files import replace_file
from danlu.base.graphs import MOST_NODES
from danlu.base.places import shown
from danlu.lab.setup import Setup
from danlu.nets.graph import net_graph
from danlu.store.records import NetDrawn
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder
from danlu.view.info.run import run_info_of
from danlu.view.info.study import study_info_of
from danlu.view.report import run_report
from danlu.view.study_report import study_report


def drawn_net(setup: Setup) -> NetDrawn | None:
    """The graph of the net as a record; None where it cannot be followed, which is no reason not to train."""
    dtype = None if getattr(setup.net, "sample_dtype", torch.float32) != torch.float32 else setup.dtype
    try:
        graph = net_graph(setup.net, setup.data.sample_shape, name=setup.recipe.net.label, dtype=dtype)
    except Exception:  # noqa: BLE001  (a net is the user's code, and this pass is for a picture only)
        return None
    return NetDrawn(graph=graph) if len(graph.nodes) <= MOST_NODES else None


def write_run_report(place: RunFolder) -> Fault | None:
    """Put report.html into the folder of a run; what the user should know where that cannot be."""
    return _write(place.report, lambda: run_report(run_info_of(place)))


def write_study_report(place: StudyFolder) -> Fault | None:
    """Put report.html into the folder of a study; what the user should know where that cannot be."""
    return _write(place.report, lambda: study_report(study_info_of(place)))


def _write(path: Path, make: Callable[[], str]) -> Fault | None:
    try:
        replace_file(path, make().encode())
    except Exception as error:  # noqa: BLE001  (whatever is wrong with a picture, the training is done and kept)
        return Fault("lab.no-report", {"path": shown(path), "reason": str(error) or type(error).__name__})
    return None
