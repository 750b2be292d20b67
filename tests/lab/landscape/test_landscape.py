"""Landscapes: every point equals a plain evaluation, the linear model's lowest is that of the normal equations, filters
keep their length, and the path lies where the training went."""

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import danlu
from danlu.base.errors import UserError
from danlu.lab.landscape.axes import filter_axes, path_axes, weight_axes
from danlu.lab.landscape.losses import at
from danlu.store.run_history import RunHistory
from danlu.train.losses import build_loss
from danlu.view.info.surface import read_surface


def convolutional() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(48, 4)
    )


class Recurrent(nn.Module):
    """What no stack takes: its members are computed one after another."""

    def __init__(self) -> None:
        super().__init__()
        self.cells, self.head = nn.LSTM(6, 4, batch_first=True), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cells(x.flatten(1).view(len(x), 6, 6))[0][:, -1])


NETS: list[Callable[[], nn.Module]] = [
    lambda: nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.Tanh(), nn.Linear(8, 4)),
    convolutional,
    Recurrent,
]


def pictures() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(60, 1, 6, 6), torch.arange(60) % 4


@pytest.mark.parametrize("make", NETS, ids=["chain", "convolutional", "recurrent"])
def test_every_point_equals_a_plain_evaluation_there(make: Callable[[], nn.Module]) -> None:
    torch.manual_seed(1)
    net, data = make(), danlu.load(pictures())
    found = danlu.landscape(net, data, points=3, span=((-1.0, 1.0), (-0.5, 1.5)), seed=3)
    axes = filter_axes(net, 3)
    x, y = next(iter(data.batches("train", 1000, device=torch.device("cpu"))))
    for row, b in enumerate(found.ys):
        for column, a in enumerate(found.xs):
            moved = copy.deepcopy(net).eval()
            placed = at(axes, torch.tensor([[a, b]], dtype=torch.float64))
            moved.load_state_dict({name: weights[0].float() for name, weights in placed.items()}, strict=False)
            with torch.no_grad():
                assert found.losses[row][column] == pytest.approx(float(F.cross_entropy(moved(x), y)), rel=1e-5)


def test_the_lowest_point_of_a_linear_model_is_that_of_the_normal_equations() -> None:
    torch.manual_seed(0)
    x = torch.randn(80, 1)
    data = danlu.load((x, 2.5 * x - 0.7 + 0.3 * torch.randn(80, 1)), validation=0.0, test=0.0)
    inputs, targets = next(iter(data.batches("train", 80, device=torch.device("cpu"), dtype=torch.float64)))
    design = torch.cat([inputs, torch.ones_like(inputs)], 1)
    w, b = torch.linalg.solve(design.T @ design, design.T @ targets)[:, 0].tolist()
    found = danlu.landscape(nn.Linear(1, 1), data, points=9, span=(-4, 4))
    assert found.exact
    assert (found.x_label, found.y_label) == ("weight", "bias")
    assert found.minimum is not None
    assert found.minimum[:2] == pytest.approx((w, b), rel=1e-6)
    assert found.minimum[2] == pytest.approx(
        float((design @ torch.tensor([[w], [b]]).double() - targets).square().mean())
    )
    row, column = found.ys.index(1.0), found.xs.index(-2.0)
    assert found.losses[row][column] == pytest.approx(float((-2 * inputs + 1 - targets).square().mean()), rel=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.01, 100))
def test_directions_are_as_long_as_the_nets_filters_at_any_scale(seed: int, scale: float) -> None:
    net = convolutional()
    with torch.no_grad():
        net[0].weight.mul_(scale)  # pyright: ignore
    axes = filter_axes(net, seed)
    for axis in (axes.first, axes.second):
        for name, weight in axes.origin.items():
            if weight.dim() == 1:
                assert not axis[name].any()
            else:
                assert torch.allclose(axis[name].flatten(1).norm(dim=1), weight.flatten(1).norm(dim=1))
    assert not torch.equal(axes.first["0.weight"], axes.second["0.weight"])


def test_what_lies_on_the_plane_is_projected_on_itself() -> None:
    net = convolutional()
    path = [
        {name: (tensor + torch.randn_like(tensor)).detach() for name, tensor in net.named_parameters()}
        for _ in range(4)
    ]
    for axes in (filter_axes(net, 0), path_axes(net, path), weight_axes(net, ("0.weight[1, 0, 2, 2]", "5.bias[3]"))):
        placed = at(axes, torch.tensor([[0.3, -1.7]], dtype=torch.float64))
        assert axes.project({name: weights[0] for name, weights in placed.items()}) == pytest.approx((0.3, -1.7))


def test_the_plane_of_a_path_holds_the_path_that_lies_in_one() -> None:
    net = nn.Linear(5, 2)
    towards = [{name: torch.randn_like(tensor) for name, tensor in net.named_parameters()} for _ in range(2)]
    path = [
        {name: tensor.detach() + a * towards[0][name] + b * towards[1][name] for name, tensor in net.named_parameters()}
        for a, b in ((0.0, 0.0), (1.0, 0.2), (2.0, 1.0), (-1.0, 3.0))
    ]
    axes = path_axes(net, path)
    for weights in path:
        placed = at(axes, torch.tensor([axes.project(weights)], dtype=torch.float64))
        assert all(torch.allclose(placed[name][0].float(), tensor, atol=1e-5) for name, tensor in weights.items())


