"""Inputs: their scale, what is blank, equal or no number, and the samples by which epochs are known again."""

import math
from typing import Any

import numpy
import pytest
import torch
from sklearn import datasets

from danlu.watch.data_facts import Inputs
from danlu.watch.measured import Measured
from danlu.watch.probes.inputs import InputProbe, SampleProbe, batch_of

Tensor = torch.Tensor


def seen(*batches: Tensor, step: int = 1) -> Inputs:
    measured = Measured()
    probe = InputProbe(measured)
    for number, batch in enumerate(batches):
        probe.see(batch, step + number)
    return measured.inputs


SCALES: list[tuple[Tensor, int, float, float, float, float]] = [
    (torch.tensor([[1.0, 2.0], [3.0, 6.0]]), 2, 3.0, 3.5**0.5, 1.0, 6.0),
    (torch.tensor([1.0, 3.0]), 2, 2.0, 1.0, 1.0, 3.0),
    (torch.tensor(5.0), 1, 5.0, 0.0, 5.0, 5.0),
    (torch.tensor([[5.0]]), 1, 5.0, 0.0, 5.0, 5.0),
    (torch.tensor([[1.0, 3.0]], dtype=torch.float64), 1, 2.0, 1.0, 1.0, 3.0),
    (torch.tensor([[1.0, 3.0]], dtype=torch.bfloat16), 1, 2.0, 1.0, 1.0, 3.0),
    (torch.tensor([[200.0, 300.0]] * 400, dtype=torch.float16), 400, 250.0, 50.0, 200.0, 300.0),
    (torch.tensor([[2000.0, 2001.0]] * 1000), 1000, 2000.5, 0.5, 2000.0, 2001.0),  # years: all mean, little spread
    (torch.tensor([[1e9, 1e9 + 256]] * 1000), 1000, 1e9 + 128, 128.0, 1e9, 1e9 + 256),  # times in seconds
    (torch.tensor([[1.0, 3.0]]).requires_grad_(), 1, 2.0, 1.0, 1.0, 3.0),
]


@pytest.mark.parametrize(("batch", "samples", "mean", "std", "low", "high"), SCALES)
def test_a_batch_is_measured_as_it_stands(
    batch: Tensor, samples: int, mean: float, std: float, low: float, high: float
) -> None:
    facts = seen(batch, step=4)
    assert (facts.shape, facts.floating) == (tuple(batch.shape), True)
    assert facts.batch.values == [samples]
    numbers = [facts.mean, facts.std, facts.low, facts.high]
    assert [one.steps for one in numbers] == [[4]] * 4
    assert [one.last for one in numbers] == pytest.approx([mean, std, low, high])
    assert (facts.nonfinite_since, facts.nonfinite_share) == (None, 0.0)


@pytest.mark.parametrize(
    ("batch", "high"),
    [
        (torch.tensor([[3, 7], [5, 0]]), 7.0),
        (torch.tensor([[3, 7]], dtype=torch.uint8), 7.0),
        (torch.tensor([[True, False]]), 1.0),
        (torch.tensor([3, 4]), 4.0),
        (torch.tensor([[16_777_217]]), 16_777_217.0),  # no float32 holds it
    ],
)
def test_of_whole_numbers_the_highest_is_known(batch: Tensor, high: float) -> None:
    facts = seen(batch)
    assert (facts.floating, facts.high.values) == (False, [high])
    assert [len(one) for one in (facts.mean, facts.std, facts.low, facts.blank, facts.widest)] == [0] * 5


def test_a_batch_of_nothing_has_a_shape_and_no_numbers() -> None:
    facts = seen(torch.empty(0, 4))
    assert (facts.shape, facts.batch.values, len(facts.mean)) == ((0, 4), [0], 0)


