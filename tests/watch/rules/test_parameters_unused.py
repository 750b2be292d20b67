"""parameters-unused: told of parameters that an optimiser holds and no gradient reaches."""

import pytest

from danlu.base.records import CodeLine
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.rules.parameters_unused import RULE
from measurements import check_threshold, layer, series, told, verdict


def unreached(*, backwards: int = 20, steps: int = 20, name: str = "spare") -> Measured:
    measured = Measured(step=steps, backwards=backwards)
    measured.net.trainable, measured.net.unreached = 6, (f"{name}.weight", f"{name}.bias")
    return measured


THRESHOLDS = [
    ("min_backward_passes", {"backwards": 7}, {"backwards": 8}),
    ("min_steps", {"steps": 14}, {"steps": 15}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, int], beyond: dict[str, int]) -> None:
    assert check_threshold(RULE, unreached, name, inside, beyond) is None


def test_they_are_told_with_their_number_and_their_layer() -> None:
    found = told(RULE, unreached())
    assert (found.severity, found.variant, found.where) == ("warning", "", ("spare",))
    assert found.numbers == {"count": 2, "total": 6}


def test_a_layer_that_is_called_is_cut_off() -> None:
    measured = unreached()
    measured.layers["spare"] = layer("spare")
    assert (told(RULE, measured).severity, told(RULE, measured).variant) == ("error", "cut")


def test_the_backward_pass_that_does_not_lead_to_them_is_named() -> None:
    measured = unreached()
    measured.layers["spare"] = layer("spare")
    other, own = CodeLine("train.py", 8), CodeLine("train.py", 9)
    measured.optimisers = [
        Optimiser("Adam", without_gradient=series([0.0, 0.0]), backward_at=other),
        Optimiser("Adam", without_gradient=series([1.0, 1.0]), backward_at=own),
    ]
    assert told(RULE, measured).line == own
    del measured.optimisers[1]
    assert told(RULE, measured).line is None


def test_branches_may_take_turns() -> None:
    measured = unreached(name="branches.0")
    measured.layers["branches.1"] = layer("branches.1", reached=True)
    assert told(RULE, measured).severity == "advice"


def test_where_all_are_reached_nothing_is_told() -> None:
    assert verdict(RULE, Measured(step=20, backwards=20)) is None


def test_a_checkpoint_whose_inputs_need_no_gradient_is_told() -> None:
    measured = unreached(name="blocks.0.down")
    measured.checkpointed_dry = 40
    assert (told(RULE, measured).severity, told(RULE, measured).variant) == ("error", "checkpoint")
    measured.checkpointed_dry = 7
    assert told(RULE, measured).variant == ""
