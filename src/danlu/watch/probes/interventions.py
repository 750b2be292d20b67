"""A few times in a training: what does a copy of the net answer where later places, other samples, padding change?"""

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from danlu.base.seeds import preserved_randomness
from danlu.watch.measured import Intervention, Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes.answers import by_place, by_sample, changed, cut, first_answer, moved, size
from danlu.watch.probes.arguments import ignored_arguments
from danlu.watch.probes.design import ORDERED, is_batch_second, shares_by_design
from danlu.watch.probes.floors import too_low
from danlu.watch.probes.inputs import batch_of
from danlu.watch.probes.masks import DrawnMasks
from danlu.watch.probes.orders import other_orders
from danlu.watch.probes.sequences import (
    Padding,
    Relation,
    begins,
    gaps,
    is_declared,
    is_one_hot,
    padding_of,
    relation_of,
)
from danlu.watch.probes.spreading import module_that_mixes
from danlu.watch.tracing import all_tensors, unreadable
from danlu.watch.trying import Copy, ModuleCall, UntriedError

_AT = (2, 50, 200, 400, 800, 1600, 3200)  # steps from which on the next measured one is tried
_MOST_CALLS = 2
_MOST_LOSSES = 4
_REORDERED = 0.2  # share of the inputs that are others then
_SEEN = 1e-3  # of what is changed itself: others that move by more are looked into
_LAGS = (0, 2, 1)  # of several the last one tells what the net is for
_REPEATED = 1e-4  # of the size of the answers: two that are to be the same differ by less
_NO_TOKENS = re.compile(r"mask|label|target|position|segment|type", re.IGNORECASE)


class InterventionProbe:
    """Keeps the calls and losses of a step that is due, and tries a copy of the net when the step is over."""

    writes = ("interventions",)

    def __init__(self, measured: Measured, roots: Mapping[str, nn.Module]) -> None:
        self._measured = measured
        self._roots = roots
        self._calls: list[tuple[ModuleCall, list[torch.Tensor]]] = []
        self._losses: list[LossCall] = []
        self._results: list[torch.Tensor] = []  # of these
        self._prints: dict[int, float] = {}  # of the first step's batch, by the id of the module
        self._times = 0
        self._listening = False  # the newest call is one of those that are kept
        self.on = True

    def called(self, module: nn.Module, args: Any, kwargs: Any, step: int) -> None:
        """The loop calls a module in training, in a step that is measured."""
        known = any(call.module is module for call, _ in self._calls)
        self._listening = self._is_due(step) and len(self._calls) < _MOST_CALLS and not known
        if self._listening:
            self._calls.append((ModuleCall.of(module, args, kwargs), []))

    def answered(self, output: Any) -> None:
        """That call has answered."""
        if self._listening:
            self._calls[-1][1].extend(one.detach() for one in all_tensors(output))
            self._listening = False

    def lost(self, call: LossCall, result: torch.Tensor) -> None:
        """A loss was computed that may go backwards."""
        if self._calls and len(self._losses) < _MOST_LOSSES:
            self._losses.append(call._replace(outputs=call.outputs.detach(), targets=call.targets.detach()))
            self._results.append(result.detach())

    def end_step(self, step: int) -> None:
        """The step is over."""
        calls, losses = self._calls, self._losses
        low = next((one for one in map(too_low, losses, self._results) if one is not None), None)
        if low is not None and self._measured.low_loss is None:
            self._measured.low_loss = replace(low, step=step, line=self._measured.lines.get("loss"))
        self._calls, self._losses, self._results = [], [], []
        if step == 1:
            self._prints = {id(call.module): _print(call) for call, _ in calls}
        elif calls:
            self._times += 1
            for call, given in calls:
                self._try(call, given, losses, step)

    def _is_due(self, step: int) -> bool:
        """Whether the calls of that step are wanted; of the first one only to know its batch again."""
        return self.on and (step == 1 or (self._times < len(_AT) and step >= _AT[self._times]))

    def _try(self, call: ModuleCall, given: list[torch.Tensor], losses: list[LossCall], step: int) -> None:
        name = self._name_of(call.module)
        trial = self._measured.interventions.get(name)
        fresh = trial is None or bool(trial.refused)
        if trial is None or fresh:
            trial = self._measured.interventions[name] = Intervention(name, step)
        trial.step = step
        try:
            with preserved_randomness():
                trying = _Trying(call, given, losses, self._measured, trial)
                if fresh:
                    trying.all(always_the_same=self._prints.get(id(call.module)) == _print(call))
                    for argument, beside in trying.padded_beside():
                        aside = Intervention(name, step, aside=True)
                        self._measured.interventions[f"{name} ({argument})"] = aside
                        _Trying(call, given, losses, self._measured, aside, beside).padding()
                else:
                    trying.again()
        except UntriedError as error:
            if fresh:
                trial.refused = str(error)

    def _name_of(self, module: nn.Module) -> str:
        for prefix, root in self._roots.items():
            for path, one in root.named_modules():
                if one is module:
                    return ".".join(part for part in (prefix, path) if part)
        return ""


