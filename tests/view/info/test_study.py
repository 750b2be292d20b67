"""A study as its folder tells it, also while it goes on, and where its journal is broken."""

import view_samples as made
from danlu.view.info.study import read_study

DESIGN = {"factors": {"net.activation": ["sigmoid", "relu"], "optim.lr": [0.1]}, "seeds": [0, 1], "folds": 1}


def test_a_finished_study_knows_its_best() -> None:
    study = made.sample_study()
    assert study.best["factors"] == {"net.activation": "relu", "optim.lr": 0.1}
    assert (len(study.members), study.planned, study.seconds) == (36, 36, 12.5)


def test_a_study_that_goes_on_has_no_best_yet() -> None:
    best = {"kind": "best", "factors": {}}
    again = [{"kind": "begin", "members": 4}, best, {"kind": "begin", "members": 8}]
    assert read_study("s", DESIGN, again).best == {}
    assert read_study("s", DESIGN, again).planned == 8


def test_records_that_make_no_sense_are_passed_over() -> None:
    good = made.member("relu", 0.1, 0, 0)
    broken = [
        {"kind": "member"},
        {"kind": "member", "factors": 3},
        good | {"score": "?"},
        {"kind": "done"},
        {"kind": 7},
    ]
    study = read_study("s", DESIGN, [*broken, good])
    assert len(study.members) == 1
    assert study.metric == "accuracy"


def test_a_study_with_nothing_done_has_no_effects() -> None:
    study = read_study("s", DESIGN, [])
    assert (list(study.effects), study.planned, study.metric) == ([], 4, "loss")
