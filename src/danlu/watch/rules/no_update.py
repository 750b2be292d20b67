"""no-update: steps are made, and no weight changes; or no step is made at all."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.rates import fitting_rate, higher_rate


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    if measured.step == 0:
        return _without_step(measured, thresholds)
    moves = any(one.unmoved.median() == 0 for one in measured.optimisers)  # by gradients that were set by hand
    if measured.backwards == 0 and not moves and measured.step >= thresholds["min_steps"]:
        return Verdict("error", 1, {"steps": measured.step}, variant="no-backward", remedies=("call-backward",))
    idle = [one for one in measured.optimisers if one.given and one.owned and not one.steps]
    if idle and measured.ended and not measured.crashed and measured.step >= thresholds["min_idle_steps"]:
        numbers = {"optimizer": idle[0].kind, "count": idle[0].owned, "steps": measured.step}
        return Verdict("error", 1, numbers, variant="idle", remedies=("call-each-step",))
    moved = [one for one in measured.optimisers if one.steps]
    still = [one for one in moved if _stands_still(one, thresholds)]
    if not still or len(still) < len(moved):
        return None
    one = still[0]
    numbers = {"rate": one.rate.last, "steps": measured.step}
    since = one.unmoved.since([value == 1 for value in one.unmoved.values])
    if one.without_gradient.median(4) == 1:
        line = one.backward_at if len(measured.net.unreached) >= one.owned > 0 else None  # the loss leads to none
        return Verdict("error", since, numbers, variant="no-gradient", remedies=("order-of-calls",), line=line)
    if one.rate.last == 0:
        return Verdict(
            "error", since, numbers, variant="zero-rate", remedies=({"optim.lr": fitting_rate(measured, one)},)
        )
    if one.gradient.median(4) == 0:
        # Gradients of exactly 0 have their own causes (dead units, all weights alike), but for being cleared too late.
        return Verdict("error", since, numbers, variant="zero-gradient", remedies=("order-of-calls",))
    fitting = higher_rate(measured, one)
    if one.owned and fitting > 1e3 * one.highest_rate:  # the steps are below the precision of the weights
        return Verdict("error", since, numbers, remedies=({"optim.lr": fitting}, "check-optimizer"))
    return Verdict("error", since, numbers, remedies=("check-optimizer",))


def _without_step(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    backwards = measured.backwards - measured.functional  # torch.func hands its gradients out: nobody need step
    if backwards < thresholds["min_backward_passes"] or (measured.crashed and backwards < 50):
        return None
    if measured.net.unlisted > measured.net.unregistered:
        return None  # what is trained is not registered with the net, and an optimiser holds it
    if measured.foreign_steps:
        numbers = {"backwards": backwards, "steps": measured.foreign_steps}
        return Verdict("error", 1, numbers, variant="foreign", remedies=("optimizer-after-model",))
    return Verdict("error", 1, {"backwards": backwards}, variant="no-step", remedies=("call-step",))


def _stands_still(one: Optimiser, thresholds: Thresholds) -> bool:
    newest = one.unmoved.values[-int(thresholds["min_measurements"]) :]
    return len(newest) >= thresholds["min_measurements"] and min(newest) == 1


RULE = Rule(
    "no-update",
    _judge,
    "PyTorch, torch.optim: taking an optimization step",
    severities=("error",),
    needs=("optimizer", "measurements"),
    fault_in="optimizer",
    variants_in={
        "no-gradient": "step", "zero-gradient": "step", "no-step": "stepping", "idle": "step", "foreign": "backward",
    },
    remedies=(
        "call-backward", "call-step", "order-of-calls", {"optim.lr": None}, "check-optimizer", "optimizer-after-model",
        "call-each-step",
    ),
    # One still step happens (a GradScaler passes over the first ones); four measured ones in a row do not. Nobody
    # gathers gradients over more than twenty batches without a single step in the whole block.
    thresholds={
        "min_measurements": Threshold(4, "measurements", "times"),
        "min_steps": Threshold(8, "steps", "steps"),
        # One that waits for its turn may begin late, but not after all of a training.
        "min_idle_steps": Threshold(50, "steps"),
        "min_backward_passes": Threshold(20, "backward-passes", "backwards"),
    },
    symptoms=(
        "output-collapsed", "lr-too-low", "plateau", "underfitting", "parameters-unused", "bad-init",
        "vanishing-gradient", "lr-too-high", "too-few-epochs", "scheduler-misuse", "dead-relu", "weight-decay-too-high",
    ),
)  # fmt: skip
