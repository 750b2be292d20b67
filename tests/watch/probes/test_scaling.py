"""What becomes of gradients that a GradScaler has scaled."""

import pytest
import torch

from danlu.watch.measured import Measured
from danlu.watch.probes.scaling import ScalingProbe

LOSS = torch.ones((), requires_grad=True)


def told(*events: str) -> Measured:
    measured = Measured()
    probe = ScalingProbe(measured)
    for event in events:
        match event:
            case "scale":
                probe.scaled(LOSS)
            case "backward":
                probe.backward_begins(LOSS)
            case "backward-of-product":
                probe.backward_begins(8.0 * LOSS)
            case "clip":
                probe.clipped(7)
            case "optimizer":
                probe.before_step(7)
                probe.after_step()
            case "unscale":
                probe.called("unscale_", 8.0, ends=True)
            case "step":
                probe.called("step", 8.0, ends=False)
                probe.before_step(7)
                probe.after_step()
                probe.called("step", 8.0, ends=True)
            case _:
                probe.called("update", 8.0, ends=False)
    return measured


@pytest.mark.parametrize(
    ("events", "clips", "steps"),
    [
        ("scale clip step update", 1, 0), ("scale unscale clip step update", 0, 0), ("scale optimizer", 0, 1),
        ("clip optimizer", 0, 0), ("scale unscale optimizer", 0, 0), ("scale step clip optimizer", 0, 0),
    ],
)  # fmt: skip
def test_what_is_scaled_is_known_until_it_is_used(events: str, clips: int, steps: int) -> None:
    scaling = told(*events.split()).scaling
    assert (scaling.clips, scaling.steps) == (clips, steps)


def test_steps_and_updates_of_the_scaler_are_counted() -> None:
    measured = told("scale", "step", "scale", "step", "update")
    assert (measured.scaling.called, measured.scaling.updates, measured.scaling.scale) == (2, 1, 8.0)
    assert measured.scaled


@pytest.mark.parametrize(
    ("events", "bare"),
    [
        ("scale backward step scale backward step", 2), ("scale backward-of-product step", 0),
        ("scale backward optimizer scale backward-of-product step", 0), ("backward step", 0),
        ("scale backward-of-product scale backward step", 1),
    ],
)  # fmt: skip
def test_steps_after_a_backward_pass_of_the_loss_itself(events: str, bare: int) -> None:
    assert told(*events.split()).scaling.bare == bare


def test_the_loss_of_a_scaled_backward_pass_is_the_one_that_was_scaled() -> None:
    probe, other = ScalingProbe(Measured()), torch.ones(())
    probe.scaled(LOSS)
    assert float(probe.backward_begins(8 * LOSS)) == 1.0
    assert probe.backward_begins(other) is other
