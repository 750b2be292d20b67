"""Modules that a forward calls in several places: each call is drawn, nothing floats, nothing goes round."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import danlu
from danlu.base.graphs import NetGraph
from danlu.nets import LanguageModel
from danlu.nets.graph import net_graph
from danlu.view.graphs.net import net_diagram

Forward = Callable[[Any, Tensor], Tensor]


def net(forward: Forward, **parts: nn.Module) -> nn.Module:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, part in parts.items():
                self.add_module(name, part)

        def forward(self, x: Tensor) -> Tensor:
            return forward(self, x)

    return Own()


def block() -> nn.Module:
    return nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.ReLU(), nn.Linear(4, 4)))


def twice(own: Any, x: Tensor) -> Tensor:
    return own.b(own.drop(own.a(own.drop(x))))


def siamese(own: Any, x: Tensor) -> Tensor:
    return own.a(x[:, :4]) * own.a(x[:, 4:])


def nested(own: Any, x: Tensor) -> Tensor:
    return own.block(own.block(x) + x)


def inner(own: Any, x: Tensor) -> Tensor:
    return own.block[0](own.block(x))


RELU, DROP = nn.ReLU(), nn.Dropout(0.1)
NETS: dict[str, tuple[nn.Module, tuple[int, ...], int]] = {
    "dropout around": (net(twice, a=nn.Linear(4, 4), b=nn.Linear(4, 2), drop=nn.Dropout(0.5)), (4,), 4),
    "siamese": (net(siamese, a=nn.Linear(4, 4)), (8,), 2),
    "block twice": (net(nested, block=block()), (4,), 6),
    "block and its part": (net(inner, block=block()), (4,), 4),
    "one activation": (nn.Sequential(nn.Linear(4, 4), RELU, nn.Linear(4, 4), RELU, nn.Linear(4, 2)), (4,), 5),
    "one activation in blocks": (
        nn.Sequential(nn.Sequential(nn.Linear(4, 4), RELU), nn.Sequential(nn.Linear(4, 4), RELU, DROP), DROP), (4,), 6
    ),
    "language model": (LanguageModel(vocabulary=9, embedding=4, hidden=4, dropout=0.5), (6,), 5),
}  # fmt: skip


def assert_sound(edges: list[tuple[str, str]], nodes: set[str]) -> None:
    """Every node lies on a way from the input to the output, and no way comes back."""
    after: dict[str, list[str]] = {}
    for source, target in edges:
        after.setdefault(source, []).append(target)
    before = {target: [one for one, other in edges if other == target] for _, target in edges}

    def reached(start: str, ways: dict[str, list[str]]) -> set[str]:
        seen, stack = {start}, [start]
        while stack:
            for following in ways.get(stack.pop(), []):
                if following not in seen:
                    seen.add(following)
                    stack.append(following)
        return seen

    assert nodes <= reached("input", after), "reached from the input"
    assert nodes <= reached("output", before), "reaches the output"
    waiting = {node: len(before.get(node, [])) for node in {*nodes, "input", "output"}}
    ready = ["input"]
    for node in ready:
        for following in after.get(node, []):
            waiting[following] -= 1
            if not waiting[following]:
                ready.append(following)
    assert {*ready} == {*waiting}, "no way goes round"


@pytest.mark.parametrize(("module", "shape", "calls"), NETS.values(), ids=NETS)
def test_each_call_is_a_node_on_the_way_from_input_to_output(
    module: nn.Module, shape: tuple[int, ...], calls: int
) -> None:
    graph: NetGraph = net_graph(module, shape)
    layers = [node for node in graph.nodes if not node.operation]
    assert sum(node.calls for node in layers) == len(layers) == calls
    assert sum(node.parameters for node in layers) == sum(weight.numel() for weight in module.parameters())
    assert_sound(list(graph.edges), {node.id for node in graph.nodes})
    for most in (1, 3, 20):
        diagram = net_diagram(graph, most)
        boxes = {box.id for box in diagram.boxes} - {"input", "output"}
        assert_sound([(link.source, link.target) for link in diagram.links], boxes)


def test_the_dropout_of_the_language_model_stands_on_both_sides() -> None:
    graph = net_graph(LanguageModel(vocabulary=9, embedding=4, hidden=4, dropout=0.5), (6,))
    assert [node.id for node in graph.nodes] == ["embed", "drop", "recurrent", "drop (2)", "output"]
    assert ("drop", "recurrent") in graph.edges
    assert ("drop (2)", "output") in graph.edges


@pytest.mark.parametrize(("module", "shape", "calls"), NETS.values(), ids=NETS)
def test_one_who_listens_meanwhile_changes_nothing(module: nn.Module, shape: tuple[int, ...], calls: int) -> None:
    def listened(own: nn.Module, *args: Any, **kwargs: Any) -> Any:
        return original(own, *args, **kwargs)

    alone = net_graph(module, shape)
    original: Any = nn.Module._call_impl
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.Module, "_call_impl", listened)
        assert net_graph(module, shape) == alone
    other = nn.Linear(2, 2)
    with danlu.watch(other, torch.optim.SGD(other.parameters(), lr=0.1), shown=False):
        other(torch.ones(1, 2)).sum().backward()
        assert net_graph(module, shape) == alone


def test_a_function_called_in_two_places_is_two_operations() -> None:
    def bent(x: Tensor) -> Tensor:
        return torch.tanh(x)

    graph = net_graph(net(lambda own, x: bent(own.a(bent(x))), a=nn.Linear(4, 4)), (4,))
    assert [node.id for node in graph.nodes] == ["tanh()", "a", "tanh1()"]
    assert_sound(list(graph.edges), {node.id for node in graph.nodes})


def test_a_loop_of_the_net_itself_is_one_node() -> None:
    class Loops(nn.Sequential):
        def forward(self, input: Tensor) -> Tensor:
            for _ in range(5):
                input = torch.tanh(self[0](input))
            return input

    graph = net_graph(Loops(nn.Linear(4, 4)), (4,))
    assert {node.id: node.calls for node in graph.nodes} == {"tanh()": 5, "0": 5}
