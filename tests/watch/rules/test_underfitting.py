"""underfitting: told where the loss stands at what guessing gives, or where a layer is too narrow."""

import math

import pytest

from danlu.watch.rules.underfitting import RULE
from measurements import training, verdict


@pytest.mark.parametrize(("share", "told"), [(1.0, True), (0.995, True), (0.98, False), (0.8, False), (0.6, False)])
def test_only_a_loss_at_the_level_of_guessing_is_told(share: float, told: bool) -> None:
    rest = share * math.log(10)
    found = verdict(RULE, training(lambda step: max(rest, 2.5 - 0.01 * step), 300))
    assert (found is not None) is told
    if found:
        assert found.severity == "warning"


def test_a_loss_that_still_falls_is_silent() -> None:
    assert verdict(RULE, training(lambda step: 2.8 - 0.0015 * step, 300)) is None


def test_a_surrogate_has_no_level_of_guessing() -> None:
    measured = training(lambda step: math.log(10), 300)
    measured.weighs_samples = True
    assert verdict(RULE, measured) is None
