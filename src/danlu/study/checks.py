"""What is checked of a study's numbers and names before anything is trained."""

import math
from collections.abc import Mapping, Sequence

from danlu.base.counts import check_count
from danlu.base.errors import Faults, fail
from danlu.stats import check_margin
from danlu.stats.members import RANGES
from danlu.study.levels import Level
from danlu.study.plan import Plan
from danlu.study.reached import check_cluster
from danlu.train.rare_class import METRICS as RARE

MOST_MEMBERS = 10**6
_MOST_COMBINATIONS = 10**4  # each is set up before the first training
_MOST_FOLDS = 10**6
_MOST_JOBS = 1024


def check_metric(metric: str | None, plan: Plan) -> None:
    """UserError for a metric that the task has not."""
    data = plan.planned[0].setup.data
    known = {
        "classification": ("loss", "accuracy", "f1", *(RARE if data.rare_class is not None else ())),
        "regression": ("loss", "r2", "mae", "rmse", *(() if data.naive_error is None else ("mase",))),
        "multi-label": ("loss", "f1", "f1_micro", "map", "subset_accuracy"),
        "segmentation": ("loss", "accuracy", "miou"),
        "tagging": ("loss", "accuracy", "f1"),
        "translation": ("loss", "accuracy", "bleu", "exact_match"),
        "language": ("loss", "perplexity"),
        "reconstruction": ("loss", "mae", "rmse"),
    }[data.task]
    if metric is not None and metric not in known:
        fail("study.unknown-metric", metric=metric, names=", ".join(known))


def check_study_margin(margin: float | None, metric: str | None, plan: Plan) -> None:
    """UserError for a margin that every difference of the metric is below, or none is."""
    usual = {"classification": "accuracy", "regression": "r2", "segmentation": "miou", "tagging": "f1"}
    name = metric or usual.get(plan.planned[0].setup.data.task, "loss")
    if margin is not None:
        check_margin(margin, RANGES.get(name, math.inf))


def check_folds(folds: int) -> None:
    """UserError for a number of folds that is none."""
    faults = Faults()
    check_count(faults, "folds", folds, 1, _MOST_FOLDS)
    faults.raise_if_any()


def check_size(factors: Mapping[str, Sequence[Level]], seeds: int, folds: int) -> None:
    """UserError for a study without seeds, or with more trainings than anybody can have meant."""
    if not seeds:
        fail("study.too-few", seeds=seeds, folds=folds)
    combinations = math.prod(map(len, factors.values()))
    members = combinations * seeds * folds
    if combinations > _MOST_COMBINATIONS or members > MOST_MEMBERS:
        most = {"most": _MOST_COMBINATIONS, "most_members": MOST_MEMBERS}
        fail("study.too-many", combinations=combinations, seeds=seeds, folds=folds, members=members, **most)


def check_jobs(jobs: int | None, cluster: object = None) -> None:
    """UserError for a number of processes that is none, for what names no cluster, and for both."""
    faults = Faults()
    if jobs is not None:
        check_count(faults, "jobs", jobs, 1, _MOST_JOBS)
    with faults.gathered():
        check_cluster(cluster, jobs)
    faults.raise_if_any()
