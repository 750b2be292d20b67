"""A study as its folder tells it, also while it goes on, and where its journal is broken."""

from typing import Any

import view_samples as made
from danlu.store.study_history import StudyHistory
from danlu.view.info.study import StudyInfo, study_info

DESIGN = {"factors": {"net.activation": ["sigmoid", "relu"], "optim.lr": [0.1]}, "seeds": [0, 1], "folds": 1}


def told(lines: list[dict[str, Any]]) -> StudyInfo:
    return study_info("s", DESIGN, StudyHistory.of(lines))


def test_a_finished_study_knows_its_best() -> None:
    study = made.sample_study()
    assert study.best is not None
    assert study.best.factors == {"net.activation": "relu", "optim.lr": 0.1}
    assert (len(study.members), study.planned, study.seconds) == (36, 36, 12.5)


def test_a_study_that_goes_on_has_no_best_yet() -> None:
    best = {"kind": "best", "factors": {}}
    again: list[dict[str, Any]] = [{"kind": "begin", "members": 4}, best, {"kind": "begin", "members": 8}]
    assert told(again).best is None
    assert told(again).planned == 8


def test_records_that_make_no_sense_are_passed_over() -> None:
    good = made.member("relu", 0.1, 0, 0)
    broken = [
        {"kind": "member"},
        {"kind": "member", "factors": 3},
        good | {"score": "?"},
        {"kind": "done"},
        {"kind": 7},
    ]
    study = told([*broken, good])
    assert len(study.members) == 1
    assert study.metric == "accuracy"


def test_a_study_with_nothing_done_has_no_effects() -> None:
    study = told([])
    assert (list(study.effects), study.planned, study.metric) == ([], 4, "loss")
