"""Search: what was tried, round by round, and what did best, read from its folder."""

import functools
from pathlib import Path
from typing import Any

from danlu.base.forked import refuse_forked
from danlu.base.readable import Readable
from danlu.stats.studies import Member, usual_metric
from danlu.store.study_folder import StudyFolder
from danlu.store.study_history import StudyHistory
from danlu.study.study import Best, Given, best_of
from danlu.view.info.study import StudyInfo, study_info
from danlu.view.info.study_record import search_record
from danlu.view.info.trials import Trial, ranked, trials_of
from danlu.view.search import search_text


class Search(Readable):
    """A search's folder with what it holds: its trials and the best of them.

    `best` was chosen by the validation parts alone, trained once more on all but the test part, and scored on that.
    """

    def __init__(self, folder: str | Path, given: Given | None = None) -> None:
        self._place = StudyFolder.open(Path(folder))
        self._given = given or Given()
        self._design = self._place.read_design()

    @property
    def folder(self) -> Path:
        return self._place.path

    @property
    def ranges(self) -> list[dict[str, Any]]:
        """Each with "key", "low", "high", "log" and "whole"."""
        return self._design["search"]["ranges"]

    @functools.cached_property
    def history(self) -> StudyHistory:
        """What its journal tells."""
        return StudyHistory.read(self._place.journal)

    @functools.cached_property
    def trials(self) -> list[Trial]:
        """Those of the rounds that are done, in the order in which they were tried."""
        return trials_of(self.history)

    @property
    def members(self) -> list[Member]:
        """One for each training that was begun."""
        return [member for trial in self.trials for member in trial.members]

    @property
    def metric(self) -> str:
        return self._design["metric"] or usual_metric(self.members)

    @property
    def ranked(self) -> list[Trial]:
        """The trials, the best first."""
        return ranked(self.trials, self.metric)

    @property
    def rounds(self) -> int:
        return sum(one.seconds is not None for one in self.history.rounds)

    @property
    def seconds(self) -> float:
        """Seconds from the call on: of loading, of all trainings, of the best trained once more."""
        return self.history.seconds + self.history.loading

    @property
    def finished(self) -> bool:
        return self.history.finished

    @property
    def best(self) -> Best | None:
        """None until the search has ended, or where nothing trained to its end."""
        return best_of(self._place, self.history.best)

    @property
    def info(self) -> StudyInfo:
        """All of it as plain data."""
        return study_info(self.folder.name, self._design, self.history, where=str(self.folder))

    def table(self) -> Any:
        """A polars frame, one row a trial: its settings, round, state, epochs and mean scores, the best first."""
        import polars

        refuse_forked()
        rows = [
            {**trial.factors, "round": trial.round, "state": trial.state, "epochs": trial.epochs, **trial.score}
            for trial in self.ranked
        ]
        return polars.DataFrame(rows, infer_schema_length=None, strict=False)

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        best = self.best
        return {**search_record(self.info), "study": str(self.folder), "best": {} if best is None else best.as_dict()}

    def __str__(self) -> str:
        return search_text(self.as_dict())

    def __repr__(self) -> str:
        return f"Search({str(self.folder)!r}, {len(self.trials)} trials)"
