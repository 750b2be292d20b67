"""Successive halving: who goes on ends as if nobody had been dropped, whatever the stacks; also when memory is out."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from danlu.base.events import Stop
from danlu.base.recipe import LossRecipe, OptimRecipe, Recipe, TrainRecipe
from danlu.base.seeds import global_seed
from danlu.stack import FoldRows, Halving, StackMember, Trained, train_members
from danlu.stack.running import RunningStack

RATES = [0.001, 0.01, 0.1, 0.3, 1e8, 0.03]


def problem() -> FoldRows:
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(56, 5, generator=generator)
    return FoldRows(x, (x[:, 0] > 0).long(), torch.arange(44), torch.arange(44, 56))


def nets() -> list[nn.Module]:
    with global_seed(0, "weights"):
        first = nn.Sequential(nn.Linear(5, 7), nn.ReLU(), nn.Linear(7, 2))
    return [first] * len(RATES)


def members() -> list[StackMember]:
    loss, train = LossRecipe(name="cross-entropy"), TrainRecipe(epochs=8, batch_size=8)
    return [StackMember(Recipe(loss=loss, optim=OptimRecipe(name="sgd", lr=rate), train=train)) for rate in RATES]


def run(**options: Any) -> Trained:
    cpu = torch.device("cpu")
    options = {"workers": 1, **options}
    trained = train_members(nets(), members(), [problem()], task="classification", outputs=2, device=cpu, **options)
    assert not isinstance(trained, Stop)
    return trained


class BestHalf:
    """Keeps the members of the lower losses, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def __call__(self, places: Sequence[int], scores: dict[str, Tensor]) -> list[int]:
        self.asked.append(list(places))
        assert scores.keys() == {"loss", "accuracy", "f1"}
        ranked = sorted(zip(scores["loss"].tolist(), places, strict=True))
        return [place for _, place in ranked[: max(1, len(ranked) // 2)]]


@pytest.mark.parametrize("options", [{}, {"workers": 2}, {"most_members": 2}], ids=str)
def test_who_goes_on_ends_as_if_nobody_had_been_dropped(options: dict[str, Any]) -> None:
    whole, keep = run(), BestHalf()
    halved = run(halving=Halving([2, 4], keep), **options)
    assert [len(asked) for asked in keep.asked] == [5, 2]  # one diverged by itself
    assert sorted(halved.epochs.tolist()) == [1, 2, 2, 2, 4, 8]
    assert halved.dropped.tolist() == [0 if epochs in (1, 8) else epochs for epochs in halved.epochs.tolist()]
    assert bool(halved.diverged[4])
    (winner,) = [place for place, epochs in enumerate(halved.epochs.tolist()) if epochs == 8]
    for name, tensor in whole.states[winner].items():
        torch.testing.assert_close(halved.states[winner][name], tensor, rtol=1e-5, atol=1e-6)
    assert float(halved.score["loss"][winner]) == pytest.approx(float(whole.score["loss"][winner]), rel=1e-5)


def test_a_rung_at_the_end_or_past_it_is_none() -> None:
    keep = BestHalf()
    assert run(halving=Halving([8, 20], keep)).dropped.tolist() == [0] * 6
    assert keep.asked == []


def test_nobody_kept_ends_all() -> None:
    trained = run(halving=Halving([2, 4], lambda places, scores: []))
    assert max(trained.epochs.tolist()) == 2


@pytest.mark.slow
@pytest.mark.parametrize("failing", [None, 4], ids=["in the first rung", "later"])
def test_a_stack_that_memory_does_not_hold_is_halved_and_nobody_is_lost(
    failing: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    original = RunningStack.train

    def train(stack: RunningStack, until: int | None) -> Stop | None:
        living = len(stack.progress.training)
        if (until == failing or failing is None) and living > 1 and len(sizes) < 1:
            sizes.append(living)
            raise RuntimeError("CUDA out of memory")
        return original(stack, until)

    monkeypatch.setattr(RunningStack, "train", train)
    halved = run(halving=Halving([2, 4], BestHalf()))
    monkeypatch.undo()
    assert len(sizes) == 1
    expected = run(halving=Halving([2, 4], BestHalf()))
    assert halved.epochs.tolist() == expected.epochs.tolist()
    assert all(halved.states)
    torch.testing.assert_close(halved.score["loss"], expected.score["loss"], rtol=1e-4, atol=1e-6, equal_nan=True)


def test_it_breaks_off_when_asked_to() -> None:
    asked = iter([False] * 20 + [True] * 100)
    outcome = train_members(
        nets(),
        members(),
        [problem()],
        task="classification",
        outputs=2,
        device=torch.device("cpu"),
        workers=1,
        halving=Halving([2, 4], BestHalf()),
        asked_to_stop=lambda: next(asked),
    )
    assert outcome == Stop("interrupted")
