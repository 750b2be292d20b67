"""output-collapsed: told where exchanging samples exchanges no answers."""

from collections.abc import Sequence
from typing import Any

import pytest

from danlu.watch.data_facts import LabelFacts
from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Intervention
from danlu.watch.rules.output_collapsed import RULE
from measurements import check_threshold, layer, said, series, told, verdict


def tried(
    responses: Sequence[float] = (1.0, 0.0), steps: Sequence[int] = (2, 50), *, outputs: int = 3,
    reconstructs: bool = False, labels: LabelFacts | None = None,
) -> Measured:  # fmt: skip
    made = series(responses, steps)
    trial = Intervention("", steps[-1], response=made, turn=made, outputs=outputs, reconstructs=reconstructs)
    return Measured(interventions={"": trial}, labels=labels or LabelFacts())


EMBEDDED: dict[str, Any] = {"responses": (1.0, 0.01, 0.01), "steps": (2, 50, 200), "outputs": 16}
FALLING: dict[str, Any] = {"responses": (1.2, 0.7, 0.4, 0.19), "steps": (2, 50, 200, 400), "outputs": 16}
THRESHOLDS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("min_trials", {"responses": (0.0,), "steps": (50,)}, {"responses": (1.0, 0.0)}),
    ("min_steps", {"steps": (2, 49)}, {"steps": (2, 50)}),
    ("max_response_deaf", {"responses": (1.0, 1.1e-6)}, {"responses": (1.0, 0.9e-6)}),
    ("max_response", EMBEDDED | {"responses": (1.0, 0.01, 0.051)}, EMBEDDED | {"responses": (1.0, 0.01, 0.049)}),
    ("min_fall", EMBEDDED | {"responses": (0.049, 0.01, 0.01)}, EMBEDDED | {"responses": (0.051, 0.01, 0.01)}),
    ("max_response_falling", FALLING | {"responses": (1.2, 0.7, 0.4, 0.21)}, FALLING),
    ("min_outputs", EMBEDDED | {"outputs": 7}, EMBEDDED | {"outputs": 8}),
]


def drawn(*, spreads: Sequence[float] = (0.6, 0.6, 0.5, 0.4, 0.1, 0.1)) -> Measured:
    """Answers that a loss only draws together."""
    return Measured(together=series(spreads))


def test_answers_that_are_only_drawn_together_are_told() -> None:
    assert check_threshold(RULE, drawn, "min_measurements", {"spreads": (0.6, 0.1, 0.1, 0.1, 0.1)}, {}) is None
    apart, near = (0.6, 0.6, 0.6, 0.6, 0.21, 0.21), (0.6, 0.6, 0.6, 0.6, 0.19, 0.19)
    assert check_threshold(RULE, drawn, "min_fall_together", {"spreads": apart}, {"spreads": near}) is None
    found = told(RULE, drawn())
    assert (found.variant, found.since, found.numbers) == ("together", 5, {"share": 0.1, "first": 0.6})


def shrinking(
    *, spreads: Sequence[float] = (0.5, 0.5, 0.4, 0.2, 0.08, 0.07), left: float = 0.3, outputs: int = 8,
    kind: str = "",
) -> Measured:  # fmt: skip
    """An embedding, and a loss of distances that has fallen to a share of what it was."""
    last = layer("last", outputs=outputs, width=outputs, std=series(spreads), called=True)
    measured = Measured(step=100, layers={"last": last}, labels=LabelFacts(kind))
    for place in range(100):
        measured.loss.add(1.0 if place < 50 else left)
    return measured


def test_an_embedding_that_shrinks_to_a_point_is_told() -> None:
    assert check_threshold(RULE, shrinking, "min_loss_left", {"left": 0.09}, {"left": 0.11}) is None
    found = told(RULE, shrinking())
    assert (found.severity, found.variant, found.where) == ("warning", "shrunk", ("last",))
    others: list[dict[str, Any]] = [
        {"spreads": (0.5, 0.5, 0.4, 0.2, 0.11, 0.11)},
        {"spreads": (0.5, 0.4, 0.08, 0.07)},
        {"outputs": 7},
        {"kind": "classes"},
    ]
    assert [verdict(RULE, shrinking(**one)) for one in others] == [None] * 4


def test_arguments_that_change_nothing_are_told() -> None:
    measured = tried((1.0, 0.9))
    for names, severity in (({"t", "marks"}, "warning"), ({"marks"}, "advice")):
        measured.interventions[""].ignores = names
        found = told(RULE, measured)
        assert (found.severity, found.variant) == (severity, "argument")
        assert found.numbers == {"names": ", ".join(sorted(names))}


def test_what_a_narrow_layer_lets_through_is_told_by_another_rule() -> None:
    def narrow(*, classes: int = 4) -> Measured:
        measured = tried(labels=LabelFacts("classes", classes))
        measured.layers["two"] = layer("two", outputs=1, width=1)
        measured.net.bottlenecks = ("two",)
        return measured

    assert said(verdict(RULE, narrow(classes=3))) == ("warning", "")
    assert verdict(RULE, narrow()) is None
    deaf = narrow()
    deaf.interventions["deaf"] = tried((0.0, 0.0)).interventions[""]
    assert verdict(RULE, deaf) is None
    assert check_threshold(RULE, narrow, "min_classes", {"classes": 3}, {"classes": 4}) is not None


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, Any], beyond: dict[str, Any]) -> None:
    assert check_threshold(RULE, tried, name, inside, beyond) is None


def test_answers_that_have_become_one_are_told() -> None:
    found = told(RULE, tried())
    assert (found.severity, found.variant, found.since) == ("warning", "", 50)


def test_a_net_that_never_used_its_input_is_told_as_that() -> None:
    assert told(RULE, tried((0.0, 0.0))).variant == "deaf"


def test_equal_features_are_told_where_no_labels_are_counted() -> None:
    assert told(RULE, tried(**EMBEDDED)).variant == "embedding"
    assert verdict(RULE, tried(**EMBEDDED, labels=LabelFacts("numbers"))) is None
    assert verdict(RULE, tried(**EMBEDDED, labels=LabelFacts("classes", counts={0: 5}))) is None


def test_one_mean_picture_is_told_where_it_stays() -> None:
    early = EMBEDDED | {"reconstructs": True}
    assert verdict(RULE, tried(**early)) is None
    assert told(RULE, tried(**early | {"steps": (2, 200, 800)})).variant == "code"


def test_answers_that_differ_are_silent() -> None:
    assert verdict(RULE, tried((1.0, 0.5))) is None
    assert verdict(RULE, Measured()) is None
