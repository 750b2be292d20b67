"""Evaluations: what runs without gradients, gathered into passes with loss, accuracy and known samples."""

import math
from typing import Any

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Evaluation
from danlu.watch.patches import LossCall
from danlu.watch.probes.evaluations import EvaluationProbe, sample_losses
from danlu.watch.probes.held_out import HeldOutProbe
from danlu.watch.probes.inputs import SampleProbe

Tensor = torch.Tensor


def rows(*numbers: int) -> Tensor:
    """Samples that are told apart by their number."""
    return torch.tensor([[float(number), 0.5, 0.25] for number in numbers])


def mse(outputs: Any, targets: Any, *, summed: bool = False) -> LossCall:
    return LossCall("mse_loss", "numbers", torch.tensor(outputs), torch.tensor(targets), False, summed)


def entropy(outputs: Any, targets: Any, *, weighted: bool = False) -> LossCall:
    return LossCall("cross_entropy_loss", "classes", torch.tensor(outputs), torch.tensor(targets), weighted, False)


class Watched:
    """Training samples 0 to 7 that are known, and the probe."""

    def __init__(self) -> None:
        self.measured = Measured()
        samples = SampleProbe(self.measured)
        samples.train(rows(*range(8)), 1)
        self.probe = EvaluationProbe(self.measured, samples, HeldOutProbe(self.measured))

    def forward(self, *batches: Tensor | None, training: bool = False) -> None:
        for batch in batches:
            self.probe.forward(batch, training=training)

    def end(self, step: int = 9) -> list[Evaluation]:
        self.probe.end(step)
        return self.measured.evaluations


def test_a_pass_has_its_batches_samples_loss_and_accuracy() -> None:
    watched = Watched()
    watched.forward(rows(10, 11, 12))
    assert watched.probe.running
    watched.probe.loss(entropy([[9.0, 0.0], [0.0, 9.0], [0.0, 9.0]], [0, 0, 1]), torch.tensor(0.5))
    watched.forward(rows(13))
    watched.probe.loss(entropy([[9.0, 0.0]], [0]), torch.tensor(0.1))
    (one,) = watched.end()
    assert (one.step, one.batches, one.samples, one.training, one.overlap) == (9, 2, 4, False, 0.0)
    assert (one.loss, one.accuracy) == (pytest.approx((3 * 0.5 + 0.1) / 4), pytest.approx(3 / 4))
    assert not watched.probe.running


def test_without_a_loss_there_is_none() -> None:
    watched = Watched()
    watched.forward(rows(10))
    (one,) = watched.end()
    assert [math.isnan(number) for number in (one.loss, one.accuracy, one.error)] == [True] * 3


def test_a_step_without_an_evaluation_leaves_nothing() -> None:
    watched = Watched()
    watched.probe.loss(mse([1.0], [0.0]), torch.tensor(1.0))
    watched.probe.withdraw()
    assert watched.end() == []


@pytest.mark.parametrize(
    ("batch", "samples", "overlap"),
    [
        (rows(0, 1, 20, 21), 4, 0.5),
        (rows(1, 2), 2, 1.0),
        (rows(20, 21), 2, 0.0),
        (torch.zeros(4, 1), 4, math.nan),
        (torch.zeros(3), 3, math.nan),
        (torch.tensor(1.0), 1, math.nan),
        (torch.zeros(0, 3), 0, math.nan),
        (None, 1, math.nan),
    ],
)
def test_the_overlap_is_the_share_of_samples_that_were_trained_on(
    batch: Tensor | None, samples: int, overlap: float
) -> None:
    watched = Watched()
    watched.forward(batch)
    (one,) = watched.end()
    assert (one.batches, one.samples) == (1, samples)
    assert one.overlap == pytest.approx(overlap, nan_ok=True)


def test_another_mode_begins_another_pass() -> None:
    watched = Watched()
    watched.forward(rows(20))
    watched.forward(rows(21), training=True)
    assert [(one.samples, one.training) for one in watched.end()] == [(1, False), (1, True)]


def test_training_samples_after_held_out_ones_are_another_pass() -> None:
    watched = Watched()
    watched.forward(rows(20, 21), rows(22, 23), rows(0, 1), rows(2, 3))
    assert [(one.samples, one.overlap) for one in watched.end()] == [(4, 0.0), (4, 1.0)]


def test_a_full_batch_after_a_short_one_begins_another_pass() -> None:
    watched = Watched()
    watched.forward(torch.zeros(4, 1), torch.zeros(4, 1), torch.zeros(2, 1), torch.zeros(4, 1))
    assert [one.samples for one in watched.end()] == [10, 4]


