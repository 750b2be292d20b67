"""parameters-not-optimized: told of parameters that get gradients and stand still."""

import pytest

from danlu.watch.layer_facts import Net
from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser
from danlu.watch.rules.parameters_not_optimized import RULE
from measurements import check_threshold, layer, told, verdict


def left_out(*, steps: int = 10, backwards: int = 10, unlisted: int = 0, foreign: int = 0, owned: int = 2) -> Measured:
    optimiser = Optimiser("SGD", steps=steps, given=True, foreign=foreign, owned=owned)
    measured = Measured(step=steps, backwards=backwards, optimisers=[optimiser])
    measured.net.trainable, measured.net.unlisted = 6, unlisted
    if not unlisted:
        measured.net.unoptimised = ("2.weight", "2.bias")
    return measured


THRESHOLDS = [
    ("min_steps", {"steps": 2}, {"steps": 3}),
    ("min_backward_passes", {"unlisted": 4, "backwards": 7}, {"unlisted": 4, "backwards": 8}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, int], beyond: dict[str, int]) -> None:
    assert check_threshold(RULE, left_out, name, inside, beyond) is None


def test_they_are_told_with_their_number_and_their_layer() -> None:
    found = told(RULE, left_out())
    assert (found.severity, found.variant, found.where) == ("warning", "", ("2",))
    assert found.numbers == {"count": 2, "total": 6, "foreign": 0}


def test_an_optimiser_of_another_net_is_an_error() -> None:
    found = told(RULE, left_out(foreign=6, owned=0))
    assert (found.severity, found.variant, found.numbers["foreign"]) == ("error", "foreign", 6)


def test_layers_in_a_plain_list_are_told() -> None:
    measured = left_out()
    measured.net.unregistered = 3
    assert (told(RULE, measured).variant, told(RULE, measured).numbers) == ("unregistered", {"count": 3})
    measured.net.made_anew = True
    assert told(RULE, measured).variant == "made-anew"
    assert told(RULE, left_out(unlisted=4)).variant == "moved"


def test_a_trained_trunk_may_be_kept() -> None:
    measured = left_out()
    measured.net.unoptimised_first = True
    measured.layers["2"] = layer("2", fresh=False)
    assert (told(RULE, measured).severity, told(RULE, measured).variant) == ("advice", "trunk")
    measured.layers["2"].fresh = True
    assert told(RULE, measured).severity == "warning"


def test_where_all_are_optimised_nothing_is_told() -> None:
    measured = left_out()
    measured.net.unoptimised = ()
    assert verdict(RULE, measured) is None


def frozen(*, fresh: bool = True, trainable: bool = False) -> Measured:
    measured = left_out()
    measured.net.unoptimised = ()
    for name, facts in {"0": {"fresh": fresh, "trainable": trainable}, "2": {}}.items():
        measured.layers[name] = layer(name, **facts)
    return measured


def test_layers_frozen_as_they_were_drawn_are_worth_a_word() -> None:
    found = told(RULE, frozen())
    assert (found.severity, found.variant, found.where, found.numbers) == ("advice", "frozen", ("0",), {"count": 1})
    assert verdict(RULE, frozen(fresh=False)) is None
    assert verdict(RULE, frozen(trainable=True)) is None


@pytest.mark.parametrize(
    ("net", "variant"), [(Net(loose=2), "loose"), (Net(frozen_at_zero=("a.up.weight", "b.up.weight")), "zero")]
)
def test_parameters_of_the_loss_and_adapters_frozen_at_zero_are_told(net: Net, variant: str) -> None:
    found = told(RULE, Measured(step=20, net=net, optimisers=[Optimiser("Adam", steps=20, owned=4)]))
    assert (found.severity, found.variant, found.numbers["count"]) == ("warning", variant, 2)
