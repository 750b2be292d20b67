"""Transformers: no token sees what it must not, padding never counts, and places tell only how far apart they are."""

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from danlu.base.errors import UserError
from danlu.base.seeds import global_seed, stream
from danlu.nets import TransformerClassifier, TransformerLanguageModel, describe
from danlu.nets.blocks.attention import POSITIONS, SelfAttention, earlier


def classifier(**options: Any) -> TransformerClassifier:
    with global_seed(0, "test"):
        return TransformerClassifier(**{"vocabulary": 9, "classes": 4, "embedding": 16, "dropout": 0.0, **options})


def model(**options: Any) -> TransformerLanguageModel:
    with global_seed(0, "test"):
        return TransformerLanguageModel(**{"vocabulary": 9, "embedding": 16, "dropout": 0.0, **options})


def tokens(batch: int, steps: int) -> Tensor:
    return torch.randint(1, 9, (batch, steps), generator=stream(0, "tokens"))


def moved(net: nn.Module, given: Tensor, place: int) -> list[int]:
    """The places of the outputs [1, T, …] that change with the token at `place`."""
    other = given.clone()
    other[0, place] = given[0, place] % 8 + 1
    return ((net(given) - net(other)).abs().amax((0, 2)) > 0).nonzero().flatten().tolist()


@pytest.mark.parametrize("positions", POSITIONS)
@pytest.mark.parametrize(("batch", "steps"), [(1, 1), (3, 5), (4, 20)])
def test_every_weight_learns(positions: str, batch: int, steps: int) -> None:
    for net in (classifier(positions=positions), model(positions=positions), model(tied=False)):
        outputs = net(tokens(batch, steps))
        assert outputs.shape == ((batch, 4) if isinstance(net, TransformerClassifier) else (batch, steps, 9))
        F.cross_entropy(outputs.flatten(0, -2), torch.arange(outputs.numel() // outputs.shape[-1]) % 4).backward()
        assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in net.parameters())


@pytest.mark.parametrize("positions", POSITIONS)
def test_no_token_sees_a_later_one(positions: str) -> None:
    given = tokens(1, 12)
    net = model(positions=positions)
    assert [moved(net, given, place) for place in (0, 5, 11)] == [[*range(12)], [*range(5, 12)], [11]]


def test_each_block_looks_as_far_back_as_the_context() -> None:
    given = tokens(1, 12)
    assert moved(model(context=3, layers=1), given, 2) == [2, 3, 4]
    assert moved(model(context=3, layers=2), given, 2) == [2, 3, 4, 5, 6]


def test_a_text_longer_than_the_context_is_read_from_its_end() -> None:
    net, given = model(context=4, layers=1), tokens(1, 30)
    torch.testing.assert_close(net(given)[:, -1], net(given[:, -4:])[:, -1], atol=1e-5, rtol=0)


@pytest.mark.parametrize("positions", POSITIONS)
def test_padding_does_not_count(positions: str) -> None:
    given = torch.tensor([[3, 1, 4, 0, 0], [1, 5, 2, 2, 6], [2, 0, 0, 0, 0]])
    net = classifier(positions=positions)
    alone = torch.cat([net(row[None, :length]) for row, length in zip(given, (3, 5, 1), strict=True)])
    torch.testing.assert_close(net(given), alone, atol=1e-6, rtol=0)


def test_lengths_may_be_given() -> None:
    given, net = torch.tensor([[3, 1, 4, 7, 7]]), classifier()
    torch.testing.assert_close(net(given, torch.tensor([3])), net(given[:, :3]), atol=1e-6, rtol=0)


def test_without_positions_a_sequence_is_a_bag() -> None:
    given, turned = torch.tensor([[3, 1, 4, 7, 5]]), torch.tensor([[5, 7, 4, 1, 3]])
    bag = classifier(positions="none")
    torch.testing.assert_close(bag(given), bag(turned), atol=1e-6, rtol=0)
    for positions in ("rotary", "sinusoidal"):
        net = classifier(positions=positions)
        assert (net(given) - net(turned)).abs().max() > 1e-5


def test_rotary_positions_tell_only_how_far_apart_places_are() -> None:
    with global_seed(0, "test"):
        attention = SelfAttention(16, heads=2)
    x = torch.randn(1, 9, 16, generator=stream(0, "test"))
    seen = earlier(x[..., 0], 4)
    torch.testing.assert_close(attention(x, seen)[:, -1], attention(x[:, 5:], seen[5:, 5:])[:, -1], atol=1e-5, rtol=0)


def test_attention_is_that_of_torch() -> None:
    with global_seed(0, "test"):
        attention = SelfAttention(16, heads=2, rotary=False)
    theirs = nn.MultiheadAttention(16, 2, batch_first=True)
    theirs.load_state_dict(
        {
            "in_proj_weight": attention.projections.weight,
            "in_proj_bias": attention.projections.bias,
            "out_proj.weight": attention.output.weight,
            "out_proj.bias": attention.output.bias,
        }
    )
    x, seen = torch.randn(2, 7, 16, generator=stream(0, "test")), earlier(torch.zeros(2, 7), 7)
    torch.testing.assert_close(attention(x, seen), theirs(x, x, x, attn_mask=~seen)[0], atol=1e-6, rtol=0)


def test_the_first_loss_is_that_of_a_guess() -> None:
    net = model(vocabulary=500, embedding=64)
    given = torch.randint(500, (8, 40), generator=stream(0, "tokens"))
    loss = F.cross_entropy(net(given[:, :-1]).flatten(0, 1), given[:, 1:].flatten())
    assert loss.item() == pytest.approx(math.log(500), abs=0.05)


def test_tied_weights_are_one_matrix() -> None:
    net = model()
    assert net.output.weight is net.embed.weight
    assert sum(weight.numel() for weight in net.parameters()) == describe(net, (5,)).parameters


def test_what_attention_costs_is_counted() -> None:
    one, two = (describe(model(layers=1), (length,)).multiply_adds for length in (10, 20))
    assert two - 2 * one == 2 * 16 * (20 * 20 - 2 * 10 * 10)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"heads": 3}, "heads.*16"),
        ({"heads": 16}, "heads.*16"),
        ({"embedding": 0}, "embedding"),
        ({"positions": "learned"}, "positions.*rotary"),
        ({"dropout": 1.0}, "dropout"),
        ({"layers": 2.5}, "layers"),
        ({"context": 0}, "context"),
    ],
)
def test_options_that_do_not_fit_are_named(options: dict[str, Any], named: str, language: str) -> None:
    with pytest.raises(UserError, match=rf"(?s)net\.{named}"):
        model(**options)
