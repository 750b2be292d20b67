"""What later and earlier places, another sample and other samples change in the answers of a copy."""

import math

import pytest
import torch
from torch import nn

from tried_nets import Batch, Judge, Reader, drawn_anew, numbers, tokens, tried


@pytest.fixture(autouse=True)
def the_same_each_time() -> None:
    drawn_anew()


def test_a_causal_net_is_told_from_one_that_looks_ahead() -> None:
    causal = tried(Reader(), tokens)
    assert (causal.lag, causal.places, causal.later, causal.others) == (1, 8, 0.0, 0.0)
    assert causal.earlier > 0.01
    assert causal.tokens
    assert tried(Reader(both=True), tokens).later > 0.01


def test_time_may_come_first() -> None:
    def batch() -> Batch:
        x, y = tokens()
        return x.t(), y.t()

    trial = tried(Reader(first=False), batch)
    assert (trial.lag, trial.later, trial.others, trial.batch_second) == (1, 0.0, 0.0, False)


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
