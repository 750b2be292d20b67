"""What a program of the suite is: an ordinary training, and what must or must not be said of it."""

import math
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import danlu
from faults import data

RULES = (
    "input-scale", "input-twice-scaled", "input-nonfinite", "input-constant", "label-range", "label-imbalance",
    "unshuffled", "train-test-overlap", "loader-starved",
    "softmax-twice", "loss-mismatch", "output-activation", "loss-broadcast", "loss-sum", "initial-loss",
    "missing-nonlinearity",
    "lr-too-high", "lr-too-low", "gradients-accumulate", "no-update", "parameters-not-optimized", "parameters-unused",
    "optimizer-recreated", "scheduler-misuse", "weight-decay-too-high", "clip-too-tight",
    "vanishing-gradient", "exploding-gradient", "saturated", "dead-relu", "nonfinite", "bad-init",
    "batchnorm-small-batch", "dropout-too-high", "eval-mode-in-training", "train-mode-in-evaluation",
    "overfitting", "underfitting", "plateau", "too-few-epochs",
    "future-leak", "targets-not-shifted", "samples-mixed", "padding-seen", "padding-in-loss", "softmax-axis",
    "output-collapsed", "loss-below-floor", "class-weights-inverted",
    "accumulation-cleared", "class-ignored", "ema-too-slow", "evaluation-misuse", "frozen-norm-drifts",
    "losses-unbalanced", "positions-missing", "scaler-misuse", "state-carried",
    "targets-unrelated", "temperature-mismatch", "terminal-bootstrapped", "views-alike",
    "augmentation-repeats", "order-repeats", "temperature-square", "threshold-on-test",
    "latent-collapsed", "leaf-changed", "pairs-broken", "targets-attached",
)  # fmt: skip


class Watch:
    """Stands where `danlu.watch` stands in a user's program, and keeps what was found.

    With `listening` false nothing is watched: so the programs themselves are tried.
    """

    def __init__(self, listening: bool = True) -> None:
        self.listening = listening
        self._found: list[Callable[[], list[Any]]] = []

    def __call__(self, *arguments: Any, **options: Any) -> AbstractContextManager[Any]:
        if not self.listening:
            return nullcontext()
        watching = danlu.watch(*arguments, **options)  # type: ignore[attr-defined]
        self._found.append(lambda: list(watching.findings))
        return watching

    def fit(self, *arguments: Any, **settings: Any) -> danlu.Run:
        """`danlu.fit` with its run in a temporary folder."""
        with tempfile.TemporaryDirectory() as folder:
            quiet = {"folder": Path(folder) / "run", "progress": False, "data.root": str(data.root())}
            run = danlu.fit(*arguments, **(quiet | settings))
            findings, _ = list(run.findings), run.score
            self._found.append(lambda: findings)
            return run

    @property
    def findings(self) -> list[Any]:
        """What was found, in the order in which it is shown: of the first watch, then of the next."""
        return [finding for findings in self._found for finding in findings()]


@dataclass(frozen=True)
class Healthy:
    """A training that goes well: its score (larger is better) is at least `at_least` for every seed."""

    name: str
    train: Callable[..., float]
    at_least: float
    quick: bool = False


@dataclass(frozen=True)
class Planted:
    """A training with a fault. `train(watch, seed, fault)` without its fault is the healthy twin.

    `rule` must be found. `causes` are findings that are as right in first place; `symptoms` may follow from the fault;
    anything else above advice is astray. `costs` is how much worse than its twin the faulty training scores at least,
    None where the fault does not show in the score. `remedy` says whether a change to a recipe undoes the fault.
    """

    name: str
    train: Callable[..., float]
    rule: str
    causes: frozenset[str]
    symptoms: frozenset[str]
    costs: float | None
    remedy: bool
    quick: bool = False


HEALTHY: dict[str, Healthy] = {}
PLANTED: dict[str, Planted] = {}


def healthy(at_least: float, *, quick: bool = False) -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Enter a healthy training `(watch, seed)` that returns its score; `quick` ones run with the ordinary tests."""

    def enter(train: Callable[..., float]) -> Callable[..., float]:
        name = _name(train)
        assert name not in HEALTHY, name
        HEALTHY[name] = Healthy(name, train, at_least, quick)
        return train

    return enter


def planted(
    rule: str, *, causes: str = "", symptoms: str = "", costs: float | None, remedy: bool = False, quick: bool = False
) -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Enter a faulty training `(watch, seed, fault)` that returns its score; ids stand with blanks between them."""

    def enter(train: Callable[..., float]) -> Callable[..., float]:
        name = _name(train)
        assert name not in PLANTED, name
        assert {rule, *causes.split(), *symptoms.split()} <= set(RULES), name
        PLANTED[name] = Planted(
            name, train, rule, frozenset(causes.split()), frozenset(symptoms.split()), costs, remedy, quick
        )
        return train

    return enter


def _name(train: Callable[..., float]) -> str:
    return train.__name__.replace("_", "-")


def worse(faulty: float, twin: float, costs: float) -> bool:
    """Whether the faulty training scored at least `costs` below its twin; one that is not a number did.

    >>> worse(0.1, 0.9, 0.5), worse(float("nan"), 0.9, 0.5), worse(0.8, 0.9, 0.5)
    (True, True, False)
    """
    return not math.isfinite(faulty) or twin - faulty >= costs
