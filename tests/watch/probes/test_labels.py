"""Labels: which there are, how often each, how they are spread over the batches, and what was answered."""

import math
from typing import Any

import pytest
import torch

from danlu.watch.data_facts import LabelFacts
from danlu.watch.measured import Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes.labels import LabelProbe

Tensor = torch.Tensor


class Watched:
    """The probe and what it writes."""

    def __init__(self) -> None:
        self.measured = Measured()
        self.probe = LabelProbe(self.measured)
        self.step = 0

    def call(self, kind: str, outputs: Tensor, targets: Tensor, *, samples: int | None = None, **how: Any) -> None:
        self.step += 1
        inputs = torch.zeros(samples, 2) if samples is not None else None
        call = LossCall("loss", kind, outputs, targets, how.get("weighted", False), False)
        self.probe.computed(call, self.step, inputs)

    def see(self, *batches: Tensor, kind: str = "classes", outputs: int = 3, dense: bool = False) -> LabelFacts:
        for batch in batches:
            self.step += 1
            self.probe.see(kind, outputs, batch, self.step, dense=dense, weighted=False)
        self.probe.flush()
        self.probe.spread()
        return self.measured.labels


@pytest.mark.parametrize(
    ("kind", "outputs", "targets", "samples", "facts"),
    [
        ("classes", (4, 3), [0, 2, 2, 1], None, {"outputs": 3, "dense": False, "counts": {0: 1, 1: 1, 2: 2}}),
        ("classes", (4, 3), [0, 2, -100, 1], None, {"counts": {0: 1, 1: 1, 2: 1}, "low": -100.0, "high": 2.0}),
        ("classes", (2, 3, 2), [[0, 1], [2, 2]], 2, {"dense": True, "outputs": 3, "counts": {0: 1, 1: 1, 2: 2}}),
        ("classes", (6, 3), [0, 1, 2, 0, 1, 2], 2, {"dense": True, "seen": 6, "batches": 1}),
        ("binary", (4,), [0.0, 1.0, 1.0, 0.9], None, {"outputs": 2, "counts": {0: 1, 1: 3}}),
        ("binary", (2, 1), [[0.0], [1.0]], None, {"counts": {0: 1, 1: 1}, "low": 0.0, "high": 1.0}),
        ("binary", (2, 2), [[0.0, 1.0], [1.0, 1.0]], None, {"counts": {}, "seen": 4}),  # several answers a sample
        ("numbers", (3,), [1.5, -2.0, 0.25], None, {"counts": {}, "low": -2.0, "high": 1.5, "seen": 3}),
        ("numbers", (3, 1), [[1.0], [2.0], [2.0]], None, {"counts": {1: 1, 2: 2}}),
        ("numbers", (2, 2), [[1.0, 2.0], [2.0, 3.0]], None, {"counts": {}, "seen": 4}),
        ("numbers", (3,), [1.0, math.nan, 3.0], None, {"counts": {1: 1, 3: 1}, "low": 1.0, "high": 3.0}),
        ("numbers", (2,), [math.nan, math.nan], None, {"counts": {}, "low": math.inf, "high": -math.inf}),
        ("numbers", (2,), [math.nan, math.inf], None, {"counts": {}, "low": math.inf, "high": math.inf}),
    ],
)
def test_the_targets_of_a_loss_are_counted(
    kind: str, outputs: tuple[int, ...], targets: list[Any], samples: int | None, facts: dict[str, Any]
) -> None:
    watched = Watched()
    watched.call(kind, torch.zeros(outputs), torch.tensor(targets), samples=samples)
    labels = watched.measured.labels
    assert {"kind": kind, **facts} == {name: getattr(labels, name) for name in ("kind", *facts)}


@pytest.mark.parametrize("kind", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64])
def test_labels_of_any_whole_type_are_counted(kind: torch.dtype) -> None:
    watched = Watched()
    watched.see(torch.tensor([0, 100, 100, 19], dtype=kind), outputs=101)
    assert watched.measured.labels.counts == {0: 1, 19: 1, 100: 2}
    watched.probe.see_answers(torch.eye(101)[[0, 100, 3, 19]], torch.tensor([0, 100, 100, 19], dtype=kind))
    watched.probe.spread()
    assert watched.measured.labels.hits == {0: 1.0, 19: 1.0, 100: 1.0}


