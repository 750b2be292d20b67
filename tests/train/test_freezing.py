"""Parts of a net that stand still, until an epoch or for good, and parts with rates of their own."""

import pytest
import torch
from torch import nn

from danlu.base.errors import Faults, UserError
from danlu.base.recipe import OptimRecipe, Recipe, TrainRecipe
from danlu.nets import LanguageModel, SmallResNet
from danlu.train.freezing import Freezer, check_parts, lies_in, parameters_in, parts_of
from danlu.train.loop import train
from danlu.train.losses import build_loss
from danlu.train.module_engine import ModuleEngine
from danlu.train.optimisers import build_optimiser, resolve_optim
from danlu.train.progress import Progress
from danlu.train.schedules import Horizon, Schedule


def net_of_three() -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 5), nn.Linear(5, 1))


def trained(net: nn.Module, epochs: int, **settings: object) -> None:
    """Two batches an epoch, by the optimiser that `settings` describe."""
    optim = {key: settings.pop(key) for key in ("rates", "name", "lr", "momentum") if key in settings}
    recipe = Recipe(
        optim=resolve_optim(OptimRecipe(**optim)),  # type: ignore[arg-type]
        train=TrainRecipe(epochs=epochs, batch_size=8, **settings),  # type: ignore[arg-type]
    )
    frozen, thaws = recipe.train.freeze or (), recipe.train.thaw is not None
    optimizer = build_optimiser(recipe.optim, net, frozen=frozen, thaws=thaws)
    x = torch.linspace(-1, 1, 64).reshape(16, 4)
    y = x.sum(1, keepdim=True) ** 2
    step = ModuleEngine(
        net,
        build_loss("mse", recipe.loss),
        optimizer,
        Schedule(recipe.schedule, Horizon(epochs, 2)),
        recipe,
        torch.device("cpu"),
    )
    batches = [(x[:8], y[:8]), (x[8:], y[8:])]
    with step:
        train(step, lambda epoch, start: batches[start:], lambda: None, Progress(epochs, 2), [])


def changed(net: nn.Module, before: dict[str, torch.Tensor]) -> set[str]:
    return {name for name, tensor in net.state_dict().items() if not torch.equal(tensor, before[name])}


def snapshot(net: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_frozen_parts_stand_still_with_their_averages(name: str) -> None:
    net = net_of_three()
    before = snapshot(net)
    trained(net, 2, freeze=("0", "1"), name=name)
    assert changed(net, before) == {"3.weight", "3.bias", "4.weight", "4.bias"}
    assert all(weight.requires_grad for weight in net.parameters()), "the net comes back as it was given"


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop"])
def test_until_they_thaw_and_no_longer(name: str) -> None:
    early, late = net_of_three(), net_of_three()
    before = snapshot(early)
    trained(early, 2, freeze=("0", "1"), thaw=3, name=name)
    assert changed(early, before) == {"3.weight", "3.bias", "4.weight", "4.bias"}
    trained(late, 3, freeze=("0", "1"), thaw=3, name=name)
    assert changed(late, before) == set(before), "weights and averages"


def test_a_training_that_thaws_at_once_is_one_without_freezing_but_for_its_first_epoch() -> None:
    """After the thaw, plain SGD goes on as if it had begun there."""
    ours, theirs = net_of_three(), net_of_three()
    settings = {"name": "sgd", "lr": 0.05, "momentum": 0.0}
    trained(ours, 3, freeze=("0", "1"), thaw=2, **settings)
    trained(theirs, 1, freeze=("0", "1"), **settings)
    trained(theirs, 2, **settings)
    for name, tensor in theirs.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], tensor, rtol=1e-6, atol=1e-7)


def test_what_the_user_froze_stays_frozen() -> None:
    net = net_of_three()
    net[3].requires_grad_(False)
    before = snapshot(net)
    trained(net, 2, freeze=("0",), thaw=2)
    assert not {"3.weight", "3.bias"} & changed(net, before)
    assert not net[3].weight.requires_grad


def test_the_longest_name_decides_the_rate() -> None:
    net = SmallResNet(depth=8)
    recipe = resolve_optim(OptimRecipe(lr=0.5, rates=("layer3:0.1", "layer3.0.conv1:0.2", "fc:0.3")))
    groups = build_optimiser(recipe, net).param_groups
    rate = {id(weight): group["lr"] for group in groups for weight in group["params"]}
    found = {name: rate[id(weight)] for name, weight in net.named_parameters()}
    assert groups[0]["lr"] == 0.5
    assert (found["layer3.0.conv1.weight"], found["layer3.0.bn1.weight"]) == (0.2, 0.1)
    assert (found["fc.bias"], found["conv1.weight"]) == (0.3, 0.5)
    assert len(found) == sum(len(group["params"]) for group in groups)


def test_every_parameter_moves_by_its_rate() -> None:
    net = net_of_three()
    before = {name: weight.detach().clone() for name, weight in net.named_parameters()}
    optimizer = build_optimiser(resolve_optim(OptimRecipe(name="sgd", lr=0.01, rates=("4:0.5", "0.bias:0.25"))), net)
    net(torch.ones(3, 4).cumsum(0)).square().sum().backward()
    optimizer.step()
    for name, weight in net.named_parameters():
        rate = 0.5 if name.startswith("4.") else 0.25 if name == "0.bias" else 0.01
        assert weight.grad is not None
        torch.testing.assert_close(weight.detach(), before[name] - rate * weight.grad)


def test_a_shared_weight_lies_in_both_layers() -> None:
    net = LanguageModel(vocabulary=7, embedding=8, hidden=8, tied=True)
    assert {"embed.weight", "output.weight"} <= set(parts_of(net))
    assert net.embed.weight in parameters_in(net, ["output"])
    with Freezer(net, ["output"], None) as freeze:
        freeze(0)
        assert not net.embed.weight.requires_grad


@pytest.mark.parametrize(("name", "inside"), [("layer1", True), ("layer1.0.conv1.weight", True), ("layer10", False)])
def test_a_part_is_a_whole_word(name: str, inside: bool) -> None:
    assert lies_in(name, ["layer1"]) is inside


def test_wrong_names_are_told_together_each_with_the_nearest(language: str) -> None:
    faults = Faults()
    check_parts(SmallResNet(depth=8), ["layer4", "layer1.0.conv3"], "train.freeze", faults)
    with pytest.raises(UserError, match=r"(?s)layer4.*layer[123].*layer1\.0\.conv3.*layer1\.0\.conv[12]"):
        faults.raise_if_any()


@pytest.mark.parametrize("settings", [{"freeze": ("0", "1", "3", "4")}, {"freeze": ("0", "1", "3", "4"), "thaw": 2}])
def test_nothing_left_to_train_is_told(settings: dict[str, object]) -> None:
    with pytest.raises(UserError, match="no parameter that can be trained"):
        trained(net_of_three(), 2, **settings)
