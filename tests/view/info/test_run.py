"""A run as it is shown."""

import view_samples as made
from danlu.store.run_history import RunHistory
from danlu.view.info.kernel import sigma_of
from danlu.view.info.run import RunInfo


def test_the_score_is_the_final_one_else_that_of_the_newest_epoch() -> None:
    assert made.sample_run().score == {"test": {"loss": 0.5, "accuracy": 0.8}}
    going = RunInfo("a", "running", RunHistory.of([made.epoch_record(1), made.epoch_record(2)]))
    assert going.score["validation"]["loss"] == 0.6
    assert RunInfo("a", "running", RunHistory.of([])).score == {}


def test_a_smoothing_that_is_none_counts_as_the_usual_one() -> None:
    history = RunHistory.of([])
    assert made.sample_run().drawn.sigma == sigma_of(0.2)
    assert [
        RunInfo("a", "stopped", history, settings={"train.smoothing": value}).drawn.sigma for value in (0, "x", 7)
    ] == [sigma_of(0.1)] * 3
