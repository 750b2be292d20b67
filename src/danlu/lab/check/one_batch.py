"""One batch put through a copy of any net: what the graph of its loss shows, what it answers to changed inputs."""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from danlu.base.errors import Fault, fail
from danlu.base.records import Finding
from danlu.base.rule_names import rule_label
from danlu.base.seeds import preserved_randomness
from danlu.lab.check.outcome import Check, CheckLine, gravest
from danlu.watch import Watch
from danlu.watch.confidence import READ_OR_TRIED
from danlu.watch.rulebook import rulebook

_PASSES = 6  # the first steps are measured, and in the second the copy is tried
_OF_A_TRAINING = {"no-update", "gradients-accumulate", "optimizer-recreated", "scheduler-misuse", "unshuffled"}
_TRIED = {rule.id for rule in rulebook() if "tried" in rule.needs}
_ASKED = ((READ_OR_TRIED | _TRIED) - _OF_A_TRAINING) | {"input-twice-scaled", "nonfinite", "class-weights-inverted"}

LossFunction = Callable[[Any, Any], torch.Tensor]


def check_batch(net: object, batch: object, loss_fn: LossFunction | None) -> Check:
    """Put `batch`, (inputs, targets), through a copy of `net` a few times, backward too, and no step made.

    Inputs are a tensor, a tuple of them or a dict; the net is called with it, `*them` or `**them`. Without `loss_fn`
    class numbers are taken for the cross-entropy, other numbers for the squared error. Raises UserError for what is no
    net or no batch; what the net or the loss itself raises is passed on.
    """
    begin = time.perf_counter()
    if not isinstance(net, nn.Module):
        fail("check.batch-needs-net", found=type(net).__name__)
    if not isinstance(batch, list | tuple) or len(batch) != 2:
        fail("check.batch-needs-two", found=type(batch).__name__)
    inputs, targets = batch
    own = copy.deepcopy(net).train()
    trained = [one for one in own.parameters() if one.requires_grad]
    if not trained:
        fail("check.batch-needs-parameters")
    silence = {rule.id for rule in rulebook()} - _ASKED
    still = torch.optim.SGD(trained, lr=0.0)  # its steps are counted, and move nothing
    losses: list[float] = []
    watch = Watch(own, still, silence=silence, shown=False)
    with preserved_randomness(), watch:
        for _ in range(_PASSES):
            still.zero_grad()
            loss = (loss_fn or _usual_loss)(_answer(own, inputs), targets)
            losses.append(float(loss.detach()))
            loss.backward()
            still.step()
    findings, unseen = list(watch.findings), watch.unseen
    lines = [_passes(losses), _tries(findings, unseen)]
    return Check(type(net).__name__, str(Fault("check.batch")), lines, findings, time.perf_counter() - begin)


def _answer(net: nn.Module, inputs: Any) -> Any:
    if isinstance(inputs, Mapping):
        return net(**inputs)
    return net(*inputs) if isinstance(inputs, list | tuple) else net(inputs)


def _usual_loss(answer: Any, targets: torch.Tensor) -> torch.Tensor:
    if targets.is_floating_point():
        return nn.functional.mse_loss(answer, targets)
    # Torch wants the classes on axis 1; most nets for sequences give them last.
    last = answer.shape[:-1] == targets.shape
    return nn.functional.cross_entropy(
        answer.flatten(0, -2) if last else answer, targets.flatten() if last else targets
    )


def _passes(losses: Sequence[float]) -> CheckLine:
    numbers = {"loss": losses[0], "passes": len(losses)}
    return CheckLine("first-loss", "ok", Fault("check.batch-loss", numbers), None, dict(numbers))


def _tries(findings: Sequence[Finding], unseen: Mapping[str, str]) -> CheckLine:
    """What was asked of graph and copy; the rules that could not judge are named with their reason."""
    left = sorted(set(unseen) & _ASKED)
    numbers: dict[str, Any] = {"rules": len(_ASKED), "judged": len(_ASKED) - len(left)}
    reasons = "; ".join(dict.fromkeys(f"{rule_label(rule)}: {unseen[rule]}" for rule in left))
    found = Fault("check.tried-but" if left else "check.tried", {**numbers, "reasons": reasons})
    return CheckLine(
        "tried", gravest(findings), found, None, numbers | {"unseen": {rule: unseen[rule] for rule in left}}
    )
