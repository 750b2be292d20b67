"""class-ignored: told of an ignore_index that is a class."""

from typing import Any

import pytest

from danlu.watch.data_facts import LabelFacts
from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Intervention
from danlu.watch.rules.class_ignored import RULE
from measurements import check_threshold, told, verdict


def ignoring(*, ignored: int | None = 0, counts: tuple[int, ...] = (50, 50), dense: bool = False) -> Measured:
    return Measured(labels=LabelFacts("classes", 2, dict(enumerate(counts)), ignored=ignored, dense=dense))


THRESHOLDS = [
    ("min_labels", {"counts": (50, 49)}, {"counts": (50, 50)}),
    ("min_class_share", {"counts": (9, 991)}, {"counts": (11, 989)}),
]


def scenes(*, ignored: int = 0, counts: tuple[int, ...] = (50, 50)) -> Measured:
    """Pictures with a class for each pixel."""
    measured = ignoring(ignored=ignored, counts=counts, dense=True)
    measured.inputs.shape = (8, 1, 16, 16)
    return measured


def test_pixels_of_a_class_with_an_output_are_advice() -> None:
    assert check_threshold(RULE, scenes, "min_pixel_share", {"counts": (4, 96)}, {"counts": (6, 94)}) is None
    assert (told(RULE, scenes()).severity, told(RULE, scenes()).variant) == ("advice", "pixels")
    assert verdict(RULE, scenes(ignored=255)) is None


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, Any], beyond: dict[str, Any]) -> None:
    assert check_threshold(RULE, ignoring, name, inside, beyond) is None


def test_the_class_and_its_share_are_told() -> None:
    found = told(RULE, ignoring())
    assert (found.severity, found.numbers) == ("warning", {"label": 0, "share": 0.5})


@pytest.mark.parametrize("given", [{"ignored": None}, {"ignored": 2}, {"ignored": -100}, {"dense": True}])
def test_what_is_no_class_is_silent(given: dict[str, Any]) -> None:
    assert verdict(RULE, ignoring(**given)) is None


def test_a_class_that_was_declared_to_count_for_nothing_is_told_too() -> None:
    measured = ignoring(ignored=1, counts=(60,))
    assert verdict(RULE, measured) is None
    measured.labels.left_out = 40
    assert told(RULE, measured).numbers == {"label": 1, "share": 0.4}


@pytest.mark.parametrize(("gaps", "is_told"), [(0.02, True), (0.005, False), (float("nan"), False)])
def test_a_token_between_others_is_no_padding(gaps: float, is_told: bool) -> None:
    measured = ignoring(dense=True)
    measured.interventions["net"] = Intervention("net", 2, gaps=gaps)
    found = verdict(RULE, measured)
    assert (found is not None) == is_told
    assert found is None or (found.variant, found.numbers) == ("between", {"label": 0, "share": 0.02})


def tagging(*, left_out: float, outputs: int = 2) -> Measured:
    measured = ignoring(dense=True)
    measured.labels.outputs = outputs
    measured.interventions["net"] = Intervention("net", 2, left_out=left_out)
    return measured


def test_a_tag_of_words_that_are_no_padding_is_told() -> None:
    assert check_threshold(RULE, tagging, "min_tags_share", {"left_out": 0.39}, {"left_out": 0.41}) is None
    assert (told(RULE, tagging(left_out=0.6)).severity, told(RULE, tagging(left_out=0.6)).variant) == (
        "warning",
        "tags",
    )


@pytest.mark.parametrize("given", [{"left_out": 0.0}, {"left_out": float("nan")}, {"left_out": 0.6, "outputs": 0}])
def test_padding_and_marks_that_the_net_has_no_output_for_are_silent(given: dict[str, Any]) -> None:
    assert verdict(RULE, tagging(**given)) is None


def weighed(*, weights: tuple[float, ...] = (1.0, 0.0), dense: bool = False, kind: str = "classes") -> Measured:
    return Measured(labels=LabelFacts(kind, 2, {0: 900, 1: 100}, dense=dense, weights=weights))


def test_a_class_that_weighs_nothing_is_told() -> None:
    found = told(RULE, weighed())
    assert (found.variant, found.numbers) == ("weight", {"label": 1, "share": 0.1})
    for healthy in (weighed(weights=(1.0, 0.1)), weighed(dense=True), weighed(kind="binary"), weighed(weights=(0.0,))):
        assert verdict(RULE, healthy) is None


def tagged(*, share: float) -> Measured:
    measured = ignoring(dense=True)
    measured.interventions["net"] = Intervention("net", 2, left_out=share)
    return measured


def test_the_threshold_of_tags_decides() -> None:
    assert check_threshold(RULE, tagged, "min_tags_share", {"share": 0.39}, {"share": 0.41}) is None
