"""too-few-epochs: told once, at the end, where as many steps again would gain much."""

import pytest

from danlu.watch.measured import Measured
from danlu.watch.rules.too_few_epochs import RULE
from measurements import check_threshold, told, training, validated, verdict


def falling(*, ended: bool = True, steps: int = 100) -> Measured:
    """From 2.3 straight down by a fifth."""
    return training(lambda step: 2.3 - 0.46 * step / steps, steps, ended=ended)


def stepwise(
    *, levels: tuple[float, float, float] = (2.2, 2.13, 2.055), first: float | None = None, steps: int = 100,
    epoch_steps: int | None = None,
) -> Measured:  # fmt: skip
    """A loss on three levels: for a third of the training, until its last quarter, and from there on."""
    early, middle, last = levels

    def loss(step: int) -> float:
        if first is not None and step <= 5:
            return first
        return early if step <= 0.35 * steps else middle if step <= 0.75 * steps else last

    measured = training(loss, steps)
    measured.epoch_steps = epoch_steps
    return measured


def straight(*, steps: int = 100) -> Measured:
    return falling(steps=steps)


SLOW = (2.2, 2.13, 2.055)
THRESHOLDS = [
    ("min_steps", straight, {"steps": 19}, {"steps": 20}),
    ("min_gain_share", stepwise, {"levels": (2.0, 1.5, 1.13), "first": 2.3}, {"levels": (2.0, 1.5, 1.1), "first": 2.3}),
    ("min_gain_ratio", stepwise, {"levels": (2.2, 2.13, 2.065)}, {"levels": SLOW}),
    ("min_progress_share", stepwise, {"first": 2.16}, {"first": 2.17}),
    ("max_early_epochs", stepwise, {"epoch_steps": 19}, {"epoch_steps": 20}),
    (
        "min_late_gain_share", stepwise,
        {"levels": (2.2, 2.0, 1.82), "epoch_steps": 10}, {"levels": (2.2, 2.0, 1.78), "epoch_steps": 10},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "build", "inside", "beyond"), THRESHOLDS)
def test_each_threshold_decides(name: str, build: object, inside: dict[str, float], beyond: dict[str, float]) -> None:
    assert check_threshold(RULE, build, name, inside, beyond) is None  # type: ignore[arg-type]


def test_where_epochs_are_known_three_times_as_many_are_proposed() -> None:
    found = told(RULE, stepwise(epoch_steps=25))
    assert (found.numbers["loss"], found.numbers["steps"], found.numbers["epochs"]) == (pytest.approx(2.055), 100, 4)
    assert found.remedies == ({"train.epochs": 12},)


def test_a_loss_that_had_only_begun_to_fall_is_told_with_what_more_steps_would_gain() -> None:
    found = verdict(RULE, falling())
    assert found is not None
    assert found.severity == "advice"
    assert found.numbers["expected"] < found.numbers["loss"] - 0.15


def test_nothing_is_told_before_the_end() -> None:
    assert verdict(RULE, falling(ended=False)) is None


@pytest.mark.parametrize(
    "end", [0.02, 0.05, 0.1, 0.3], ids=lambda end: f"{end} left"
)  # of the first loss, when the training ends
def test_a_loss_that_creeps_towards_its_floor_is_not_told(end: float) -> None:
    curve = training(lambda step: 2.3 * max(end, 0.97**step) * (1 + 0.2 / step), 300)
    assert verdict(RULE, curve) is None


def test_what_the_held_out_samples_no_longer_gain_is_not_told() -> None:
    turned = validated(falling(), [2.2, 2.0, 1.9, 2.0, 2.1], samples=200)
    assert verdict(RULE, turned) is None
    assert verdict(RULE, validated(falling(), [2.2, 2.1, 2.05, 2.0, 1.9], samples=200)) is not None


def test_a_schedule_that_has_come_to_its_end_is_not_told() -> None:
    measured = falling()
    measured.optimisers[0].rate.add(101, 0.001)
    assert verdict(RULE, measured) is None


def test_a_loss_that_only_wavers_is_not_told() -> None:
    assert verdict(RULE, training(lambda step: 2.3 - 0.1 * (step % 7) / 7, 200)) is None


def test_a_surrogate_is_not_read_as_progress() -> None:
    measured = falling()
    measured.weighs_samples = True
    assert verdict(RULE, measured) is None


def test_what_was_learnt_counts_from_where_the_loss_began() -> None:
    """A first batch that lies below guessing leaves less to be learnt."""
    assert told(RULE, stepwise(levels=(2.0, 1.5, 1.13), first=2.0)).severity == "advice"


def begun(*, steps: int = 50, share: float = 0.05, epochs: float = 1.0) -> Measured:
    """A loss that hardly falls, and more and more so."""
    measured = training(lambda step: 2.3 - 2.3 * share * (step / steps) ** 3, steps)
    measured.epoch_steps = round(steps / epochs)
    return measured


def curved(*, share: float) -> Measured:
    """Of which the rule would not speak by the gain that it expects: it has fallen, risen, and falls a little."""
    return training(lambda step: 2.3 * (1 - share) + (0.05 if step < 40 else 0.0) if step > 5 else 2.3, 50)


def test_a_curve_that_has_hardly_begun_to_fall() -> None:
    assert check_threshold(RULE, begun, "max_begun_steps", {"steps": 60}, {"steps": 59}) is None
    assert check_threshold(RULE, curved, "max_begun_share", {"share": 0.11}, {"share": 0.09}) is None
    assert verdict(RULE, begun(share=0.0)) is None
    assert verdict(RULE, begun(epochs=10)) is None
    unknown = begun()
    unknown.unread["inputs"] = "sparse"
    assert verdict(RULE, unknown) is None
