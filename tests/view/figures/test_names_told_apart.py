"""Names of layers beside a picture: short enough for a phone, and never two alike."""

import pytest

from danlu.view.figures.chart import Cells
from danlu.view.figures.flow import flow_chart
from danlu.view.figures.names import told_apart
from danlu.view.info.flow import Flow

MOST = 22
RESNET = [f"layer{stage}.{block}.{part}" for stage in (1, 4) for block in (0, 1) for part in ("conv1", "downsample.0")]
DENSENET = [
    f"features.denseblock{block}.denselayer{layer}.conv{part}"
    for block in (1, 2, 3, 4)
    for layer in (1, 12)
    for part in (1, 2)
]
TRANSFORMER = [
    f"transformer.encoder.layers.{layer}.{part}"
    for layer in (0, 11)
    for part in ("self_attn.out_proj", "linear1", "linear2")
]


@pytest.mark.parametrize(
    ("names", "first"),
    [
        (RESNET, "layer1.0.conv1"),  # as they are, where all have room
        (DENSENET, "f.d1.d1.conv1"),
        (TRANSFORMER, "t.e.l.0.s.out_proj"),
        (["encoder.attention.query", "encoder.attentive.query_of"], "e.attention.query"),
        (["a" * 40, "a" * 40 + "b"], "aaaaaaa…aaaaaaaaaaaa…1"),
        (["head"], "head"),
        ([""], ""),
        ([], None),
    ],
)
def test_long_names_are_short_and_differ(names: list[str], first: str | None) -> None:
    found = told_apart(names, MOST)
    assert next(iter(found), None) == first
    assert len({*found}) == len({*names})
    assert all(len(one) <= MOST for one in found)


def test_the_numbers_of_blocks_stay() -> None:
    for whole, short in zip(DENSENET, told_apart(DENSENET, MOST), strict=True):
        assert [one for one in whole if one.isdigit()] == [one for one in short if one.isdigit()]


@pytest.mark.parametrize("names", [DENSENET, RESNET])
def test_signal_flow_keeps_whole_names_for_who_points_at_a_row(names: list[str]) -> None:
    chart = flow_chart(Flow(tuple(names), (1,), {"spread": tuple((1.0,) for _ in names)}))
    (cells,) = chart.panels[0].marks
    assert isinstance(cells, Cells)
    assert [*cells.names] == (names if names is DENSENET else [])
