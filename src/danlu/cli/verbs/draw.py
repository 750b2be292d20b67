"""`danlu draw`: what is typed behind it, read and checked, and drawn."""

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

from danlu.base.errors import Fault, Faults, fail
from danlu.base.files import absolute
from danlu.base.places import shown
from danlu.base.recipe import NetRecipe
from danlu.base.words import say
from danlu.cli.outcome import Outcome, print_text
from danlu.cli.study_arguments import whole_in
from danlu.lab.draw import draw, draw_expression, is_activation_name, is_net_name, named_graph, named_variances
from danlu.run.settings.draft import draft_recipe
from danlu.view.drawing import Drawing
from danlu.view.figures.variance import variance_chart
from danlu.view.graphs.layout import MOST_BOXES
from danlu.view.graphs.net import net_diagram


@dataclass(frozen=True)
class Drawn:
    """A picture in its file; `notes` say what the user should know of it."""

    path: Path
    notes: list[Fault]

    def lines(self) -> list[str]:
        """What is printed."""
        return [say("draw.written", path=shown(self.path)), *map(str, self.notes)]


def do_draw(arguments: argparse.Namespace) -> Outcome:
    """A picture of a net, an activation, a run, a study or an expression, as a file."""
    picture = _drawn(arguments)
    record = {"file": str(picture.path), "notes": [str(note) for note in picture.notes]}
    return Outcome(record, lambda console: print_text(console, "\n".join(picture.lines())))


def _drawn(arguments: argparse.Namespace) -> Drawn:
    """Draw what the words ask for, and write it: where --file says, else into the working directory."""
    words = [word for word in arguments.words if "=" not in word]
    settings = [word for word in arguments.words if "=" in word]
    if arguments.expression is not None:
        drawing, name = _of_expression(arguments.expression, words, settings), "expression"
    elif not words:
        fail("draw.which")
    else:
        drawing, name = _of_words(arguments, words, settings)
    path = Path(arguments.file) if arguments.file else Path(f"{name}.svg")
    return Drawn(path, drawing.save(path))


def _of_expression(text: str, words: list[str], settings: list[str]) -> Drawing:
    """`--expression "w*x" w=2 x=3`."""
    faults, values = Faults(), dict[str, float]()
    for word in words:
        faults.add("draw.bad-value", word=word)
    for word in settings:
        name, _, number = word.partition("=")
        try:
            values[name.strip()] = float(number)
        except ValueError:
            faults.add("draw.bad-value", word=word)
    faults.raise_if_any()
    return draw_expression(text, values)


def _of_words(arguments: argparse.Namespace, words: list[str], settings: list[str]) -> tuple[Drawing, str]:
    """A net, an activation, a run, a study, or several runs; and what the file is called."""
    boxes, shape = _boxes(arguments.boxes), _shape(arguments.shape)
    if shape and arguments.data:
        fail("draw.shape-and-data", shape=arguments.shape, data=arguments.data)
    if len(words) > 1:
        if any(is_net_name(word) or is_activation_name(word) for word in words):
            fail("draw.several", found=" ".join(words))
        return draw(words), "runs"
    word = words[0]
    if not is_net_name(word):
        if settings or arguments.data or shape:
            fail("draw.only-for-nets", found=" ".join([*settings, *filter(None, (arguments.data, arguments.shape))]))
        kind = arguments.kind
        return draw(word, kind=kind, boxes=boxes), "-".join(filter(None, (absolute(word).name, kind)))
    others = [one for one in settings if not one.startswith("net.")]
    if others:
        fail("draw.only-net-settings", found=" ".join(others))
    if arguments.kind not in (None, "net", "variance"):
        fail("draw.kind-of-net", net=word, kind=arguments.kind)
    net = draft_recipe(word, words=settings).net
    if arguments.kind == "variance":
        variances = named_variances(net.name, net.options, shape or arguments.data)
        return Drawing(lambda: variance_chart(variances)), f"{_stem(net)}-variance"
    graph = named_graph(net.name, net.options, shape or arguments.data)
    return Drawing(lambda: net_diagram(graph, boxes)), _stem(net)


def _stem(net: NetRecipe) -> str:
    """The file name of a net's drawing, which every system allows."""
    return net.label.replace(":", "-")


def _boxes(text: str | None) -> int | None:
    if text is None:
        return None
    boxes = whole_in(text)
    if boxes is None or not 0 < boxes <= MOST_BOXES:
        fail("draw.bad-boxes", found=text[:100])
    return boxes


def _shape(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    sizes = re.split("[x×,]", text.strip())
    found = [whole_in(size) for size in sizes]
    if not all(found):
        fail("draw.bad-shape", found=text[:100])
    return tuple(size or 1 for size in found)
