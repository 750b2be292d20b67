"""What a run's folder tells of it in words and numbers: all that can be asked without its net or its data."""

import functools
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from danlu.base.errors import fail
from danlu.base.files import absolute
from danlu.base.finding_text import Findings
from danlu.base.places import shown
from danlu.base.recipe import Recipe
from danlu.base.recipe_text import read_recipe
from danlu.base.records import Score
from danlu.base.retold import retold
from danlu.store.records import ImportedFrom, ParentRun, TextGenerated
from danlu.store.run_environment import read_environment
from danlu.store.run_folder import RunFolder
from danlu.store.run_history import RunHistory
from danlu.view.info.ending import Scored, diverged_at, scored_weights
from danlu.view.info.time_spent import time_spent
from danlu.view.summary import summary_lines


class RunRecord:
    """A run folder with what is written in it: recipe, scores, history, findings."""

    def __init__(self, folder: str | Path) -> None:
        self._place = RunFolder(absolute(RunFolder.open(Path(folder)).path))

    @property
    def folder(self) -> Path:
        return self._place.path

    @functools.cached_property
    def recipe(self) -> Recipe:
        return read_recipe(self._place.recipe)

    @functools.cached_property
    def _told(self) -> RunHistory:
        return RunHistory.read(self._place.journal)

    @property
    def epochs(self) -> int:
        """Epochs done."""
        return len(self._told.epochs)

    @property
    def scored_epoch(self) -> int:
        """The epoch, from 1, whose weights are the run's: the best one where the recipe asks for it, else the last."""
        best = [number for number, epoch in enumerate(self._told.epochs, 1) if epoch.best]
        return best[-1] if best and self.recipe.train.scores_best else self.epochs

    @property
    def steps(self) -> int:
        """Updates done."""
        return self._told.steps[-1] if self._told.steps else 0

    @property
    def seconds(self) -> float:
        """Seconds from the call on: those of loading (libraries, data, net) and of training."""
        return round(self._told.loading + self._told.seconds, 3)

    @property
    def diverged(self) -> bool:
        """Whether the training ended with a loss that is not finite: its scores then say nothing."""
        return self.diverged_since is not None

    @functools.cached_property
    def diverged_since(self) -> int | None:
        """The step from which on the training diverged, None where it did not."""
        return diverged_at(self._told.steps, self._told.loss, self._told.score)

    @functools.cached_property
    def scored(self) -> Scored:
        """Which weights were scored, the last or the best, and how far the two are from each other."""
        sizes = (read_environment(self._place.environment) or {}).get("data", {}).get("sizes", {})
        best = self.recipe.train.scores_best
        return scored_weights(self._told.epochs, best, int(sizes.get("validation", 0)))

    @property
    def finished(self) -> bool:
        return self._told.finished

    @property
    def parent(self) -> ParentRun | None:
        """The run that this one began from, by training it further or with its weights alone; None for most."""
        return self._told.parent

    @property
    def imported(self) -> ImportedFrom | None:
        """The log of another program that this was taken over from; None for danlu's own runs."""
        return self._told.imported

    def refuse_imported(self) -> None:
        """UserError where the run was imported: there are neither weights nor data to go on with."""
        if self.imported is not None:
            fail("imported.no-weights", folder=shown(self.folder), source=self.imported.source)

    @functools.cached_property
    def script(self) -> dict[str, Any]:
        """Name and arguments of the script whose training this is, run by `danlu run`; empty for danlu's own."""
        return (read_environment(self._place.environment) or {}).get("script", {})

    @property
    def score(self) -> dict[str, Score]:
        """Scores by part: "train", "validation" and "test"; empty until the run has ended."""
        return self._told.score

    @property
    def baselines(self) -> dict[str, Score]:
        """Of a time series the naive forecasts' scores on the test part, "last-value" and, where there is a season,
        "seasonal-naive"; empty for any other run, and until it has ended.
        """
        return {} if self._told.forecast is None else dict(self._told.forecast.baselines)

    @property
    def by_epoch(self) -> list[dict[str, Any]]:
        """Of each epoch its number, its last step, its scores by part, whether it was the best so far, and seconds."""
        return [
            {
                "epoch": one.epoch,
                "step": one.step,
                "train": one.train,
                "validation": one.validation,
                "best": one.best,
                "seconds": one.seconds,
            }
            for one in self._told.epochs
        ]

    @property
    def findings(self) -> Findings:
        """In the language in force."""
        return Findings(map(retold, self._told.findings))

    @property
    def history(self) -> Any:
        """A polars frame, one row a step. `pandas.DataFrame(run.history.to_dict(as_series=False))` is a pandas one."""
        return self._told.frame(self.recipe.train.smoothing)

    @property
    def texts(self) -> Sequence[TextGenerated]:
        """What a language model wrote on the way, after the first epoch, the last, and some between."""
        return self._told.texts

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints; "baselines", "parent", "imported", "script" and "texts" where there are, and
        "time", where the seconds of training went."""
        texts = [{key: value for key, value in one.to_json().items() if key != "kind"} for one in self.texts]
        parent = {"parent": asdict(self.parent)} if self.parent else {}
        baselines = {"baselines": self.baselines} if self.baselines else {}
        parent |= {"imported": asdict(self.imported)} if self.imported else {}
        script = {"script": self.script} if self.script else {}
        time = {"time": spent.as_dict()} if (spent := time_spent(self._told.time)) else {}
        return self._as_dict() | time | baselines | parent | script | ({"texts": texts} if texts else {})

    def _as_dict(self) -> dict[str, Any]:
        return {
            "run": str(self.folder),
            "recipe": self.recipe.as_dict(),
            "epochs": self.epochs,
            "steps": self.steps,
            "seconds": self.seconds,
            "loading_seconds": self._told.loading,
            "training_seconds": self._told.seconds,
            "finished": self.finished,
            "stopped_early": self._told.reason == "early",
            "diverged": self.diverged,
            "diverged_since": self.diverged_since,
            "scored": self.scored.as_dict(),
            "score": self.score,
            "findings": [finding.as_dict() for finding in self.findings],
        }

    def __repr__(self) -> str:
        if self.diverged:
            return f"Run({str(self.folder)!r}, diverged at step {self.diverged_since})"
        state = "finished" if self.finished else f"{self.steps} steps"
        return f"Run({str(self.folder)!r}, {state})"

    def __str__(self) -> str:
        return "\n".join([str(self.folder), *summary_lines(self.as_dict())])
