"""latent-collapsed: told of codes that have fallen to the standard normal distribution."""

import pytest

from danlu.base.records import CodeLine
from danlu.watch.layer_facts import Layer
from danlu.watch.measured import Measured
from danlu.watch.rules.latent_collapsed import RULE
from measurements import check_threshold, told, verdict

LINE = CodeLine("train.py", 20)


def layer(name: str, *spreads: float, outputs: int = 8) -> Layer:
    found = Layer(name, "Linear", inputs=64, outputs=outputs)
    for step, spread in enumerate(spreads, start=1):
        found.std.add(step, spread)
        found.mean.add(step, spread / 4)
    return found


def coder(*latents: Layer, step: int = 200, line: CodeLine | None = LINE) -> Measured:
    every = [layer("inner", 0.3, 0.3, 0.3, outputs=64), *latents, layer("last", 0.2, 0.01, 0.01, outputs=144)]
    return Measured(step=step, layers={one.name: one for one in every}, code={"divergence": line} if line else {})


def test_two_layers_or_two_halves_are_told() -> None:
    found = told(RULE, coder(layer("mu", 0.3, 0.02, 0.01), layer("logvar", 0.2, 0.03, 0.02)))
    assert (found.severity, found.where, found.line, found.numbers) == (
        "warning",
        ("mu", "logvar"),
        LINE,
        {"spread": 0.02},
    )
    assert told(RULE, coder(layer("both", 0.3, 0.02, 0.01, outputs=16))).where == ("both",)


@pytest.mark.parametrize(
    "measured",
    [
        coder(layer("mu", 0.3, 0.4, 0.9), layer("logvar", 0.2, 0.03, 0.02)),
        coder(layer("mu", 0.3, 0.02, 0.01), layer("logvar", 0.2, 0.03, 0.02), step=20),
        coder(layer("mu", 0.3, 0.02, 0.01), layer("logvar", 0.2, 0.03, 0.02), line=None),
        coder(layer("mu", 0.02, 0.02, 0.02), layer("logvar", 0.02, 0.02, 0.02)),
        coder(),
    ],
)
def test_codes_that_tell_something_and_other_nets_are_silent(measured: Measured) -> None:
    assert verdict(RULE, measured) is None


def test_thresholds() -> None:
    def fallen(*, step: int = 200, spread: float = 0.01) -> Measured:
        return coder(layer("mu", 0.3, spread, spread), layer("logvar", 0.3, spread, spread), step=step)

    assert check_threshold(RULE, fallen, "min_steps", {"step": 99}, {"step": 100}) is None
    assert check_threshold(RULE, fallen, "max_spread", {"spread": 0.051}, {"spread": 0.049}) is None
