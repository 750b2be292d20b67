"""Who else hears of a study or a search: its trackers, and whoever is notified."""

import contextlib
from collections.abc import Generator
from dataclasses import asdict, dataclass, field

from danlu.base.errors import Faults
from danlu.base.recipe import Recipe, TrackRecipe
from danlu.run.listeners.notices import notices_of_study
from danlu.run.listeners.notify import Note, Notifier, notifier_of
from danlu.run.listeners.tracking import tracked_study, trackers_in
from danlu.ship.trackers.handles import Handles
from danlu.store.study_folder import StudyFolder


@dataclass(frozen=True)
class Reporting:
    """Trackers as a recipe names them, and who is notified. A study that goes on has the trackers it began with, unless
    others are named."""

    track: TrackRecipe = field(default_factory=TrackRecipe)
    notifier: Notifier | None = None

    @contextlib.contextmanager
    def around(self, place: StudyFolder, recipe: Recipe, note: Note) -> Generator[None]:
        """Around the work on the study in `place`, whose trainings begin from `recipe`."""
        handles = Handles(place.path)
        if self.track.to:
            handles.keep_settings({key: value for key, value in asdict(self.track).items() if value is not None})
        with notices_of_study(self.notifier, place, note), tracked_study(place, recipe, handles, note):
            yield


UNREPORTED = Reporting()
"""Nobody else hears of it."""


def reporting_of(recipe: Recipe, notify: object) -> Reporting:
    """What a study's recipe and `notify` ask for. UserError where a tracker is missing, or `notify` is nothing to be
    told."""
    faults, notifier = Faults(), None
    with faults.gathered():
        trackers_in(recipe.track)
    with faults.gathered():
        notifier = notifier_of(notify)
    faults.raise_if_any()
    return Reporting(recipe.track, notifier)