def test_the_newest_batch_can_be_taken_back() -> None:
    watched = Watched()
    watched.forward(rows(20, 21), rows(22, 23))
    watched.probe.withdraw()
    assert [one.batches for one in watched.end()] == [1]
    watched.forward(rows(20, 21))
    watched.probe.withdraw()
    assert len(watched.end()) == 1


def test_tokens_that_a_net_makes_up_are_no_test_data() -> None:
    watched = Watched()
    tokens = torch.tensor([[5, 6, 7]])
    for length in range(1, 4):
        watched.forward(tokens[:, :length])
    assert watched.end() == []
    watched.forward(torch.tensor([[1, 2, 3]]), torch.tensor([[2, 3, 4]]))  # a window that moves on
    assert watched.end() == []
    watched.forward(torch.tensor([[1, 2, 3]]), torch.tensor([[7, 8, 9]]))
    assert [one.samples for one in watched.end()] == [2]
    watched.forward(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 2.0, 3.0]]))  # no tokens
    assert len(watched.end()) == 2


def test_a_summed_loss_is_told_a_sample() -> None:
    watched = Watched()
    watched.forward(rows(20, 21))
    watched.probe.loss(mse([1.0, 3.0], [0.0, 0.0], summed=True), torch.tensor(10.0))
    (one,) = watched.end()
    assert one.loss == 5.0


def test_the_error_is_the_spread_of_the_samples_over_the_root_of_their_number() -> None:
    watched = Watched()
    watched.forward(rows(20, 21))
    watched.probe.loss(mse([1.0, 3.0], [0.0, 0.0]), torch.tensor(5.0))  # 1 and 9
    watched.forward(rows(22, 23))
    watched.probe.loss(mse([1.0, 1.0], [0.0, 0.0]), torch.tensor(1.0))  # 1 and 1
    (one,) = watched.end()
    assert one.loss == 3.0
    assert one.error == pytest.approx(math.sqrt((1 + 81 + 1 + 1) / 4 - 9) / 2)


@pytest.mark.parametrize(
    "call",
    [
        entropy([[1.0, 0.0]], [0], weighted=True),
        LossCall("huber_loss", "numbers", torch.ones(1), torch.ones(1), False, False),
        mse([[1.0]], [1.0]),
    ],
)
def test_without_the_losses_of_single_samples_there_is_no_error(call: LossCall) -> None:
    watched = Watched()
    watched.forward(rows(20))
    watched.probe.loss(call, torch.tensor(0.5))
    (one,) = watched.end()
    assert one.loss == 0.5
    assert math.isnan(one.error)


def test_a_loss_that_is_no_number_has_no_error_either() -> None:
    watched = Watched()
    watched.forward(rows(20, 21))
    watched.probe.loss(mse([math.nan, 1.0], [0.0, 0.0]), torch.tensor(math.nan))
    (one,) = watched.end()
    assert math.isnan(one.loss)
    assert math.isnan(one.error)


def test_labels_to_be_ignored_are_neither_right_nor_wrong() -> None:
    watched = Watched()
    watched.forward(rows(20, 21, 22))
    call = entropy([[9.0, 0.0], [0.0, 9.0], [0.0, 0.0]], [0, 0, -100])
    watched.probe.loss(call, torch.tensor(4.5))  # 0 and 9, the third left out
    (one,) = watched.end()
    assert one.accuracy == 0.5
    assert one.error == pytest.approx(4.5 / math.sqrt(2), rel=1e-3)


@pytest.mark.parametrize(
    "call",
    [
        LossCall("mse_loss", "numbers", torch.ones(2, device="meta"), torch.ones(2), False, False),
        LossCall("mse_loss", "numbers", torch.ones(2), torch.ones(2, 1).to_sparse(), False, False),
    ],
)
def test_losses_of_what_cannot_be_read_are_passed_over(call: LossCall) -> None:
    watched = Watched()
    watched.forward(rows(20))
    watched.probe.loss(call, torch.tensor(0.5))
    (one,) = watched.end()
    assert math.isnan(one.loss)


def test_a_loss_that_is_not_reduced_is_not_taken_for_a_number() -> None:
    watched = Watched()
    watched.forward(rows(20, 21))
    watched.probe.loss(mse([1.0, 3.0], [0.0, 0.0]), torch.tensor([1.0, 9.0]))
    (one,) = watched.end()
    assert math.isnan(one.loss)


def test_256_evaluations_are_kept() -> None:
    watched = Watched()
    for step in range(1, 300):
        watched.forward(torch.zeros(1, 1))
        watched.end(step)
    assert [one.step for one in watched.measured.evaluations] == list(range(44, 300))


LOGITS = torch.tensor([[0.0, 0.0], [0.0, math.log(3.0)]])