def _print(call: ModuleCall) -> float:
    return sum(float(one.detach().double().sum()) for one in call.tensors if not unreadable(one))


class _Trying:
    """One trial of one call, made where global generators are put back."""

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
        self._call = call
        self._losses = losses
        self._measured = measured
        self._trial = trial
        self._copy = Copy(call, preserved=True)
        self._inputs, self._relation, self._loss = self._look(given) if beside is None else (beside, None, None)
        self._padding = padding_of(self._inputs) if self._relation is None or self._relation.time == 1 else None
        self._batch = self._batch_dimension()
        self._base = self._answer({})

    def all(self, *, always_the_same: bool) -> None:
        """Everything that is tried once."""
        trial = self._trial
        masks = DrawnMasks()
        again = self._answer({}, masks)
        trial.masks = masks.drawn
        if again.shape != self._base.shape or float(moved(self._base, again).max()) > _REPEATED * size(self._base):
            raise UntriedError("random")
        modules = list(self._call.module.modules())
        trial.tokens = not self._inputs.dtype.is_floating_point or is_one_hot(self._inputs)
        if self._relation is not None:
            trial.lag, trial.places = self._relation.lag, self._relation.places
            if trial.tokens or trial.lag > 0:
                self._try_places(self._relation)
            if self._loss is not None and trial.lag == 1:
                trial.gaps = gaps(self._inputs, self._loss.targets, self._loss.ignored, self._relation.time)
        if self._batch is not None:
            trial.sequential = self._inputs.dim() == 3 or not self._inputs.dtype.is_floating_point
            trial.batch_second = self._batch == 0 and any(map(is_batch_second, modules))
            if not (always_the_same and self._inputs.dim() == 2 and self._inputs.dtype.is_floating_point):
                self._try_samples(self._batch, modules)
            self.response()
            self._try_orders(modules)
            trial.ignores = ignored_arguments(self._call, self._inputs, self._batch)
        if self._padding is not None:
            trial.padded = self._padding.share
            trial.declares_padding = is_declared(self._padding, self._inputs, self._call.tensors, modules)
            trial.pads_counted = self._counted(self._padding)
            if self._batch == 0 and trial.response.last > 0:
                self._try_padding(self._padding)

    def padded_beside(self) -> list[tuple[str, torch.Tensor]]:
        """Other rows of tokens that are padded, such as those that a decoder looks up, by the name of the argument."""
        found = [(self._call.name_of(one), one) for one in self._call.tensors if one is not self._inputs]
        return [
            (name, one) for name, one in found
            if name and not _NO_TOKENS.search(name) and padding_of(one) is not None and int(one.max()) > 1
        ]  # fmt: skip

    def padding(self) -> None:
        """Whether the answers hang on what is no padding."""
        if self._padding is None:
            return
        self.response()
        self._trial.padded = self._padding.share
        if self._trial.response.last > 0:
            self._try_padding(self._padding)

    def again(self) -> None:
        """What a training changes: how far samples are told apart, and how much of what comes later is used."""
        self.response()
        if self._trial.ignores and self._batch is not None:
            self._trial.ignores &= ignored_arguments(self._call, self._inputs, self._batch)
        if self._relation is not None and self._relation.lag > 0 and self._trial.later > 0:
            before = self._trial.later
            self._try_places(self._relation)
            self._trial.later = max(before, self._trial.later)

    def response(self) -> None:
        """How far answers move where each sample is exchanged for another."""
        if self._batch is None or self._inputs.shape[self._batch] < 2:
            return
        other = self._inputs.roll(1, self._batch)
        if float((other != self._inputs).float().mean()) < 0.01:
            return
        answers = by_sample(self._base, self._inputs, self._batch)
        if answers is None or not size(answers):
            return
        self._trial.outputs = answers[0].numel()
        self._trial.reconstructs = answers.numel() == self._inputs.numel()
        after = self._answer({id(self._inputs): other})
        self._trial.response.add(self._trial.step, size(moved(self._base, after)) / size(answers))
        exchanged = by_sample(after, self._inputs, self._batch)
        if self._trial.outputs > 1 and exchanged is not None and exchanged.shape == answers.shape:
            one, other = (torch.nn.functional.normalize(rows.flatten(1).float()) for rows in (answers, exchanged))
            self._trial.turn.add(self._trial.step, size(moved(one, other)) * self._trial.outputs**0.5)

    def _answer(self, others: Mapping[int, torch.Tensor], mode: DrawnMasks | None = None) -> torch.Tensor:
        answers = first_answer(self._copy.answer(others, mode=mode))
        if answers is None:
            raise UntriedError("answers")
        return answers

    def _look(self, given: list[torch.Tensor]) -> tuple[torch.Tensor, Relation | None, LossCall | None]:
        """The tensor to be changed: of all that go in the one that the targets follow from, else the first."""
        found: tuple[torch.Tensor, Relation, LossCall] | None = None
        for inputs in self._call.tensors:
            if inputs.dim() not in (2, 3) or inputs.dtype == torch.bool:
                continue
            for loss in self._losses:
                if unreadable(loss.targets) or loss.kind not in ("classes", "numbers"):
                    continue
                relation = relation_of(inputs, loss.targets, loss.ignored, begins(inputs, given, loss))
                if relation is not None and (found is None or _LAGS.index(relation.lag) > _LAGS.index(found[1].lag)):
                    if found is not None and "label" in self._call.name_of(inputs):
                        continue  # the model is given its targets too
                    found = inputs, relation, loss
        if found is not None:
            return found
        inputs = batch_of(self._call.args, self._call.kwargs)
        if inputs is None or inputs.dim() < 2 or inputs.dtype == torch.bool:
            raise UntriedError("inputs")
        return inputs, None, next((one for one in self._losses if not unreadable(one.targets)), None)

    def _batch_dimension(self) -> int | None:
        """Which dimension of the inputs is that of the samples; None where nothing tells it."""
        if self._relation is not None:
            return 1 - self._relation.time
        first, second = self._inputs.shape[:2]
        ordered = {one.batch_first for one in self._call.module.modules() if isinstance(one, ORDERED)}
        if self._padding is not None or self._inputs.dim() > 3 or ordered == {True}:
            return 0
        flat = self._inputs.dim() == 2 and self._inputs.dtype.is_floating_point
        counts = {
            len(one.targets) for one in self._losses if one.targets.dim() and one.targets.numel() == len(one.targets)
        } - {first * second}  # as many as all places, of a single sample or of samples of a single one
        for count in (*counts, self._measured.loader_batch):
            if flat and count == first:
                return 0
            if count in (first, second) and first != second:
                return 0 if count == first else 1
        return 0 if flat else None

    def _try_places(self, relation: Relation) -> None:
        """Change the later half of the places, then the earlier one."""
        answers = by_place(self._base, self._inputs)
        if answers is None:
            return
        half = relation.places // 2
        late = torch.arange(relation.places, device=self._inputs.device) >= half
        where = (late if relation.time == 1 else late[:, None]).expand(self._inputs.shape[:2])
        for places, name in ((where, "later"), (~where, "earlier")):
            after = by_place(
                self._answer({id(self._inputs): changed(self._inputs, places, 1 - relation.time)}), self._inputs
            )
            if after is None or after.shape != answers.shape:
                return
            apart = moved(answers, after).amax(2)
            own, other = float(apart[places].max()), float(apart[~places].max())
            if own > 0:
                setattr(self._trial, name, other / own)
            if name == "later" and other > _SEEN * own:
                self._trial.leaks = self._first_to_mix(where, 1 - relation.time)

    def _try_samples(self, batch: int, modules: list[nn.Module]) -> None:
        """Change one sample."""
        samples = self._inputs.shape[batch]
        answers = by_sample(self._base, self._inputs, batch)
        if (
            answers is None
            or samples < 3
            or samples in answers.shape[1:]
            or shares_by_design(self._call, modules, samples)
        ):
            return
        chosen = torch.arange(samples, device=self._inputs.device) == samples // 2
        where = (chosen[:, None] if batch == 0 else chosen).expand(self._inputs.shape[:2])
        after = by_sample(self._answer({id(self._inputs): changed(self._inputs, where, batch)}), self._inputs, batch)
        if after is None or after.shape != answers.shape:
            return
        apart = moved(answers, after).reshape(samples, -1).amax(1)
        own, other = float(apart[chosen].max()), float(apart[~chosen].max())
        if max(own, other) > 0:
            self._trial.others = other / own if own > 0 else float("inf")
        if other > _SEEN * own:
            self._trial.mixes = self._first_to_mix(where, batch)

    def _first_to_mix(self, where: torch.Tensor, batch: int) -> str:
        """The name of the module through which a change in these places first reaches others."""
        others = {id(self._inputs): changed(self._inputs, where, batch)}
        path = module_that_mixes(self._copy, others, where)
        return ".".join(part for part in (self._trial.name, path) if part)

    def _try_orders(self, modules: list[nn.Module]) -> None:
        """Let places change places; answers for each place are to follow them."""
        scale = self._trial.response.last * size(self._base) if len(self._trial.response) else 0.0
        if self._batch != 0 or not self._measured.net.self_attends or not scale > 0:
            return
        for inputs, order in other_orders(self._inputs, self._relation, self._padding, modules):
            if float((inputs != self._inputs).float().mean()) < _REORDERED:
                continue
            after = self._answer({id(self._inputs): inputs})
            one = by_place(self._base, self._inputs) if order is not None else None
            other = by_place(after, self._inputs) if one is not None else None
            if one is not None and other is not None and order is not None:
                apart = size(moved(one[:, order], other)) / scale
            elif after.shape == self._base.shape:
                apart = size(moved(self._base, after)) / scale
            else:
                return
            self._trial.order = apart if math.isnan(self._trial.order) else min(apart, self._trial.order)

    def _counted(self, padding: Padding) -> float:
        """Of the targets that the loss counts the share that stands at padded places; NaN where it is not known."""
        loss = self._loss
        if loss is None or loss.kind != "classes" or loss.single or loss.weighted:
            return float("nan")
        rows, places = self._inputs.shape
        mask = padding.mask
        if loss.targets.numel() == rows * (places - 1) and self._relation is not None:
            mask = mask[:, :-1]
        elif loss.targets.numel() != rows * places:
            return float("nan")
        counted = loss.targets.reshape(mask.shape) != (loss.ignored if loss.ignored is not None else -100)
        return float((counted & mask).sum()) / max(1.0, float(counted.sum()))

    def _try_padding(self, padding: Padding) -> None:
        """Cut off the padding of the shorter rows; then change all places of each row before its last one."""
        lengths, scale = padding.lengths, self._trial.response.last * size(self._base)
        length = int(lengths.clamp(min=1).median())
        rows = (lengths <= length) & (lengths > 0)
        if length >= self._inputs.shape[1] or not bool(rows.any()) or not scale:
            return
        kept = torch.arange(self._inputs.shape[1], device=self._inputs.device) == (lengths - 1)[:, None]
        others = changed(self._inputs, ~padding.mask & ~kept, 0)
        real = others.masked_fill((others == padding.token) & ~padding.mask, int(self._inputs[~padding.mask].max()))
        after = self._answer({id(self._inputs): real})
        self._trial.context = self._apart(self._base, after, kept) / scale
        shape = self._inputs.shape[0], self._inputs.shape[1]
        try:
            less = {id(one): cut(one, rows, length, shape) for one in self._call.tensors}
            short = self._answer(less)
        except UntriedError:  # its places are as many as they are
            self._try_other_padding(padding, scale)
            return
        short_inputs = less[id(self._inputs)]
        whole, part = by_place(self._base, self._inputs), by_place(short, short_inputs)
        if whole is not None and part is not None:
            apart = moved(whole[rows][:, :length], part)[~padding.mask[rows][:, :length]]
            self._trial.pads = size(apart) / scale
        elif self._base.shape[0] == shape[0] and short.shape == self._base[rows].shape:
            self._trial.pads = size(moved(self._base[rows], short)) / scale

    def _try_other_padding(self, padding: Padding, scale: float) -> None:
        """Embed the padding as another token is, of which nothing is to be seen at the other places."""
        with self._copy.other_embedding(self._inputs, padding.token) as changes:
            after = self._answer({}) if changes else None
        if after is not None:
            self._trial.pads = self._apart(self._base, after, ~padding.mask) / scale

    def _apart(self, before: torch.Tensor, after: torch.Tensor, places: torch.Tensor) -> float:
        one, other = by_place(before, self._inputs), by_place(after, self._inputs)
        if one is not None and other is not None:
            return size(moved(one, other)[places])
        return size(moved(before, after))
