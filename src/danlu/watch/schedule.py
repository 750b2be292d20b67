"""When to measure and when to judge: functions from a step to yes or no, the same in every run."""

from collections.abc import Callable

_FREE = 50

Schedule = Callable[[int], bool]
"""Whether step number `step` (from 1) is one of those."""


def usual(step: int) -> bool:
    """Each of the first 3 steps, the 5th, every 10th up to 100, every 20th up to 1,000, then every 100th.

    Mistakes show in the first steps; later things move slowly, and the cost of a measured step (about half of an
    ordinary one on a small net) is spread over the twenty around it, and later over a hundred.

    >>> [step for step in range(1, 101) if usual(step)]
    [1, 2, 3, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
    """
    if step <= 5:
        return step != 4
    return step % (10 if step <= 100 else 20 if step <= 1000 else 100) == 0


def every(steps: int) -> Schedule:
    """Every so many steps.

    >>> every(3)(6)
    True
    """
    return lambda step: step % steps == 0


def always(step: int) -> bool:
    """Steps that are measured whatever it costs: up to 50, then 100, 150, 200, 300, 400, 600 …, that is two for each
    doubling, so that nothing is overlooked for long in a short training.

    >>> [step for step in range(50, 1000, 50) if always(step)]
    [50, 100, 150, 200, 300, 400, 600, 800]
    """
    if step <= _FREE:
        return True
    quotient, rest = divmod(step, _FREE)
    power_of_two = quotient & (quotient - 1) == 0
    return rest == 0 and (power_of_two or (quotient % 3 == 0 and (quotient // 3) & (quotient // 3 - 1) == 0))


class Judging:
    """Judges at steps 5, 10, 20, 40 …, at least every 500 steps; where a step is brief, at 5, 20, 80, 320 …

    >>> judging = Judging()
    >>> [step for step in range(1, 1500) if judging(step, brief=False)]
    [5, 10, 20, 40, 80, 160, 320, 640, 1140]
    """

    def __init__(self) -> None:
        self._next = 5

    def __call__(self, step: int, *, brief: bool) -> bool:
        if step < self._next:
            return False
        self._next = 4 * step if brief else min(2 * step, step + 500)
        return True
