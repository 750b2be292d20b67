"""Folding keeps what a net is: its parameters, its work, and what flows where."""

import pytest

from danlu.base.graphs import LayerNode, NetGraph
from danlu.lab.draw import named_graph
from danlu.view.info.fold import FoldedGraph, fold

NETS = ["lenet5", "mlp", "resnet18", "resnet50", "googlenet", "densenet121", "language-model", "small-inception"]


def totals(folded: FoldedGraph) -> tuple[int, int]:
    return (
        sum(part.parameters * part.repeats for part in folded.parts),
        sum(part.multiply_adds * part.repeats for part in folded.parts),
    )


@pytest.mark.every(4)
@pytest.mark.parametrize("name", NETS)
def test_nothing_is_lost(name: str) -> None:
    graph = named_graph(name, {})
    folded = fold(graph)
    assert totals(folded) == (graph.parameters, graph.multiply_adds)
    ids = {part.id for part in folded.parts} | {"input", "output"}
    assert {end for edge in folded.edges for end in edge} == ids


@pytest.mark.every(3)
@pytest.mark.parametrize("name", ["resnet50", "googlenet", "densenet121"])
def test_a_large_net_becomes_a_page_of_boxes(name: str) -> None:
    folded = fold(named_graph(name, {}))
    assert len(folded.parts) <= 25
    assert folded.inside, "what is within a block is shown beside it"
    assert all(len(inner.parts) <= 20 for inner in folded.inside)


def test_blocks_that_are_alike_are_drawn_once() -> None:
    repeated = {part.id: part.repeats for part in fold(named_graph("resnet50", {})).parts if part.repeats > 1}
    assert repeated == {"layer1.1": 2, "layer2.1": 3, "layer3.1": 5, "layer4.1": 2}


def test_more_boxes_open_more_blocks() -> None:
    graph = named_graph("resnet18", {})
    sizes = [len(fold(graph, most).parts) for most in (5, 20, 60)]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_a_long_chain_of_ordinary_layers_stays_whole() -> None:
    nodes = [LayerNode(str(at), "Linear", (str(at),), (8,), 72, 64) for at in range(40)]
    edges = [("input", "0"), *((str(at), str(at + 1)) for at in range(39)), ("39", "output")]
    assert len(fold(NetGraph("deep", tuple(nodes), tuple(edges))).parts) == 40


def test_an_operation_between_layers_keeps_its_own_box() -> None:
    parts = fold(named_graph("resnet18", {})).inside[0].parts
    assert [part.kind for part in parts if part.operation] == ["add"]
