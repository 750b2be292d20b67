"""The picture of a study's learning curves: a line and a band for each level, told in both languages."""

import json
from dataclasses import replace

import pytest

from danlu.base.strict_json import to_json
from danlu.base.words import speaking
from danlu.store.study_history import StackCurves
from danlu.view.figures.chart import Band, Chart, Line, plain
from danlu.view.figures.level_curves import level_curves_chart
from danlu.view.figures.pages import study_charts
from danlu.view.info.level_curves import factor_curves
from danlu.view.paper.draw import draw_chart
from view_samples import sample_study


def chart(levels: int, epochs: int = 5) -> Chart:
    rates = [0.1 * (k + 1) for k in range(levels)]
    members = [(k, seed, 0) for k in range(levels) for seed in range(3)]
    rows = [[1.0 / epoch + 0.1 * k for k in range(len(members))] for epoch in range(1, epochs + 1)]
    scores = {"loss": rows, "accuracy": [[1 - value for value in row] for row in rows]}
    stack = StackCurves([{"lr": rate, "net": "a"} for rate in rates], members, range(1, epochs + 1), rows, scores)
    return level_curves_chart(factor_curves([stack], {"lr": rates, "net": ["a", "b"]}, "lr"), "accuracy")


@pytest.mark.parametrize("levels", [1, 2, 8, 30])
def test_each_level_has_a_line_in_its_own_colour_and_a_band_in_the_same(levels: int) -> None:
    drawn = chart(levels)
    assert drawn.kind == "curves"
    for panel in drawn.panels:
        lines = [mark for mark in panel.marks if isinstance(mark, Line)]
        bands = [mark for mark in panel.marks if isinstance(mark, Band)]
        assert len({line.color for line in lines}) == len(lines) == min(levels, 8)
        assert [line.color for line in lines] == [band.color for band in bands]
    labels = [mark.label for mark in drawn.panels[0].marks if isinstance(mark, Line)]
    assert labels[0] == "0.1"
    assert labels[-1] == f"{0.1 * levels:g}"


@pytest.mark.parametrize(
    ("language", "panels", "notes"),
    [
        (
            "en",
            ["training loss", "validation · loss", "validation · accuracy"],
            ["Lines are means over seeds and folds; the bands are their 95% intervals.",
             "The other factors are at their first levels: net a.", "8 of 9 levels are drawn."],
        ),
        (
            "zh",
            ["训练损失", "验证集 · 损失", "验证集 · 准确率"],
            ["曲线是各随机种子、各折上的均值，阴影是均值的 95% 置信区间。",
             "其他因素取第一个取值：net a。", "共 9 个取值，图中画出 8 个。"],
        ),
    ],
)  # fmt: skip
def test_it_says_what_is_drawn(language: str, panels: list[str], notes: list[str]) -> None:
    with speaking(language):
        drawn = chart(9)
        assert [panel.y.label for panel in drawn.panels] == panels
        assert list(drawn.notes) == notes


def test_it_is_strict_json() -> None:
    json.loads(to_json(plain(chart(3))), parse_constant=pytest.fail)


def test_it_is_the_first_picture_of_a_study_without_effects() -> None:
    study = replace(sample_study(), members=(), effects=())
    assert [drawn.kind for drawn in study_charts(study)] == ["curves", "curves"]
    assert [drawn.kind for drawn in study_charts(sample_study())][:4] == ["forest", "means", "curves", "curves"]


def test_it_goes_onto_paper() -> None:
    assert draw_chart(chart(3), ".svg").startswith(b"<?xml")
