"""What a user adds to a training besides net and data: listeners that hear of it, metrics that score it, and who is
notified of it."""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from danlu.base.errors import Faults, fail
from danlu.base.events import Event, Listener, Stop
from danlu.base.places import shown
from danlu.base.recipe import Recipe
from danlu.run.listeners.notify import Notifier, notifier_of
from danlu.run.own.metric import Metric, MetricLike
from danlu.ship.trackers.registry import check_trackers
from danlu.train.rare_class import METRICS as RARE

RESERVED = (
    "loss", "accuracy", "f1", *RARE, "r2", "mae", "rmse", "mase", "perplexity", "f1_micro", "map", "subset_accuracy",
    "miou", "bleu", "exact_match",
)  # fmt: skip
"""Names of danlu's own metrics."""


@dataclass(frozen=True)
class OwnParts:
    """A user's own listeners, metrics by name, and who is notified."""

    listeners: tuple[Listener, ...] = ()
    metrics: Mapping[str, MetricLike] = field(default_factory=dict[str, MetricLike])
    notifier: Notifier | None = None


def own_parts(
    listeners: Sequence[Listener] | None,
    metrics: Mapping[str, MetricLike] | None,
    notify: object = None,
    recipe: Recipe | None = None,
) -> OwnParts:
    """All three, checked, and the trackers of the `recipe`. UserError for what cannot hear of a training, or cannot
    score it, all of it at once.

    >>> own_parts([print], {"top3": lambda outputs, targets: 0.0}).listeners[0].name
    'print'
    """
    faults = Faults()
    heard = _listeners(listeners, faults)
    scored = _metrics(metrics, faults)
    notifier = None
    with faults.gathered():
        notifier = notifier_of(notify)
    with faults.gathered():
        check_trackers((recipe.track.to if recipe else None) or ())
    faults.raise_if_any()
    return OwnParts(heard, scored, notifier)


def _listeners(given: Any, faults: Faults) -> tuple[Listener, ...]:
    if given is None:
        return ()
    listeners = cast(Sequence[Any], given if isinstance(given, list | tuple) else [given])
    for one in listeners:
        if not callable(one) or isinstance(one, type):
            faults.add("lab.listener-not-callable", found=_name(one))
        elif (takes := _other_arguments(one)) is not None:
            faults.add("lab.listener-arguments", name=_name(one), takes=takes)
    return tuple(UserListener(one) for one in listeners)


def _other_arguments(listener: Callable[..., Any]) -> str | None:
    """The arguments of a function that cannot be called with one event alone; None where it can, or nobody knows."""
    try:
        signature = inspect.signature(listener)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(None)
    except TypeError:
        return str(signature)
    return None


def _metrics(given: Any, faults: Faults) -> dict[str, MetricLike]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        faults.add("lab.metrics-not-named", found=type(given).__name__)
        return {}
    metrics = cast(Mapping[Any, Any], given)
    for name, metric in metrics.items():
        if not isinstance(name, str) or not name.strip() or name in RESERVED:
            faults.add("lab.metric-name", name=name, reserved=", ".join(RESERVED))
        elif isinstance(metric, type) or not (callable(metric) or isinstance(metric, Metric)):
            faults.add("lab.metric-not-callable", name=name, found=_name(metric))
    return dict(metrics)


def refuse_missing(wanted: Collection[str], given: OwnParts, folder: Path) -> None:
    """UserError where a run was scored by a user's metrics that are not given again: its course would have gaps."""
    missing = [name for name in wanted if name not in given.metrics]
    if missing:
        fail("lab.metrics-missing", names=", ".join(missing), folder=shown(folder))


class UserListener:
    """A user's listener. It answers with nothing, or with a Stop, which ends the training for good."""

    def __init__(self, listener: Callable[[Event], Any]) -> None:
        self._listener = listener
        self.name = _name(listener)

    def __call__(self, event: Event) -> Stop | None:
        answer = self._listener(event)
        if answer is None:
            return None
        if not isinstance(answer, Stop):
            fail("lab.listener-answer", name=self.name, found=type(answer).__name__)
        return Stop("asked", why=answer.why or answer.reason)


def _name(one: Any) -> str:
    return str(getattr(one, "__name__", type(one).__name__))
