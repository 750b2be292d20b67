"""Proof: what a study of remedies has shown, and the recipe that follows from it."""

from pathlib import Path
from typing import Any

from danlu.base.errors import fail
from danlu.base.files import absolute, make_folder, new_file
from danlu.base.readable import Readable
from danlu.base.recipe import Recipe
from danlu.base.recipe_text import RecipeDraft, read_recipe, to_toml
from danlu.base.records import Finding, finding_of
from danlu.stats.studies import FactorEffect
from danlu.store.run_folder import RunFolder
from danlu.study.study import Study
from danlu.view.cure import cure_lines
from danlu.view.info.cure import by_hand, cure_record
from danlu.view.info.study import REMEDY


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
        return dict(self.study.chosen[REMEDY]) or None if self.study and self.study.members else None

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
        if self.study is not None:
            recipe = None if self.recipe is None else self.recipe.as_dict()
            return {**cure_record(self.study.info), "study": str(self.study.folder), "recipe": recipe}
        return {
            "run": str(self.run),
            "watched": self._watched,
            "findings": [finding.as_dict() for finding in self.findings],
            "remedies": [],
            "by_hand": by_hand(self.findings, []),
            "study": None,
            "metric": None,
            "seeds": 0,
            "before": None,
            "effects": [],
            "looks": None,
            "failed": [],
            "recommended": None,
            "recipe": None,
            "finished": True,
            "seconds": 0.0,
        }

    def __str__(self) -> str:
        return "\n".join(cure_lines(self.as_dict()))


def _free(run: Path) -> Path:
    """The first free name next to the run."""
    place, count = run.parent / f"{run.name}-cured.toml", 1
    while place.exists():
        count += 1
        place = run.parent / f"{run.name}-cured-{count}.toml"
    return place
