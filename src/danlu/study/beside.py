"""What a study does beside its trainings: their curves go into its journal, stacks under way onto the disk."""

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from danlu.base.errors import Fault
from danlu.base.events import StackListener
from danlu.base.recipe import Recipe
from danlu.stack import RunningStack, choices
from danlu.store.journal import Journal
from danlu.store.records import ChoicesMade, EpochEnded, Record
from danlu.study.member_curves import MemberCurves, points_each, write_course
from danlu.study.member_key import MemberKey
from danlu.study.stack_checkpoints import StackCheckpointer

_METRICS = {"classification": "accuracy", "regression": "r2"}


@dataclass(frozen=True)
class Beside:
    """`journal` is the study's, of `members` trainings; `folder` is for stacks under way; `metric` what the study is
    asked for, None: what is usual; `note` hears of what the user should know."""

    journal: Journal
    folder: Path
    members: int
    metric: str | None
    note: Callable[[Fault], None]
    asked_to_stop: Callable[[], bool]

    def listeners(
        self, stack: RunningStack, keys: Sequence[MemberKey], recipes: Sequence[Recipe], task: str
    ) -> list[StackListener]:
        """Those of a stack of the members `keys` with their recipes, which is put where it stood before."""
        name = stack_name(keys, recipes)
        curves = MemberCurves(stack, name, keys, self.metric_of(task), self.points(), self.write)

        def before() -> None:
            curves.flush()
            self._write_choices()  # a stack that goes on must decide as it did
            self.journal.sync()

        place = self.folder / name
        checkpointer = StackCheckpointer(stack, place, recipes[0].train, before, self.asked_to_stop)
        checkpointer.go_on(self.note)
        return [curves, checkpointer]

    def course(self, key: MemberKey, recipe: Recipe, course: Sequence[EpochEnded], task: str) -> None:
        """The epochs of a member that was trained by itself."""
        write_course(stack_name([key], [recipe]), key, course, self.metric_of(task), self.points(), self.write)

    def told(self, keys: Sequence[MemberKey], recipes: Sequence[Recipe]) -> None:
        """All members of that stack stand in the journal: its checkpoints have served."""
        with contextlib.suppress(OSError):
            shutil.rmtree(self.folder / stack_name(keys, recipes))

    def over(self) -> None:
        """No stack is under way any longer, nor will be."""
        with contextlib.suppress(OSError):
            shutil.rmtree(self.folder)

    def metric_of(self, task: str) -> str:
        """What curves show besides the loss."""
        return self.metric or _METRICS.get(task, "loss")

    def points(self) -> int:
        """How many points of each curve are kept."""
        return choices().once("curve points", lambda: points_each(self.members))

    def write(self, record: Record) -> None:
        """Put a record into the journal, after what was decided until then."""
        self._write_choices()
        self.journal.add(record)
        self.journal.flush()

    def _write_choices(self) -> None:
        if made := choices().unsaid():
            self.journal.add(ChoicesMade(made=made))


def stack_name(keys: Sequence[MemberKey], recipes: Sequence[Recipe]) -> str:
    """What a stack of these members is called in the journal and on the disk: the same in every session."""
    printed: dict[int, str] = {}
    digest = hashlib.sha256()
    for key, recipe in zip(keys, recipes, strict=True):
        if id(recipe) not in printed:
            printed[id(recipe)] = recipe.fingerprint()
        digest.update(f"{key.key} {printed[id(recipe)]}\n".encode())
    return digest.hexdigest()[:12]