def test_the_shape_is_that_of_the_first_batch() -> None:
    facts = seen(torch.zeros(4, 2), torch.zeros(3, 2))
    assert (facts.shape, facts.batch.values) == ((4, 2), [4, 3])


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_told_with_their_share_and_since_when(bad: float) -> None:
    facts = seen(torch.zeros(2, 2), torch.tensor([[1.0, bad], [1.0, 1.0]]), torch.full((2, 2), bad))
    assert (facts.nonfinite_since, facts.nonfinite_share) == (2, 0.25)
    assert facts.mean.steps == facts.std.steps == [1, 2, 3]
    assert not any(math.isfinite(one) for one in (*facts.mean.values[1:], *facts.std.values[1:]))


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        (None, False),
        (torch.tensor([1, 2]), False),
        (torch.empty(0, 2), False),
        (torch.tensor(1.0), False),
        (torch.tensor(math.nan), True),
    ],
)
def test_a_batch_is_asked_whether_it_holds_such_a_number(inputs: Tensor | None, found: bool) -> None:
    measured = Measured()
    assert InputProbe(measured).see_nonfinite(inputs, 3) is found
    assert measured.inputs.nonfinite_since == (3 if found else None)


@pytest.mark.parametrize(
    ("batch", "distinct"),
    [
        (torch.tensor([[1.0, 2.0], [1.0, 2.0], [1.0, 3.0], [0.0, 2.0]]), 0.5),
        (torch.ones(4, 2), 0.0),
        (torch.tensor([[1, 2], [1, 3]]), 0.5),
        (torch.tensor([[2**24], [2**24 + 1]]), 0.5),
        (torch.tensor([1.0, 2.0, 3.0]), 2 / 3),
        (torch.arange(16.0).view(2, 2, 2, 2), 0.5),
    ],
)
def test_the_share_of_samples_that_differ_from_the_first(batch: Tensor, distinct: float) -> None:
    assert seen(batch).distinct.values == [pytest.approx(distinct)]


@pytest.mark.parametrize("batch", [torch.tensor([[1.0, 2.0]]), torch.tensor(1.0), torch.tensor(1), torch.tensor([[1]])])
def test_one_sample_differs_from_nothing(batch: Tensor) -> None:
    assert len(seen(batch).distinct) == 0


def test_blank_samples_are_counted_where_there_is_room_for_a_picture() -> None:
    pictures = torch.arange(64.0).view(4, 4, 4)
    pictures[1], pictures[2] = 0.0, 7.0
    assert seen(pictures).blank.values == [0.5]
    assert len(seen(torch.zeros(4, 15)).blank) == 0


def test_the_widest_feature_is_held_against_the_median_one() -> None:
    column = torch.tensor([-1.0, 1.0] * 4)
    facts = seen(torch.stack([column, 2 * column, 10 * column, 0 * column], 1))
    assert (facts.widest.values, facts.unevenness.values) == ([10.0], [5.0])  # a constant column is none


@pytest.mark.parametrize("batch", [torch.zeros(8, 2), torch.zeros(7, 2), torch.zeros(8, 1), torch.zeros(8, 129)])
def test_features_that_tell_nothing_are_passed_over(batch: Tensor) -> None:
    assert len(seen(batch).widest) == 0


def test_samples_are_compared_on_few_of_the_steps() -> None:
    measured = Measured()
    probe = InputProbe(measured)
    for step in range(1, 31):
        probe.see(torch.arange(32.0).view(2, 16), step)
    assert measured.inputs.distinct.steps == measured.inputs.blank.steps == [1, 2, 3, 10, 20, 30]
    assert measured.inputs.mean.steps == list(range(1, 31))


def test_a_large_batch_is_measured_in_its_first_samples() -> None:
    batch = torch.cat([torch.ones(8, 1024), torch.full((8, 1024), 9.0)])
    facts = seen(batch)
    assert (facts.batch.values, facts.mean.values, facts.high.values) == ([16], [1.0], [1.0])


X, TIMES, LENGTHS, IDS = torch.zeros(4, 2), torch.zeros(4), torch.zeros(3), torch.zeros(4, 3, dtype=torch.long)


