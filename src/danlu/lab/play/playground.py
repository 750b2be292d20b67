"""A playground: the newest move is trained in a thread of its own, older ones give way; what is there can be asked."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from danlu.base.errors import DanluError, Fault, UserError
from danlu.base.memory import memory_guard
from danlu.base.recipe import Recipe
from danlu.lab.play.ground import SIDE, Plane, PlaneSource
from danlu.lab.play.seeds_at_once import Boundaries, train_seeds
from danlu.lab.play.settings import SEEDS, Chosen, choices, read_chosen, settings_of, usual
from danlu.lab.play.takeaway import comparison, takeaway
from danlu.run.settings.draft import draft_recipe
from danlu.run.settings.usual import usual_epochs
from danlu.stats.members import Member
from danlu.stats.moves import move_effect
from danlu.study.plan import make_plan
from danlu.view.play import change_told, move_text, scores_text

_SEEN = 24_000  # samples that each net sees: enough for the shapes, and few enough to wait for
_MOST_REASON = 300  # characters


@dataclass(frozen=True)
class Done:
    """A move that was trained to its end."""

    chosen: Chosen
    members: Sequence[Member]


@dataclass(frozen=True)
class Compared:
    """What the newest move does; `number` counts the comparisons of this session. `effect` None: the data changed."""

    before: Chosen
    after: Chosen
    effect: Mapping[str, Any] | None
    number: int


class Playground:
    """Points in a plane to try settings on. `source` is a shape's name ("moons" where none is given), that of a table
    of the catalogue, or a table's path; `target` is its column to predict, `columns` are the two that it is predicted
    from.

    Raises UserError where the data are no such. Its methods may be called from several threads.

    >>> playground = Playground("circles")
    >>> playground.form()["samples"], playground.form()["chosen"]["depth"]
    ({'train': 300, 'validation': 180}, 1)
    """

    def __init__(
        self, source: str | Path | None = None, target: str | None = None, columns: Sequence[str] | None = None
    ) -> None:
        self._ground = PlaneSource(source, target, columns)
        self._chosen = usual(self._ground.shape)
        with memory_guard("data"):
            self._plane = self._ground.plane(self._chosen)
        self._offered = choices(self._ground.shape, self._plane.data.sizes["train"])
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wanted: tuple[int, Chosen] | None = None  # what the thread is to take up
        self._over = False
        self._number = self._version = self._comparisons = 0
        self._planes = 1  # that there have been: the number of the newest
        self._picture: Boundaries | None = None
        self._ready = False
        self._fault: DanluError | None = None
        self._last: Done | None = None
        self._compared: Compared | None = None

    @property
    def called(self) -> str:
        """What the data are called."""
        return self._ground.called

    def form(self) -> dict[str, Any]:
        """What the page has to know beforehand, in the language in force."""
        data = self._plane.data
        return {
            "name": self.called,
            "offered": {name: list(values) for name, values in self._offered.items()},
            "chosen": self._chosen,
            "seeds": len(SEEDS),
            "side": SIDE,
            "task": data.task,
            "samples": {part: data.sizes[part] for part in ("train", "validation")},
            "notes": [str(note) for note in data.notes] if self._ground.shape is None else [],
        }

    def move(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Train what was chosen, with every seed, in place of what is being trained; at once gives the number of the
        move and the recipe to take away. ValueError for what was not offered."""
        chosen = read_chosen(sent, self._offered)
        with self._changed:
            if chosen != self._chosen or not self._number:
                self._number += 1
                self._chosen, self._wanted = chosen, (self._number, chosen)
                self._ready, self._fault = False, None
                if self._thread is None:
                    self._thread = threading.Thread(target=self._work, name="danlu play", daemon=True)
                    self._thread.start()
                self._changed.notify_all()
            return {"move": self._number, "chosen": chosen}

    def now(self, have: int, plane: int, shown: int) -> dict[str, Any]:
        """How far the newest move is, in the language in force: what is newer than version `have` of the picture, of
        class number `shown` against the others; and the points, where the reader has those of another `plane`. Raises
        the error of a move that could not be trained.
        """
        with self._changed:
            if self._fault is not None:
                raise UserError(*self._fault.faults)
            told: dict[str, Any] = {"move": self._number, "version": self._version, "ready": self._ready}
            picture, here, last, compared = self._picture, self._plane, self._last, self._compared
            told["plane"] = self._planes
        if told["version"] != have and picture is not None:
            told["picture"] = _picture_told(picture, min(shown, len(here.classes) - 1))
        if told["plane"] != plane:
            told |= _plane_told(here)
        if told["ready"] and last is not None:
            told["score"] = scores_text(last.members)
            recipe = self._recipe(here, last.chosen)
            told["recipe"] = takeaway(recipe)
            if compared is not None:
                change = change_told(compared.before, compared.after)
                told["help"] = move_text(change, compared.effect, compared.number, here.data.sizes["validation"])
                more = None if compared.effect is None else compared.effect["more"]
                if more:
                    told["help"]["command"] = comparison(recipe, compared.before, compared.after, more)
        return told

    def close(self) -> None:
        """Break off what is being trained, and end the thread."""
        with self._changed:
            self._over, self._wanted, self._number = True, None, self._number + 1
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _recipe(self, plane: Plane, chosen: Chosen) -> Recipe:
        epochs = usual_epochs(plane.data.sizes["train"], _SEEN)
        return draft_recipe("mlp", plane.data, settings=settings_of(chosen, epochs))

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted is not None or self._over)
                if self._over or self._wanted is None:
                    return
                (number, chosen), self._wanted = self._wanted, None
            try:
                with memory_guard("study"):
                    self._carry_out(number, chosen)
            except DanluError as error:
                self._failed(number, error)
            except Exception as error:  # noqa: BLE001  (whatever it was, the page has to hear of it)
                reason = Fault("play.failed", {"error": type(error).__name__, "reason": str(error)[:_MOST_REASON]})
                self._failed(number, UserError(reason))

    def _carry_out(self, number: int, chosen: Chosen) -> None:
        plane = self._ground.plane(chosen)
        (group,) = make_plan(self._recipe(plane, chosen), {}, SEEDS, 1, data=plane.data).groups
        if group.alone is not None:
            raise UserError(group.alone)

        def tell(picture: Boundaries) -> None:
            with self._changed:
                if number == self._number:
                    self._planes += plane is not self._plane
                    self._picture, self._plane, self._version = picture, plane, self._version + 1

        members = train_seeds(group.planned[0], plane, tell, lambda: number != self._number)
        if members is None:
            return
        done = Done(chosen, members)
        compared = self._compared_with(self._last, done)
        with self._changed:
            if number == self._number:
                self._last, self._compared, self._ready = done, compared, True
                self._comparisons = compared.number if compared else self._comparisons

    def _compared_with(self, before: Done | None, done: Done) -> Compared | None:
        if before is None or before.chosen == done.chosen:
            return self._compared  # what was broken off in between is no move
        if self._ground.key(before.chosen) != self._ground.key(done.chosen):
            return Compared(before.chosen, done.chosen, None, self._comparisons)
        number = self._comparisons + 1
        effect = move_effect(before.members, done.members, number).as_dict()
        return Compared(before.chosen, done.chosen, effect, number)

    def _failed(self, number: int, error: DanluError) -> None:
        with self._changed:
            if number == self._number:
                self._fault = error


def _picture_told(picture: Boundaries, shown: int) -> dict[str, Any]:
    return {
        "epoch": picture.epoch,
        "epochs": picture.epochs,
        "nets": picture.nets,
        "votes": picture.votes[shown].tolist(),
        "lead": [round(value, 3) for value in picture.lead[shown].tolist()],
        "shown": shown,
    }


def _plane_told(plane: Plane) -> dict[str, Any]:
    return {
        "axes": [[axis.name, axis.low, axis.high] for axis in plane.axes],
        "classes": list(plane.classes),
        "points": [[float(f"{x:.6g}"), float(f"{y:.6g}"), says, held] for x, y, says, held in plane.points],
    }
