"""What the axes of every picture show, on the page and on paper: at least two numbers, no number that cannot be."""

import json
import math
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

import view_samples as made
from danlu.base.metric_names import metric_bounds
from danlu.base.strict_json import to_json
from danlu.store.run_history import RunHistory
from danlu.view.figures.chart import Axis, Chart, Line, Panel, plain
from danlu.view.figures.names import short
from danlu.view.figures.pages import compared_chart
from danlu.view.info.run import RunInfo
from danlu.view.page.assets import asset
from danlu.view.paper import draw
from danlu.view.paper.draw import draw_chart


def line_chart(values: list[float | None], *, log: bool = False, share: bool = False) -> Chart:
    axis = Axis("y", log=log, least=0.0 if share else None, most=1.0 if share else None)
    panel = Panel(Axis("step"), axis, [Line(list(range(1, len(values) + 1)), values)], shares_x="step")
    return Chart("curves", "a curve", [panel])


def one_epoch() -> Chart:
    """A run of one epoch, of which every curve by epoch is a single point."""
    score = {"loss": 0.25, "accuracy": 1.0}
    records = [
        {"kind": "steps", "first": 1, "epoch": 1, "loss": [2.0, 1.0], "lr": 0.1, "norm": [1.0, 1.0]},
        {"kind": "epoch", "epoch": 1, "step": 2, "train": score, "validation": score, "best": True, "seconds": 1.0},
    ]
    return compared_chart([RunInfo("one", "finished", RunHistory.of(records))])


HARD: dict[str, Callable[[], Chart]] = {
    "one epoch": one_epoch,
    "always right": lambda: line_chart([1.0, 1.0, 1.0], share=True),
    "nearly right": lambda: line_chart([0.9, 0.95, 0.999], share=True),
    "always wrong": lambda: line_chart([0.0, 0.0], share=True),
    "one number": lambda: line_chart([3.7]),
    "one number, powers": lambda: line_chart([3.7], log=True),
    "hardly apart": lambda: line_chart([0.30001, 0.30002]),
    "hardly apart, powers": lambda: line_chart([0.31, 0.34], log=True),
    "two decades but for a bit": lambda: line_chart([0.011, 0.9], log=True),
    "many decades": lambda: line_chart([1e-12, 1e9], log=True),
    "negative": lambda: line_chart([-5.0, -4.9]),
    "large": lambda: line_chart([1_234_567.0, 1_234_890.0]),
    "a gap": lambda: line_chart([1.0, None, 2.0, None, 3.0]),
    "nothing": lambda: line_chart([None, None]),
}
ALL = {**made.CHARTS, **HARD}
_SEEN = """
const found = charts.map((chart) => {
  const shown = Object.create(danlu.Chart.prototype);
  Object.assign(shown, { hidden: new Set(), owners: new Map(), zoom: null, logs: {}, chart });
  shown.stacks = chart.panels.map(() => null);
  return chart.panels.map((panel) => {
    const [low, high] = shown.domain(panel, "y");
    const ticks = panel.y.ticks?.length ? panel.y.ticks : shown.yTicks(panel);
    const words = ticks.map(([, word]) => word);
    const needed = Math.max(...words.map(danlu.textWidth));
    return { low, high, places: ticks.map(([at]) => at), words, left: shown.leftMargin(700), needed };
  });
});
"""


def in_node(script: str) -> Any:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js here to run the page's script in")
    code = "\n".join(asset(name) for name in ("scales.js", "marks.js", "chart.js", "pointing.js"))
    told = subprocess.run(
        [node, "-"], input=f"{code}\n{script}", check=False, capture_output=True, text=True, timeout=60
    )
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def drawable(chart: Chart) -> bool:
    return not any(type(mark).__name__ in ("Pictures", "Heatmap") for panel in chart.panels for mark in panel.marks)


