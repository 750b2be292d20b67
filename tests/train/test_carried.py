"""A memory carried from batch to batch: its numbers go on, the gradient's way back does not."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from danlu.base.errors import UserError
from danlu.base.recipe import OptimRecipe, Recipe, TrainRecipe
from danlu.base.seeds import global_seed
from danlu.nets import LanguageModel, detached
from danlu.train.carried import Carried
from danlu.train.carried_engine import CarriedEngine
from danlu.train.evaluate import evaluate
from danlu.train.loop import train
from danlu.train.losses import build_loss, cross_entropy
from danlu.train.metrics import Metrics
from danlu.train.optimisers import build_optimiser, resolve_optim
from danlu.train.progress import Progress
from danlu.train.schedules import Horizon, Schedule

TOKENS = torch.arange(4 * 30).reshape(4, 30) % 7
BATCHES = [(TOKENS[:, at : at + 10], TOKENS[:, at + 1 : at + 11]) for at in (0, 10)] + [
    (TOKENS[:, 20:29], TOKENS[:, 21:])
]


def model(cell: str = "lstm") -> LanguageModel:
    with global_seed(0, "test"):
        return LanguageModel(vocabulary=7, cell=cell, embedding=6, hidden=8, layers=2)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_text_in_pieces_gives_what_the_whole_gives(cell: str) -> None:
    net = model(cell)
    carried = Carried(net)
    pieces = torch.cat([carried(piece) for piece in TOKENS.split(7, dim=1)], dim=1)
    torch.testing.assert_close(pieces, net(TOKENS)[0])
    assert not torch.allclose(Carried(net, keeps=False)(TOKENS[:, 7:]), net(TOKENS)[0][:, 7:])


def test_the_gradient_ends_at_the_batch() -> None:
    carried = Carried(model())
    carried(TOKENS[:, :7])
    assert all(not part.requires_grad and part.any() for part in carried.state)


def step_of(net: nn.Module, epochs: int, *, keeps: bool = True) -> CarriedEngine:
    recipe = Recipe(
        optim=resolve_optim(OptimRecipe(name="adam", lr=0.01)), train=TrainRecipe(epochs=epochs, batch_size=4)
    )
    loss = build_loss("cross-entropy", recipe.loss)
    schedule = Schedule(recipe.schedule, Horizon(epochs, len(BATCHES)))
    arguments = (net, loss, build_optimiser(recipe.optim, net), schedule, recipe, torch.device("cpu"))
    return CarriedEngine(*arguments, keeps=keeps)


def test_equals_truncated_back_propagation_by_hand() -> None:
    ours, theirs = model(), model()
    progress = Progress(epochs=3, steps_per_epoch=len(BATCHES))
    train(step_of(ours, 3), lambda epoch, start: BATCHES[start:], lambda: None, progress, [])
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.01, fused=True)
    total, tokens = 0.0, 0
    for epoch in range(3):
        state: Any = None
        for inputs, targets in BATCHES:
            optimizer.zero_grad()
            logits, state = theirs(inputs, state)
            state = detached(state)
            loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
            loss.backward()
            optimizer.step()
            if epoch == 2:
                total, tokens = total + loss.item() * targets.numel(), tokens + targets.numel()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(mine, other)
    assert progress.train_score["loss"] == pytest.approx(total / tokens), (
        "a mean over tokens: the last batch is shorter"
    )


def test_the_memory_is_empty_at_an_epochs_start_and_kept_within_it() -> None:
    step = step_of(model(), 2)
    step.start_epoch(0, 0)
    step.forward(BATCHES[0][0])
    assert step.tensors()["memory"] is not None
    kept = step.tensors()["memory"]
    step.start_epoch(0, 1)  # a resume within the epoch
    assert step.tensors()["memory"] is kept
    step.start_epoch(1, 0)
    assert step.tensors()["memory"] is None


def test_perplexity_is_that_of_all_tokens_with_the_memory_carried_on() -> None:
    net = model()
    score = evaluate(net, BATCHES, cross_entropy, Metrics("language", 7), forward=Carried(net))
    assert isinstance(score, dict)
    logits, _ = net(TOKENS[:, :29])
    mean = F.cross_entropy(logits.flatten(0, 1), TOKENS[:, 1:].flatten()).item()
    assert score["loss"] == pytest.approx(mean, rel=1e-5)
    assert score["perplexity"] == pytest.approx(torch.tensor(mean).exp().item(), rel=1e-5)


class Other(nn.Module):
    """A model of the user's, which hands out a state of some kind."""

    def __init__(self, state: Any) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 3)
        self.state = state

    def forward(self, x: torch.Tensor, state: Any = None) -> Any:
        return self.linear(x), self.state


class WithoutPlace(Other):
    def forward(self, x: torch.Tensor) -> Any:  # type: ignore[override]
        return self.linear(x), self.state


def test_a_net_that_takes_no_state_is_called_without() -> None:
    carried = Carried(WithoutPlace(torch.zeros(1)))
    assert carried(torch.zeros(4, 2)).shape == carried(torch.zeros(4, 2)).shape == (4, 3)
    assert carried.state is None


@pytest.mark.parametrize("state", [torch.zeros(2), (torch.zeros(1), [torch.ones(2), None]), None])
def test_states_are_tensors_or_nests_of_them(state: Any) -> None:
    carried = Carried(Other(state))
    carried(torch.zeros(4, 2))
    assert str(carried.state) == str(state)


def test_a_strange_state_is_told(language: str) -> None:
    with pytest.raises(UserError, match="dict"):
        Carried(Other({"hidden": torch.zeros(2)}))(torch.zeros(4, 2))
