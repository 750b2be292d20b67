"""What a run records for its pictures, and report and poster in its folder: nothing here may stop a training."""

import contextlib
import functools
from collections.abc import Callable, Generator
from contextvars import ContextVar
from pathlib import Path

import torch

from danlu.base.errors import Fault
from danlu.base.files import replace_file
from danlu.base.graphs import MOST_NODES
from danlu.base.places import draws_overviews, shown
from danlu.nets.graph import net_graph
from danlu.run.setup import Setup
from danlu.store.records import NetDrawn
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder
from danlu.view.drawing import Drawing
from danlu.view.info.run import RunInfo, run_info_of
from danlu.view.info.study import study_info_of
from danlu.view.overview import overview
from danlu.view.report import run_report
from danlu.view.study_report import study_report

_unasked: ContextVar[bool] = ContextVar("overview", default=True)


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
    return _write_run_report(place, lambda: run_info_of(place))


def write_run_pictures(place: RunFolder) -> list[Fault]:
    """Put report.html and, unless none is wanted, overview.png into the folder of a run that has ended and is whole;
    what the user should know where that cannot be. Both are of one reading of its journal.
    """
    read = functools.cache(lambda: run_info_of(place))
    written = (_write_run_report(place, read), _write_overview(place, read))
    return [fault for fault in written if fault]


def _write_run_report(place: RunFolder, read: Callable[[], RunInfo]) -> Fault | None:
    return _put(place.report, lambda: replace_file(place.report, run_report(read()).encode()))


def _write_overview(place: RunFolder, read: Callable[[], RunInfo]) -> Fault | None:
    if not (_unasked.get() and draws_overviews()):
        return None
    return _put(place.overview, lambda: Drawing(lambda: overview(read())).save(place.overview))


@contextlib.contextmanager
def without_overviews() -> Generator[None]:
    """Runs that end in this block, in this thread, get no poster: they are some of many, or are gone soon."""
    before = _unasked.set(False)
    try:
        yield
    finally:
        _unasked.reset(before)


def write_study_report(place: StudyFolder) -> Fault | None:
    """Put report.html into the folder of a study; what the user should know where that cannot be."""
    return _put(place.report, lambda: replace_file(place.report, study_report(study_info_of(place)).encode()))


def _put(path: Path, put: Callable[[], object]) -> Fault | None:
    try:
        put()
    except Exception as error:  # noqa: BLE001  (whatever is wrong with a picture, the training is done and kept)
        return Fault("lab.no-report", {"path": shown(path), "reason": str(error) or type(error).__name__})
    return None
