"""The calls and losses of measured training steps, told to all probes that look at both."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from danlu.watch.measured import Measured
from danlu.watch.patches import LossCall
from danlu.watch.probes.carried import CarriedProbe
from danlu.watch.probes.copied import CopiedProbe
from danlu.watch.probes.endings import EndingsProbe
from danlu.watch.probes.graph import Node
from danlu.watch.probes.held_out import HeldOutProbe
from danlu.watch.probes.inputs import batch_of
from danlu.watch.probes.interventions import InterventionProbe
from danlu.watch.probes.losses import LossProbe
from danlu.watch.probes.norms import NormProbe
from danlu.watch.probes.policy_sign import PolicySignProbe
from danlu.watch.probes.relation import RelationProbe
from danlu.watch.probes.turned import look_turned
from danlu.watch.probes.unrelated import UnrelatedProbe
from danlu.watch.tracing import all_tensors


class CallProbes:
    """One listener for several probes."""

    def __init__(self, measured: Measured, roots: Mapping[str, nn.Module], held_out: HeldOutProbe) -> None:
        self._measured = measured
        self._roots = roots
        modules = [module for root in roots.values() for module in root.modules()]
        recurrent = [one for one in modules if isinstance(one, nn.RNNBase | nn.RNNCellBase)]
        self.interventions = InterventionProbe(measured, roots)
        self._carried = CarriedProbe(measured, recurrent)
        self._unrelated = UnrelatedProbe(measured)
        self._relation = RelationProbe(measured)
        self._copied = CopiedProbe(measured)
        self._norms = NormProbe(measured, roots)
        self._endings = EndingsProbe(measured)
        self._policy = PolicySignProbe(measured)
        self._held_out = held_out
        self._first = True
        self.of_inputs = False  # whether somebody asks for the gradient of what the net was given in this step

    def follow(self, losses: LossProbe) -> None:
        """Hear of the losses that go backwards, and of the targets of those that were written by hand."""
        losses.met, losses.looked = self.met, self.looked

    def called(self, module: nn.Module, args: Any, kwargs: Any, step: int, *, first: bool) -> None:
        """The loop calls a module in training, in a step that is measured; `first` before its first backward pass."""
        self._first = first
        given = all_tensors((args, kwargs))
        self.of_inputs = self.of_inputs or any(one.requires_grad and one.is_leaf for one in given)
        self.interventions.called(module, args, kwargs, step)
        if first:
            self._carried.called(module, args, kwargs, step)
            self._unrelated.called(given)
            self._relation.called(given)
            self._copied.called(given)
            inputs = batch_of(args, kwargs)
            if inputs is not None:
                self._held_out.trains_on(inputs)

    def answered(self, output: Any) -> None:
        """That call has answered."""
        self.interventions.answered(output)
        if self._first:
            self._carried.answered(output)

    def lost(self, call: LossCall, result: torch.Tensor, step: int) -> None:
        """A loss was computed that may go backwards."""
        if call.kind == "alignment":  # its targets are no answers to single samples or places
            return
        self.interventions.lost(call, result)
        self._carried.lost(call)
        self._unrelated.met(call.kind, call.targets, step)
        self._relation.met(call.kind, call.targets)
        self._copied.met(call.kind, call.targets)
        self._endings.met(call.kind, call.targets, step)
        self._policy.met(step)

    def met(self, kind: str, targets: torch.Tensor, step: int) -> None:
        """Targets of a loss that was written by hand."""
        self._unrelated.met(kind, targets, step)
        self._relation.met(kind, targets)
        self._copied.met(kind, targets)

    def looked(self, root: Node, step: int) -> None:
        """A loss is about to go backwards."""
        self._endings.met("", None, step)
        self._policy.looked(root, step)

    def end_step(self, step: int) -> None:
        """The step is over."""
        self.of_inputs = False
        self._carried.end_step(step)
        self._unrelated.end_step()
        self._relation.end_step()
        self._copied.end_step()
        self._policy.end_step()
        self._norms.end_step(step)
        self.interventions.end_step(step)

    def end(self) -> None:
        """The training is over."""
        self._relation.end()
        if self._held_out.pictures is not None:
            look_turned(self._measured, self._roots, self._held_out.pictures)
