"""What a notebook shows: a page of its own inside the notebook's, so that neither disturbs the other."""

from danlu.view.figures.chart import Chart
from danlu.view.page.document import chart_block, document
from danlu.view.page.markup import Part, element

_PANEL_HEIGHT = 155


def framed(title: str, parts: list[Part], height: int) -> str:
    """A document in a frame that may run its own scripts and nothing else, `height` pixels high."""
    page = document(title, parts, theme="light")
    style = f"width: 100%; height: {height}px; border: 0; background: white"
    return element("iframe", srcdoc=page, sandbox="allow-scripts", title=title, style=style, loading="lazy")


def chart_html(chart: Chart) -> str:
    """A chart for a notebook."""
    return framed(chart.title, [chart_block(chart)], chart_height(chart))


def chart_height(chart: Chart) -> int:
    """About how many pixels a chart is high."""
    panels = sum(40 + _PANEL_HEIGHT * panel.height for panel in chart.panels)
    return round(120 + panels + 22 * len(chart.notes))
