"""padding-seen: told where answers follow from padding."""

import math

import pytest

from danlu.watch.layer_facts import Net
from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Intervention
from danlu.watch.rules.padding_seen import RULE
from measurements import check_threshold, said, told, verdict


def tried(*, padded: float = 0.3, pads: float = 0.5, context: float = 0.4, attends: bool = True) -> Measured:
    trial = Intervention("", 2, padded=padded, pads=pads, context=context)
    return Measured(interventions={"": trial}, net=Net(attends=attends))


@pytest.mark.parametrize(
    ("name", "inside", "beyond"),
    [
        ("min_padded_share", {"padded": 0.09}, {"padded": 0.11}),
        ("min_moved_share", {"pads": 0.049}, {"pads": 0.051}),
    ],
)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, tried, name, inside, beyond) is None


def test_a_mask_is_taken_for_inverted_where_other_tokens_move_nothing() -> None:
    given = "max_context_share", {"context": 0.0011}, {"context": 0.0009}
    assert said(check_threshold(RULE, tried, *given)) == ("warning", "")
    assert said(told(RULE, tried(context=0.0))) == ("error", "inverted")


def test_attention_over_padding_is_a_warning_and_reading_it_advice() -> None:
    assert said(told(RULE, tried())) == ("warning", "")
    assert said(told(RULE, tried(attends=False))) == ("advice", "read")


def drowned(*, pads: float = 2.0, response: float = 0.01) -> Measured:
    measured = tried(pads=pads, attends=False)
    for step in (2, 50):
        measured.interventions[""].response.add(step, response)
    return measured


@pytest.mark.parametrize(
    ("name", "inside", "beyond"),
    [
        ("min_moved_share_warning", {"pads": 0.99}, {"pads": 1.01}),
        ("max_response", {"response": 0.051}, {"response": 0.049}),
    ],
)
def test_padding_that_leaves_nothing_of_the_sample_is_a_warning(
    name: str, inside: dict[str, float], beyond: dict[str, float]
) -> None:
    assert said(check_threshold(RULE, drowned, name, inside, beyond)) == ("advice", "read")
    assert said(told(RULE, drowned())) == ("warning", "read")


def test_masked_padding_is_silent() -> None:
    assert verdict(RULE, tried(pads=1e-7)) is None
    assert verdict(RULE, tried(pads=math.nan)) is None


@pytest.mark.parametrize(
    ("context", "attends", "variant"),
    [(0.0, True, "inverted"), (0.4, True, None), (0.0, False, None), (math.nan, True, None)],
)
def test_of_tokens_that_are_looked_up_only_an_inverted_mask_is_told(
    context: float, attends: bool, variant: str | None
) -> None:
    measured = tried(context=context, attends=attends, pads=math.nan)
    measured.interventions[""].aside = True
    found = verdict(RULE, measured)
    assert (found.variant if found else None) == variant
