"""Nets by name: what the data fill in, what is refused and how, and the way back from a net to its options."""

import json
from typing import Any

import pytest
import torch
from torch import nn

from danlu.base.errors import UserError
from danlu.nets import MLP, LeNet5, LogisticRegression, build, names, option_names, recipe_of
from danlu.nets.catalogue import NETS, Entry


def built(name: str, **options: Any) -> nn.Module:
    """The net called `name` for data that it takes."""
    regression = NETS[name].task == "regression"
    outputs = NETS[name].classes or 3
    return build(
        name, options, sample_shape=(1, 8, 8), outputs=outputs, task="regression" if regression else "classification"
    )


def shapes(net: nn.Module) -> dict[str, torch.Size]:
    return {key: value.shape for key, value in net.state_dict().items()}


def test_names_are_those_promised() -> None:
    assert names() == ["linear-regression", "logistic-regression", "softmax-regression", "mlp", "lenet5"]


@pytest.mark.parametrize("name", names())
def test_every_net_fits_the_data_it_was_built_for(name: str) -> None:
    net = built(name)
    outputs = 1 if isinstance(net, LogisticRegression) else 3
    assert net(torch.zeros(2, 1, 8, 8)).shape == (2, outputs)


@pytest.mark.parametrize("name", names())
def test_every_option_is_kept_as_an_attribute_and_rebuilds_the_net(name: str) -> None:
    net = built(name)
    recipe = recipe_of(net)
    assert recipe is not None
    found, options = recipe
    assert (found, list(options)) == (name, option_names(name))
    assert all(hasattr(net, option) for option in option_names(name))
    plain = json.loads(json.dumps(options))
    assert plain == options
    rebuilt = built(name, **plain)
    assert shapes(rebuilt) == shapes(net)
    assert repr(rebuilt) == repr(net)


@pytest.mark.parametrize("spelling", ["softmax-regression", "softmax_regression", "SoftmaxRegression"])
def test_names_are_found_in_any_spelling(spelling: str) -> None:
    net = build(spelling, {}, sample_shape=(4,), outputs=3, task="classification")
    assert recipe_of(net) == ("softmax-regression", {"inputs": 4, "classes": 3})


def test_options_win_over_the_data() -> None:
    net = build("lenet5", {"classes": 7}, sample_shape=(3, 32, 32), outputs=10, task="classification")
    assert isinstance(net, LeNet5)
    assert (net.classes, net.channels) == (7, 3)


def test_data_decide_the_side_of_square_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sized(nn.Module):
        def __init__(self, size: int = 1) -> None:
            super().__init__()
            self.size = size

    monkeypatch.setitem(NETS, "sized", Entry(Sized))
    square = build("sized", {}, sample_shape=(3, 16, 16), outputs=1, task="regression")
    oblong = build("sized", {}, sample_shape=(3, 16, 20), outputs=1, task="regression")
    assert (square.size, oblong.size) == (16, 1)


def test_unknown_net_names_the_nearest(language: str) -> None:
    with pytest.raises(UserError, match=r'"lenet6".*mlp, lenet5.*"lenet5"'):
        build("lenet6", {}, sample_shape=(1, 8, 8), outputs=10, task="classification")


def test_all_wrong_options_are_told_at_once(language: str) -> None:
    options = {"activaton": "relu", "hidden": "wide", "dropout": 1.5}
    with pytest.raises(
        UserError, match=r"(?s)net\.activaton.*mlp.*\"activation\".*net\.hidden.*net\.dropout"
    ) as caught:
        build("mlp", options, sample_shape=(4,), outputs=2, task="classification")
    assert len(caught.value.faults) == 3


def test_values_from_a_command_line_are_understood() -> None:
    options = {"hidden": "64,32", "dropout": "0.5", "activation": "Leaky_ReLU"}
    net = build("mlp", options, sample_shape=(4,), outputs=2, task="classification")
    assert isinstance(net, MLP)
    assert (net.hidden, net.dropout, net.activation) == ((64, 32), 0.5, "leaky-relu")


@pytest.mark.parametrize(
    ("name", "shape", "outputs", "task", "message"),
    [
        ("linear-regression", (4,), 3, "classification", "softmax-regression"),
        ("softmax-regression", (4,), 1, "regression", "linear-regression"),
        ("logistic-regression", (4,), 3, "classification", "logistic-regression .* 2 .* 3"),
        ("lenet5", (13,), 3, "classification", "lenet5 .* 13"),
        ("lenet5", (28, 28), 3, "classification", "lenet5 .* 28×28"),
    ],
)
def test_a_net_for_other_data_is_refused(
    name: str, shape: tuple[int, ...], outputs: int, task: str, message: str, language: str
) -> None:
    with pytest.raises(UserError, match=message):
        build(name, {}, sample_shape=shape, outputs=outputs, task=task)


def test_a_net_beyond_all_memory_is_refused(language: str) -> None:
    with pytest.raises(UserError, match=r"(?=.*mlp).*'hidden': 1000000000000000"):
        build("mlp", {"hidden": 10**15}, sample_shape=(4,), outputs=2, task="classification")


def test_no_recipe_for_foreign_nets_and_subclasses() -> None:
    class Mine(MLP):
        pass

    assert recipe_of(nn.Linear(2, 2)) is None
    assert recipe_of(Mine()) is None


def test_no_recipe_for_a_net_that_was_changed_by_hand() -> None:
    net = LeNet5()
    net.classifier[4] = nn.Linear(84, 3)
    assert recipe_of(net) is None
    other = MLP()
    other.layers[1] = nn.Tanh()
    assert recipe_of(other) is None


def test_recipe_does_not_depend_on_weights_precision_or_mode() -> None:
    net = MLP(hidden=[7], dropout=0.5)
    assert recipe_of(net.double().eval()) == recipe_of(MLP(hidden=7, dropout=0.5))


def test_asking_for_the_recipe_draws_nothing() -> None:
    before = torch.get_rng_state()
    recipe_of(LeNet5().requires_grad_(False))
    after_building = torch.get_rng_state()
    net = MLP()
    state = torch.get_rng_state()
    recipe_of(net)
    assert torch.equal(torch.get_rng_state(), state)
    assert not torch.equal(before, after_building)
