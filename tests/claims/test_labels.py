"""What the plans call their levels and places is told in the reader's language; a surface carries the path upon it."""

import re
from typing import Any

import pytest

from danlu.base.words import speaking
from danlu.claims.catalogue import CLAIMS
from danlu.claims.check import options_of, plan_of
from danlu.view.claim_labels import place
from danlu.view.figures.chart import Heatmap
from danlu.view.figures.claims import claim_chart

ENGLISH = re.compile(r"(?<![A-Za-z])[a-z]{3,}")
NAMES = {"dropout", "breast-cancer", "wine", "digits", "softmax", "mlp", "sigmoid", "tanh", "relu"}
"""What is written so in Chinese texts, too."""


@pytest.mark.parametrize("claim", CLAIMS)
def test_no_level_stays_in_english(claim: str) -> None:
    plan = plan_of(claim, options_of(None, None, None, None, None)).as_dict()
    labels = [*plan.get("levels", {}), *(one for places in plan.get("condition", {}).values() for one in places)]
    labels += [str(condition).rpartition(".")[2] for condition in plan.get("condition", {})]
    labels += [one for one in plan.get("controls", {}).values() if isinstance(one, str)]
    with speaking("zh"):
        told = {text: place(text) for text in labels}
    assert not {text: words for text, words in told.items() if text not in NAMES and _english(words)}


def _english(text: str) -> list[str]:
    return [word for word in ENGLISH.findall(text) if word not in NAMES]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("epochs=5: momentum 0.9 / momentum 0", "轮数=5: 动量 0.9 / 动量 0"),
        ("samples=30", "样本数=30"),
        ("batch 128, lr 3e-06", "批量 128, 学习率 3e-06"),
        ("a user's own [level]", "a user's own [level]"),
        ("", ""),
    ],
)
def test_a_place_in_words(text: str, wanted: str) -> None:
    with speaking("zh"):
        assert place(text) == wanted
    with speaking("en"):
        assert place(text).count("=") == text.count("=")


def test_a_path_lies_upon_its_surface() -> None:
    grid = [0.0, 1.0, 3.0]
    plot: dict[str, Any] = {
        "x": "w", "y": "b", "log_x": False, "log_y": False, "title": "", "ticks": [], "solid": True,
        "grid": [grid, grid], "surface": [[2 * x + 10 * y for x in grid] for y in grid],
        "series": [{"label": "descent", "xs": [0.0, 0.5, 2.0, 3.0, 9.0], "ys": [3.0, 2.5, 1.0, 0.0, -1.0],
                    "lows": [], "highs": [], "points": False}],
    }  # fmt: skip
    chart = claim_chart({"claim": "own", "sentence": "A path.", "figure": [plot], "verdict": {"word": "holds"}})
    (mark,) = chart.panels[0].marks
    assert isinstance(mark, Heatmap)
    assert [height for _, _, height in mark.path] == pytest.approx([30, 26, 14, 6, 6])
