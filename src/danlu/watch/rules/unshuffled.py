"""unshuffled: the samples come sorted, so that a batch does not stand for the data."""

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    facts = measured.labels
    batch = measured.inputs.batch.median()
    if measured.full_batch or facts.batches < thresholds["min_batches"] or not batch > 1 or facts.dense:
        return None
    moves = measured.weighs_samples or measured.epoch_steps is None or (facts.moved > 5 and not measured.same_order)
    if facts.kind == "numbers" and moves:
        return None  # targets may move while it is trained, as those of a critic do; what is sorted comes so again
    numbers = {"excess": facts.excess, "batch": int(batch), "most": batch}
    sequences = measured.net.recurrent or len(measured.inputs.shape) == 3
    alone = facts.kind != "numbers" and facts.excess > thresholds["min_variance_ratio_per_sample"] * batch
    if alone or (facts.excess > thresholds["min_variance_ratio"] and facts.drift > thresholds["min_correlation"]):
        # Windows cut out of one series stand in its order, and that does less harm.
        return Verdict(
            "advice" if sequences and facts.kind == "numbers" else "warning",
            1,
            numbers,
            remedies=({"data.shuffle": True}, "shuffle"),
        )
    if any(one.kind == "LBFGS" for one in measured.optimisers):
        return None  # it looks at the same batch several times a step, and wants it to be the same
    if measured.same_order and measured.draws_in_order is not False and measured.step > 2 * (measured.epoch_steps or 0):
        return Verdict("advice", 1, numbers, variant="fixed", remedies=({"data.shuffle": True}, "shuffle"))
    return None


RULE = Rule(
    "unshuffled",
    _judge,
    "Bottou 2012, Stochastic Gradient Descent Tricks, section 4.1",
    severities=("warning", "advice"),
    needs=("labels",),
    fault_in="batches",
    remedies=({"data.shuffle": True}, "shuffle"),
    # Drawn at random, the spread of labels between batches is 1 times its expectation, and a batch of sorted data
    # reaches the size of the batch. 5 is out of chance's reach with six batches or more. Real and generated batches of
    # an adversarial pair take turns, and do not drift.
    thresholds={
        "min_batches": Threshold(6, "batches", "batches"),
        "min_variance_ratio_per_sample": Threshold(0.6, "times", "alone"),
        "min_variance_ratio": Threshold(5.0, "times", "excess"),
        "min_correlation": Threshold(0.3, "correlation", "drift"),
    },
    symptoms=("plateau", "lr-too-high", "underfitting", "label-imbalance", "overfitting", "dead-relu",
              "too-few-epochs", "exploding-gradient"),
)  # fmt: skip
