"""Everything that was measured, as one record."""

from dataclasses import fields

from danlu.watch.measured import Measured
from danlu.watch.optimiser_facts import Optimiser


def test_ordinary_steps_are_those_of_the_only_optimiser() -> None:
    measured = Measured(step=7, backwards=7, optimisers=[Optimiser("SGD", steps=7)])
    measured.add_ordinary([1.0, 0.5, 0.25])
    assert (measured.step, measured.backwards, measured.optimisers[0].steps) == (10, 10, 10)
    assert (measured.loss.count, measured.loss.last, measured.loss.lowest) == (3, 0.25, 0.25)


def test_no_two_records_share_what_they_hold() -> None:
    one, other = Measured(), Measured()
    shared = [
        field.name for field in fields(Measured)
        if getattr(one, field.name) is getattr(other, field.name) and hasattr(getattr(one, field.name), "__dict__")
    ]  # fmt: skip
    assert not shared
