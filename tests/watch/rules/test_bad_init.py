"""bad-init: told of weights that fade, swell or stay alike, at the first step and in no later block."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.bad_init import RULE
from measurements import check_threshold, layer, series, told, verdict


def built(*, first: float = 1.0, second: float = 1.0, rms: float = 1.0, gain: float = 1.0, depth: int = 3,
          kept: float = float("nan")) -> Measured:  # fmt: skip
    """A net whose hidden layers put out `first`, and the last of them `second`, for inputs of size `rms`."""
    measured = Measured(step=5)
    measured.inputs.mean, measured.inputs.std = series([0.0]), series([rms])
    for number in range(depth):
        made = layer(str(number), gradient=1e-4 if number == 0 else 0.2)
        made.std, made.weight = series([second if number == depth - 2 else first]), series([8.0 * gain])
        made.forget = kept
        measured.layers[made.name] = made
    return measured


THRESHOLDS = [
    ("max_output_std_ratio", {"second": 0.0051}, {"second": 0.0049}),
    ("min_output_std_ratio", {"second": 19.9}, {"second": 20.1}),
    ("min_first_layer_gain", {"first": 4.9}, {"first": 5.1}),
    ("min_input_rms", {"first": 0.3, "rms": 0.049}, {"first": 0.3, "rms": 0.051}),
    ("max_kept_share", {"kept": 0.11}, {"kept": 0.09}),
    ("max_layer_gain", {"gain": 0.201, "depth": 6}, {"gain": 0.199, "depth": 6}),
]


@pytest.mark.parametrize(("name", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, built, name, inside, beyond) is None


def test_an_output_that_fades_is_told_with_its_size() -> None:
    found = told(RULE, built(second=0.001))
    assert (found.severity, found.variant, found.since, found.where) == ("warning", "small", 1, ("1",))
    assert (found.numbers["spread"], found.numbers["input"]) == (0.001, 1.0)


def test_units_that_stay_alike_are_an_error() -> None:
    measured = built()
    measured.layers["0"].apart = series([0.0, 0.0, 0.01])
    found = told(RULE, measured)
    assert (found.severity, found.variant, found.numbers["units"]) == ("error", "alike", 64)
    measured.layers["0"].apart = series([0.0, 0.0, 0.06])  # begins at 0 on purpose
    assert verdict(RULE, measured) is None


def test_a_block_that_goes_on_with_a_training_has_no_first_step() -> None:
    measured = built(second=0.001)
    measured.before = 100
    assert verdict(RULE, measured) is None


def test_a_layer_of_the_users_own_class_may_not_be_so_large_either() -> None:
    measured = built()
    for made in measured.layers.values():
        made.kind, made.by_hand, made.std = "MyLinear", True, series([40.0])
    assert told(RULE, measured).variant == "large"
    for made in measured.layers.values():
        made.std = series([0.001])  # small on purpose, perhaps
    assert verdict(RULE, measured) is None


# Names of a net's layers with the gradient of each at the first step, and whether small weights fade in it.
FADING = {
    "a chain": ({"layers.0": 1e-4, "layers.2": 4e-3, "layers.4": 0.03, "layers.6": 0.2}, True),
    "layers of names of their own": ({"first": 1e-4, "second": 4e-3, "third": 0.03, "last": 0.2}, True),
    "a chain in blocks": (
        {"blocks.0.up": 1e-4, "blocks.0.down": 1e-3, "blocks.1.up": 4e-3, "blocks.1.down": 0.03, "head": 0.2}, True,
    ),
    "blocks with a way around": (
        {"blocks.0.key": 1e-4, "blocks.0.value": 0.01, "blocks.1.key": 1e-4, "blocks.1.value": 0.02, "out": 0.2}, False,
    ),
    "heads that are modules": (
        {"heads.0.key": 1e-4, "heads.0.value": 0.01, "heads.1.key": 1e-4, "heads.1.value": 0.01, "head": 0.2}, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FADING)
def test_small_weights_fade_where_layer_comes_upon_layer(kind: str) -> None:
    gradients, fades = FADING[kind]
    measured = built(depth=0)
    for name, gradient in gradients.items():
        made = measured.layers[name] = layer(name, gradient=gradient)
        made.std, made.weight = series([1.0]), series([8.0 * 0.09])
    found = verdict(RULE, measured)
    assert (found is not None and found.variant == "faint") is fades