@pytest.fixture(scope="module")
def on_page() -> dict[str, list[dict[str, Any]]]:
    """Of each panel of each chart what its upright axis shows on the page."""
    charts = {kind: make() for kind, make in ALL.items()}
    charts = {kind: chart for kind, chart in charts.items() if drawable(chart)}
    script = f"const charts = {to_json([plain(chart) for chart in charts.values()])};{_SEEN}"
    return dict(zip(charts, in_node(f"{script}console.log(JSON.stringify(found));"), strict=True))


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures that are drawn from here on, as matplotlib has them."""
    drawn: list[Any] = []

    def keep(figure: Any, kind: str) -> bytes:
        figure.canvas.draw()
        drawn.append(figure)
        return b""

    monkeypatch.setattr(draw, "file_bytes", keep)
    return drawn


def test_every_upright_axis_of_the_page_has_two_numbers_in_sight(on_page: dict[str, list[dict[str, Any]]]) -> None:
    for kind, panels in on_page.items():
        for panel in panels:
            low, high = sorted((panel["low"], panel["high"]))
            inside = [at for at in panel["places"] if low <= at <= high]
            categories = not all(word.replace(",", "")[:1] in "-0123456789" for word in panel["words"])
            assert len(inside) >= 2 or categories, (kind, panel)
            assert len(set(panel["words"])) == len(panel["words"]), (kind, panel)


def test_the_numbers_of_the_page_have_the_room_that_they_need(on_page: dict[str, list[dict[str, Any]]]) -> None:
    for kind in HARD:
        for panel in on_page[kind]:
            assert panel["left"] >= 0.96 * panel["needed"] + 10, (kind, panel)


def test_no_axis_of_the_page_goes_beyond_what_a_metric_can_be(on_page: dict[str, list[dict[str, Any]]]) -> None:
    for kind, panels in on_page.items():
        for panel, drawn in zip(ALL[kind]().panels, panels, strict=True):
            assert panel.y.most is None or drawn["high"] <= panel.y.most, (kind, drawn)
            assert panel.y.least is None or panel.y.log or drawn["low"] >= panel.y.least, (kind, drawn)


@pytest.mark.every(4)
@pytest.mark.parametrize("kind", [kind for kind, make in ALL.items() if drawable(make())])
def test_paper_shows_two_numbers_and_none_that_cannot_be(kind: str, figures: list[Any]) -> None:
    chart = ALL[kind]()
    draw_chart(chart, ".png")
    axes = [one for one in figures[0].axes if one.get_label() != "<colorbar>"]
    for panel, one in zip(chart.panels, axes, strict=True):
        low, high = sorted(one.get_ylim())
        ticks = [*one.yaxis.get_major_ticks(), *one.yaxis.get_minor_ticks()]
        told = {tick.label1.get_text() for tick in ticks if low <= tick.get_loc() <= high} - {""}
        assert len(told) >= 2 or panel.y.ticks, (kind, told)
        if panel.y.most is not None:
            assert high <= panel.y.most + 0.021 * (high - low)
            assert all(tick.get_loc() <= panel.y.most for tick in ticks if low <= tick.get_loc() <= high)


@pytest.mark.every(8)
@pytest.mark.parametrize("kind", made.CHARTS)
def test_beside_chinese_signs_no_letter_is_bold(kind: str, figures: list[Any], language: str) -> None:
    from matplotlib.text import Text

    draw_chart(made.CHARTS[kind](), ".png")
    weights = {text.get_fontweight() for text in figures[0].findobj(Text) if text.get_text().strip()}
    assert ("bold" in weights) == (language == "en")


def test_metrics_are_bounded_wherever_they_are_drawn() -> None:
    for kind in ("curves", "sweep", "slopes", "folds"):
        axes = [panel.y for panel in made.CHARTS[kind]().panels]
        assert any((axis.least, axis.most) == metric_bounds("accuracy") for axis in axes), kind
    assert [(panel.x.least, panel.x.most) for panel in made.CHARTS["forest"]().panels] == [(-1.0, 1.0)]


NUMBERS = [
    0, 0.5, 0.15625, 1.0625, 0.09765625, 2.675, 1234.5, 1235.5, 12345.678, 99999.5, 999999.4, 999999.6, 1234567, 1e15,
    61706, 1e-3, 9.9996e-4, 1.25e-9, -3e20, -0.0625, 123456, 0.99996, 999.96, 5e-324, 1.7e308, None, math.nan,
]  # fmt: skip


def test_the_page_writes_numbers_as_the_terminal_does() -> None:
    asked = [(value, digits) for value in NUMBERS for digits in (3, 4, 6)]
    asked += [(1.37**power * (-1) ** power, 4) for power in range(-60, 60)]
    pairs = to_json([[value, digits] for value, digits in asked])
    told = in_node(f"console.log(JSON.stringify({pairs}.map(([value, digits]) => danlu.short(value, digits))));")
    named = {"NaN": "–"}  # danlu's JSON has a word for it, which the page keeps
    assert [named.get(one, one) for one in told] == [short(value, digits) for value, digits in asked]
