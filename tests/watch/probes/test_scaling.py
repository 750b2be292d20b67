"""What becomes of gradients that a GradScaler has scaled."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.probes.scaling import ScalingProbe


def told(*events: str) -> Measured:
    measured = Measured()
    probe = ScalingProbe(measured)
    for event in events:
        match event:
            case "scale":
                probe.scaled()
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
