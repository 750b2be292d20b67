"""train-mode-in-evaluation: the net is scored with dropout at work, or with its batch statistics moving."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    net = measured.net
    dropped = measured.dropped_evaluations
    judged = len(measured.optimisers) == 1 and measured.step >= thresholds["min_steps"]
    # A net that draws on purpose, to tell how sure it is, is asked again and again about the same samples.
    if judged and 0 < dropped <= measured.step + 1:
        numbers = {"passes": dropped, "rate": net.plain_dropout}
        return Verdict("warning", 1, numbers, variant="functional", remedies=("pass-training",))
    asked = [one for one in measured.evaluations if not one.training]
    masked = next((one for one in measured.interventions.values() if one.masks and not one.reconstructs), None)
    rare = len(measured.evaluations) <= thresholds["max_evaluations_per_step"] * measured.step
    if judged and masked is not None and asked and rare:
        where = (masked.name,) if masked.name else ()
        return Verdict("warning", asked[0].step, {}, where, variant="drawn", remedies=("ask-for-the-mode",))
    moving = next((one for one in measured.interventions.values() if one.averages), None)
    if judged and moving is not None and measured.evaluations and rare:
        path, name = moving.averages[0]
        where = ".".join(part for part in (moving.name, path) if part)
        step = measured.evaluations[0].step
        numbers, where = {"name": name, "count": len(moving.averages)}, (where,) if where else ()
        return Verdict("warning", step, numbers, where, variant="statistics", remedies=("ask-for-the-mode",))
    copied = measured.averaged
    # One that takes part in the training, as the teacher of a student, may be drawn at random on purpose.
    if judged and copied is not None and copied.training and 2 * copied.calls <= measured.step:
        numbers = {"passes": copied.training}
        return Verdict("warning", copied.step, numbers, variant="averaged", remedies=("call-eval-of-copy",))
    affected = bool(net.dropout) or (bool(net.norms) and not net.frozen_norms) or net.plain_dropout > 0
    passes = measured.evaluations
    wrong = [one for one in passes if one.training]
    if not affected or not wrong or len(measured.optimisers) > 1 or measured.step < thresholds["min_steps"]:
        return None
    # Looking at every batch again without gradients is a running score, and a second pass in evaluation mode shows
    # that the difference is known.
    often = len(wrong) > thresholds["max_evaluations_per_step"] * measured.step
    if often or len(wrong) < len(passes):
        return None
    numbers = {"passes": len(wrong), "dropout": len(net.dropout), "norms": len(net.norms)}
    return Verdict("warning", wrong[0].step, numbers, (*net.dropout, *net.norms), remedies=("call-eval",))


RULE = Rule(
    "train-mode-in-evaluation",
    _judge,
    "PyTorch, torch.nn.Module.eval; Ioffe and Szegedy 2015, Batch Normalization, arXiv:1502.03167, section 3.1",
    severities=("warning",),
    needs=("evaluation-mode",),
    fault_in="evaluation",
    remedies=("call-eval", "pass-training", "ask-for-the-mode", "call-eval-of-copy"),
    variants_in={"functional": "module", "drawn": "module", "statistics": "module", "averaged": "averaged"},
    thresholds={
        "min_steps": Threshold(3, "steps", "steps"),
        "max_evaluations_per_step": Threshold(0.5, "evaluations", "often"),
    },
    symptoms=("overfitting", "underfitting"),
)
