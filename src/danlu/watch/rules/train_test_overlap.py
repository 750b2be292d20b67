"""train-test-overlap: samples that are evaluated were trained on."""

import math

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Evaluation
from danlu.watch.reading import evaluates_all_along


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    # Samples of few numbers coincide by nature.
    wide = math.prod(measured.inputs.shape[1:]) >= thresholds["min_features"]
    share = thresholds["min_overlap_share" if wide else "min_overlap_share_narrow"]
    if measured.declared_overlap >= share:
        return _verdict(1, measured.declared_overlap)
    line = measured.code.get("updates-on-test")
    if line is not None and measured.step:
        return Verdict("warning", 1, {}, variant="updated", remedies=("no-test-steps",), line=line)
    if "bootstrap" in measured.code or measured.rewarded.ends:
        return None  # an agent that acts is not evaluated
    # With one step an epoch it is an evaluation an epoch all the same.
    if evaluates_all_along(measured) and not measured.full_batch:
        return None
    beside = [one for one in measured.evaluations if one.neighbours >= 0 and one.samples >= thresholds["min_samples"]]
    windows = [one for one in beside if one.neighbours >= thresholds["min_window_share"]]
    if windows and len(windows) > len(beside) / 2:
        numbers = {"share": windows[-1].neighbours}
        return Verdict("warning", max(1, windows[0].step), numbers, variant="windows", remedies=("split-by-time",))
    rows = measured.unfair.get("beside")
    if rows is not None and rows.share >= thresholds["min_window_share"]:
        numbers = {"share": rows.share}
        return Verdict("warning", max(1, rows.step), numbers, variant="rows", remedies=("hold-out-block",))
    known = [one for one in measured.evaluations if one.overlap >= 0 and one.samples >= thresholds["min_samples"]]
    if not known:
        return None
    held_out = [one for one in known if one.overlap < 0.99]
    # Rows of few different values are alike by chance; what is beyond that is not.
    leaking = [one for one in held_out if one.overlap - measured.chance_overlap >= share]
    if _are_doubles(held_out, measured, thresholds):
        if measured.chance_overlap >= thresholds["min_chance_share"] * held_out[-1].overlap:
            return None  # rows alike in a table's few columns, which go together, are no copies
        doubles = _doubles(held_out, measured, thresholds)
        if doubles is not None:
            return doubles
    if held_out:
        # Part of a pass was trained on. Before a whole epoch was seen this could be the training data's own score.
        sure = [one for one in leaking if measured.epoch_steps is not None or _is_subset(one, measured, thresholds)]
        return _verdict(sure[0].step, sure[-1].overlap) if len(sure) > len(held_out) / 2 else None
    if 1 - measured.chance_overlap < share:
        return None
    # All of every pass was trained on: fine where it is the whole training set, to know its accuracy. A data set of its
    # own with the same samples is meant to be another one.
    line = measured.code.get("tests-on-training")
    if line is not None:
        return Verdict("warning", max(1, known[0].step), {}, variant="named", remedies=("held-out-loader",), line=line)
    subset = [one for one in known if one.elsewhere or _is_subset(one, measured, thresholds)]
    return _verdict(subset[0].step, 1.0) if len(subset) > len(known) / 2 else None


def _are_doubles(held_out: list[Evaluation], measured: Measured, thresholds: Thresholds) -> bool:
    """Whether training samples are as often alike among themselves as held-out ones are like them: then any split by
    chance has such samples on both sides."""
    if measured.epoch_steps is None or not held_out:
        return False
    overlap, samples = held_out[-1].overlap, held_out[-1].samples
    surely = overlap - 2 * math.sqrt(overlap * (1 - overlap) / samples)  # of few samples a share says little
    return measured.doubled >= thresholds["min_doubled_ratio"] * surely


def _doubles(held_out: list[Evaluation], measured: Measured, thresholds: Thresholds) -> Verdict | None:
    """The data hold so many samples more than once that it shows."""
    least, most = thresholds["min_overlap_share"], thresholds["max_doubles_share"]
    met = [one for one in held_out if least <= one.overlap <= most]
    if len(met) <= len(held_out) / 2:
        return None
    numbers = {"share": met[-1].overlap, "doubled": measured.doubled}
    return Verdict("advice", met[0].step, numbers, variant="doubles", remedies=("drop-doubles",))


def _is_subset(one: Evaluation, measured: Measured, thresholds: Thresholds) -> bool:
    return one.samples < thresholds["max_subset_share"] * measured.samples_seen


def _verdict(step: int, share: float) -> Verdict:
    return Verdict("warning", step, {"share": share}, remedies=("split-first",))


RULE = Rule(
    "train-test-overlap",
    _judge,
    "Kaufman et al. 2012, Leakage in Data Mining, doi:10.1145/2382577.2382579",
    severities=("warning", "advice"),
    needs=("held-out",),
    fault_in="evaluated",
    told_by=("random_split", "train_test_split", "randperm", "permutation"),
    remedies=("split-first", "split-by-time", "hold-out-block", "no-test-steps", "held-out-loader", "drop-doubles"),
    # A twentieth is more than chance doubles in data whose batches hold none. A pass over less than 9 tenths of what
    # was trained on is not the training set's own score.
    thresholds={
        "min_overlap_share": Threshold(0.05, "share", "share"),
        "min_overlap_share_narrow": Threshold(0.2, "share", "narrow"),
        "min_features": Threshold(32, "numbers", "numbers"),
        "min_window_share": Threshold(0.3, "share"),
        "min_samples": Threshold(8, "samples"),
        "min_doubled_ratio": Threshold(0.75, "times"),
        "max_doubles_share": Threshold(0.5, "share"),
        "min_chance_share": Threshold(0.06, "share"),
        "max_subset_share": Threshold(0.9, "share", "subset"),
    },
)
