"""Optimisers: what they own, whether gradients were cleared before them, how they were clipped."""

import weakref
from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch

from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.probes.parameters import ParameterProbe, capped_share, decay_of, hyperparameters
from danlu.watch.probes.structure import read_optimised, unlisted_parameters
from danlu.watch.sites import Sites
from danlu.watch.tracing import unreadable

_SPOT = 8  # weights that are compared
_ALWAYS_UNTIL = 64  # steps in which cleared gradients are looked at every time


class _Tracked:
    """What is kept of one optimiser beside its record; the optimiser itself may go."""

    def __init__(self, optimizer: Any, record: Optimiser, probe: ParameterProbe, ours: list[torch.Tensor]) -> None:
        self.optimizer = weakref.ref(optimizer)  # of those around each other, the one whose step is the step
        self.record = record
        self.probe = probe
        self.owned = frozenset(id(one) for one in ours)
        self.marks = [ours[n] for n in sorted({0, len(ours) // 2, len(ours) - 1})] if ours else []
        self.cleared = True  # since its last step
        self.looked = False  # whether that was looked at
        self.backwards = 0  # since then
        self.emptied = 0  # of these, those before which the gradients of the one before were cleared
        self.spot: torch.Tensor | None = None  # a few weights, as the first of these saw them
        self.spent: torch.Tensor | None = None  # a little of the gradient that its last step followed
        self.shared = False  # it holds gradients of a loss that another one has just stepped for
        self.mixed = False  # and a further loss was added to them
        self.rate: Any = None
        self.begun = False


class OptimiserProbe:
    """One record for each optimiser that moves parameters of the net, found when it steps or named by the user.

    An optimiser inside another one that has its groups of parameters is one with it. `strangers` are the ids of
    parameters that the losses reach and the net does not know; where it knows none, whoever moves them is one of ours.
    """

    writes = ("optimisers", "layers", "noise")

    def __init__(self, measured: Measured, owners: Mapping[int, str], strangers: Collection[int], sites: Sites) -> None:
        self._measured = measured
        self._sites = sites
        self._owners = owners
        self._strangers = strangers
        self._known: dict[int, tuple[weakref.ref[Any], _Tracked | None]] = {}  # by id of the optimiser
        self._tracked: list[_Tracked] = []
        self.elsewhere: set[int] = set()  # ids of what optimisers move that are not of this net
        self._clip: tuple[float, Any] | None = None
        self._unreached: dict[int, torch.Tensor] = {}  # held by an optimiser, and no gradient so far

    def record(self, optimizer: Any, *, given: bool = False) -> Optimiser | None:
        """The record of an optimiser; None where it moves nothing of the net."""
        tracked = self._of(optimizer, given=given)
        return tracked.record if tracked else None

    def is_same(self, one: Any, other: Any) -> bool:
        """Whether two objects are one optimiser, of which one wraps the other."""
        return _groups(one) == _groups(other)

    def _of(self, optimizer: Any, *, given: bool = False) -> _Tracked | None:
        reference, tracked = self._known.get(id(optimizer), (None, None))
        if reference is None or reference() is not optimizer or (tracked is None and not self._owners):
            tracked = self._around(optimizer) or self._new(optimizer, given=given)
            self._known[id(optimizer)] = weakref.ref(optimizer), tracked
        return tracked

    def _around(self, optimizer: Any) -> _Tracked | None:
        """What is known of the optimiser already, by the object that wraps it or that it wraps."""
        groups = _groups(optimizer)
        return next((one for other, one in self._alive if groups and _groups(other) == groups), None)

    def _new(self, optimizer: Any, *, given: bool) -> _Tracked | None:
        parameters = parameters_of(optimizer)
        ours = [one for one in parameters if id(one) in self._owners]
        if not self._owners:
            ours = [one for one in parameters if id(one) in self._strangers]
        self.elsewhere.update(id(one) for one in parameters if id(one) not in self._owners)
        if not ours and not given:
            return None
        tracked = _Tracked(optimizer, _new_record(optimizer), ParameterProbe(self._measured, self._owners), ours)
        record = tracked.record
        record.given = given
        record.owned, record.foreign = len(ours), len(parameters) - len(ours)
        earlier = [one for one in self._tracked if one.owned == tracked.owned and ours]
        record.recreated = max((one.record.recreated + 1 for one in earlier), default=0)
        if not record.recreated:
            self._unreached.update((id(one), one) for one in ours if one.requires_grad)
        self._tracked.append(tracked)
        self._measured.optimisers.append(record)
        return tracked

    @property
    def only(self) -> int | None:
        """The id of the optimiser where there is and was but one."""
        optimizer = self._tracked[0].optimizer() if len(self._tracked) == 1 else None
        return id(optimizer) if optimizer is not None else None

    @property
    def _alive(self) -> list[tuple[Any, _Tracked]]:
        pairs = [(one.optimizer(), one) for one in self._tracked]
        return [(optimizer, one) for optimizer, one in pairs if optimizer is not None]

    @property
    def moved(self) -> set[int]:
        """The ids of what an optimiser holds now, or held when it was found: one made in a function is gone with it."""
        held = {id(parameter) for optimizer, _ in self._alive for parameter in parameters_of(optimizer)}
        return held.union(*(one.owned for one in self._tracked))

    def backward_begins(self, *, measuring: bool, fresh: bool = False) -> None:
        """Look whether anybody cleared the gradients since the optimiser's last step, and, of a `fresh` pass, one with
        a forward pass of its own, since the backward pass before."""
        for one in self._tracked:
            if measuring or one.record.steps <= _ALWAYS_UNTIL:
                self._look_between(one, fresh=fresh and measuring)
            one.backwards += 1
            if one.cleared or not one.record.steps:
                continue
            if not measuring and one.record.steps > _ALWAYS_UNTIL:
                continue
            one.looked = True
            left = [mark.grad for mark in one.marks if mark.grad is not None]
            if not left:
                one.cleared = True
            else:
                one.cleared = not any(bool(grad.any()) for grad in left)

    def _look_between(self, one: _Tracked, *, fresh: bool) -> None:
        """What has become of the gradients of the backward pass before, in the same step of that optimiser."""
        if one.shared:
            one.shared, one.mixed = False, _holds_gradients(one)
        if not one.backwards:
            one.emptied, one.spot = 0, _spot(one)
        elif fresh and not _holds_gradients(one) and _is_at(one):
            one.emptied += 1

    def clipped(self, limit: float, norm: Any, kind: str) -> None:
        """The gradients were clipped; `norm` is that before, where clipping was by norm."""
        self._clip = float(limit), norm if kind == "norm" else None
        self._sites.note("clip", self._measured.step + 1)

    def before(self, optimizer: Any, step: int, *, measuring: bool) -> None:
        """An optimiser is about to step, or the closure that it was given has run for the first time."""
        one = self._of(optimizer)
        if one is None or one.begun:
            return
        one.begun = True
        record = one.record
        self._sites.note_step(record, optimizer, step)
        if record.steps and one.backwards and one.looked:
            record.stale = 0 if one.cleared else record.stale + 1
            record.stale_since = record.stale_since if record.stale > 1 else step
        if record.steps and not one.backwards and _is_spent(one):
            record.repeated += 1
            record.repeated_since = record.repeated_since or step
        if measuring or record.steps <= _ALWAYS_UNTIL:
            _note_between(one, step, measuring=measuring)
        rate = optimizer.param_groups[0].get("lr")
        if measuring or rate is not one.rate:
            one.rate = rate
            rate, record.momentum, record.weight_decay, record.decoupled = hyperparameters(_innermost(optimizer))
            if measuring or rate != record.rate.last:
                record.rate.add(step, rate)
                record.highest_rate = max(rate, record.highest_rate)
        if self._unreached:
            for parameter in [p for p in self._unreached.values() if p.grad is not None]:
                del self._unreached[id(parameter)]
        if measuring:
            self._measure(optimizer, one, step)

    def _measure(self, optimizer: Any, one: _Tracked, step: int) -> None:
        parameters = parameters_of(optimizer)
        decays = {id(moved): decay_of(group) for group in optimizer.param_groups for moved in group["params"]}
        one.probe.before(parameters, step, one.record, decays)
        if self._clip is None:
            return
        limit, norm = self._clip
        one.record.clipped_to = limit
        if norm is None:
            one.record.capped.add(step, capped_share(parameters, limit))
        else:
            one.record.clip.add(step, limit / max(float(norm), 1e-30))

    def after(self, optimizer: Any, step: int, *, measuring: bool) -> Optimiser | None:
        """It has stepped; its record, if it is one of ours."""
        one = self._of(optimizer)
        self._clip = None  # those gradients were this optimiser's, whoever's it is
        if one is None:
            self._note_foreign(measuring=measuring)
            return None
        if one.optimizer() is not optimizer:
            one.optimizer = weakref.ref(optimizer)
        one.begun = one.cleared = one.looked = one.shared = one.mixed = False
        one.backwards = one.emptied = 0
        one.spent = _some_gradient(one)
        for other in self._tracked:
            other.shared = other.shared or (other is not one and other.backwards > 0 and _holds_gradients(other))
        one.record.steps += 1
        if measuring:
            one.probe.after(step, one.record)
        return one.record

    def _note_foreign(self, *, measuring: bool) -> None:
        """An optimiser that moves nothing of the net has stepped; gradients of its loss may have come to ours."""
        for one in self._tracked:
            if one.backwards and not one.shared and (measuring or one.record.steps <= _ALWAYS_UNTIL):
                one.shared = _holds_gradients(one)

    def unreached(self, roots: Mapping[str, torch.nn.Module], reached: Collection[int]) -> tuple[str, ...]:
        """Names of the parameters that an optimiser holds, that never had a gradient and no graph has `reached`. An
        optimiser that waits while others step trains later, or holds the parameters of a target network."""
        begun = [one.owned for one in self._tracked if one.record.steps] or [one.owned for one in self._tracked]
        asked = frozenset(self._unreached) & frozenset[int]().union(*begun) - frozenset(reached)
        return tuple(
            ".".join(part for part in (prefix, path) if part)
            for prefix, root in roots.items()
            for path, parameter in root.named_parameters()
            if parameter.requires_grad and id(parameter) in asked
        )

    def read_held(
        self, roots: Mapping[str, torch.nn.Module], reached: Collection[int], loose: Collection[int] = ()
    ) -> None:
        """Bring up to date which parameters nobody moves, and which nothing knows; the graphs have `reached` these, and
        the loss itself holds those that are `loose`."""
        net = self._measured.net
        read_optimised(net, roots, reached, self.moved)
        strangers = set(self._strangers)
        net.unregistered = len(strangers - self.elsewhere)
        net.loose = len(set(loose) - self.elsewhere - self.moved)
        net.unlisted = len(strangers & unlisted_parameters(list(roots.values())))
        net.unreached = self.unreached(roots, reached)

    def has_silent_scheduler(self, waits: Callable[[], bool] = lambda: False) -> bool:
        """Whether a scheduler was made for an optimiser that steps, and that no call of a scheduler concerned; nor is
        there one whose time `waits` to come."""
        silent = any(
            one.record.steps and not one.record.scheduled and _has_scheduler(optimizer)
            for optimizer, one in self._alive
        )
        return silent and not waits()


def _holds_gradients(one: _Tracked) -> bool:
    grads = [mark.grad for mark in one.marks if mark.grad is not None]
    return any(not unreadable(grad) and bool(grad.any()) for grad in grads)


def _spot(one: _Tracked) -> torch.Tensor | None:
    """A few of its weights; None where they cannot be read."""
    mark = one.marks[-1] if one.marks else None
    return None if mark is None or unreadable(mark) else mark.detach().flatten()[-_SPOT:].clone()


def _is_at(one: _Tracked) -> bool:
    """Whether its weights are where the first backward pass of the step saw them."""
    now = _spot(one)
    return now is not None and one.spot is not None and torch.equal(one.spot, now)


def _some_gradient(one: _Tracked) -> torch.Tensor | None:
    """A little of the gradient of its last parameter; None where there is none."""
    grad = one.marks[-1].grad if one.marks else None
    return None if grad is None or unreadable(grad) else grad.detach().flatten()[-_SPOT:].clone()


def _is_spent(one: _Tracked) -> bool:
    """Whether it is about to follow the very gradient that its last step has followed."""
    now, spent = _some_gradient(one), one.spent
    if now is None or spent is None or now.shape != spent.shape:
        return False
    return bool(now.any()) and torch.equal(now, spent)


def _note_between(one: _Tracked, step: int, *, measuring: bool) -> None:
    """It is about to step: with the last of several gradients alone, or with those of another one's loss too."""
    record, several = one.record, one.backwards > 1
    emptied = several and one.emptied == one.backwards - 1 and _holds_gradients(one)
    if emptied:
        record.emptied_since = record.emptied_since if record.emptied else step
        record.emptied, record.passes = record.emptied + 1, one.backwards
    elif several and measuring:
        record.emptied = 0
    record.mixed_since = record.mixed_since if record.mixed else step
    record.mixed = record.mixed + 1 if one.mixed else 0


def parameters_of(optimizer: Any) -> list[torch.Tensor]:
    """All tensors that an optimiser holds."""
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


def _groups(optimizer: Any) -> list[int]:
    """What two objects share that are one optimiser: the very groups of parameters, whatever list they stand in."""
    return [id(group) for group in optimizer.param_groups]


def _innermost(optimizer: Any) -> Any:
    """The optimiser that does the work, inside those that only wrap it."""
    for _ in range(8):
        inner = (vars(optimizer).get(name) for name in ("optimizer", "_optimizer", "optim", "base_optimizer"))
        inner = next(
            (one for one in inner if hasattr(one, "param_groups") and _groups(one) == _groups(optimizer)), None
        )
        if inner is None:
            break
        optimizer = inner
    return optimizer


def _new_record(optimizer: Any) -> Optimiser:
    rate, momentum, decay, decoupled = hyperparameters(_innermost(optimizer))
    kind = type(_innermost(optimizer)).__name__
    upwards = any(group.get("maximize") for group in _innermost(optimizer).param_groups)
    return Optimiser(
        kind, highest_rate=rate, momentum=momentum, weight_decay=decay, decoupled=decoupled, maximizes=upwards
    )


def _has_scheduler(optimizer: Any) -> bool:
    return bool(getattr(vars(optimizer).get("step"), "_wrapped_by_lr_sched", False))
