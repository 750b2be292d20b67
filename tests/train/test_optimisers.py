import pytest
import torch
from torch import nn

from danlu.base.errors import UserError
from danlu.base.recipe import OptimRecipe
from danlu.train.optimisers import OPTIMISERS, build_optimiser, resolve_optim

NOT_FOR_DENSE_NETS = {"sparse-adam", "lbfgs"}


def small_net(bias: bool = True) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    net = nn.Linear(4, 2, bias=bias)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return net


def three_updates(net: nn.Module, optimizer: torch.optim.Optimizer) -> torch.Tensor:
    inputs = torch.arange(12.0).reshape(3, 4) / 10
    for _ in range(3):
        optimizer.zero_grad()
        net(inputs).square().mean().backward()
        optimizer.step()
    return next(net.parameters()).detach()


@pytest.mark.parametrize("name", sorted(set(OPTIMISERS) - NOT_FOR_DENSE_NETS))
def test_updates_equal_torchs_own(name: str) -> None:
    bias = name != "muon"
    recipe = resolve_optim(OptimRecipe(name=name, lr=0.02))
    ours, theirs = small_net(bias), small_net(bias)
    usual = {"momentum": 0.9} if name == "sgd" else {}
    reference = OPTIMISERS[name](theirs.parameters(), lr=0.02, **usual)  # type: ignore[call-arg]
    before = next(ours.parameters()).detach().clone()
    after = three_updates(ours, build_optimiser(recipe, ours))
    torch.testing.assert_close(after, three_updates(theirs, reference))
    assert not torch.equal(before, after)


def test_every_optimiser_of_torch_is_there() -> None:
    theirs = {
        kind
        for kind in vars(torch.optim).values()
        if isinstance(kind, type) and issubclass(kind, torch.optim.Optimizer) and kind is not torch.optim.Optimizer
    }
    assert theirs == set(OPTIMISERS.values())


def test_options_reach_the_optimiser() -> None:
    recipe = resolve_optim(OptimRecipe(name="adamw", lr=0.1, betas=(0.8, 0.9), weight_decay=0.3))
    group = build_optimiser(recipe, small_net()).param_groups[0]
    assert (group["lr"], group["betas"], group["weight_decay"]) == (0.1, (0.8, 0.9), 0.3)


def test_defaults_are_made_explicit() -> None:
    sgd = resolve_optim(OptimRecipe())
    assert (sgd.lr, sgd.momentum) == (0.01, 0.9)
    assert resolve_optim(OptimRecipe(lr=0.05)).momentum == 0.9
    assert resolve_optim(OptimRecipe(momentum=0.5)).lr == 0.01
    assert resolve_optim(OptimRecipe(name="Adam")).lr == 0.001
    assert resolve_optim(OptimRecipe(name="lbfgs")).line_search_fn == "strong_wolfe"


def test_frozen_parameters_are_left_alone() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    net[0].requires_grad_(False)
    assert len(build_optimiser(resolve_optim(OptimRecipe()), net).param_groups[0]["params"]) == 2


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (OptimRecipe(name="addam"), 'called addam.*"adam"'),
        (OptimRecipe(name="sgd", betas=(0.9, 0.99)), r"optim\.betas: the optimiser sgd has no such option"),
        (OptimRecipe(name="adam", momentum=0.9, nesterov=True), r"(?s)optim\.momentum.*optim\.nesterov"),
    ],
)
def test_wrong_options_are_told(recipe: OptimRecipe, message: str) -> None:
    with pytest.raises(UserError, match=message):
        resolve_optim(recipe)


@pytest.mark.parametrize(
    ("recipe", "net", "message"),
    [
        (OptimRecipe(nesterov=True, momentum=0.0), nn.Linear(2, 1), "refuses these settings"),
        (OptimRecipe(name="muon"), nn.Linear(2, 1), r"matrices only; 1 parameters.*\(bias\)"),
        (OptimRecipe(name="sparse-adam"), nn.Linear(2, 1), "sparse gradients only"),
        (OptimRecipe(), nn.ReLU(), "no parameter that can be trained"),
    ],
)
def test_what_cannot_be_built_is_told(recipe: OptimRecipe, net: nn.Module, message: str) -> None:
    with pytest.raises(UserError, match=message):
        build_optimiser(resolve_optim(recipe), net)


def test_sparse_adam_works_on_sparse_gradients() -> None:
    net = nn.Embedding(5, 3, sparse=True)
    optimizer = build_optimiser(resolve_optim(OptimRecipe(name="sparse-adam", lr=0.1)), net)
    before = net.weight.detach().clone()
    net(torch.tensor([1, 2])).sum().backward()
    optimizer.step()
    changed = (net.weight != before).any(dim=1)
    assert changed.tolist() == [False, True, True, False, False]
