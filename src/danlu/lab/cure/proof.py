"""Proof: what a study of remedies has shown, and the recipe that follows from it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from danlu.base.errors import fail
from danlu.base.files import absolute, make_folder, new_file
from danlu.base.readable import Readable
from danlu.base.recipe import Recipe
from danlu.base.recipe_text import RecipeDraft, read_recipe, to_toml
from danlu.base.records import Finding, finding_of
from danlu.lab.study.study import Study
from danlu.stats.studies import FactorEffect
from danlu.store.run_folder import RunFolder
from danlu.view.cure import cure_lines

FACTOR = "remedy"
"""Name of the one factor of such a study, whose levels are changes of the recipe."""


class Proof(Readable):
    """What the remedies of a run's findings do, each and together, against the recipe as it is.

    `study` is None where there was nothing to try: no finding, or none that a recipe can answer. `recommended` is the
    change that is proved better (None: none is), `effect` what it does, `recipe` the recipe with it.
    """

    def __init__(self, run: Path, findings: list[Finding], study: Study | None, *, watched: bool = True) -> None:
        self.run = run
        self.findings = findings
        self.study = study
        self._watched = watched

    @classmethod
    def of_study(cls, study: Study) -> "Proof":
        """The proof that a study holds which `cure` made."""
        kept = study.cure or {}
        records: list[dict[str, Any]] = kept["findings"]
        findings = [finding_of(record) for record in records]
        return cls(Path(kept["run"]), findings, study)

    @property
    def effects(self) -> list[FactorEffect]:
        """Of each change, and of the combinations that were tried."""
        return self.study.effects if self.study else []

    @property
    def recommended(self) -> dict[str, Any] | None:
        """The change of the recipe that is proved better; None where none is."""
        return dict(self.study.chosen[FACTOR]) or None if self.study and self.study.members else None

    @property
    def effect(self) -> FactorEffect | None:
        """What the recommended change does."""
        return next((effect for effect in self.effects if effect.end == self.recommended), None)

    @property
    def recipe(self) -> Recipe | None:
        """The cured recipe; None where no change is proved better."""
        if self.recommended is None:
            return None
        draft = RecipeDraft()
        draft.read_recipe(read_recipe(RunFolder(self.run).recipe))
        draft.read_keywords(self.recommended)
        return draft.recipe()

    def apply(self, path: str | Path | None = None) -> Path:
        """Write the cured recipe as TOML: to `path`, or next to the run. Nothing that stands there is written over.

        UserError where no change is proved better, or where `path` exists.
        """
        recipe = self.recipe
        if recipe is None:
            fail("cure.nothing-to-apply", run=self.run)
        place = absolute(_free(self.run) if path is None else path)
        try:
            make_folder(place.parent)
            new_file(place, to_toml(recipe).encode())
        except FileExistsError:
            fail("cure.exists", path=place)
        except OSError as error:
            fail("cure.not-written", path=place, reason=error.strerror or error)
        return place

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        study, kept = self.study, (self.study.cure or {}) if self.study else {}
        return {
            "run": str(self.run),
            "watched": self._watched,
            "findings": [finding.as_dict() for finding in self.findings],
            "remedies": kept.get("remedies", []),
            "by_hand": _by_hand(self.findings, kept.get("remedies", [])),
            "study": None if study is None else str(study.folder),
            "metric": None if study is None else study.metric,
            "seeds": 0 if study is None else len({member.seed for member in study.members}),
            "before": None if study is None else _mean(study, {}),
            "effects": [{**effect.as_dict(), "after": _mean(study, effect.end)} for effect in self.effects if study],
            "looks": None if study is None else study.looks,
            "failed": [] if study is None else study.failed,
            "recommended": self.recommended,
            "recipe": None if self.recipe is None else self.recipe.as_dict(),
            "finished": study is None or study.finished,
            "seconds": 0.0 if study is None else round(study.seconds, 3),
        }

    def __str__(self) -> str:
        return "\n".join(cure_lines(self.as_dict()))


def _mean(study: Study, level: Mapping[str, Any]) -> float | None:
    """The metric at one level, over the members that did not diverge; None where all did."""
    members = [member for member in study.members if member.factors[FACTOR] == level and not member.diverged]
    values = [member.score[study.metric] for member in members]
    return sum(values) / len(values) if values else None


def _by_hand(findings: list[Finding], remedies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What only code or data can change: the advice of findings for which nothing was tried."""
    tried = {rule for remedy in remedies for rule in remedy["rules"]}
    rows: list[dict[str, Any]] = []
    for finding in findings:
        advice = [str(remedy["advice"]) for remedy in finding.remedies if "advice" in remedy]
        if finding.rule not in tried and finding.evidence.get("cause") not in tried:
            rows.append({"rule": finding.rule, "title": finding.title, "advice": advice})
    return rows


def _free(run: Path) -> Path:
    """The first free name next to the run."""
    place, count = run.parent / f"{run.name}-cured.toml", 1
    while place.exists():
        count += 1
        place = run.parent / f"{run.name}-cured-{count}.toml"
    return place
