"""What a net makes up inside the loop is no test data; layers in a plain list are told as what they are."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import danlu
from loops import batches, loud

PLACES, WORDS = 8, 6


class Letters(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.rnn = nn.Embedding(WORDS, 8), nn.GRU(8, 16, batch_first=True)
        self.head = nn.Linear(16, WORDS)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(self.embedding(x))[0])


@torch.no_grad()
def grow(net: nn.Module, rows: torch.Tensor) -> None:
    """Token after token, from the first one of each row: what is made up are the rows themselves."""
    for length in range(1, PLACES + 1):
        net(rows[:, :length])


@torch.no_grad()
def move_on(net: nn.Module, rows: torch.Tensor) -> None:
    """A window of constant length, each row moved on by one."""
    text = torch.cat([rows.flatten(), rows.flatten()[:PLACES]])[None]
    for start in range(40):
        net(text[:, start : start + PLACES])


@torch.no_grad()
def score(net: nn.Module, rows: torch.Tensor) -> None:
    net(rows)


def trained(look: object) -> danlu.Watch:
    torch.manual_seed(0)
    rows = torch.randint(WORDS, (64, PLACES))
    net = Letters()
    adam = torch.optim.Adam(net.parameters(), 5e-3)
    with danlu.watch(net, adam, shown=False) as watch:
        for step in range(60):
            i = torch.randint(len(rows), (16,))
            loss = F.cross_entropy(net(rows[i])[:, :-1].flatten(0, 1), rows[i][:, 1:].flatten())
            adam.zero_grad()
            loss.backward()
            adam.step()
            if step % 20 == 19:
                look(net, rows[:10])  # type: ignore[operator]
    return watch


@pytest.mark.every(2)
@pytest.mark.parametrize("look", [grow, move_on])
def test_text_sampled_in_the_loop_is_no_evaluation(look: object) -> None:
    watch = trained(look)
    assert watch.measured.evaluations == []
    assert loud(watch) == []


def test_rows_scored_at_once_are_one() -> None:
    watch = trained(score)
    assert len(watch.measured.evaluations) == 3
    assert loud(watch) == ["train-test-overlap"]


class Plain(nn.Module):
    """Layers where nn.Module does not look for them."""

    def __init__(self, place: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        layers = [nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3)]
        self.layers: object = {"list": layers, "tuple": tuple(layers), "nested": [layers]}.get(
            place, dict(enumerate(layers))
        )
        self.order = layers if place != "registered" else []
        if place == "registered":
            self.layers = nn.ModuleList(layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.order or self.layers:  # type: ignore[union-attr]
            x = layer(x)
        return x


@pytest.mark.every(3)
@pytest.mark.parametrize("place", ["list", "tuple", "dict", "nested"])
@pytest.mark.parametrize("given", [True, False])
def test_layers_in_a_plain_list_are_told_and_nothing_else_is(place: str, given: bool) -> None:
    net = Plain(place)
    layers = [layer for layer in net.order if isinstance(layer, nn.Linear)]
    sgd = torch.optim.SGD([parameter for layer in layers for parameter in layer.parameters()], 0.1)
    with danlu.watch(net, sgd if given else None, shown=False) as watch:
        for x, y in batches(100):
            sgd.zero_grad()
            F.cross_entropy(net(x), y).backward()
            sgd.step()
    assert loud(watch) == ["parameters-not-optimized"]
    assert watch.findings[0].severity == "warning"
    assert watch.findings[0].evidence["count"] == 4


def test_the_same_layers_in_a_module_list_are_told_nothing() -> None:
    net = Plain("registered")
    sgd = torch.optim.SGD(net.parameters(), 0.1)
    with danlu.watch(net, shown=False) as watch:
        for x, y in batches(100):
            sgd.zero_grad()
            F.cross_entropy(net(x), y).backward()
            sgd.step()
    assert loud(watch) == []
