"""Nets by name: what the data fill in, what is refused and how, and the way back from a net to its options."""

import json
from typing import Any

import pytest
import torch
from torch import nn

from danlu.base.errors import UserError
from danlu.nets import MLP, LeNet5, build, describe, example, names, option_names, recipe_of, size
from danlu.nets.registry import NETS, NetEntry
from danlu.nets.trace import first_tensor


def samples_for(name: str) -> torch.Tensor:
    """Two samples such as the net called `name` takes, small ones."""
    entry = NETS[name]
    if entry.task == "translation":
        return torch.tensor([[[3, 1, 4], [2, 3, 0]], [[2, 0, 0], [2, 1, 3]]])
    if entry.vocabulary:
        return torch.tensor([[3, 1, 4], [2, 0, 0]])
    if len(entry.sample_shape) == 2:
        return torch.zeros(2, *entry.sample_shape)
    return torch.zeros(2, 1, *[max(8, entry.least_side)] * 2)


def built(name: str, **options: Any) -> nn.Module:
    """The net called `name` for data that it takes."""
    entry = NETS[name]
    return build(
        name,
        options,
        sample_shape=tuple(samples_for(name).shape[1:]),
        outputs=entry.classes or (5 if entry.task == "translation" else 3),
        task=entry.task or "classification",
        vocabulary=entry.vocabulary and 5,
    )


def shapes(net: nn.Module) -> dict[str, torch.Size]:
    return {key: value.shape for key, value in net.state_dict().items()}


def test_names_are_those_promised() -> None:
    linear = ["linear-regression", "logistic-regression", "softmax-regression"]
    pictures = [
        "lenet5",
        "small-inception",
        "googlenet",
        "small-resnet",
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
    ]
    dense = ["small-densenet", "densenet121", "densenet169"]
    sequences = ["sequence-classifier", "language-model", "transformer-classifier", "transformer-language-model"]
    places = ["sequence-tagger", "transformer-tagger", "encoder-decoder", "transformer-encoder-decoder", "unet"]
    others = ["mixture-density", "rnn", "gru", "lstm", "tcn", "autoencoder"]
    assert names() == [*linear, "mlp", *pictures, *dense, *sequences, "tabm", *places, *others]


# The largest of a family are built in the same way as the others, and take seconds.
_LARGEST = ("resnet50", "resnet101", "densenet121", "densenet169")
NAMES = [pytest.param(name, marks=pytest.mark.slow) if name in _LARGEST else name for name in names()]


@pytest.mark.every(3)
@pytest.mark.parametrize("name", NAMES)
def test_every_net_fits_the_data_it_was_built_for(name: str) -> None:
    shapes = {
        "logistic-regression": (1,),
        "language-model": (3, 5),
        "transformer-language-model": (3, 5),
        "sequence-tagger": (3, 3),
        "transformer-tagger": (3, 3),
        "encoder-decoder": (3, 5),
        "transformer-encoder-decoder": (3, 5),
        "unet": (3, 8, 8),
        "mixture-density": (5, 1 + 2 * 3),
        "autoencoder": (64,),
    }
    outputs = built(name)(samples_for(name))
    assert first_tensor(outputs).shape == (2, *shapes.get(name, (3,)))


@pytest.mark.every(3)
@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_kept_as_an_attribute_and_rebuilds_the_net(name: str) -> None:
    net = built(name)
    recipe = recipe_of(net)
    assert recipe is not None
    found, options = recipe
    folded = {"mlp": ["depth", "width"]}
    assert found == name
    assert list(options) == [option for option in option_names(name) if option not in folded.get(name, [])]
    plain = json.loads(json.dumps(options))
    assert plain == options
    rebuilt = built(name, **plain)
    assert shapes(rebuilt) == shapes(net)
    assert repr(rebuilt) == repr(net)
    assert recipe_of(rebuilt) == recipe


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

    monkeypatch.setitem(NETS, "sized", NetEntry(lambda: Sized))
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
        ("densenet121", (3, 28, 28), 3, "classification", r"densenet121 .* 29×29.*28×28"),
        ("small-inception", (1, 8, 8), 3, "classification", r"^[^\n]*small-inception .* 16×16.*8×8[^\n]*$"),
        ("sequence-classifier", (1, 8, 8), 3, "classification", "sequence-classifier .*1×8×8"),
        ("sequence-classifier", (20,), 3, "classification", r"sequence-classifier .*net\.vocabulary"),
        ("language-model", (20,), 3, "classification", "language-model .*sequence-classifier"),
        ("lenet5", (20,), 3, "language", "lenet5 .*language-model"),
    ],
)
def test_a_net_for_other_data_is_refused(
    name: str, shape: tuple[int, ...], outputs: int, task: str, message: str, language: str
) -> None:
    with pytest.raises(UserError, match=message):
        build(name, {}, sample_shape=shape, outputs=outputs, task=task)


def test_a_net_beyond_all_memory_is_refused(language: str) -> None:
    with pytest.raises(UserError, match=r"(?=.*mlp).*'hidden': 2000000000"):
        build("mlp", {"hidden": 2 * 10**9}, sample_shape=(4,), outputs=2, task="classification")


def test_a_misfit_of_the_data_does_not_hide_wrong_options(language: str) -> None:
    with pytest.raises(UserError, match=r"(?s)vocabulary.*net\.cell.*\"gru\"") as caught:
        build("sequence-classifier", {"cell": "gruu"}, sample_shape=(20,), outputs=2, task="classification")
    assert len(caught.value.faults) == 2


@pytest.mark.every(3)
@pytest.mark.parametrize("name", NAMES)
def test_every_example_is_described(name: str) -> None:
    net, sample_shape = example(name)
    found = describe(net, sample_shape)
    assert found.parameters == sum(weight.numel() for weight in net.parameters()) > 0
    assert found.parameters == sum(row.parameters for row in found.rows)
    assert found.multiply_adds > 0


MULTIPLY_ADDS = {"resnet18": 1.81, "resnet50": 4.09, "googlenet": 1.5, "densenet121": 2.83}  # published, in 10⁹


@pytest.mark.every(2)
@pytest.mark.parametrize("name", MULTIPLY_ADDS)
def test_multiply_adds_are_those_published(name: str) -> None:
    assert describe(*example(name)).multiply_adds / 1e9 == pytest.approx(MULTIPLY_ADDS[name], abs=0.006)


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


@pytest.mark.every(3)
@pytest.mark.parametrize("name", [name for name in NAMES if not isinstance(name, str) or NETS[name].size])
def test_sizes_that_are_written_down_are_those_measured(name: str) -> None:
    described = describe(*example(name))
    assert size(name) == (described.parameters, described.multiply_adds)