def test_a_run_brings_its_path_from_the_first_weights_to_the_last(tmp_path: Path) -> None:
    run = danlu.fit(
        "mlp", "iris", epochs=4, width=8, checkpoint_steps=7, keep=6, folder=tmp_path / "run", progress=False
    )
    found = danlu.landscape(run.folder, axes="path", points=7)
    assert len(found.path) == 1 + len(list((run.folder / "checkpoints").iterdir()))
    assert found.path[-1][:2] == pytest.approx((0, 0), abs=1e-6)
    first, last = found.path[0][2], found.path[-1][2]
    assert first is not None
    assert last == pytest.approx(run.score["train"]["loss"], rel=0.3)
    assert last < first
    assert found.path_steps == (
        0,
        *sorted(int(one.name.split("-")[1]) for one in (run.folder / "checkpoints").iterdir()),
    )
    again = read_surface(found.record())
    assert (again.losses, again.path, again.minimum) == (found.losses, found.path, found.minimum)
    assert danlu.draw(found).file_content(".svg")


def test_a_surface_is_recorded_in_its_run_alone(tmp_path: Path) -> None:
    run = danlu.fit("mlp", "iris", epochs=1, width=4, folder=tmp_path / "run", progress=False)
    report = (run.folder / "report.html").read_bytes()
    found = danlu.landscape(run, points=3, samples=20, record=True)
    told = RunHistory.read(run.folder / "journal.jsonl")
    assert told.surface is not None
    assert read_surface(told.surface) == read_surface(found.record())
    assert told.finished
    assert danlu.Run(run.folder).score == run.score
    assert '"end"' in (run.folder / "journal.jsonl").read_text().splitlines()[-1]
    assert (run.folder / "report.html").read_bytes() != report
    assert danlu.draw(run, kind="contour").file_content(".svg")
    with pytest.raises(UserError, match="Leave record out"):
        danlu.landscape(nn.Linear(4, 3), danlu.load("iris"), points=3, record=True)


@pytest.mark.every(2)
@pytest.mark.parametrize(
    "chosen",
    [
        {"loss.name": "focal", "loss.gamma": 0.5},
        {"loss.class_weights": [1.0, 2.0, 9.0]},
        {"loss.name": "focal", "loss.gamma": 3.0, "loss.class_weights": "balanced"},
        {"label_smoothing": 0.2},
    ],
    ids=lambda chosen: " ".join(f"{key}={value}" for key, value in chosen.items()),
)
def test_the_loss_is_the_one_that_the_run_was_trained_by(chosen: dict[str, Any], tmp_path: Path) -> None:
    run = danlu.fit("mlp", "iris", epochs=1, width=8, folder=tmp_path / "run", progress=False, **chosen)
    found = danlu.landscape(run.folder, axes="filters", points=3)
    loss, net = build_loss(run.recipe.loss.name, run.recipe.loss), run.net()
    (inputs, targets), *more = run.samples.batches("train", 512, device=torch.device("cpu"), dtype=torch.float32)
    assert not more
    assert found.losses[1][1] == pytest.approx(float(loss(net(inputs), targets).detach()), rel=1e-5)


def test_the_net_that_is_given_stays_as_it_is() -> None:
    net = convolutional().train()
    before = copy.deepcopy(net.state_dict())
    danlu.landscape(net, pictures(), points=3)
    assert net.training
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


class Product(nn.Module):
    """y = u v x: the loss has a saddle where both are 0 and valleys where u v is right."""

    def __init__(self) -> None:
        super().__init__()
        self.u, self.v = nn.Parameter(torch.tensor(0.5)), nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        return self.u * self.v * x


def test_a_saddle_point_is_seen() -> None:
    x = torch.linspace(-1, 1, 40)[:, None]
    found = danlu.landscape(Product(), danlu.load((x, 2 * x)), points=9, span=(-2, 2))
    assert [point[:2] for point in found.saddles] == [(0.0, 0.0)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"axes": "filter"}, 'axes is "filters"'),
        ({"axes": ("5.weigt[0, 0]", "5.bias[0]")}, r"5\.weigt.*5\.weight"),
        ({"axes": ("5.weight[0]", "5.bias[0]")}, "has the shape 4×48"),
        ({"axes": ("5.bias[0]", "5.bias[0]")}, "named twice"),
        ({"axes": "path"}, "span no plane"),
        ({"span": (1, -1)}, "span is"),
        ({"points": 2}, "points is 2"),
        ({"samples": 0}, "samples is 0"),
        ({"part": "val"}, "there are train"),
        ({"path": [3]}, "made of nets"),
        ({"path": [nn.Linear(2, 2)]}, "another net"),
    ],
)
def test_mistakes_are_told_in_both_languages(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        danlu.landscape(convolutional(), pictures(), **arguments)
    danlu.use_language("zh")
    assert re.search(r"[\u4e00-\u9fff]", str(caught.value))


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a run's folder, or a net"):
        danlu.landscape(tmp_path / "nowhere")
    with pytest.raises(UserError, match="needs the data"):
        danlu.landscape(nn.Linear(1, 1))
