import math
from dataclasses import replace

import pytest
import torch

from danlu.base.errors import UserError
from danlu.base.recipe import ScheduleRecipe
from danlu.train.schedules import Horizon, Schedule

HORIZON = Horizon(epochs=6, steps_per_epoch=5)


def torch_shares(make: object, per_epoch: bool) -> list[float]:
    """The shares torch's own scheduler gives over the training."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimizer)  # type: ignore[operator]
    shares: list[float] = []
    for step in range(HORIZON.steps):
        shares.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if not per_epoch or (step + 1) % HORIZON.steps_per_epoch == 0:
            scheduler.step()
    return shares


@pytest.mark.parametrize(
    ("recipe", "make", "per_epoch"),
    [
        (
            ScheduleRecipe(name="step", every=2, gamma=0.5),
            lambda o: torch.optim.lr_scheduler.StepLR(o, 2, gamma=0.5),
            True,
        ),
        (
            ScheduleRecipe(name="exponential", gamma=0.8),
            lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.8),
            True,
        ),
        (
            ScheduleRecipe(name="cosine", floor=0.1),
            lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, HORIZON.steps, eta_min=0.1),
            False,
        ),
    ],
)
def test_equals_torchs_scheduler(recipe: ScheduleRecipe, make: object, per_epoch: bool) -> None:
    schedule = Schedule(recipe, HORIZON)
    ours = [schedule(step) for step in range(HORIZON.steps)]
    assert ours == pytest.approx(torch_shares(make, per_epoch), rel=1e-6)
    assert len(set(ours)) > 1


def test_one_cycle_rises_to_the_full_rate_and_falls_to_the_floor() -> None:
    schedule = Schedule(ScheduleRecipe(name="one-cycle", rise=0.4, floor=0.01), HORIZON)
    shares = [schedule(step) for step in range(HORIZON.steps)]
    top = int(0.4 * HORIZON.steps)
    assert shares[0] == pytest.approx(1 / 25)
    assert shares[top] == pytest.approx(1.0)
    assert shares[: top + 1] == sorted(shares[: top + 1])
    assert shares[top:] == sorted(shares[top:], reverse=True)
    assert 0.01 < shares[-1] < 0.03


def test_warmup_stands_in_front_of_any_schedule() -> None:
    plain = Schedule(ScheduleRecipe(name="cosine"), HORIZON)
    warmed = Schedule(ScheduleRecipe(name="cosine", warmup=4), HORIZON)
    assert [warmed(step) / plain(step) for step in range(6)] == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1])


def test_plateau_agrees_with_torchs_on_the_same_losses() -> None:
    losses = [1.0, 0.9, 0.91, 0.92, 0.93, 0.95, 0.8, 0.81, 0.82, 0.83, 0.84, math.nan, 0.9]
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.3, patience=2, threshold=0.0)
    schedule = Schedule(ScheduleRecipe(name="plateau", gamma=0.3, patience=2), HORIZON)
    for loss in losses:
        reference.step(loss)
        schedule.see(loss)
        assert schedule(0) == pytest.approx(optimizer.param_groups[0]["lr"])
    assert schedule(0) < 0.1


def test_plateau_goes_on_from_its_state_and_stops_at_the_floor() -> None:
    recipe = ScheduleRecipe(name="plateau", gamma=0.1, patience=0, floor=0.05)
    first = Schedule(recipe, HORIZON)
    for loss in (1.0, 2.0):
        first.see(loss)
    second = Schedule(recipe, HORIZON)
    second.load_state(first.state())
    assert second(0) == first(0) == pytest.approx(0.1)
    second.see(3.0)
    assert second(0) == 0.05


def test_a_restart_begins_it_anew_warm_up_and_all() -> None:
    recipe = ScheduleRecipe(name="cosine", warmup=3, restarts=(2, 5))
    whole = Schedule(recipe, Horizon(9, 4))
    shares = [whole(step) for step in range(36)]
    parts = [Schedule(replace(recipe, restarts=None), Horizon(epochs, 4)) for epochs in (2, 3, 4)]
    assert shares == [part(step) for part in parts for step in range(part.horizon.steps)]


@pytest.mark.parametrize("restarts", [(3, 3), (5, 2), (9,), (2, 12)])
def test_restarts_that_never_come_are_refused(restarts: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match="each larger than the one before"):
        Schedule(ScheduleRecipe(restarts=restarts), Horizon(9, 4))


def test_plateau_has_nothing_to_restart() -> None:
    with pytest.raises(UserError, match="follows the validation loss"):
        Schedule(ScheduleRecipe(name="plateau", restarts=(1,)), Horizon(9, 4))


def test_unknown_schedule_names_the_nearest() -> None:
    with pytest.raises(UserError, match='called cosin;.*"cosine"'):
        Schedule(ScheduleRecipe(name="cosin"), HORIZON)
