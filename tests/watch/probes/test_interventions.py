"""What is tried on a copy of the net, and what it shows."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from danlu.watch.measured import Intervention, Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes.interventions import InterventionProbe

Batch = tuple[torch.Tensor, torch.Tensor]
DRAWN = torch.Generator()


@pytest.fixture(autouse=True)
def drawn_anew() -> None:
    DRAWN.manual_seed(0)
    torch.manual_seed(0)


def called(call: LossCall) -> LossCall:
    return call


def tried(
    net: nn.Module, batch: Callable[[], Batch], *, steps: int = 2, kind: str = "classes", ignored: int = -100,
    roots: dict[str, nn.Module] | None = None, loader_batch: int = 0, **beside: Any,
) -> Intervention:  # fmt: skip
    """The newest trial of steps in which `net` is called with a batch, and its answers meet the targets."""
    measured = Measured(loader_batch=loader_batch)
    probe = InterventionProbe(measured, roots or {"": net})
    for step in range(1, steps + 1):
        x, y = batch()
        probe.called(net, (x,), beside, step)
        output = net(x, **beside)
        probe.answered(output)
        call = LossCall("cross_entropy_loss", kind, output, y, weighted=False, summed=False, ignored=ignored)
        probe.lost(call, output.sum())
        probe.end_step(step)
    return next(iter(measured.interventions.values()))


def tokens(rows: int = 6, places: int = 8) -> Batch:
    x = torch.randint(1, 12, (rows, places + 1), generator=DRAWN)
    return x[:, :-1], x[:, 1:]


class Reader(nn.Module):
    def __init__(self, *, both: bool = False, first: bool = True) -> None:
        super().__init__()
        self.embed = nn.Embedding(12, 8)
        self.rnn = nn.GRU(8, 8, batch_first=first, bidirectional=both)
        self.head = nn.Linear(16 if both else 8, 12)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(self.embed(x))[0])


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


class Judge(nn.Module):
    """One answer a sample."""

    def __init__(self, net: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.weight, self.net = nn.Parameter(torch.ones(())), net

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.weight * self.net(x)


def numbers(*size: int) -> Callable[[], Batch]:
    return lambda: (torch.randn(*size, generator=DRAWN), torch.randint(3, size[:1], generator=DRAWN))


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


def test_a_loader_tells_which_dimension_is_the_batch() -> None:
    def batch() -> Batch:
        return torch.randn(5, 6, 4, generator=DRAWN), torch.zeros(5, 6, dtype=torch.long)

    net = nn.GRU(4, 4)
    assert math.isnan(tried(Judge(lambda x: net(x)[0]), batch).others)
    assert tried(Judge(lambda x: net(x)[0]), batch, loader_batch=6).others == 0
    assert tried(Judge(lambda x: net(x)[0]), batch, loader_batch=5).others > 0.01


def test_targets_of_the_places_of_a_single_sample_are_no_batch() -> None:
    def batch() -> Batch:
        return torch.randn(1, 5, 8, generator=DRAWN), torch.randint(12, (5,), generator=DRAWN)

    rnn = nn.RNN(8, 12)
    assert math.isnan(tried(Judge(lambda x: rnn(x.transpose(0, 1))[0][:, 0]), batch).others)
    assert tried(Judge(lambda x: rnn(x.transpose(0, 1))[0][:, 0]), batch, loader_batch=5).others > 0.01


def test_targets_that_are_a_place_shorter_are_met_by_the_first_or_the_last_answers() -> None:
    net = Reader()
    for part, lag in ((slice(None, -1), 1), (slice(1, None), 0)):
        measured = Measured()
        probe = InterventionProbe(measured, {"": net})
        for step in (1, 2):
            x, _ = tokens()
            probe.called(net, (x,), {}, step)
            output = net(x)
            probe.answered({"logits": output})
            met = output[:, part].reshape(-1, 12)
            probe.lost(LossCall("cross_entropy_loss", "classes", met, x[:, 1:].flatten(), False, False), met.sum())
            probe.end_step(step)
        assert measured.interventions[""].lag == lag


def test_answers_that_do_not_follow_from_the_input_have_no_response() -> None:
    deaf = tried(Judge(lambda x: torch.ones(len(x), 3)), numbers(6, 4), steps=60)
    assert (deaf.response.steps, deaf.response.values) == ([2, 50], [0.0, 0.0])
    heard = tried(Judge(lambda x: x), numbers(6, 4), steps=60)
    assert min(heard.response.values) > 1
    assert min(heard.turn.values) > 1
    assert heard.reconstructs


def padded(rows: int = 6) -> Batch:
    x = torch.randint(1, 12, (rows, 8), generator=DRAWN)
    lengths = torch.tensor([8, 3, 5, 4, 6, 2])[:rows]
    x[torch.arange(8) >= lengths[:, None]] = 0
    return x, torch.randint(3, (rows,), generator=DRAWN)


class Pooled(nn.Module):
    def __init__(self, mask: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.embed, self.mask = nn.Embedding(12, 8), mask

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mask = self.mask(x)[:, :, None].float()
        return (self.embed(x) * mask).sum(1) / mask.sum(1).clamp(min=1)


def test_padding_that_is_masked_moves_nothing() -> None:
    masked, seen = tried(Pooled(lambda x: x > 0), padded), tried(Pooled(torch.ones_like), padded)
    assert masked.padded == seen.padded > 0.3
    assert masked.pads < 1e-6 < 0.1 < seen.pads
    assert min(masked.context, seen.context) > 0.1
    assert tried(Pooled(lambda x: x == 0), padded).context < 1e-6


@pytest.mark.parametrize(("ignored", "share"), [(-100, 0.36), (0, 0.0)])
def test_padded_targets_are_counted_but_for_those_that_are_ignored(ignored: int, share: float) -> None:
    def batch() -> Batch:
        x, _ = padded()
        return x[:, :-1], x[:, 1:]

    assert tried(Reader(), batch, ignored=ignored).pads_counted == pytest.approx(share, abs=0.02)


def test_a_loss_below_its_floor_is_noted_once() -> None:
    measured = Measured()
    probe = InterventionProbe(measured, {})
    net = nn.Linear(4, 3)
    for step, value in ((1, 0.5), (2, -3.0)):
        probe.called(net, (torch.zeros(5, 4),), {}, step)
        for name in ("mse_loss", "kl_div"):
            call = LossCall(name, "numbers", torch.zeros(5, 3), torch.full((5, 3), 2.0), False, False)
            probe.lost(call, torch.tensor(value))
        probe.end_step(step)
    assert measured.low_loss is not None
    low = measured.low_loss
    assert (low.step, low.loss, low.value, low.low, low.high) == (2, "kl_div", -3.0, 2.0, 2.0)


def test_a_part_that_the_loop_calls_goes_by_its_path_and_a_refusal_is_kept() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3))
    net[1].register_forward_hook(print)
    measured = Measured()
    probe = InterventionProbe(measured, {"first": nn.Linear(1, 1), "second": net})
    for step in (1, 2):
        for layer in net:
            x = torch.randn(5, 4, generator=DRAWN)
            probe.called(layer, (x,), {}, step)
            probe.answered(F.linear(x, torch.ones(3, 4)))
        probe.end_step(step)
    assert {name: one.refused for name, one in measured.interventions.items()} == {"second.0": "", "second.1": "hooks"}


@pytest.mark.parametrize(
    ("net", "batch", "why"),
    [
        (nn.Identity(), lambda: (torch.ones(5), torch.ones(5)), "inputs"),
        (Judge(lambda x: x.sum()), numbers(6, 4), "answers"),
    ],
)
def test_what_cannot_be_compared_is_refused(net: nn.Module, batch: Callable[[], Batch], why: str) -> None:
    assert tried(net, batch).refused == why


class Lookup(nn.Module):
    """Answers for places that look words up among others [N, S], of which 0 is padding."""

    def __init__(self, *, inverted: bool) -> None:
        super().__init__()
        self.words, self.asks, self.head = nn.Embedding(12, 8), nn.Embedding(12, 8), nn.Linear(8, 12)
        self.inverted = inverted

    def forward(self, x: torch.Tensor, src: torch.Tensor) -> torch.Tensor:
        hidden = (src != 0) if self.inverted else (src == 0)
        scores = (self.asks(x) @ self.words(src).transpose(1, 2)).masked_fill(hidden[:, None], -1e9)
        places = torch.linspace(0, 1, src.shape[1])[None, :, None]  # the padding differs by where it stands
        return self.head(scores.softmax(-1) @ (self.words(src) + places))


@pytest.mark.parametrize("inverted", [True, False])
def test_of_words_that_are_looked_up_whether_any_counts_that_is_no_padding(inverted: bool) -> None:
    measured = Measured()
    net = Lookup(inverted=inverted)
    probe = InterventionProbe(measured, {"": net})
    for step in (1, 2):
        x, y = tokens(rows=12)
        src = torch.randint(1, 12, (12, 9), generator=DRAWN)
        src[torch.arange(9) >= torch.randint(3, 7, (12, 1), generator=DRAWN)] = 0
        probe.called(net, (x, src), {}, step)
        output = net(x, src)
        probe.answered(output)
        call = LossCall("cross_entropy_loss", "classes", output, y, weighted=False, summed=False, ignored=-100)
        probe.lost(call, output.sum())
        probe.end_step(step)
    aside = [one for one in measured.interventions.values() if one.aside]
    assert len(aside) == 1
    assert aside[0].padded > 0.3
    assert (aside[0].context <= 1e-3) == inverted
