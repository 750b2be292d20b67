"""Keeps what watching costs to a small share of the training's time."""

import time

_TINY = 0.0006  # seconds of a step below which Python itself is most of it
_SHARE, _SHARE_OF_TINY = 0.01, 0.03


class Budget:
    """Adds up what measuring and judging took beyond an ordinary step, and says whether more of it is affordable.

    Where it is not, measuring is put off, never left out for good: the share falls while the training goes on.
    """

    def __init__(self) -> None:
        self._begun = self._step_ended = time.perf_counter()
        self._step = 0
        self._usual = 0.0  # seconds of an ordinary step, smoothed
        self._spent = 0.0

    def end_step(self, now: float, step: int, *, measured: bool) -> None:
        """Steps up to `step` have ended; what the last took over the usual is cost where it was measured."""
        took = (now - self._step_ended) / max(1, step - self._step)
        self._step = step
        if measured:
            self._spent += max(0.0, took - self._usual) if self._usual else 0.0
        else:
            # A pause between steps (an evaluation, the start of an epoch) is no part of the usual step.
            self._usual = took if not self._usual else self._usual + 0.1 * (min(took, 2 * self._usual) - self._usual)

    def judged(self, seconds: float) -> None:
        """So long took judging."""
        self._spent += seconds

    def resume(self) -> None:
        """Our own work after the step is done."""
        self._step_ended = time.perf_counter()

    def allows(self, step: int) -> bool:
        """Whether measuring or judging at `step` is affordable now."""
        share = _SHARE_OF_TINY if self._usual < _TINY else _SHARE
        return self._spent < share * (self._step_ended - self._begun)
