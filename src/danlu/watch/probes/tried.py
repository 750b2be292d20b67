"""One call of a net, made again by a copy: which tensor is changed, what it says of the batch, and what is answered."""

from collections.abc import Mapping

import torch

from danlu.watch.measured import Measured
from danlu.watch.pass_facts import Intervention
from danlu.watch.patches import LossCall
from danlu.watch.probes.answers import by_place, first_answer, moved, size
from danlu.watch.probes.design import ORDERED
from danlu.watch.probes.inputs import batch_of
from danlu.watch.probes.masks import DrawnMasks
from danlu.watch.probes.sequences import Relation, begins, padding_of, relation_of
from danlu.watch.tracing import unreadable
from danlu.watch.trying import Copy, ModuleCall, UntriedError

_LAGS = (0, 2, 1)  # of several the last one tells what the net is for


class TriedCall:
    """A call that is tried, where global generators are put back. What is found is written into its `trial`.

    Raises UntriedError where nothing can be changed, or no copy stands alone.
    """

    def __init__(
        self,
        call: ModuleCall,
        given: list[torch.Tensor],
        losses: list[LossCall],
        measured: Measured,
        trial: Intervention,
        beside: torch.Tensor | None = None,
    ) -> None:
        """`beside` is the tensor to be changed, where that is not the first one that the targets follow from."""
        self.call = call
        self.losses = losses
        self.measured = measured
        self.trial = trial
        self.copy = Copy(call, preserved=True)
        self.base = self.answer({})
        self.inputs, self.relation, self.loss = self._look(given) if beside is None else (beside, None, None)
        self.padding = padding_of(self.inputs) if self.relation is None or self.relation.time == 1 else None
        self.batch = self._batch_dimension()

    def answer(self, others: Mapping[int, torch.Tensor], mode: DrawnMasks | None = None) -> torch.Tensor:
        """What the copy answers first where `others` stand, by the id of a tensor of the call, in that one's place."""
        answers = first_answer(self.copy.answer(others, mode=mode))
        if answers is None:
            raise UntriedError("answers")
        return answers

    def apart(self, before: torch.Tensor, after: torch.Tensor, places: torch.Tensor) -> float:
        """How far two answers lie apart, at these places where they have places."""
        one, other = by_place(before, self.inputs), by_place(after, self.inputs)
        if one is not None and other is not None:
            return size(moved(one, other)[places])
        return size(moved(before, after))

    def _look(self, given: list[torch.Tensor]) -> tuple[torch.Tensor, Relation | None, LossCall | None]:
        """The tensor to be changed: of all that go in the one that the targets follow from, else the first."""
        found: tuple[torch.Tensor, Relation, LossCall] | None = None
        for inputs in self.call.tensors:
            if inputs.dim() not in (2, 3) or inputs.dtype == torch.bool or self._is_for_the_loss(inputs):
                continue
            for loss in self.losses:
                if unreadable(loss.targets) or loss.kind not in ("classes", "numbers"):
                    continue
                relation = relation_of(inputs, loss.targets, loss.ignored, begins(inputs, given, loss))
                if relation is not None and (found is None or _LAGS.index(relation.lag) > _LAGS.index(found[1].lag)):
                    if found is not None and "label" in self.call.name_of(inputs):
                        continue  # the model is given its targets too
                    found = inputs, relation, loss
        if found is not None:
            return found
        inputs = batch_of(self.call.args, self.call.kwargs)
        if inputs is None or inputs.dim() < 2 or inputs.dtype == torch.bool:
            raise UntriedError("inputs")
        return inputs, None, next((one for one in self.losses if not unreadable(one.targets)), None)

    def _is_for_the_loss(self, inputs: torch.Tensor) -> bool:
        """Whether they are labels that a model is given for its own loss alone, so that no answer hangs on them."""
        if "label" not in self.call.name_of(inputs) or len(self.call.tensors) < 2:
            return False
        after = self.answer({id(inputs): inputs.roll(1, 0)})
        return after.shape == self.base.shape and torch.equal(after, self.base)

    def _batch_dimension(self) -> int | None:
        """Which dimension of the inputs is that of the samples; None where nothing tells it."""
        if self.relation is not None:
            return self.relation.batch
        first, second = self.inputs.shape[:2]
        ordered = {one.batch_first for one in self.call.module.modules() if isinstance(one, ORDERED)}
        if self.padding is not None or self.inputs.dim() > 3 or ordered == {True}:
            return 0
        flat = self.inputs.dim() == 2 and self.inputs.dtype.is_floating_point
        counts = {
            len(one.targets) for one in self.losses if one.targets.dim() and one.targets.numel() == len(one.targets)
        } - {first * second}  # as many as all places, of a single sample or of samples of a single one
        for count in (*counts, self.measured.loader_batch):
            if flat and count == first:
                return 0
            if count in (first, second) and first != second:
                return 0 if count == first else 1
        return 0 if flat else None