@pytest.mark.parametrize(
    ("args", "kwargs", "batch"),
    [
        ((X,), {}, X),
        ((TIMES, X), {}, X),  # a time for each sample
        ((LENGTHS, X), {}, LENGTHS),  # of no sample of the other
        ((torch.tensor(0.5), X), {}, X),
        ((TIMES,), {}, TIMES),
        ((TIMES, TIMES), {}, TIMES),
        ((), {"input_ids": IDS, "mask": X}, IDS),
        (([{"x": X}],), {}, X),
        ((X.to_sparse(), IDS), {}, IDS),
        ((X.to("meta"),), {}, None),
        ((torch.tensor(1.0),), {}, None),
        (("text", 3), {}, None),
        ((), {}, None),
    ],
)
def test_the_batch_is_found_among_what_a_net_is_given(args: Any, kwargs: Any, batch: Tensor | None) -> None:
    assert batch_of(args, kwargs) is batch


class Epochs:
    """Batches of samples that go by, and the probe that knows them again."""

    def __init__(self) -> None:
        self.measured = Measured()
        self.inputs, self.samples, self.step = InputProbe(self.measured), SampleProbe(self.measured), 0

    def train(self, *batches: Tensor) -> None:
        for batch in batches:
            self.step += 1
            self.inputs.see(batch, self.step)
            self.samples.train(batch, self.step)
        self.samples.flush()


def rows(*numbers: int, width: int = 3) -> Tensor:
    """Samples that are told apart by their number."""
    return torch.tensor([[float(number), *([0.5] * (width - 1))] for number in numbers])


def test_an_epoch_ends_where_its_samples_come_back() -> None:
    epochs = Epochs()
    epochs.train(rows(0, 1, 2, 3), rows(4, 5, 6, 7), rows(8, 9))
    assert (epochs.measured.epoch_steps, epochs.samples.samples) == (None, 10)
    epochs.train(rows(5, 2, 9, 0))
    assert (epochs.measured.epoch_steps, epochs.samples.samples) == (3, 10)
    assert (epochs.measured.full_batch, epochs.measured.same_order) == (False, False)


def test_doubles_count_once() -> None:
    epochs = Epochs()
    epochs.train(rows(0, 1, 0, 1), rows(2, 2, 3, 1))
    assert epochs.samples.samples == 4


@pytest.mark.parametrize(("second", "same"), [(range(12), True), (range(11, -1, -1), False)])
def test_a_second_epoch_in_the_order_of_the_first_is_told(second: range, same: bool) -> None:
    epochs = Epochs()
    epochs.train(*(rows(*range(start, start + 4)) for start in (0, 4, 8)))
    order = list(second)
    epochs.train(*(rows(*order[start : start + 4]) for start in (0, 4, 8)))
    assert epochs.measured.same_order is same
    assert epochs.samples.closed


def test_a_batch_of_all_samples_is_a_full_batch() -> None:
    epochs = Epochs()
    epochs.train(rows(*range(20)), rows(*range(20)))
    assert (epochs.measured.full_batch, epochs.measured.epoch_steps) == (True, 1)


@pytest.mark.parametrize(
    "batch",
    [
        torch.zeros(4, 1),
        torch.zeros(4),
        torch.tensor(1.0),
        torch.empty(0, 3),
        torch.zeros(4, 7, dtype=torch.long),  # few tokens make no sample known
    ],
)
def test_samples_that_coincide_by_nature_are_not_taken_up(batch: Tensor) -> None:
    epochs = Epochs()
    epochs.train(batch, batch)
    assert (epochs.samples.samples, epochs.measured.epoch_steps) == (0, None)
    assert epochs.samples.overlap(batch) == (0, 0)


@pytest.mark.parametrize("kind", [torch.float64, torch.float16, torch.bfloat16, torch.uint8, torch.int64, torch.bool])
def test_samples_of_any_type_are_known_again(kind: torch.dtype) -> None:
    batch = torch.stack([torch.tensor([number >> bit & 1 for bit in range(8)]) for number in range(8)]).to(kind)
    epochs = Epochs()
    epochs.train(batch[:4], batch[4:], batch[:4])
    assert (epochs.samples.samples, epochs.measured.epoch_steps) == (8, 2)


