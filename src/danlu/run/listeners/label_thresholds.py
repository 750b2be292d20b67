"""From which probability on each label is given: chosen on the validation part, once the training is done."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from danlu.base.errors import Fault
from danlu.base.seeds import global_seed
from danlu.data.label_sets import LabelSets
from danlu.run.setup import Setup
from danlu.train.carried import Carried
from danlu.train.label_scores import best_threshold
from danlu.train.predictions import predicted

_AT_ONCE = 256


def with_thresholds(setup: Setup, net: nn.Module, epoch: int, note: Callable[[Fault], None]) -> Setup:
    """The setup whose labels have the thresholds with the largest F1 of each on the validation part; as it is for any
    other task. 0.5 where there is nothing to choose by, which `note` hears.
    """
    target = setup.data.target
    if not isinstance(target, LabelSets):
        return setup
    if not setup.data.sizes["validation"]:
        note(Fault("lab.thresholds-unchosen"))
        return setup
    batches = setup.data.batches("validation", _AT_ONCE, device=setup.device, dtype=setup.dtype)
    forward, was_training = Carried(net.eval()), net.training
    with global_seed(setup.recipe.train.seed, "score", "thresholds", epoch), torch.no_grad():
        found = [(predicted(forward(x), target.task, target.outputs), y) for x, y in batches]
    net.train(was_training)
    outputs, there = (torch.cat(pieces).cpu() for pieces in zip(*found, strict=True))
    probabilities = outputs.double().sigmoid()
    if not bool(probabilities.isfinite().all()):  # it has diverged, which is told elsewhere
        return setup
    chosen = [best_threshold(*label) for label in zip(probabilities.T, there.T > 0, strict=True)]
    absent = [name for name, one in zip(target.names, chosen, strict=True) if one is None]
    thresholds = tuple(0.5 if one is None else one for one in chosen)
    data = replace(setup.data, target=replace(target, thresholds=thresholds))
    if absent:
        note(Fault("lab.thresholds-absent", {"labels": ", ".join(absent)}))
    return replace(setup, data=data)
