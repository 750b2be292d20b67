"""loader-starved: the net waits for its data."""

import itertools
import statistics

from danlu.watch.contract import Rule, Threshold, Thresholds, Verdict
from danlu.watch.measured import Measured


def _judge(measured: Measured, thresholds: Thresholds) -> Verdict | None:
    wait, work = measured.timing.wait, measured.timing.work
    times = int(thresholds["min_measurements"])
    # Other nets that are trained in between take that time, not the data.
    if measured.foreign_steps or len(wait) < times or len(work) < times:
        return None
    # The first epoch's start-up, and a machine that is busy now and then, do not move a median; one that was busy for a
    # long while moves that of some parts, not of all. The part with the shortest wait is what counts.
    waited, worked = min(_medians(wait.values)), statistics.median(work.values)
    share = waited / max(waited + worked, 1e-12)
    if share < thresholds["min_wait_share"] or waited < thresholds["min_wait_seconds"]:
        return None
    severity = (
        "warning"
        if share > thresholds["min_wait_share_warning"] and waited > 2 * thresholds["min_wait_seconds"]
        else "advice"
    )
    numbers = {"share": share, "wait": 1000 * waited, "work": 1000 * worked}
    return Verdict(severity, wait.steps[0], numbers, remedies=({"data.workers": 4}, "load-ahead"))


def _medians(values: list[float], parts: int = 4) -> list[float]:
    """The median of each quarter of the training."""
    bounds = [round(part * len(values) / parts) for part in range(parts + 1)]
    return [statistics.median(values[start:stop]) for start, stop in itertools.pairwise(bounds)]


RULE = Rule(
    "loader-starved",
    _judge,
    "Mohan et al. 2021, Analyzing and Mitigating Data Stalls in DNN Training, arXiv:2007.06775",
    severities=("warning", "advice"),
    needs=("times",),
    fault_in="loader",
    remedies=({"data.workers": 4}, "load-ahead"),
    # Half of the time spent waiting is half of it lost. Less than 5 ms a step is what any per-sample loader takes
    # beside a tiny net, and no minute is lost by it.
    thresholds={
        "min_measurements": Threshold(16, "measurements", "times"),
        "min_wait_share": Threshold(0.5, "share", "share"),
        "min_wait_share_warning": Threshold(0.75, "share", "most"),
        "min_wait_seconds": Threshold(0.005, "seconds", "seconds"),
    },
)