@pytest.mark.parametrize(
    ("call", "losses"),
    [
        (LossCall("cross_entropy_loss", "classes", LOGITS, torch.tensor([0, 1]), False, False), [0.6931, 0.2877]),
        (LossCall("nll_loss_nd", "classes", LOGITS, torch.tensor([0, 1]), False, False), [0.0, -1.0986]),
        (
            LossCall("cross_entropy_loss", "classes", LOGITS, torch.tensor([0, 1]).byte(), False, False),
            [0.6931, 0.2877],
        ),
        (LossCall("cross_entropy_loss", "classes", LOGITS, torch.eye(2), False, False), None),
        (LossCall("cross_entropy_loss", "classes", LOGITS[0], torch.tensor(1), False, False), None),
        (
            LossCall("binary_cross_entropy_with_logits", "binary", LOGITS[1], torch.tensor([1.0, 0.0]), False, False),
            [0.6931, 1.3863],
        ),
        (LossCall("binary_cross_entropy", "binary", torch.tensor([0.5]), torch.ones(1), False, False), None),
        (LossCall("mse_loss", "numbers", torch.tensor([3.0]), torch.tensor([1.0]), False, False), [4.0]),
        (LossCall("l1_loss", "numbers", torch.tensor([3.0]), torch.tensor([5.0]), False, False), [2.0]),
        (LossCall("mse_loss", "numbers", torch.ones(2, 1), torch.ones(2), False, False), None),
    ],
)
def test_the_loss_of_each_sample(call: LossCall, losses: list[float] | None) -> None:
    found = sample_losses(call)
    assert (found.tolist() if found is not None else None) == (pytest.approx(losses, abs=1e-4) if losses else None)


FILE = ["train.py"]


def answering(watched: Watched, output: Tensor, **beside: Tensor) -> None:
    """A function of the user's that asks the net, with these tensors under these names."""
    watched.forward(rows(*range(20, 20 + len(output))))
    space: dict[str, Any] = {**beside, "answered": watched.probe.answered, "output": output}
    exec(compile("answered(output)", FILE[0], "exec"), space)


RIGHT_TWICE = torch.tensor([[9.0, 0.0], [0.0, 9.0], [0.0, 9.0]])
Y = torch.tensor([0, 1, 0])


@pytest.mark.parametrize(
    ("beside", "accuracy"),
    [
        ({"y_test": Y}, 2 / 3),
        ({"labels": Y, "y_pred": Y.clone()}, 2 / 3),
        ({"y": Y, "y_val": Y.clone()}, math.nan),  # which of them?
        ({"y": Y.float()}, math.nan),
        ({"y": torch.cat([Y, Y])}, math.nan),
        ({"rows": Y}, math.nan),
    ],
)
def test_labels_beside_the_inputs_tell_the_accuracy(beside: dict[str, Tensor], accuracy: float) -> None:
    watched = Watched()
    watched.measured.labels.kind = "classes"
    answering(watched, RIGHT_TWICE, **beside)
    answering(watched, RIGHT_TWICE, **beside)
    assert watched.end()[0].accuracy == pytest.approx(accuracy, nan_ok=True)


def test_what_a_library_asks_is_not_paired_with_the_labels_of_its_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "FILE", [pytest.__file__])
    watched = Watched()
    watched.measured.labels.kind = "classes"
    y = Y
    answering(watched, RIGHT_TWICE, rows=y)
    assert math.isnan(watched.end()[0].accuracy)


def test_a_loss_says_it_better() -> None:
    watched = Watched()
    watched.measured.labels.kind = "classes"
    answering(watched, RIGHT_TWICE, y=Y)
    watched.probe.loss(entropy(RIGHT_TWICE.tolist(), [1, 0, 1]), torch.tensor(3.0))
    assert watched.end()[0].accuracy == pytest.approx(1 / 3)


def test_losses_of_single_samples_are_a_mean() -> None:
    watched = Watched()
    watched.forward(rows(20, 21))
    watched.probe.loss(mse([[1.0], [3.0]], [[0.0], [0.0]])._replace(single=True), torch.tensor([[1.0], [9.0]]))
    (one,) = watched.end()
    assert (one.loss, one.error) == (5.0, pytest.approx((41 - 25) ** 0.5 / 2**0.5))


def test_what_one_loader_gives_is_one_pass_though_its_first_batches_are_known() -> None:
    parts = rows(*range(4)), rows(4, 5, 6, 7), rows(20, 21, 22, 23)
    watched = Watched()
    watched.probe._held_out.loader_begun(loader := DataLoader(TensorDataset(torch.cat(parts)), 4))  # type: ignore
    watched.forward(*parts)
    (one,) = watched.end()
    assert (one.samples, one.overlap) == (12, pytest.approx(2 / 3))
    watched = Watched()
    watched.forward(*parts)
    assert [one.overlap for one in watched.end()] == [1.0, 0.0]
    assert len(loader) == 3
