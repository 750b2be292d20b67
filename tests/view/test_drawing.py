"""Each kind of picture as a file of each kind, in both languages."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from danlu.base.errors import UserError
from danlu.nets.expression import expression_graph
from danlu.view import drawing
from danlu.view.drawing import Drawing
from danlu.view.graphs.expression import expression_diagram
from danlu.view.graphs.net import net_diagram
from view_samples import CHARTS, chart_of_run, sample_net

DRAWINGS = {kind: Drawing(make) for kind, make in CHARTS.items()}
DRAWINGS["net"] = Drawing(lambda: net_diagram(sample_net()))
DRAWINGS["expression"] = Drawing(lambda: expression_diagram(expression_graph("w*x", {"w": 2, "x": 3})))
STARTS = {".svg": b"<", ".png": b"\x89PNG", ".pdf": b"%PDF"}


@pytest.mark.every(10)
@pytest.mark.parametrize("kind", DRAWINGS)
@pytest.mark.parametrize("ending", [".svg", ".png"])
def test_every_kind_is_written(kind: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / "new" / f"picture{ending}"
    assert DRAWINGS[kind].save(path) == []
    content = path.read_bytes()
    assert content.startswith(STARTS[ending])
    if ending == ".svg":
        root = ET.fromstring(content)
        assert root.tag.endswith("svg")
        assert not [element for element in root.iter() if element.tag.endswith("script")]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["curves", "net", "surface"])
def test_the_same_picture_is_the_same_file(kind: str) -> None:
    for ending, start in STARTS.items():
        content = DRAWINGS[kind].file_content(ending)
        assert content.startswith(start)
        assert content == DRAWINGS[kind].file_content(ending)


@pytest.mark.every(10)
@pytest.mark.parametrize("kind", DRAWINGS)
def test_words_are_those_of_the_language(kind: str, language: str) -> None:
    svg = DRAWINGS[kind].file_content(".svg").decode()
    words = " ".join(re.findall(r">([^<>]+)</(?:text|tspan)", svg))
    assert bool(re.search(r"[\u3400-\u9fff]", words)) == (language == "zh")


def test_capitals_in_the_ending_are_no_matter_and_other_endings_are_refused(tmp_path: Path, language: str) -> None:
    DRAWINGS["expression"].save(tmp_path / "a.PNG")
    assert (tmp_path / "a.PNG").read_bytes().startswith(STARTS[".png"])
    with pytest.raises(UserError, match=r"a\.jpg.*\.png, \.svg, \.pdf"):
        DRAWINGS["expression"].save(tmp_path / "a.jpg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.PNG"]


def test_without_a_chinese_font_the_words_are_english_and_the_user_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setattr(drawing, "chinese_font_file", lambda: None)
    notes = DRAWINGS["net"].save(tmp_path / "a.png")
    assert [note.id for note in notes] == (["figure.no-chinese-font"] if language == "zh" else [])
    assert DRAWINGS["net"].save(tmp_path / "a.svg") == [], "an SVG keeps its words, and the viewer has a font"


def test_a_notebook_shows_a_chart_in_a_frame_of_its_own_and_a_graph_as_it_is() -> None:
    assert DRAWINGS["curves"]._repr_html_().startswith("<iframe")  # pyright: ignore
    assert DRAWINGS["net"]._repr_html_().startswith("<svg")  # pyright: ignore


def test_numbers_that_cannot_be_drawn_leave_gaps(tmp_path: Path) -> None:
    broken = {"kind": "steps", "first": 61, "epoch": 4, "loss": ["NaN", "Infinity"], "lr": 0.1, "norm": ["NaN", 1.0]}
    Drawing(lambda: chart_of_run("curves", broken)).save(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000
