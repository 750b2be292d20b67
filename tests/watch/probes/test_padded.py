"""Whether padding is counted by the loss and moves the answers, of the tokens themselves and of those looked up."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import nn

from danlu.watch.measured import Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes.interventions import InterventionProbe
from tried_nets import DRAWN, Batch, Reader, drawn_anew, tokens, tried


@pytest.fixture(autouse=True)
def the_same_each_time() -> None:
    drawn_anew()


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


def test_a_token_that_begins_and_ends_rows_is_no_padding_of_the_loss() -> None:
    def batch() -> Batch:
        x, _ = padded()
        return torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1), x

    assert math.isnan(tried(Reader(), batch).pads_counted)


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