def test_the_overlap_counts_different_samples() -> None:
    epochs = Epochs()
    epochs.train(rows(*range(8)))
    assert epochs.samples.overlap(rows(6, 7, 8, 9, 9)) == (4, 2)
    assert epochs.samples.overlap(rows(1, 1, 1, 2, 2)) == (0, 0)  # too many doubles to mean anything
    assert epochs.samples.overlap(torch.rand(4, 9, generator=torch.Generator().manual_seed(0))) == (4, 0)


def test_the_share_of_known_samples_is_told_once_an_epoch_is_over() -> None:
    epochs = Epochs()
    epochs.train(rows(*range(8)))
    assert math.isnan(epochs.samples.share_seen(rows(6, 7, 8, 9)))
    epochs.train(rows(*range(8)))
    assert epochs.samples.share_seen(rows(6, 7, 8, 9)) == 0.5
    assert math.isnan(epochs.samples.share_seen(torch.zeros(4, 1)))


def test_an_overlap_before_any_training_tells_nothing() -> None:
    assert Epochs().samples.overlap(rows(1, 2, 3)) == (0, 0)


def test_after_200_steps_no_more_samples_are_taken_up() -> None:
    epochs = Epochs()
    epochs.train(*(rows(number) for number in range(201)))
    assert (epochs.samples.samples, epochs.samples.closed) == (200, True)


def windows(stride: int, places: int = 24, kind: torch.dtype = torch.float32) -> Tensor:
    row = torch.rand(800, generator=torch.Generator().manual_seed(3))
    return (row if kind == torch.float32 else (row * 50).to(kind)).unfold(0, places, stride)


@pytest.mark.parametrize("kind", [torch.float32, torch.int64])
@pytest.mark.parametrize("stride", [1, 3, 8])
def test_windows_split_at_random_lie_beside_those_of_the_training(stride: int, kind: torch.dtype) -> None:
    every = windows(stride, kind=kind)
    order = torch.randperm(len(every), generator=torch.Generator().manual_seed(5))
    cut = len(every) * 4 // 5
    probe = SampleProbe(Measured())
    probe.train(every[order[:cut]], 1)
    asked, met = probe.neighbours(every[order[cut:]])
    assert asked == len(every) - cut
    assert met > 0.8 * asked


@pytest.mark.parametrize("stride", [1, 3, 24])
def test_windows_of_a_later_part_lie_beside_none(stride: int) -> None:
    every = windows(stride)
    cut = len(every) * 4 // 5
    probe = SampleProbe(Measured())
    probe.train(every[:cut][torch.randperm(cut, generator=torch.Generator().manual_seed(5))], 1)
    assert probe.neighbours(every[cut:])[1] <= 1


@pytest.mark.parametrize("stride", [1, 3])
def test_windows_with_their_channels_first(stride: int) -> None:
    every = windows(stride)[:, None].repeat(1, 2, 1)
    order = torch.randperm(len(every), generator=torch.Generator().manual_seed(5))
    cut = len(every) * 4 // 5
    for rows, least, most in ((order, 0.8 * (len(every) - cut), len(every)), (torch.arange(len(every)), 0, 1)):
        probe = SampleProbe(Measured())
        probe.train(every[rows[:cut]], 1)
        assert least <= probe.neighbours(every[rows[cut:]])[1] <= most


def test_windows_of_the_same_numbers_tell_nothing() -> None:
    probe = SampleProbe(Measured())
    probe.train(torch.zeros(50, 24), 1)
    assert probe.neighbours(torch.zeros(20, 24)) == (0, 0)


def test_pictures_laid_out_in_rows_are_no_windows() -> None:
    """Their parts are alike by chance, moved or not."""
    digits = datasets.load_digits().data
    pictures = torch.tensor(digits[numpy.random.default_rng(0).permutation(len(digits))]).float() / 16
    probe = SampleProbe(Measured())
    order = torch.randperm(1200, generator=torch.Generator().manual_seed(4))
    for step, batch in enumerate(pictures[order].split(32), start=1):
        probe.train(batch, step)
    asked, met = probe.neighbours(pictures[1200:1437])
    assert asked == 237
    assert met < 0.25 * asked  # moved parts alone are alike in 90
