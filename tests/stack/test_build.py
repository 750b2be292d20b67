"""What can be stacked and in which way, and what is refused with a reason."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from danlu.base.errors import Fault
from danlu.base.recipe import LossRecipe, OptimRecipe, Recipe, ScheduleRecipe, TrainRecipe
from danlu.nets import MLP, LeNet5, SequenceClassifier
from danlu.stack import find_way, recipe_stackable, same_step, same_structure, stackable
from danlu.stack.chain import links_of
from danlu.stack.folded import FoldedNet
from danlu.stack.mapped import MappedNet
from stack_twins import check_members, recipe


class Centred(nn.Module):
    """Subtracts the batch's mean: it mixes samples, but only within a batch."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.out(x)
        return y - y.mean(0)


class Gated(nn.Module):
    """Has a parameter of its own beside its layers."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = nn.Parameter(torch.randn(4))
        self.out = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.dropout(x, 0.2, self.training)) * torch.sigmoid(self.gate)


class Numeric(nn.Module):
    """What no stacked form takes: it mixes samples, and leaves torch to do so."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        y = self.out(x)
        return y - torch.from_numpy(y.detach().numpy().mean(0))


class TwoHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.out(x), x


SGD = OptimRecipe(name="sgd")


def four() -> list[Recipe]:
    return [recipe(OptimRecipe(name="sgd", lr=0.01 * (k + 1), momentum=0.9), seed=k % 2) for k in range(4)]


@pytest.mark.parametrize("net", [Centred, Gated])
def test_nets_with_a_forward_of_their_own_go_by_vmap(net: type[nn.Module]) -> None:
    step = check_members(lambda k: net(), four(), (6,))
    assert isinstance(step.net, MappedNet)


@pytest.mark.parametrize(
    ("net", "sample", "reason"),
    [
        (Numeric(), torch.randn(5, 6), "train.stack-mixes-samples"),
        (TwoHeads(), torch.randn(5, 6), "train.stack-outputs"),
        (nn.Sequential(nn.Linear(6, 4), nn.AlphaDropout()), None, "train.stack-random-layer"),
        (SequenceClassifier(9, 4, engine="torch"), None, "train.stack-recurrent"),
        (nn.Sequential(nn.Embedding(5, 4, sparse=True)), None, "train.stack-embedding"),
        (nn.Sequential(nn.Linear(2, 2)).requires_grad_(False), None, "train.nothing-to-train"),
    ],
)
def test_refusals_say_why(net: nn.Module, sample: Tensor | None, reason: str, language: str) -> None:
    fault = stackable(net, sample)
    assert isinstance(fault, Fault)
    assert fault.id == reason
    assert "{" not in str(fault)


def test_a_hook_is_a_reason() -> None:
    net = MLP(6, 4, (8,))

    def hook(module: nn.Module, inputs: object, outputs: object) -> None:
        """Looks on."""

    handle = net.layers[0].register_forward_hook(hook)
    fault = stackable(net)
    assert fault is not None
    assert fault.id == "train.stack-hooks"
    handle.remove()
    assert stackable(net, torch.randn(3, 6)) is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (Recipe(optim=OptimRecipe(name="lbfgs")), "train.stack-optimiser"),
        (Recipe(optim=SGD, train=TrainRecipe(precision="bfloat16")), "train.stack-precision"),
        (Recipe(optim=SGD, train=TrainRecipe(freeze=("layers.0",))), "train.stack-setting"),
        (Recipe(optim=SGD, loss=LossRecipe(name="mixture-nll")), "train.stack-setting"),
    ],
)
def test_settings_that_a_stack_has_not(changed: Recipe, reason: str, language: str) -> None:
    fault = recipe_stackable(changed)
    assert fault is not None
    assert fault.id == reason
    assert "{" not in str(fault)


def test_structure_is_layers_shapes_and_options_but_not_rates_of_dropout() -> None:
    net = MLP(6, 4, (8,), dropout=0.1)
    assert same_structure(net, MLP(6, 4, (8,), dropout=0.5))
    assert not same_structure(net, MLP(6, 4, (8,)))
    assert not same_structure(net, MLP(6, 4, (9,), dropout=0.1))
    assert not same_structure(net, MLP(6, 4, (8,), dropout=0.1, activation="tanh"))
    assert not same_structure(nn.LeakyReLU(0.1), nn.LeakyReLU(0.2))
    inside = [SequenceClassifier(9, 4, engine="own", dropout=rate, dropout_placement="inside") for rate in (0.1, 0.2)]
    assert not same_structure(*inside), "a rate that no layer holds is an option of the code"


def test_recipes_of_a_stack_differ_in_numbers_only() -> None:
    base = recipe()
    assert same_step(
        base, recipe(OptimRecipe(name="sgd", lr=3.0, momentum=0.1, weight_decay=1.0), seed=4, clip_norm=1.0)
    )
    assert same_step(base, recipe(schedule=ScheduleRecipe(name="cosine")))
    assert not same_step(base, recipe(OptimRecipe(name="adam")))
    assert not same_step(base, recipe(OptimRecipe(name="sgd", lr=0.05, momentum=0.9, nesterov=True)))
    assert not same_step(base, replace(base, train=replace(base.train, epochs=3)))


def test_chains_are_told_from_other_nets() -> None:
    assert links_of(MLP(6, 4, (8, 8), dropout=0.1), (2, 3)) is not None
    assert links_of(nn.Sequential(nn.Linear(6, 4)), (6,)) is not None
    assert links_of(nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.Identity()), (2, 3)) is not None
    assert links_of(nn.Sequential(nn.Linear(6, 4)), (2, 6)) is None, "a linear layer over places"
    assert links_of(MLP(6, 4, (8, 8), residual=True), (6,)) is None
    assert links_of(MLP(6, 4, (8,), norm="batch"), (6,)) is None
    assert links_of(LeNet5(), (1, 28, 28)) is None
    shared = nn.Linear(6, 6)
    assert links_of(nn.Sequential(shared, nn.ReLU(), shared), (6,)) is None, "one layer twice"
    tied = nn.Sequential(nn.Linear(6, 6), nn.Linear(6, 6))
    tied[1].weight = tied[0].weight
    assert links_of(tied, (6,)) is None


def test_tied_weights_stay_one() -> None:
    def make(k: int) -> nn.Module:
        net = nn.Sequential(nn.Linear(6, 6), nn.Tanh(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 4))
        net[2].weight = net[0].weight
        return net

    step = check_members(make, four(), (6,))
    assert isinstance(step.net, FoldedNet)


def test_a_trial_leaves_the_net_and_the_random_state_alone() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5), nn.Flatten(), nn.Linear(72, 4))
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    torch.manual_seed(3)
    expected = torch.rand(3)
    torch.manual_seed(3)
    assert find_way(net, torch.ones(4, 1, 8, 8)) is not None
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(net.state_dict()[name], tensor) for name, tensor in before.items())
    assert net[2].p == 0.5


def test_whether_a_deep_net_can_be_stacked_is_no_matter_of_rounding() -> None:
    """Eighty normalisations over three samples make float32 noise of what is equal."""
    torch.manual_seed(0)
    blocks = [(nn.Conv2d(3, 3, 3, padding=1, bias=False), nn.BatchNorm2d(3), nn.ReLU()) for _ in range(80)]
    layers = [layer for block in blocks for layer in block]
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    assert find_way(net, torch.randn(3, 3, 4, 4)) is not None
    assert all(torch.equal(tensor, before[name]) and tensor.dtype == before[name].dtype
               for name, tensor in net.state_dict().items())  # fmt: skip
