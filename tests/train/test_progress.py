import math

import torch

from danlu.train.progress import Progress, rank


def test_state_round_trip_keeps_the_running_sum_exact() -> None:
    losses = [torch.tensor(value) for value in (0.1, 0.7, 1e-8, 3.3)]
    whole = Progress(epochs=2, steps_per_epoch=4)
    broken = Progress(epochs=2, steps_per_epoch=4)
    for number, loss in enumerate(losses):
        whole.count(loss, 3 + number)
        broken.count(loss, 3 + number)
        resumed = Progress(epochs=2, steps_per_epoch=4)
        resumed.load_state(broken.state())
        broken = resumed
    assert whole.end_epoch(None) == broken.end_epoch(None)


def test_accuracy_goes_before_loss_and_a_nan_is_never_best() -> None:
    assert rank({"loss": 0.9, "accuracy": 0.8}) > rank({"loss": 0.1, "accuracy": 0.7})
    assert rank({"loss": 0.1, "accuracy": 0.8}) > rank({"loss": 0.2, "accuracy": 0.8})
    assert rank({"loss": math.nan, "accuracy": 0.99}) == ()
    progress = Progress(epochs=3, steps_per_epoch=1)
    assert progress.end_epoch({"loss": math.nan})[1] is False
    assert progress.end_epoch({"loss": 5.0})[1] is True
    assert progress.end_epoch({"loss": math.inf})[1] is False


def test_a_summed_loss_is_reported_a_sample() -> None:
    progress = Progress(epochs=1, steps_per_epoch=2, loss_is_sum=True)
    progress.count(torch.tensor(8.0), 4)
    progress.count(torch.tensor(1.0), 1)
    assert progress.end_epoch(None)[0] == {"loss": 9.0 / 5}


def test_patience_that_is_counted_anew_stays_so() -> None:
    progress = Progress(epochs=9, steps_per_epoch=1, patience=2)
    progress.end_epoch({"loss": 1.0})
    for _ in range(2):
        progress.end_epoch({"loss": 2.0})
    assert progress.ended_early
    progress.wait_anew()
    progress.end_epoch({"loss": 2.0})
    resumed = Progress(epochs=9, steps_per_epoch=1, patience=2)
    resumed.load_state(progress.state())
    assert not resumed.ended_early
    resumed.end_epoch({"loss": 2.0})
    assert resumed.ended_early