def test_truth_values_are_classes_0_and_1() -> None:
    assert Watched().see(torch.tensor([True, False, True]), kind="binary").counts == {0: 1, 1: 2}


@pytest.mark.parametrize(
    ("kind", "outputs", "targets", "reason"),
    [
        ("classes", torch.zeros(3), torch.tensor(1), ""),  # one sample without its batch
        ("classes", torch.zeros(2, 3), torch.eye(3)[:2], ""),  # shares of the classes
        ("classes", torch.zeros(0, 3), torch.zeros(0, dtype=torch.long), ""),
        ("numbers", torch.zeros(2, 2), torch.eye(2).to_sparse(), "sparse"),
        ("numbers", torch.zeros(2, device="meta"), torch.zeros(2), "meta"),
    ],
)
def test_targets_that_tell_nothing_are_passed_over(kind: str, outputs: Tensor, targets: Tensor, reason: str) -> None:
    watched = Watched()
    watched.call(kind, outputs, targets)
    watched.probe.flush()
    watched.probe.spread()
    assert (watched.measured.labels.counts, watched.measured.labels.seen) == ({}, 0)
    assert watched.measured.unread.get("labels", "") == reason
    watched.call("classes", torch.zeros(1, 2), torch.tensor([1]))
    assert "labels" not in watched.measured.unread


def test_a_loss_that_weighs_the_classes_is_noted() -> None:
    watched = Watched()
    watched.call("classes", torch.zeros(1, 2), torch.tensor([1]), weighted=True)
    watched.call("classes", torch.zeros(1, 2), torch.tensor([1]))
    assert watched.measured.labels.weighted


def test_targets_of_another_kind_are_not_mixed_in() -> None:
    watched = Watched()
    watched.see(torch.tensor([0, 1]))
    assert watched.see(torch.tensor([5.0]), kind="numbers").high == 1.0
    assert watched.measured.labels.kind == "classes"


def test_a_divergence_is_told_by_the_sum_of_its_rows() -> None:
    watched = Watched()
    watched.call("divergence", torch.tensor([[0.5, 0.5]]).log(), torch.tensor([[0.5, 0.5]]))
    assert watched.measured.divergence_sum == pytest.approx(1.0)
    watched.call("divergence", torch.zeros(2, 3), torch.zeros(2, 3))
    assert watched.measured.divergence_sum == pytest.approx(3.0)
    for _ in range(2):
        watched.call("divergence", torch.zeros(2, 5), torch.zeros(2, 5))
    assert watched.measured.divergence_sum == pytest.approx(5.0)  # of the third step
    assert watched.measured.labels.kind == ""


@pytest.mark.parametrize(
    ("kind", "outputs", "targets", "labels", "out_of_range"),
    [
        ("classes", [[0.5, -1.0]], [2], (2.0, 2.0, 2), 4),
        ("classes", [[0.5, -1.0]], [-1], (-1.0, -1.0, 2), 4),
        ("classes", [[0.5, -1.0]], [1], (1.0, 1.0, 2), None),
        ("binary", [0.5, -1.0], [0.0, 2.0], (0.0, 2.0, 1), None),
    ],
)
def test_a_loss_that_refuses_its_targets_says_what_it_was_given(
    kind: str, outputs: list[Any], targets: list[Any], labels: tuple[float, float, int], out_of_range: int | None
) -> None:
    watched = Watched()
    call = LossCall("nll_loss", kind, torch.tensor(outputs), torch.tensor(targets), False, False)
    watched.probe.refused(call, 4)
    measured, facts = watched.measured, watched.measured.labels
    assert (measured.refused, measured.refused_low, measured.refused_high) == ("nll_loss", -1.0, 0.5)
    assert (facts.kind, facts.low, facts.high, facts.outputs, facts.out_of_range) == (kind, *labels, out_of_range)


@pytest.mark.parametrize("targets", [torch.zeros(0), torch.zeros(2, device="meta")])
def test_a_refusal_of_nothing_says_nothing(targets: Tensor) -> None:
    watched = Watched()
    watched.probe.refused(LossCall("l1_loss", "numbers", torch.zeros(2), targets, False, False), 1)
    assert watched.measured.refused == ""


