"""What later and earlier places, another sample and other samples change in the answers of a copy."""

import math

import pytest
import torch
from torch import nn

from tried_nets import DRAWN, Batch, Judge, Reader, drawn_anew, numbers, tokens, tried


@pytest.fixture(autouse=True)
def the_same_each_time() -> None:
    drawn_anew()


def test_a_causal_net_is_told_from_one_that_looks_ahead() -> None:
    causal = tried(Reader(), tokens)
    assert (causal.lag, causal.places, causal.later, causal.others) == (1, 8, 0.0, 0.0)
    assert causal.earlier > 0.01
    assert causal.tokens
    assert tried(Reader(both=True), tokens).later > 0.01


class ShiftsItself(Reader):
    """Is given the words that it must say, and reads at each place the one before."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x.roll(1, 1))


@pytest.mark.parametrize("shifts", [False, True])
def test_whether_an_answer_follows_its_own_place(*, shifts: bool) -> None:
    def batch() -> Batch:
        x, _ = tokens()
        return x, x

    trial = tried((ShiftsItself if shifts else Reader)(), batch)
    assert trial.lag == 0
    assert (trial.own == 0.0) == shifts


def test_time_may_come_first() -> None:
    def batch() -> Batch:
        x, y = tokens()
        return x.t(), y.t()

    trial = tried(Reader(first=False), batch)
    assert (trial.lag, trial.later, trial.others, trial.batch_second) == (1, 0.0, 0.0, False)


class Waves(nn.Module):
    """Tells the next value of a series [N, 1, T] at every step."""

    def __init__(self, *, even: bool) -> None:
        super().__init__()
        self.pad = nn.Identity() if even else nn.ZeroPad1d((2, 0))
        self.conv = nn.Conv1d(1, 4, 3, padding=1 if even else 0)
        self.head = nn.Conv1d(4, 1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.conv(self.pad(x)))


@pytest.mark.parametrize("even", [False, True])
def test_channels_may_come_before_the_places(even: bool) -> None:
    def batch() -> Batch:
        row = torch.randn(6, 1, 13, generator=DRAWN)
        return row[..., :-1], row[..., 1:]

    trial = tried(Waves(even=even), batch, kind="numbers")
    assert (trial.lag, trial.places) == (1, 12)
    assert (trial.later > 0.01, trial.leaks) == (even, "conv" if even else "")


class Decoder(nn.Module):
    """Answers for all places but one."""

    def __init__(self, first: int, both: bool = False) -> None:
        super().__init__()
        self.reader, self.first = Reader(both=both), first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.reader(x)[:, self.first : self.first + x.shape[1] - 1]


def test_answers_a_place_short_are_for_the_places_that_they_hang_on() -> None:
    def batch() -> Batch:
        x = tokens()[0]
        return x, x[:, 1:]

    for first, lag in ((0, 1), (1, 0)):
        trial = tried(Decoder(first), batch)
        assert (trial.lag, trial.later) == (lag, 0.0)
    assert math.isnan(tried(Decoder(0, both=True), batch).later)


def test_a_batch_that_is_read_as_time_mixes_its_samples() -> None:
    trial = tried(Reader(first=False), tokens)
    assert trial.others > 0.01
    assert trial.batch_second


def attended(x: torch.Tensor) -> torch.Tensor:
    return x + (x @ x.t()).softmax(1) @ x


def test_samples_that_see_each_other_are_seen() -> None:
    assert tried(Judge(attended), numbers(6, 4)).others > 0.01
    assert tried(Judge(lambda x: x.sin()), numbers(6, 4)).others == 0
    assert tried(Judge(lambda x: x[:, -1].roll(1, 0)), numbers(6, 5, 4)).others == math.inf


def test_one_number_a_sample_is_an_answer_too() -> None:
    trial = tried(Judge(lambda x: x.sum((1, 2)).cumsum(0)), numbers(6, 5, 4))
    assert trial.others == pytest.approx(1.0)
    assert trial.sequential


def test_what_compares_samples_by_design_is_not_asked() -> None:
    assert math.isnan(tried(Judge(lambda x: x @ x.t()), numbers(6, 4)).others)
    graph = Judge(attended)
    graph.register_buffer("adjacency", torch.eye(6))
    assert math.isnan(tried(graph, numbers(6, 4)).others)
    batch = numbers(6, 4)()
    assert math.isnan(tried(Judge(attended), lambda: batch).others)  # the whole of the data, every time
    norm = nn.BatchNorm1d(4, track_running_stats=False)
    assert math.isnan(tried(norm, numbers(6, 4)).others)


def test_answers_that_do_not_follow_from_the_input_have_no_response() -> None:
    deaf = tried(Judge(lambda x: torch.ones(len(x), 3)), numbers(6, 4), steps=60)
    assert (deaf.response.steps, deaf.response.values) == ([2, 50], [0.0, 0.0])
    heard = tried(Judge(lambda x: x), numbers(6, 4), steps=60)
    assert min(heard.response.values) > 1
    assert min(heard.turn.values) > 1
    assert heard.reconstructs
