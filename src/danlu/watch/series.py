"""Numbers over steps, in bounded memory: what probes write and rules read."""

import math
import statistics
from collections.abc import Callable, Iterator, Sequence

_MOST = 512
_EARLIEST = 5


class Series:
    """Numbers by step. When they grow too many, every second one but the newest is dropped.

    >>> series = Series()
    >>> for step in range(1, 5):
    ...     series.add(step, 1.0 / step)
    >>> series.last, round(series.median(2), 4)
    (0.25, 0.2917)
    """

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.values: list[float] = []

    def add(self, step: int, value: float) -> None:
        self.steps.append(step)
        self.values.append(value)
        if len(self.values) > _MOST:
            self.steps = [*self.steps[:-1:2], self.steps[-1]]
            self.values = [*self.values[:-1:2], self.values[-1]]

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[tuple[int, float]]:
        return zip(self.steps, self.values, strict=True)

    @property
    def first(self) -> float:
        """The first number; NaN where there is none."""
        return self.values[0] if self.values else math.nan

    @property
    def last_step(self) -> int:
        """The step of the newest number; 0 where there is none."""
        return self.steps[-1] if self.steps else 0

    @property
    def last(self) -> float:
        """The newest number; NaN where there is none."""
        return self.values[-1] if self.values else math.nan

    def at(self, step: int) -> float:
        """The number of one of the newest steps; NaN where there is none."""
        for place in range(len(self.steps) - 1, max(-1, len(self.steps) - 4), -1):
            if self.steps[place] == step:
                return self.values[place]
        return math.nan

    def finite(self, newest: int | None = None) -> list[float]:
        """The finite ones among all, or among the newest so many."""
        values = self.values if newest is None else self.values[-newest:]
        return [value for value in values if math.isfinite(value)]

    def median(self, newest: int | None = None) -> float:
        """The median of the newest finite numbers, or of all; NaN where there is none."""
        values = self.finite(newest)
        return statistics.median(values) if values else math.nan

    def since(self, holds: "list[bool]") -> int:
        """The step from which on `holds` is true without a gap up to the newest number."""
        step = self.steps[-1] if self.steps else 0
        for at, true in zip(reversed(self.steps), reversed(holds), strict=True):
            if not true:
                break
            step = at
        return step


class Curve:
    """A noisy curve with one number every step, kept as the means of at most 256 stretches of equal length.

    >>> curve = Curve()
    >>> for step in range(1000):
    ...     curve.add(float(step))
    >>> curve.count, round(curve.begin(0.1)), round(curve.end(0.1))
    (1000, 50, 950)
    """

    STRETCHES = 256

    def __init__(self) -> None:
        self.count = 0
        self.width = 1  # steps in a stretch
        self.first = math.nan
        self.last = math.nan
        self.heard: Callable[[float], object] | None = None  # is told of each number, which is not kept here
        self.lowest = math.inf
        self.earliest: list[float] = []  # the first five
        self.nonfinite_since: int | None = None
        self._sums: list[float] = []
        self._squares: list[float] = []
        self._filled = 0  # steps in the last stretch
        self._known: tuple[int, list[float]] = 0, []  # means, and of how many steps

    def add(self, value: float) -> None:
        count = self.count = self.count + 1
        self.last = value
        if self.heard is not None:
            self.heard(value)
        if count <= _EARLIEST:
            self.earliest.append(value)
            self.first = self.earliest[0]
        if not math.isfinite(value):
            if self.nonfinite_since is None:
                self.nonfinite_since = count
            return
        if value < self.lowest:
            self.lowest = value
        if self._filled == self.width or not self._sums:
            self._sums.append(0.0)
            self._squares.append(0.0)
            self._filled = 0
            if len(self._sums) > self.STRETCHES:
                self._halve()
        self._sums[-1] += value
        self._squares[-1] += value * value
        self._filled += 1

    def extend(self, values: Sequence[float]) -> None:
        """The same of several finite numbers, to the last bit."""
        place = 0
        while place < len(values):
            part = values[place : place + self.width - self._filled]
            if not self._sums or not part or self.count < _EARLIEST or self.heard is not None:
                part = values[place : place + 1]
                self.add(part[0])
            else:
                total, squares = self._sums[-1], self._squares[-1]
                for value in part:
                    total += value
                    squares += value * value
                self._sums[-1], self._squares[-1] = total, squares
                self._filled += len(part)
                self.count += len(part)
                self.last, self.lowest = part[-1], min(self.lowest, *part)
            place += len(part)

    def _halve(self) -> None:
        """Join the stretches two by two; the odd one, just begun, stays."""
        pairs = range(0, self.STRETCHES, 2)
        self._sums = [self._sums[i] + self._sums[i + 1] for i in pairs] + [0.0]
        self._squares = [self._squares[i] + self._squares[i + 1] for i in pairs] + [0.0]
        self.width *= 2

    @property
    def means(self) -> list[float]:
        """The mean of each stretch, oldest first."""
        if self._known[0] != self.count:
            width, sums = self.width, self._sums
            last = [sums[-1] / self._filled] if sums and self._filled else []
            self._known = self.count, [*(total / width for total in sums[:-1]), *last]
        return self._known[1]

    @property
    def spreads(self) -> list[float]:
        """The standard deviation within each stretch, oldest first; 0 where a stretch is one step."""
        counts = [self.width] * (len(self._sums) - 1) + [max(1, self._filled)]
        return [
            math.sqrt(max(0.0, squares / count - (total / count) ** 2))
            for total, squares, count in zip(self._sums, self._squares, counts, strict=True)
        ]

    def begin(self, share: float) -> float:
        """The mean of the first `share` of the curve; at least one stretch."""
        return _mean(self.means[: self._stretches(share)])

    def end(self, share: float) -> float:
        """The mean of the last `share` of the curve; at least one stretch."""
        return _mean(self.means[-self._stretches(share) :])

    def part(self, start: float, stop: float) -> list[float]:
        """The means of the stretches between two shares of the curve (0 is its beginning, 1 its end)."""
        means = self.means
        return means[int(start * len(means)) : max(int(stop * len(means)), int(start * len(means)) + 1)]

    def _stretches(self, share: float) -> int:
        return max(1, round(share * len(self._sums)))


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else math.nan