def test_fifty_batches_are_read_at_once_and_two_hundred_close_the_count() -> None:
    watched = Watched()
    for step in range(1, 201):
        watched.probe.see("classes", 2, torch.tensor([step % 2]), step, dense=False, weighted=False)
        expected = step if step <= 3 else 3 + 50 * ((step - 3) // 50)
        assert watched.measured.labels.batches == expected
    watched.probe.flush()
    assert (watched.measured.labels.counts, watched.probe.closed) == ({0: 100, 1: 100}, True)


def test_a_tensor_that_is_filled_anew_for_each_batch_is_counted_as_it_was() -> None:
    watched, buffer = Watched(), torch.zeros(2, dtype=torch.long)
    for step in range(1, 10):
        buffer.fill_(step % 3)
        watched.probe.see("classes", 3, buffer, step, dense=False, weighted=False)
    watched.probe.flush()
    assert watched.measured.labels.counts == {0: 6, 1: 6, 2: 6}


def test_of_many_labels_the_first_4096_are_counted() -> None:
    assert Watched().see(torch.cat([torch.zeros(4096), torch.ones(9)]).long()).counts == {0: 4096}
    assert Watched().see(torch.cat([torch.zeros(64, 2), torch.ones(9, 2)]).long(), dense=True).counts == {0: 128}


def test_batches_of_different_sizes_are_counted_together() -> None:
    facts = Watched().see(torch.tensor([0, 1, 2]), torch.tensor([2]), torch.tensor([1, 1]))
    assert (facts.counts, facts.seen, facts.batches) == ({0: 1, 1: 3, 2: 2}, 6, 3)


def test_batches_of_one_class_each_vary_as_much_as_they_are_large() -> None:
    batches = [torch.full((4,), number % 2) for number in range(8)]
    facts = Watched().see(*batches, outputs=2)
    # Between the batches: 4 times the squared distance (0.5 + 0.5 … = 0.5); within, by chance: 2 * 0.25.
    assert facts.excess == pytest.approx(4.0)
    assert facts.drift == pytest.approx(-1.0)  # they alternate
    sorted_batches = [torch.full((4,), int(number >= 4)) for number in range(8)]
    facts = Watched().see(*sorted_batches, outputs=2)
    assert (facts.excess, facts.drift) == (pytest.approx(4.0), pytest.approx(5 / 7))


def test_batches_that_are_all_alike_vary_by_nothing() -> None:
    facts = Watched().see(*[torch.tensor([0, 1])] * 6, outputs=2)
    assert (facts.excess, facts.drift) == (0.0, 0.0)


def test_few_batches_or_one_class_alone_leave_the_spread_as_it_was() -> None:
    assert Watched().see(*[torch.tensor([0, 1])] * 5, outputs=2).excess == 1.0
    assert Watched().see(*[torch.tensor([1, 1])] * 9, outputs=2).excess == 1.0
    assert Watched().see(*[torch.tensor([0, 1])] * 9, outputs=2, dense=True).excess == 1.0


def test_of_numbers_mean_and_spread_are_known() -> None:
    facts = Watched().see(*[torch.tensor([1.0, 3.0]), torch.tensor([5.0, 7.0])] * 4, kind="numbers")
    assert (facts.mean, facts.std) == (pytest.approx(4.0), pytest.approx(5**0.5))
    assert facts.excess == pytest.approx(2 * 4 / 5)  # the means stand 2 away, two numbers a batch
    assert facts.counts == {1: 4, 3: 4, 5: 4, 7: 4}


def test_numbers_that_move_are_told_in_standard_errors() -> None:
    means = [0.0, 1.0] * 4 + [5.0] * 8 + [10.0, 11.0] * 4
    facts = Watched().see(*(torch.tensor([mean, mean]) for mean in means), kind="numbers")
    assert facts.moved == pytest.approx(10 / math.sqrt(2 * (2 / 7) / 8))
    assert Watched().see(*[torch.tensor([2.0, 4.0])] * 24, kind="numbers").moved == 0.0


def test_the_targets_seen_last_are_known_by_their_place() -> None:
    watched, targets = Watched(), torch.tensor([0, 1])
    assert not watched.probe.are(targets)
    watched.see(targets)
    assert watched.probe.are(targets)
    assert watched.probe.are(targets.view(1, 2))
    assert not watched.probe.are(targets.clone())


@pytest.mark.parametrize(
    ("outputs", "targets", "accuracy", "predicted", "actual", "hits"),
    [
        ([[2.0, 1.0], [0.0, 1.0]], [0, 0], 0.5, {0: 1, 1: 1}, {0: 2}, {0: 1}),
        ([[2.0, 1.0], [0.0, 1.0], [0.0, 1.0]], [0, 1, -100], 1.0, {0: 1, 1: 1}, {0: 1, 1: 1}, {0: 1, 1: 1}),
        ([1.5, -0.5, 0.5], [1.0, 0.0, 0.0], 2 / 3, {0: 1, 1: 2}, {0: 2, 1: 1}, {0: 1, 1: 1}),
        ([[1.5], [-0.5]], [[1.0], [1.0]], 0.5, {0: 1, 1: 1}, {1: 2}, {1: 1}),
        ([[2.0, 1.0]], [True], 0.0, {0: 1}, {1: 1}, {}),
    ],
)
def test_answers_are_compared_with_their_classes(
    outputs: list[Any],
    targets: list[Any],
    accuracy: float,
    predicted: dict[int, float],
    actual: dict[int, float],
    hits: dict[int, float],
) -> None:
    watched = Watched()
    watched.measured.labels.outputs = 2
    watched.probe.see_answers(torch.tensor(outputs), torch.tensor(targets))
    watched.probe.spread()
    facts = watched.measured.labels
    assert watched.measured.accuracy.last == pytest.approx(accuracy)
    assert (facts.predicted, facts.actual, facts.hits) == (predicted, actual, hits)


@pytest.mark.parametrize("targets", [torch.tensor([-100, -100]), torch.zeros(0, dtype=torch.long)])
def test_without_an_answer_to_score_there_is_no_accuracy(targets: Tensor) -> None:
    watched = Watched()
    watched.probe.see_answers(torch.zeros(len(targets), 2), targets)
    watched.probe.spread()
    assert (watched.measured.accuracy.count, watched.measured.labels.actual) == (0, {})


def test_newer_answers_count_more() -> None:
    watched = Watched()
    watched.measured.labels.outputs = 2
    for targets in ([0, 0], [1, 1]):
        watched.probe.see_answers(torch.tensor([[2.0, 1.0]] * 2), torch.tensor(targets))
    watched.probe.spread()
    assert watched.measured.labels.actual == {0: pytest.approx(1.8), 1: 2.0}
    assert watched.measured.labels.hits == {0: pytest.approx(1.8)}


def test_many_classes_are_scored_and_not_told_apart() -> None:
    watched = Watched()
    watched.measured.labels.outputs = 201
    watched.probe.see_answers(torch.eye(201), torch.arange(201))
    watched.probe.spread()
    assert (watched.measured.accuracy.last, watched.measured.labels.hits) == (1.0, {})


def test_the_share_of_yes_is_known_of_each_output() -> None:
    batch = torch.tensor([[1.0, 0, 0], [1, 1, 0]])
    assert Watched().see(batch, 1 - batch, kind="binary").tags == (0.5, 0.5, 0.5)
    assert Watched().see(batch, batch, kind="binary").tags == (1.0, 0.5, 0.0)
    assert Watched().see(batch[:, 0], kind="binary").tags == ()


@pytest.mark.parametrize(
    ("given", "within", "others", "seen"),
    [
        ("data", True, 0, True),
        ("net", True, 0, False),
        (None, True, 5, True),
        (None, False, 5, False),
        (None, False, 0, True),
    ],
)
def test_numbers_that_are_no_data_are_no_labels(given: str | None, within: bool, others: int, seen: bool) -> None:
    """Those that the net makes in its forward pass, and those of another net that is trained in turn."""
    watched, targets = Watched(), torch.randn(8)
    watched.measured.foreign_steps = others
    handed = {"data": ((targets,), {}), "net": ((torch.randn(8),), {}), None: None}[given]
    call = LossCall("mse_loss", "numbers", torch.randn(8), targets[:], False, False)
    watched.probe.computed(call, 1, torch.zeros(8, 2), handed, within)
    assert (watched.measured.labels.kind == "numbers") == seen
    assert watched.measured.labels.made == (given == "net")
