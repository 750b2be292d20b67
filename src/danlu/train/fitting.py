"""The engine that computes a batch in as small portions as memory asks for, and adds up their gradients."""

import traceback
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from danlu.base.memory import is_out_of_memory
from danlu.base.recipe import Recipe
from danlu.base.seeds import generator_state, release_memory
from danlu.train.distributed.shares import bounds
from danlu.train.engine import Batch
from danlu.train.module_engine import ModuleEngine

_STATES = 2  # what an optimiser keeps, in units of the weights: it is not there yet before the first step


@dataclass(frozen=True)
class MicroBatch:
    """From update number `step` on, from 0, portions have at most so many `samples`; `ran_out` is whether they were
    larger before.
    """

    step: int
    samples: int
    ran_out: bool


class FittingEngine(ModuleEngine):
    """Accumulates as `train.accumulate` does, in the largest portions that memory holds (`train.fit_memory`).

    `find` looks for them before the first step: those of the recipe, half of these … until a batch gets through, then
    sizes between. A step for which memory runs out is done over in portions half as large, as are those that follow.
    Done over means that gradients, buffers and random numbers are as they were before it, so where a step goes on from
    depends on nothing but the portions. These are the engine's `course`: whoever goes on by it gets the same bits.

    Memory runs out within calls of the loop's, which pass on nothing then, until `parts` begins anew. A batch has at
    least `expected` portions, as far as can be told beforehand, and none is smaller than `least` samples.
    """

    def __init__(self, *arguments: Any, expected: int = 1, least: int = 1) -> None:
        super().__init__(*arguments)
        recipe: Recipe = arguments[4]
        self._device: torch.device = arguments[5]
        whole = (recipe.train.batch_size or 1) * recipe.train.accumulate
        self._least = min(least, whole)
        counts = range(min(max(recipe.train.accumulate, expected), whole), whole + 1)
        self._sizes = sorted({max(-(-whole // count), self._least) for count in counts}, reverse=True)
        self._buffers = list(self.net.buffers())
        self._before: list[Tensor] = []
        self._generators = [
            value
            for module in self.net.modules()
            for value in vars(module).values()
            if generator_state(value) is not None
        ]
        self._rewinds: list[Callable[[], None] | None] = []
        self._failed: BaseException | None = None
        self._number = 0
        self.course: list[MicroBatch] = []
        self.chosen: MicroBatch | None = None  # in the newest step

    def plan(self, planned: MicroBatch) -> None:
        """From a step on, portions are that large: it was so before this training was interrupted."""
        others = [one for one in self.course if one.step < planned.step or one.samples < planned.samples]
        self.course = sorted(
            [*(one for one in others if one.step != planned.step), planned], key=lambda one: (one.step, -one.samples)
        )

    def begin(self, step: int) -> None:
        super().begin(step)
        self._number, self.chosen = step, None
        planned = (one.samples for one in reversed(self.course) if one.step <= step)
        self._micro = next(planned, self._sizes[0])
        self._before = [buffer.clone() for buffer in self._buffers]
        self._rewinds = [generator_state(generator) for generator in self._generators]

    def find(self, batch: Batch) -> int:
        """The samples of a portion from the first step on, by trying the batch; nothing is left of that."""
        reserve = [torch.empty_like(one) for one in self._parameters for _ in range(_STATES)]
        self.start_epoch(0, 0)
        fails, place, fits = -1, 0, len(self._sizes)  # places among the sizes
        while fits - fails > 1:
            if self._holds(batch, self._sizes[place]):
                fits = place
            else:
                self._refuse_less()
                fails = place
            place = (fails + fits) // 2
            if fits == len(self._sizes):
                half = max(self._sizes[-1], self._sizes[fails] // 2)
                place = next(at for at, size in enumerate(self._sizes) if size <= half)
        del reserve
        self.plan(MicroBatch(0, self._sizes[fits], ran_out=False))
        return self._sizes[fits]

    def _holds(self, batch: Batch, samples: int) -> bool:
        """Whether memory holds the batch in portions of so many samples."""
        self.begin(0)
        self._micro, self._failed = samples, None
        for inputs, targets in self._micro_batches(batch):
            self.backward(self.loss(self.forward(inputs), targets))
            if self._failed is not None:
                break
        self._start_over()
        return self._failed is None

    def parts(self, batch: Batch) -> Iterator[Batch]:
        """The micro-batches of the batch; where memory does not hold them, again in smaller ones."""
        while not (yield from self._passed(batch)):
            self._refuse_less()
            self._micro = max(-(-self._micro // 2), self._least)
            self.chosen = MicroBatch(self._number, self._micro, ran_out=True)
            self.plan(self.chosen)

    def _passed(self, batch: Batch) -> Generator[Batch, None, bool]:
        """The batch once, portion after portion; whether memory held all of them."""
        self._failed = None
        self.batch_loss = torch.zeros((), device=batch[0].device)
        for part in self._micro_batches(batch):
            yield part
            if self._failed is not None:
                break
        else:
            return True
        yield batch[0][:0], batch[1][:0]  # with which the loop lets go of what it holds of the pass
        self._start_over()
        return False

    def _cuts(self, samples: int) -> list[tuple[int, int]]:
        """Portions of about the same size: the last one of a batch would be small else."""
        return bounds(samples, -(-samples // self._micro))

    def _start_over(self) -> None:
        """Back to where the step began."""
        self.clear_gradients()
        with torch.no_grad():
            for buffer, before in zip(self._buffers, self._before, strict=True):
                buffer.copy_(before)
        for rewind in self._rewinds:
            if rewind is not None:
                rewind()
        self._seed(self._number)
        one = torch.zeros((), requires_grad=True)
        torch.autograd.grad(one * 1, one)  # autograd holds on to what a pass left that failed, until the next one
        release_memory(self._device)

    def _refuse_less(self) -> None:
        """There is no smaller portion than the least."""
        if self._micro <= self._least and self._failed is not None:
            raise self._failed

    def forward(self, inputs: Tensor) -> Any:
        return self._unless_out(super().forward, inputs)

    def loss(self, outputs: Any, targets: Tensor) -> Tensor:
        return self._unless_out(super().loss, outputs, targets)

    def backward(self, loss: Tensor) -> None:
        self._unless_out(super().backward, loss)

    def _unless_out(self, call: Callable[..., Any], *given: Any) -> Any:
        """What `call` gives; nothing once memory was out in this pass."""
        if self._failed is None:
            try:
                return call(*given)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                traceback.clear_frames(error.__traceback__)  # what they hold is let go
                self._failed = error.with_traceback(None)
        return torch.zeros(())

    def state(self) -> dict[str, Any]:
        return {**super().state(), "micro": [[one.step, one.samples, one.ran_out] for one in self.course]}

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        self.course = [MicroBatch(*one) for one in state["micro"]]
