"""Runs and studies reported to experiment trackers: each hears of the journal from a thread of its own."""

import contextlib
import functools
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

from danlu.base.errors import Fault
from danlu.base.recipe import Recipe, TrackRecipe
from danlu.base.recipe_text import to_toml
from danlu.base.sections import section_of
from danlu.ship.trackers.courier import Courier
from danlu.ship.trackers.handles import FILE, Handles
from danlu.ship.trackers.registry import TRACKERS, check_trackers
from danlu.ship.trackers.teller import Ending, RunTeller, StudyTeller
from danlu.ship.trackers.tensorboard_files import FOLDER
from danlu.ship.trackers.tracker import Tracked
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder
from danlu.view.figures.chart import Chart
from danlu.view.figures.pages import run_charts, study_charts
from danlu.view.info.curves import MOST_POINTS
from danlu.view.info.run import flat, run_info_of
from danlu.view.info.study import study_info_of
from danlu.view.info.study_record import study_record
from danlu.view.paper.draw import draw_chart
from danlu.view.study_words import effect_lines, told_study

_POINTS_AN_EPOCH = 50
_NOT_HANDED_OVER = (FOLDER, FILE, "members", "stacks")

Note = Callable[[Fault], None]


def trackers_in(settings: TrackRecipe) -> tuple[str, ...]:
    """The trackers that a recipe names. UserError where there is no such one, or its package is not installed."""
    return check_trackers(settings.to or ())


@contextlib.contextmanager
def tracked_run(place: RunFolder, recipe: Recipe, steps_per_epoch: int, resumed_at: int, note: Note) -> Generator[None]:
    """Around a training whose journal has begun: its trackers hear of it. `note` is told where one fails."""
    if not recipe.track.to:
        yield
        return
    toml = to_toml(recipe)
    run = Tracked(
        name=place.path.name,
        home=place.path.parent,
        logs=place.path / FOLDER,
        project=recipe.track.project,
        settings=_settings(recipe),
        notes={"recipe": toml},
        resumed_at=resumed_at,
    )
    handles = Handles(place.path)
    every = recipe.track.every or max(1, steps_per_epoch // _POINTS_AN_EPOCH)
    couriers = [
        Courier(name, place.journal, functools.partial(RunTeller, name, TRACKERS[name].open, run, handles, every), note)
        for name in recipe.track.to
    ]
    with _told(couriers, lambda: _run_ending(place, note)):
        yield


@contextlib.contextmanager
def tracked_study(place: StudyFolder, recipe: Recipe, handles: Handles, note: Note) -> Generator[None]:
    """Around the work on a study: each training that is done becomes a run in its group. What it is tracked by stands
    in its `handles`. UserError where that is no longer there.
    """
    settings = section_of(TrackRecipe, "track", handles.settings)
    if not trackers_in(settings):
        yield
        return
    study = Tracked(
        name=place.path.name,
        home=place.path.parent,
        logs=place.path / FOLDER,
        project=settings.project,
        settings=_settings(recipe),
        notes={"recipe": to_toml(recipe.without_trackers())},
        group=place.path.name,
    )
    couriers = [
        Courier(name, place.journal, functools.partial(StudyTeller, name, TRACKERS[name].open, study, handles), note)
        for name in settings.to
    ]
    with _told(couriers, lambda: _study_ending(place, note)):
        yield


@contextlib.contextmanager
def _told(couriers: Sequence[Courier], ending: Callable[[], Ending]) -> Generator[None]:
    try:
        yield
    except BaseException as error:
        _end(couriers, Ending("interrupted" if isinstance(error, KeyboardInterrupt) else "failed"))
        raise
    _end(couriers, ending())


def _end(couriers: Sequence[Courier], ending: Ending) -> None:
    for courier in couriers:
        courier.end(ending)
    for courier in couriers:
        courier.wait()


def _settings(recipe: Recipe) -> dict[str, object]:
    return {key: value for key, value in flat(recipe.as_dict()).items() if not key.startswith("track.")}


def _run_ending(place: RunFolder, note: Note) -> Ending:
    info = run_info_of(place)
    state = "diverged" if info.state == "diverged" else "finished"
    return Ending(state, _pictures(lambda: run_charts(info, MOST_POINTS), note), files=_files(place.path))


def _study_ending(place: StudyFolder, note: Note) -> Ending:
    info = study_info_of(place)
    best = info.best.validation if info.best else {}
    return Ending(
        "finished",
        _pictures(lambda: study_charts(info), note),
        {f"final/validation/{name}": value for name, value in best.items() if math.isfinite(value)},
        {"effects": "\n".join(effect_lines(told_study(study_record(info))))} if info.effects else {},
        _files(place.path),
    )


def _pictures(charts: Callable[[], Sequence[Chart]], note: Note) -> dict[str, bytes]:
    """The charts as PNG, by their kinds; what cannot be drawn is told, and left out."""
    drawn: dict[str, bytes] = {}
    try:
        for chart in charts():
            count = sum(name.partition("-")[0] == chart.kind for name in drawn)
            drawn[f"{chart.kind}-{count + 1}" if count else chart.kind] = draw_chart(chart, ".png")
    except Exception as error:  # noqa: BLE001 - whatever is wrong with a picture, the training is done and kept
        note(Fault("track.no-pictures", {"reason": error}))
    return drawn


def _files(folder: Path) -> list[tuple[Path, str]]:
    """All files of a run's folder but what trackers themselves and single trainings put there."""

    def inside(path: Path) -> Iterator[Path]:
        for entry in sorted(path.iterdir()):
            hidden = entry.name.startswith(".") or (path == folder and entry.name in _NOT_HANDED_OVER)
            if not hidden and not entry.is_symlink():
                yield from inside(entry) if entry.is_dir() else [entry]

    return [(file, file.relative_to(folder).as_posix()) for file in inside(folder)]
