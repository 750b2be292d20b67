"""padding-seen: what stands behind the end of a sequence changes the answers."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Intervention, Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    for trial in measured.interventions.values():
        if trial.padded < thresholds["min_padded_share"]:
            continue
        numbers = {"padded": trial.padded, "share": trial.pads}
        where = tuple(name for name in (trial.lets_in or trial.name,) if name)
        if trial.aside:  # of these nothing may be left but the padding: then no word of theirs moves an answer
            if trial.context <= thresholds["max_context_share"] and measured.net.attends:
                return Verdict("error", 1, numbers, where, variant="inverted", remedies=("invert-mask",))
            continue
        if not trial.pads > thresholds["min_moved_share"]:
            continue
        if not measured.net.attends:
            severity = "warning" if _drowns(trial, thresholds) else "advice"
            return Verdict(severity, 1, numbers, where, variant="read", remedies=("pack-sequences",))
        if trial.context <= thresholds["max_context_share"]:
            return Verdict("error", 1, numbers, where, variant="inverted", remedies=("invert-mask",))
        return Verdict("warning", 1, numbers, where, remedies=("padding-mask", "invert-mask"))
    return None


def _drowns(trial: Intervention, thresholds: Thresholds) -> bool:
    """Whether padding moves answers by more than another sample does, which after many steps still hardly moves any."""
    lasting = len(trial.response) > 1 and trial.response.last <= thresholds["max_response"]
    return lasting and trial.pads > thresholds["min_moved_share_warning"]


RULE = Rule(
    "padding-seen",
    _judge,
    "PyTorch, torch.nn.MultiheadAttention: key_padding_mask",
    severities=("error", "warning", "advice"),
    needs=("tried",),
    fault_in="call",
    told_by=("*pad*mask*", "masked_fill", "masked_fill_"),
    remedies=("padding-mask", "invert-mask", "pack-sequences"),
    # A masked net answers a sentence alike however long its batch is, but for rounding.
    thresholds={
        "min_padded_share": Threshold(0.1, "share"),
        "min_moved_share": Threshold(0.05, "share"),
        "max_context_share": Threshold(0.001, "share"),
        "min_moved_share_warning": Threshold(1.0, "share"),
        "max_response": Threshold(0.05, "share"),
    },
    reads="start",
    symptoms=("plateau", "underfitting", "too-few-epochs", "overfitting", "lr-too-low", "output-collapsed"),
)
