"""The range test: a stack gives what single trainings give, nothing is changed, and the rate that it names is good."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import danlu
from danlu.base.errors import Fault, UserError
from danlu.base.words import use_language
from danlu.lab.check import lr_find as module
from danlu.lab.check.rate_test import RateTest, judge_rates
from danlu.run.setup import Setup


@pytest.fixture(scope="module")
def digits() -> RateTest:
    return danlu.lr_find("mlp", "digits")


def test_all_rates_are_tried_at_once_and_the_one_suggested_learns(digits: RateTest) -> None:
    assert digits.stacked
    assert len(digits.rates) == len(digits.losses) == 48
    assert digits.rates[0] == 1e-6
    assert digits.rates[-1] == 10.0
    assert digits.suggestion is not None
    assert digits.edge is not None
    loss = digits.losses[digits.rates.index(digits.suggestion)]
    assert loss < 0.3 * digits.start
    assert digits.suggestion <= digits.edge / 4


def test_each_loss_is_that_of_a_training_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"points": 10, "steps": 16, "lowest": 1e-4, "highest": 1.0, "optim.name": "adam"}
    stacked = danlu.lr_find("mlp", "iris", **settings)

    def alone_it_is(setup: Setup) -> Fault:
        return Fault("study.parts-of-nets")

    monkeypatch.setattr(module, "why_alone", alone_it_is)
    alone = danlu.lr_find("mlp", "iris", **settings)
    assert (stacked.stacked, alone.stacked) == (True, False)
    assert alone.losses == pytest.approx(stacked.losses, rel=1e-3)
    assert alone.start == pytest.approx(stacked.start, rel=1e-5)
    assert alone.suggestion == stacked.suggestion


@pytest.mark.parametrize(
    "settings", [{"optim.name": "rprop"}, {"optim.name": "lbfgs"}, {"train.freeze": ("layers.0",)}], ids=str
)
def test_what_cannot_be_stacked_is_tried_one_by_one(settings: dict[str, Any]) -> None:
    test = danlu.lr_find("mlp", "iris", points=8, steps=8, **settings)
    assert not test.stacked
    assert "one rate after another" in str(test).lower()
    assert any(math.isfinite(loss) for loss in test.losses)


class Counted(torch.utils.data.Dataset[Any]):
    """Samples that are counted as they are read."""

    def __init__(self) -> None:
        self.read = 0

    def __len__(self) -> int:
        return 40

    def __getitem__(self, at: int) -> tuple[torch.Tensor, int]:
        self.read += 1
        return torch.full((3,), float(at % 4)), at % 2


class Spoiling(nn.Module):
    """It changes the batch that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(x.mul_(0.5))


@pytest.mark.every(2)
@pytest.mark.parametrize("net", ["softmax-regression", Spoiling()], ids=["known", "spoiling"])
def test_samples_are_read_once_for_all_rates(net: object, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"points": 8, "steps": 12, "batch_size": 8}
    samples = Counted()
    kept = danlu.lr_find(net, samples, **settings)
    assert not kept.stacked
    assert samples.read < 12 * 8 + 3 * 40, "as many as the steps take, and a look at the data"
    monkeypatch.setattr(module, "_MOST_KEPT", 0)
    assert danlu.lr_find(net, samples, **settings).losses == kept.losses


def test_a_text_is_read_with_its_memory(tmp_path: Path) -> None:
    text = tmp_path / "traveller.txt"
    text.write_text("the time traveller for so it will be convenient to speak of him " * 40)
    data = danlu.load(text, tokens="characters", steps=8)
    test = danlu.lr_find("language-model", data, points=8, steps=8, batch_size=4)
    assert not test.stacked
    assert min(test.losses) < test.start


def test_a_net_given_keeps_its_weights_and_the_users_random_numbers_go_on() -> None:
    net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.2), nn.Linear(8, 3))
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    test = danlu.lr_find(net, "iris", points=8, steps=8)
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(net.state_dict()[name], tensor) for name, tensor in before.items())
    assert all(parameter.grad is None for parameter in net.parameters())
    assert danlu.lr_find(net, "iris", points=8, steps=8).losses == test.losses


def test_a_function_that_builds_a_net_is_one_too() -> None:
    assert danlu.lr_find(lambda: nn.Linear(4, 3), "iris", points=8, steps=8).stacked


def test_its_settings_train_as_they_were_tested(digits: RateTest, tmp_path: Path) -> None:
    assert digits.settings["optim.momentum"] == 0.9  # what danlu chose beside the rate it chose
    run = danlu.fit("mlp", "digits", **digits.settings, epochs=1, folder=tmp_path / "run", progress=False)
    assert run.recipe.optim.lr == digits.suggestion
    assert run.recipe.optim.momentum == 0.9
    assert run.recipe.train.batch_size == digits.batch_size


def test_schedule_patience_and_averages_have_no_part_in_it() -> None:
    few: dict[str, Any] = {"points": 8, "steps": 8, "lr": 0.1}
    plain = danlu.lr_find("mlp", "iris", **few)
    few |= {"patience": 3, "ema": 0.9, "schedule.name": "cosine", "schedule.warmup": 5}
    other = danlu.lr_find("mlp", "iris", **few)
    assert other.losses == plain.losses


@pytest.mark.parametrize(
    ("losses", "edge", "suggestion", "why"),
    [
        ([2.2, 1.0, 0.5, 0.45, math.nan], 1.0, 0.01, "lowest-of-the-good"),
        ([2.2, 1.0, 0.45, 2.2, math.nan], 0.1, 0.01, "lowest-of-the-good"),
        ([2.2, 2.0, 1.0, 0.2, 0.1], None, 0.1, "lowest-of-the-good"),
        ([math.nan] * 5, 1e-4, None, "all-break"),
        ([2.3] * 5, None, None, "none-helps"),
        ([2.4, 2.5, 2.6, 2.7, math.inf], None, None, "none-helps"),
    ],
)
def test_a_curve_is_read(losses: list[float], edge: float | None, suggestion: float | None, why: str) -> None:
    judged = judge_rates([1e-4, 1e-3, 1e-2, 1e-1, 1.0], losses, 2.3)
    assert (judged.edge, judged.suggestion, judged.why.id) == (edge, suggestion, f"search.{why}")


def test_a_best_rate_close_to_the_edge_is_not_the_one_to_take() -> None:
    judged = judge_rates([0.01, 0.1, 0.2, 0.4, 0.5], [2.0, 1.0, 0.5, 0.1, math.nan], 2.3)
    assert judged.why.id == "search.below-the-edge"
    assert judged.suggestion == 0.1


def test_it_is_told_in_both_languages_and_as_plain_data(digits: RateTest) -> None:
    assert "take this" in str(digits)
    assert "diverges" in str(digits)
    use_language("zh")
    assert "建议学习率：" in str(digits)
    assert "所有学习率同时训练" in str(digits)
    record = json.loads(json.dumps(digits.as_dict()))
    assert record["suggestion"] == digits.suggestion
    assert len(record["rates"]) == len(record["losses"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lowest": 1.0, "highest": 0.1}, "the lower end must come first"),
        ({"lowest": 0.0}, "above 0"),
        ({"highest": math.inf}, "finite"),
        ({"points": 3}, "points is 3; it must be a whole number from 8 to 1,000"),
        ({"points": 3, "steps": 1}, r"points is 3.*\n.*steps is 1"),
        ({"lrr": 0.1}, r"lrr.*\"lr\""),
    ],
)
def test_mistakes_are_told(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        danlu.lr_find("mlp", "iris", **arguments)
