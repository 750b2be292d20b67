"""Study: runs that differ in named factors, read from its folder."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from danlu.base.counts import is_whole
from danlu.base.errors import fail
from danlu.base.forked import refuse_forked
from danlu.base.recipe import Recipe
from danlu.base.records import Score
from danlu.base.strict_json import number
from danlu.run.run_record import RunRecord
from danlu.stats.interactions import Interaction, interactions
from danlu.stats.members import Member
from danlu.stats.studies import (
    FactorEffect,
    best_factors,
    factor_effects,
    margin_of,
    proved_factors,
    usual_metric,
)
from danlu.store.records import BestChosen
from danlu.store.study_folder import StudyFolder
from danlu.store.study_history import StudyHistory
from danlu.study.levels import Level, shown
from danlu.study.seeds import seeds_of
from danlu.view.info.study import StudyInfo, failures_of, study_info, study_info_of
from danlu.view.info.study_record import study_record
from danlu.view.info.trials import member_of
from danlu.view.study import study_text
from danlu.view.study_report import study_html


@dataclass(frozen=True)
class Best:
    """The combination that did best on the validation parts, trained once more: on all but the test part (`refit`), or
    on the training part where its schedule needs the validation part or the data cannot be divided anew.
    """

    factors: dict[str, Level]
    recipe: Recipe
    validation: Score
    test: Score
    run: Path
    refit: bool = True

    def as_dict(self) -> dict[str, Any]:
        return {
            "factors": self.factors,
            "score": {"validation": self.validation, "test": self.test},
            "recipe": self.recipe.as_dict(),
            "run": str(self.run),
            "refit": self.refit,
        }


def best_of(place: StudyFolder, chosen: BestChosen | None) -> Best | None:
    """The best of a study or a search, as its journal names it; None where it names none yet."""
    if chosen is None:
        return None
    run = RunRecord(place.path / chosen.run)
    # best.toml may be that of a later choice, whose run has not ended.
    recipe, test = run.recipe, run.score.get("test", {})
    return Best(dict(chosen.factors), recipe, chosen.validation, test, run.folder, chosen.refit)


class Study:
    """A study folder with what it holds: its members and what they show.

    `effects` compares each level of a factor with the first one: seed by seed and fold by fold, all comparisons as one
    family. `best` is chosen by the validation parts alone; its test score was taken once, after that.
    """

    carry_on: ClassVar[Callable[..., "Study"]]
    """`go_on` of `compare`, which trains and therefore knows this class, and not this class it."""

    def __init__(self, folder: str | Path, given: "Given | None" = None) -> None:
        self._place = StudyFolder.open(Path(folder))
        self._given = given or Given()
        self._design = self._place.read_design()

    @property
    def folder(self) -> Path:
        return self._place.path

    @property
    def cure(self) -> dict[str, Any] | None:
        """The run, the findings and the remedies that this study tries, where it was made by `cure`."""
        return self._design.get("cure")

    @property
    def factors(self) -> dict[str, list[Level]]:
        return self._design["factors"]

    @functools.cached_property
    def history(self) -> StudyHistory:
        """What its journal tells."""
        return StudyHistory.read(self._place.journal)

    @functools.cached_property
    def members(self) -> list[Member]:
        """One for each training that is done, in the order in which they ended."""
        return [member_of(record) for record in self.history.members]

    @property
    def baselines(self) -> list[dict[str, Any]]:
        """Scores of scikit-learn's estimators: "baseline", "seed", "fold", "score"."""
        return [dict(vars(record)) for record in self.history.baselines]

    @property
    def failed(self) -> list[dict[str, Any]]:
        """Combinations that could not be trained, with the reason; single members of one with their seed and fold."""
        return failures_of(self.history)

    @property
    def metric(self) -> str:
        return self._design["metric"] or usual_metric(self.members)

    @property
    def margin(self) -> float:
        """The largest difference that counts as none."""
        given = self._design["margin"]
        return margin_of(None if given is None else number(given), self.members, self.metric)

    @property
    def looks(self) -> list[int] | None:
        """The numbers of seeds at which its answers were there to be read; None while it lacks members of its plan."""
        return self.history.looks

    @functools.cached_property
    def effects(self) -> list[FactorEffect]:
        return factor_effects(self.members, self.factors, self.metric, self.margin, self.looks)

    @property
    def chosen(self) -> dict[str, Level]:
        """The combination to go on with: the best one; of remedies only one that is proved better, else none."""
        if self.cure is None:
            return best_factors(self.members, self.metric)
        return proved_factors(self.members, self.effects, self.metric, self.margin)

    @functools.cached_property
    def interactions(self) -> list[Interaction]:
        """For every two factors, the mean of the metric at each pair of their levels, and whether they only add up."""
        return interactions(self.members, self.factors, self.metric, self.margin, self.looks)

    @property
    def seconds(self) -> float:
        """Seconds from the call on: of loading, of all trainings, of baselines and the best trained once more."""
        return self.history.seconds + self.loading_seconds

    @property
    def loading_seconds(self) -> float:
        """Those of them before the first training: libraries, data, the plan."""
        return self.history.loading

    @property
    def finished(self) -> bool:
        return self.history.finished

    @property
    def lacks_nothing(self) -> bool:
        """Whether all that was asked for is done: no seeds were added since, and no single member failed."""
        begun = self.history.sessions[-1].seeds if self.history.sessions else None
        single = [row for row in self.failed if "seed" in row]
        return self.finished and list(begun or ()) == self._design["seeds"] and not single

    @property
    def best(self) -> Best | None:
        """None until the study has ended."""
        return best_of(self._place, self.history.best)

    @property
    def info(self) -> StudyInfo:
        """All of it as plain data."""
        return study_info(self.folder.name, self._design, self.history, where=str(self.folder))

    def table(self) -> Any:
        """A polars frame, one row a member: its levels, seed, fold, scores, and whether it diverged."""
        import polars

        refuse_forked()
        rows = [
            {key: level if isinstance(level, int | float | str | bool) else shown(level) for key, level in row.items()}
            for row in (
                {
                    **member.factors,
                    "seed": member.seed,
                    "fold": member.fold,
                    **member.score,
                    "diverged": member.diverged,
                }
                for member in self.members
            )
        ]
        return polars.DataFrame(rows, infer_schema_length=None, strict=False)

    def more(
        self,
        seeds: int | Sequence[int],
        *,
        data: object = None,
        net: object = None,
        jobs: int | None = None,
        cluster: object = None,
        progress: bool = True,
    ) -> "Study":
        """The same study with further seeds (a number of new ones, or which); what is trained stays.

        `data` and `net` are needed where the study was opened by its folder and they were objects: `net` is the
        function that builds it, or a dict of those that were levels by name. UserError where one of them is missing, or
        for seeds that are none; the study is then as it was.
        """
        before: list[int] = self._place.read_design()["seeds"]
        first = max(before) + 1
        after = [first + number for number in seeds_of(seeds)] if is_whole(seeds) else seeds_of(seeds)
        if not after:
            fail("study.no-more-seeds", found=seeds)
        given = self._given
        return Study.carry_on(
            self._place.path,
            data=given.data if data is None else data,
            net=(given.makers or given.maker) if net is None else net,
            seeds=[*dict.fromkeys([*before, *after])],
            jobs=jobs,
            cluster=cluster,
            progress=progress,
        )

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        best = self.best
        return {**study_record(self.info), "study": str(self.folder), "best": {} if best is None else best.as_dict()}

    def __str__(self) -> str:
        return study_text(self.as_dict())

    def _repr_html_(self) -> str:
        """What a notebook shows: how far it is, what each factor does, and the effects as a forest plot."""
        return study_html(study_info_of(self._place))

    def __repr__(self) -> str:
        return f"Study({str(self.folder)!r}, {len(self.members)} members)"


@dataclass(frozen=True)
class Given:
    """Objects that no recipe can bring back, remembered so that a study can go on in the same session."""

    data: object = None
    maker: Any = None
    makers: dict[str, Any] = field(default_factory=dict[str, Any])  # functions that were levels, by name
