"""Encoder–decoders: what is told them, what they write, and that each pair is its own."""

from typing import Any

import pytest
import torch

import danlu
from danlu import nets
from danlu.base.token_numbers import START
from danlu.nets.blocks.alignment import Alignment
from danlu.nets.encoder_decoder import EncoderDecoder

KINDS: list[tuple[str, dict[str, Any]]] = [
    ("encoder-decoder", {}),
    ("encoder-decoder", {"cell": "lstm", "layers": 2, "attention": "additive"}),
    ("encoder-decoder", {"cell": "rnn", "bidirectional": False, "attention": "none"}),
    ("transformer-encoder-decoder", {}),
    ("transformer-encoder-decoder", {"positions": "rotary", "layers": 1}),
]


def built(name: str, options: dict[str, Any]) -> EncoderDecoder:
    torch.manual_seed(0)
    wanted = {"embedding": 16, **options}
    net = nets.build(name, wanted, sample_shape=(2, 9), outputs=11, task="translation", vocabulary=13)
    assert isinstance(net, EncoderDecoder)
    return net.double().eval()


def pairs() -> torch.Tensor:
    drawn = torch.Generator().manual_seed(1)
    x = torch.randint(4, 11, (5, 2, 9), generator=drawn)
    x[:, 1, 0] = START
    x[1, 0, 4:] = x[1, 1, 6:] = x[3, 0, 7:] = x[3, 1, 2:] = 0
    return x


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_step_by_step_it_says_what_it_says_in_one_go(name: str, options: dict[str, Any]) -> None:
    net, x = built(name, options), pairs()
    whole, memory = net(x), net.encode(x[:, 0])
    for place in range(9):
        logits, memory = net.step(memory, x[:, 1, place])
        given = x[:, 1, place] != 0
        assert torch.allclose(logits[given], whole[given, place])


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_padding_and_the_others_of_a_batch_change_nothing(name: str, options: dict[str, Any]) -> None:
    net, x = built(name, options), pairs()
    whole = net(x)
    for row in range(len(x)):
        assert torch.allclose(net(x[row : row + 1]), whole[row : row + 1])
    assert torch.allclose(net(torch.nn.functional.pad(x, (0, 4)))[:, :9], whole)
    written, longer = net.translate(x, beam=2), net.translate(torch.nn.functional.pad(x[:, 0], (0, 4)), beam=2)
    assert torch.equal(written, longer[:, : written.shape[1]]) or written.shape[1] == 9


@pytest.mark.parametrize(("name", "options"), KINDS)
def test_no_place_sees_a_token_that_comes_later(name: str, options: dict[str, Any]) -> None:
    net, x = built(name, options), pairs()
    other = x.clone()
    other[0, 1, 5:] = 4 + (other[0, 1, 5:] - 3) % 7
    assert torch.allclose(net(x)[0, :5], net(other)[0, :5])
    assert not torch.allclose(net(x)[0, 5:], net(other)[0, 5:])


@pytest.mark.parametrize("kind", ["dot", "additive", "none"])
def test_attention_is_a_mean_over_the_places_of_the_source(kind: str) -> None:
    torch.manual_seed(0)
    alignment, states = Alignment(6, 4, kind), torch.randn(2, 5, 4)
    within = torch.tensor([[True] * 5, [True, True, False, False, False]])
    weights = alignment.weights(torch.randn(2, 3, 6), alignment.keys(states), within)
    assert torch.allclose(weights.sum(-1), torch.ones(2, 3))
    assert not weights[1, :, 2:].any()


def test_options_and_data_that_do_not_fit_are_told() -> None:
    with pytest.raises(danlu.UserError, match="attention"):
        nets.RecurrentEncoderDecoder(20, 20, attention="sideways")
    with pytest.raises(danlu.UserError, match="heads"):
        nets.TransformerEncoderDecoder(20, 20, embedding=10, heads=4)
    with pytest.raises(danlu.UserError, match="turns texts into texts"):
        nets.build("encoder-decoder", {}, sample_shape=(2, 9), outputs=3, task="classification", vocabulary=9)
    with pytest.raises(danlu.UserError, match="encoder-decoder"):
        nets.build("sequence-classifier", {}, sample_shape=(2, 9), outputs=30, task="translation", vocabulary=9)
