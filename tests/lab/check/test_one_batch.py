"""danlu.check of any module with one batch: what can be tried is found in seconds, and nothing is touched."""

import copy
from typing import Any

import pytest
import torch
from torch import nn

import danlu
from danlu.base.errors import UserError


class Language(nn.Module):
    """A small transformer; without a mask it sees the token that it is to predict."""

    def __init__(self, masked: bool) -> None:
        super().__init__()
        self.masked = masked
        self.embed = nn.Embedding(20, 16)
        self.places = nn.Embedding(16, 16)
        self.layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
        self.head = nn.Linear(16, 20)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1]) if self.masked else None
        return self.head(
            self.layer(self.embed(tokens) + self.places.weight[: tokens.shape[1]], src_mask=mask, is_causal=self.masked)
        )


class Mixing(nn.Module):
    """Takes the batch for time."""

    def __init__(self, batch_first: bool) -> None:
        super().__init__()
        self.rnn = nn.GRU(8, 16, batch_first=batch_first)
        self.head = nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(x)[0][:, -1])


def language(masked: bool, shifted: bool = True) -> tuple[nn.Module, Any]:
    text = torch.randint(0, 20, (16, 13), generator=torch.Generator().manual_seed(0))
    return Language(masked), (text[:, :-1], text[:, 1:] if shifted else text[:, :-1])


def series(batch_first: bool) -> tuple[nn.Module, Any]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(16, 12, 8, generator=generator)
    return Mixing(batch_first), (x, torch.randint(0, 3, (16,), generator=generator))


def head(*layers: nn.Module, columns: int = 1) -> tuple[nn.Module, Any]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(32, 8, generator=generator)
    y = torch.randint(0, 3, (32,), generator=generator) if columns > 1 else x.sum(1)
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, columns), *layers), (x, y)


CASES: dict[str, tuple[tuple[nn.Module, Any], str]] = {
    "no mask": (language(masked=False), "future-leak"),
    "masked": (language(masked=True), ""),
    "batch read as time": (series(batch_first=False), "samples-mixed"),
    "batch first": (series(batch_first=True), ""),
    "a softmax twice": (head(nn.Softmax(1), columns=3), "softmax-twice"),
    "logits": (head(columns=3), ""),
    "a column against a row": (head(), "loss-broadcast"),
    "shapes that fit": (head(nn.Flatten(0)), ""),
}


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("name", CASES)
def test_what_one_batch_shows(name: str) -> None:
    (net, batch), rule = CASES[name]
    before, state = copy.deepcopy(net.state_dict()), torch.get_rng_state()
    found = danlu.check(net, batch=batch)
    assert [finding.rule for finding in found.findings] == ([rule] if rule else [])
    assert found.passed == (not rule)
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())
    assert torch.equal(state, torch.get_rng_state())
    assert all(one.grad is None for one in net.parameters())
    assert [line.check for line in found.lines] == ["first-loss", "tried"]


def test_the_loss_is_the_users_own_and_inputs_are_several() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(8, 1)

        def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            return self.layer(a + b)

    asked: list[torch.Size] = []

    def loss(answer: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        asked.append(answer.shape)
        return (answer - targets).abs().mean()

    x, y = torch.randn(16, 8), torch.randn(16, 1)
    for inputs in ((x, x), {"a": x, "b": x}):
        assert danlu.check(Two(), batch=(inputs, y), loss_fn=loss).passed
    assert set(asked) == {torch.Size([16, 1])}


@pytest.mark.parametrize(
    ("net", "batch", "more", "match"),
    [
        ("mlp", (1, 2), {}, "needs a torch.nn.Module"),
        (nn.Linear(1, 1), torch.zeros(2), {}, "a pair"),
        (nn.Linear(1, 1).requires_grad_(False), (torch.zeros(2, 1), torch.zeros(2, 1)), {}, "no parameter"),
        (nn.Linear(1, 1), (torch.zeros(2, 1), torch.zeros(2, 1)), {"lr": 0.1}, "leave out: lr"),
    ],
)
def test_mistakes(net: Any, batch: Any, more: dict[str, Any], match: str) -> None:
    with pytest.raises(UserError, match=match):
        danlu.check(net, batch=batch, **more)
