"""A net that is torch's own layers in a row: kept as these, opened without code, and never trusted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import nn

import danlu
from danlu.data.preprocessing import Preprocessing
from danlu.ship import Answerer
from danlu.ship.export import net_layers, open_net_layers

PATH = Path("net.safetensors")
ROWS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "a chain": (lambda: nn.Sequential(nn.Linear(5, 4), nn.GELU(approximate="tanh"), nn.Linear(4, 2, bias=False)), (5,)),
    "norms and rows within": (
        lambda: nn.Sequential(
            nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4, eps=1e-2), nn.LeakyReLU(0.3)), nn.Dropout(0.5),
            nn.LayerNorm((4,), eps=1e-3), nn.ELU(0.5), nn.Linear(4, 2), nn.LogSoftmax(dim=1),
        ),
        (5,),
    ),
    "a convolution": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, (3, 2), stride=2, padding=1, padding_mode="reflect"), nn.BatchNorm2d(4), nn.ReLU(),
            nn.MaxPool2d(2), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(4, 2),
        ),
        (1, 8, 8),
    ),
    "one layer": (lambda: nn.Linear(5, 2), (5,)),
}  # fmt: skip


class Own(nn.Linear):
    pass


def hooked() -> nn.Module:
    net = nn.Linear(5, 2)
    net.register_forward_hook(lambda module, args, output: 2 * output)
    return net


def patched() -> nn.Module:
    net = nn.Linear(5, 2)
    net.forward = lambda input: input[:, :2]  # pyright: ignore
    return net


MORE: dict[str, Callable[[], nn.Module]] = {
    "a class of one's own": lambda: nn.Sequential(Own(5, 2)),
    "a hook": lambda: nn.Sequential(hooked()),
    "a forward of its own": patched,
    "no layer of the table": lambda: nn.Sequential(nn.Linear(5, 2), nn.Softplus(beta=3.0)),
    "a parametrisation": lambda: nn.utils.parametrizations.weight_norm(nn.Linear(5, 2)),
}


def answerer(net: nn.Module, shape: tuple[int, ...] = (5,)) -> tuple[Answerer, torch.Tensor]:
    x = torch.randn(12, *shape, generator=torch.Generator().manual_seed(0))
    data = danlu.load((x, torch.arange(12) % 2), validation=0, test=0)
    return Answerer(Preprocessing.of(data), net.eval(), torch.float32), x


def trained_a_little(net: nn.Module, x: torch.Tensor) -> nn.Module:
    """With running statistics of its own."""
    with torch.no_grad():
        net.train()(x)
    return net.eval()


@pytest.mark.parametrize("kind", ROWS)
def test_a_row_of_layers_answers_as_it_did(kind: str) -> None:
    make, shape = ROWS[kind]
    one, x = answerer(trained_a_little(make(), torch.randn(12, *ROWS[kind][1])), shape)
    content = net_layers(one, x, PATH)
    assert content is not None
    net, takes = open_net_layers(content, PATH)
    assert takes == torch.float32 and not net.training
    with torch.no_grad():
        assert torch.equal(net(x), one.net(x))


@pytest.mark.parametrize("kind", MORE)
def test_what_is_more_than_that_is_left_to_a_program(kind: str) -> None:
    one, x = answerer(MORE[kind]())
    assert net_layers(one, x, PATH) is None


def test_weights_beside_those_of_the_layers_are_no_row() -> None:
    net = nn.Sequential(nn.Linear(5, 2))
    net.register_parameter("more", nn.Parameter(torch.zeros(2)))
    one, x = answerer(net)
    assert net_layers(one, x, PATH) is None


SPOILS: dict[str, Callable[[dict[str, Any]], object]] = {
    "another class": lambda told: told["net"]["inner"]["0"].update(layer="Module"),
    "a dotted name": lambda told: told["net"]["inner"]["0"].update(layer="os.system"),
    "another size": lambda told: told["net"]["inner"]["0"]["settings"].update(out_features=10**15),
    "a setting more": lambda told: told["net"]["inner"]["0"]["settings"].update(device="cpu"),
    "a setting that is none": lambda told: told["net"]["inner"]["0"]["settings"].update(in_features={"a": 1}),
    "another type": lambda told: told.update(takes="float8"),
    "a layer less": lambda told: told["net"]["inner"].pop("2"),
    "a later version": lambda told: told.update(schema=2),
}


@pytest.mark.parametrize("kind", SPOILS)
def test_a_file_that_was_changed_is_refused(kind: str, language: str) -> None:
    one, x = answerer(ROWS["a chain"][0]())
    content = net_layers(one, x, PATH)
    assert content is not None
    size = int.from_bytes(content[:8], "little")
    told = json.loads(json.loads(content[8 : 8 + size])["__metadata__"]["danlu-net"])
    SPOILS[kind](told)
    spoilt = safetensors.torch.save(safetensors.torch.load(content), {"danlu-net": json.dumps(told)})
    for damaged in (spoilt, content[:-1], content[: size // 2], b"", safetensors.torch.save({})):
        with pytest.raises(danlu.UserError, match="net.safetensors"):
            open_net_layers(damaged, PATH)
