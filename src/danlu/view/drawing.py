"""A picture in hand: written to a file, or shown in a notebook."""

import base64
from collections.abc import Callable
from pathlib import Path

from danlu.base.errors import Fault, fail
from danlu.base.files import absolute, make_folder, replace_file
from danlu.base.words import language, say, speaking
from danlu.view.figures.chart import Chart
from danlu.view.graphs.layout import lay_out
from danlu.view.graphs.scene import Diagram
from danlu.view.graphs.svg import to_svg
from danlu.view.overview import Overview
from danlu.view.page.fragment import chart_html
from danlu.view.page.markup import element
from danlu.view.paper.draw import draw_chart
from danlu.view.paper.fonts import chinese_font_file
from danlu.view.paper.graph import draw_scene
from danlu.view.paper.overview import draw_overview
from danlu.view.paper.sheet import KINDS


class Drawing:
    """A chart, a graph or a poster. `save` writes it as SVG, PNG or PDF; a notebook shows it by itself.

    `make` gives what is to be drawn, in the language in force when it is called.

    >>> from danlu.view.figures.chart import Axis, Panel
    >>> Drawing(lambda: Chart("curves", "loss", [Panel(Axis(), Axis(), [])])).file_content(".svg")[:5]
    b'<?xml'
    """

    def __init__(self, make: Callable[[], Chart | Diagram | Overview]) -> None:
        self._make = make

    def save(self, file: str | Path) -> list[Fault]:
        """Write it to `file`, as its ending says; what the user should know comes back. UserError for another ending,
        StorageError where the disk refuses."""
        path = Path(file)
        kind = path.suffix.lower()
        if kind not in KINDS:
            fail("figure.unknown-file-kind", path=path, kinds=", ".join(KINDS))
        without_font = language() == "zh" and kind != ".svg" and chinese_font_file() is None
        with speaking("en" if without_font else language()):
            content = self.file_content(kind)
        make_folder(absolute(path).parent)
        replace_file(path, content)
        return [Fault("figure.no-chinese-font")] if without_font else []

    def file_content(self, kind: str) -> bytes:
        """The bytes of a file of that kind: ".svg", ".png" or ".pdf"."""
        made = self._make()
        if isinstance(made, Chart):
            return draw_chart(made, kind)
        if isinstance(made, Overview):
            return draw_overview(made, kind)
        scene = lay_out(made)
        return to_svg(scene).encode() if kind == ".svg" else draw_scene(scene, kind)

    def __repr__(self) -> str:
        return say("figure.drawing", name=self._make().title)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        made = self._make()
        if isinstance(made, Overview):
            content = base64.b64encode(draw_overview(made, ".png")).decode()
            return element("img", src=f"data:image/png;base64,{content}", alt=made.title, style="max-width: 100%")
        return chart_html(made) if isinstance(made, Chart) else to_svg(lay_out(made))
