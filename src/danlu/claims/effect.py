"""Claims of an effect: levels of one factor, each at its own best learning rate, compared seed by seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from danlu.base.errors import Fault, UserError, fail
from danlu.claims.bench import Bench, Trainable
from danlu.claims.claim import Published
from danlu.claims.claim_task import ClaimTask
from danlu.claims.evidence import (
    ClaimComparison,
    ClaimEvidence,
    Control,
    Expected,
    Plot,
    as_family,
    compared,
    placebo_control,
)
from danlu.claims.options import ClaimOptions
from danlu.claims.plan import ClaimPlan
from danlu.claims.plots import boundary, curves, turning
from danlu.claims.training import ACCURACY, R2, Measure, Training
from danlu.claims.tuning import MOST_GROWTHS, Tuned, tune

RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
TOO_SMALL = 1e-4
"""The positive control's share of the best learning rate: a net that hardly learns must be seen to be worse."""
_BUDGET = ("train.epochs", "train.accumulate", "data.samples")
_NO_CONDITION = {"": dict[str, Any]()}
_OPPOSITE: dict[Expected, Expected] = {"more": "less", "less": "more"}

Trials = dict[str, list[Training]]


@dataclass(frozen=True)
class EffectClaim:
    """A claim that `levels` of a `factor` differ as `expected` from the first of them in a `measure`.

    net, data, settings: what is trained on what, at every level; `data` may be a function that makes them, of the label
        of the condition.
    levels: settings by label. A level of `builders` is a function that builds its net instead.
    condition, places: what is varied to see where the claim begins and ends to hold, and its settings by label.
    rates: where the search for each level's learning rate begins; by level, as many for each, where they need other
        ones. `tuned` is False where the learning rate is what the claim is about, or is to stay the same.
    tasks: places of the condition, behind the others, that are tasks of their own. One whose data cannot be had is left
        out, and the evidence says so.
    keeps_rate: the places of the condition at which all levels take the rate that is best for the first of them.
    tune_by: what the rate is chosen by on the validation part, where that is not the measure.
    budget_differs: whether the factor itself is how much is trained on.
    control: by what share of the learning rate the positive control misses.
    refuses: options of a user's that the claim has no use for.
    judged: whether the figure shows the test loss of the last level beside its training loss, not all training losses.
    """

    id: str
    factor: str
    levels: Mapping[str, Mapping[str, Any]]
    net: Any = "mlp"
    data: Any = "digits"
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    measure: Measure = ACCURACY
    expected: Expected = "more"
    margin: float = 0.005
    condition: str = ""
    places: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: _NO_CONDITION)
    tasks: Mapping[str, ClaimTask] = field(default_factory=dict[str, ClaimTask])
    builders: Mapping[str, Callable[[], Any]] = field(default_factory=dict[str, Callable[[], Any]])
    rates: Sequence[float] | Mapping[str, Sequence[float]] = RATES
    tuned: bool = True
    keeps_rate: Sequence[str] = ()
    tune_by: Measure | None = None
    seeds: int = 10
    tuning_seeds: int = 2
    budget_differs: bool = False
    control: float = TOO_SMALL
    published: Sequence[Published] = ()
    refuses: Sequence[str] = ()
    judged: bool = False

    def plan(self, given: ClaimOptions) -> ClaimPlan:
        self._check_budgets()
        given.refuse(self.id, *self.refuses)
        net = given.net or (self.net if isinstance(self.net, str) else getattr(self.net, "__name__", "own"))
        data = given.data or (self.data if isinstance(self.data, str) else getattr(self.data, "__name__", "own"))
        nuisance: dict[str, Any] = {}
        if self.tuned:
            nuisance = {"optim.lr": {level: list(self._grid(given, level)) for level in self.levels}}
            nuisance |= {"seeds": self._tuning_seeds(given), "growths": self._growths(given)}
            if self.keeps_rate:
                nuisance["kept"] = list(self.keeps_rate)
        parts = {
            "data": data,
            "net": net,
            "factor": self.factor,
            "levels": {level: dict(settings) for level, settings in self.levels.items()},
            "nuisance": nuisance,
            "fixed": self._settings(given),
            "measure": self._measure_of_plan(given),
            "expected": self.expected,
            "margin": given.margin_or(self.margin),
            "seeds": given.seeds_or(self.seeds),
            "stopping": "all seeds",
            "controls": {"placebo": next(iter(self.levels)), "positive": self.control},
        }
        if self.condition:
            places = self._places(given)
            tasks = {label: task.as_dict() for label, task in self.tasks.items() if label in places}
            parts["condition"] = {self.condition: {label: dict(place) for label, place in places.items()} | tasks}
        return ClaimPlan(self.id, parts)

    def test(self, given: ClaimOptions, bench: Bench) -> ClaimEvidence:
        if given.data or not callable(self.data):
            claim, left_out = self._on(given, bench)
            return replace(claim._carried_out(given, bench), left_out=left_out)
        return self._carried_out(given, bench)

    def _on(self, given: ClaimOptions, bench: Bench) -> "tuple[EffectClaim, tuple[str, ...]]":
        """The claim as it can be tested on these data: with a score that they have, at the places for which they have
        enough samples; and the places that are left out. UserError where nothing is left of it."""
        first = next(iter(self._places(given)))
        data = bench.data_of(self._ground(given, first, next(iter(self.levels))))
        measure = R2 if given.data and self.measure is ACCURACY and data.task == R2.task else self.measure
        if measure.task and measure.task != data.task:
            wanted = Fault(f"claims.target-{measure.task}")
            fail("claims.no-measure", claim=self.id, measure=measure.name, wanted=wanted)
        there = data.sizes["train"]
        left_out = tuple(label for label, place in self.places.items() if place.get("data.samples", there) > there)
        places = {label: place for label, place in self.places.items() if label not in left_out}
        if not places:
            fail("claims.too-few-samples", claim=self.id, found=there, wanted=self.places[first]["data.samples"])
        return replace(self, measure=measure, places=places), left_out

    def _carried_out(self, given: ClaimOptions, bench: Bench) -> ClaimEvidence:
        comparisons: list[ClaimComparison] = []
        controls: list[Control] = []
        found: dict[str, Trials] = {}
        seeds = given.seeds_or(self.seeds)
        left_out: list[str] = []
        for number, place in enumerate(self._places(given)):
            there = self._at(place)
            if place in self.tasks and not there._has_data(given, bench, place):
                left_out.append(place)
                continue
            tuned = there._tune(given, bench, place, number)
            rates = {} if tuned is None else dict(tuned.best)
            if tuned is not None and tuned.at_edge and not given.miniature:
                controls.append(Control("tuning", False, levels=tuned.at_edge))
            trials = {
                level: there._train(given, bench, place, level, f"{number}-{n}", [rates.get(level)], seeds)
                for n, level in enumerate(self.levels)
            }
            found[place] = {level: by_rate[rates.get(level)] for level, by_rate in trials.items()}
            if number == 0:
                controls += self._controls(given, bench, place, found[place], rates)
            comparisons += there._compare(given, place, found[place], rates)
        return ClaimEvidence(as_family(comparisons), (), controls, self._figure(found), left_out)

    def _at(self, place: str) -> "EffectClaim":
        """The claim as it is put at a place that is a task of its own: that task, with the same levels."""
        task = self.tasks.get(place)
        if task is None:
            return self
        turned = task.measure.better != self.measure.better
        return replace(
            self, net=task.net, data=task.data, settings=task.settings, measure=task.measure, rates=task.rates,
            expected=_OPPOSITE.get(self.expected, self.expected) if turned else self.expected,
            places={place: {}}, tasks={}, tune_by=None,
        )  # fmt: skip

    def _has_data(self, given: ClaimOptions, bench: Bench, place: str) -> bool:
        """Whether the data can be had here: a download may not."""
        try:
            bench.data_of(self._ground(given, place, next(iter(self.levels))))
        except UserError:
            return False
        return True

    def _check_budgets(self) -> None:
        """UserError where one level would be trained longer, or searched harder, than another."""
        grids = {len(self._grid(ClaimOptions(), level)) for level in self.levels}
        budgets = {tuple(settings.get(key) for key in _BUDGET) for settings in self.levels.values()}
        if len(grids) > 1 or (len(budgets) > 1 and not self.budget_differs):
            fail("claims.unequal-budgets", claim=self.id)

    def _grid(self, given: ClaimOptions, level: str) -> Sequence[float]:
        rates = self.rates[level] if isinstance(self.rates, Mapping) else self.rates
        return rates[1:3] if given.miniature else rates

    def _tuning_seeds(self, given: ClaimOptions) -> list[int]:
        """Seeds of their own: what a rate was chosen by says nothing about it any more."""
        return [10_000 + number for number in range(1 if given.miniature else self.tuning_seeds)]

    def _growths(self, given: ClaimOptions) -> int:
        return 0 if given.miniature else MOST_GROWTHS

    def _measure_of_plan(self, given: ClaimOptions) -> str:
        """Of a user's data the plan does not know yet what they are."""
        return "accuracy-or-r2" if given.data and self.measure is ACCURACY else self.measure.name

    def _places(self, given: ClaimOptions) -> Mapping[str, Mapping[str, Any]]:
        if given.data and self.condition == "data":
            return {Path(given.data).name: {}}
        if given.miniature:
            return dict(list(self.places.items())[:1])
        return {**self.places, **{label: dict[str, Any]() for label in self.tasks}}

    def _settings(self, given: ClaimOptions) -> dict[str, Any]:
        return {"train.weights": "last", **self.settings, **given.data_settings()}

    def _ground(self, given: ClaimOptions, place: str, level: str) -> Trainable:
        settings = {**self._settings(given), **self.places.get(place, {}), **self.levels[level]}
        if given.miniature:
            settings["train.epochs"] = max(1, int(settings.get("train.epochs", 10)) // 8)
        net = self.builders.get(level) or given.net or self.net
        data = given.data or (self.data(place) if callable(self.data) else self.data)
        return Trainable(net, data, settings)

    def _train(
        self, given: ClaimOptions, bench: Bench, place: str, level: str, lot: str, rates: Sequence[float | None],
        seeds: Sequence[int], judge: str = "test",
    ) -> dict[float | None, list[Training]]:  # fmt: skip
        return bench.train(lot, self._ground(given, place, level), rates=rates, seeds=seeds, judge=judge)

    def _tune(self, given: ClaimOptions, bench: Bench, place: str, number: int) -> Tuned | None:
        if not self.tuned:
            return None
        measure, seeds = self.tune_by or self.measure, self._tuning_seeds(given)
        rounds = 0
        own = isinstance(self.rates, Mapping)
        first = {level: self._grid(given, level) for level in self.levels}
        scale = {level: grid[0] / first[next(iter(self.levels))][0] for level, grid in first.items()}
        sought = [*self.levels][:1] if place in self.keeps_rate else [*self.levels]

        def search(rates: Sequence[float]) -> dict[str, dict[float, list[Training]]]:
            nonlocal rounds
            rounds += 1
            found: dict[str, dict[float, list[Training]]] = {}
            for nth, level in enumerate(sought):
                theirs = {rate: float(f"{rate * scale[level]:.3g}") if own else rate for rate in rates}
                lot = f"{number}-{nth}-tuning-{rounds}"
                trained = self._train(given, bench, place, level, lot, [*theirs.values()], seeds, "validation")
                found[level] = {rate: trained[their] for rate, their in theirs.items()}
            return found

        tuned = tune(search, first[next(iter(self.levels))], measure, growths=self._growths(given))
        if place in self.keeps_rate:
            return replace(tuned, best=dict.fromkeys(self.levels, tuned.best[sought[0]]))
        best = {level: float(f"{rate * scale[level]:.3g}") if own else rate for level, rate in tuned.best.items()}
        return replace(tuned, best=best)

    def _controls(
        self, given: ClaimOptions, bench: Bench, place: str, trials: Trials, rates: Mapping[str, float]
    ) -> list[Control]:
        """The first level against itself with other seeds, and against itself at a learning rate that cannot do."""
        first = next(iter(self.levels))
        rate = rates.get(first)
        seeds = given.seeds_or(self.seeds)
        others = [seeds[-1] + 1 + seed for seed in seeds]
        same = self._train(given, bench, place, first, "placebo", [rate], others)[rate]
        base = rate or float(self._ground(given, place, first).settings.get("optim.lr", 0.01))
        spoilt = base * self.control
        worse = self._train(given, bench, place, first, "positive", [spoilt], seeds)[spoilt]
        common = self._common(given, place)
        own, again, spoiled = (self._values(members) for members in (trials[first], same, worse))
        positive = compared(own, spoiled, names=(first, f"{first}, lr {spoilt:.2g}"), expected=self.expected, **common)
        seen = positive.effect.verdict == ("worse" if self.measure.better == "more" else "better")
        return [placebo_control(own, again, name=first, **common), Control("positive", seen, positive)]

    def _compare(
        self, given: ClaimOptions, place: str, trials: Trials, rates: Mapping[str, float]
    ) -> list[ClaimComparison]:
        values = {level: self._values(members) for level, members in trials.items()}
        common: dict[str, Any] = {**self._common(given, place), "expected": self.expected, "rates": rates}
        first, *others = self.levels
        return [compared(values[first], values[other], names=(first, other), **common) for other in others]

    def _values(self, trials: Sequence[Training]) -> list[float]:
        return [self.measure.value(trial) for trial in trials]

    def _common(self, given: ClaimOptions, place: str) -> dict[str, Any]:
        """What all comparisons at a place have in common."""
        return {
            "measure": self.measure.name,
            "margin": given.margin_or(self.margin),
            "condition": f"{self.condition.rpartition('.')[2]}={place}" if place else "",
            "grain": self.measure.grain,
        }

    def _figure(self, found: Mapping[str, Trials]) -> list[Plot]:
        first = next(iter(found.values()))
        plots = [turning([*first.values()][-1]) if self.judged else curves(first)]
        if len(found) > 1:
            of_place = {place: self._at(place).measure for place in found}
            plots = [
                boundary(
                    self.condition, {place: found[place] for place in found if of_place[place] == measure}, measure
                )
                for measure in dict.fromkeys(of_place.values())
            ] + plots
        return plots
