"""Whether a training runs compiled code: torch.compile is tried beforehand, and what came of that is told and kept."""

import copy
import re
import statistics
import time
import warnings
from dataclasses import replace

import torch
from torch import nn

from danlu.base.errors import Fault
from danlu.base.memory import is_out_of_memory
from danlu.base.records import CodeLine
from danlu.base.seeds import exact_kernels, preserved_randomness, wait_for
from danlu.run.batches import training_batches
from danlu.run.engines import training_loss
from danlu.run.setup import Setup
from danlu.store.run_environment import MODULE
from danlu.train.carried import Carried
from danlu.train.engine import Batch
from danlu.train.losses import loss_of
from danlu.train.module_engine import autocast

_PAIRS = 7  # of steps that are timed
_PAYS = 0.95  # of a step's time without it: less than a few parts in a hundred may be the machine's own noise
_LACKING = re.compile(r"InvalidCxxCompiler|working C\+\+ compiler|TritonMissing|working triton|Compiler: .* is not")


def with_compiler(setup: Setup, engine: str, before: bool | None = None) -> tuple[Setup, list[Fault]]:
    """The setup with compiled code where the recipe asks for it and it pays, and what is to be told.

    `before` is what a run that goes on began with, and stays so: other code gives other last digits.
    """
    if not setup.recipe.train.compile or before is False:
        return setup, []
    if any(getattr(one, "_compiled_call_impl", None) or hasattr(one, "_orig_mod") for one in setup.net.modules()):
        return setup, [Fault("compile.by-itself")]
    if engine != MODULE:
        return setup, [Fault("compile.written-out")]
    try:
        ratio, seconds = _tried(setup, timed=before is None)
    except Exception as error:  # noqa: BLE001 - whatever a compiler raises on somebody's net
        return setup, [_told(error)]
    if before is None and ratio > _PAYS:
        return setup, [Fault("compile.no-faster", {"ratio": f"{ratio:.2f}"})]
    notes = [] if before else [Fault("compile.pays", {"ratio": f"{ratio:.2f}", "seconds": f"{seconds:.1f}"})]
    return replace(setup, compiled=True), notes


def _tried(setup: Setup, *, timed: bool) -> tuple[float, float]:
    """The time of a compiled step over that of a plain one, and the seconds that compiling took. Raises what the
    compiler does, also where the graph breaks.

    Steps are those of copies of the net, on the first batch; all that a training meets is compiled: the last batch
    too, and the net in evaluation mode.
    """
    batch = _batch(setup)
    last = setup.data.sizes["train"] % len(batch[0]) or len(batch[0])
    fast, plain = copy.deepcopy(setup.net).train(), copy.deepcopy(setup.net).train()
    with preserved_randomness(), exact_kernels(setup.device), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's compiler has many for its own makers
        began = time.perf_counter()
        fast.compile(fullgraph=True)
        for samples in {len(batch[0]), last}:
            _step(setup, fast, (batch[0][:samples], batch[1][:samples]))
        with torch.no_grad():
            Carried(fast.eval())(batch[0])
        fast.train()
        seconds = time.perf_counter() - began
        if not timed:
            return 1.0, seconds
        pairs = [[_timed(setup, net, batch) for net in (plain, fast)] for _ in range(_PAIRS + 1)]
    return statistics.median(compiled / whole for whole, compiled in pairs[1:]), seconds


def _batch(setup: Setup) -> Batch:
    """The first batch, or the first portion of it where gradients are accumulated."""
    recipe = setup.recipe
    inputs, targets = next(iter(training_batches(recipe, setup.data, 0, 0, setup.device, setup.dtype)))
    return inputs[: recipe.train.batch_size], targets[: recipe.train.batch_size]


def _step(setup: Setup, net: nn.Module, batch: Batch) -> None:
    """Forward and backward, without an update."""
    with autocast(setup.recipe.train.precision, setup.device):
        loss = loss_of(Carried(net)(batch[0]), batch[1], training_loss(setup))
    loss.backward()
    for parameter in net.parameters():
        parameter.grad = None


def _timed(setup: Setup, net: nn.Module, batch: Batch) -> float:
    began = time.perf_counter()
    _step(setup, net, batch)
    wait_for(setup.device)
    return time.perf_counter() - began


def _told(error: Exception) -> Fault:
    """Why the net runs as it is."""
    cause = getattr(error, "inner_exception", error)  # of torch's wrapper for what a compiler raises
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    reason = lines[0] if lines else type(cause).__name__
    if is_out_of_memory(cause):
        return Fault("compile.out-of-memory")
    if _LACKING.search(f"{type(cause).__name__} {cause}"):
        return Fault("compile.no-compiler")
    stack = getattr(error, "real_stack", None)  # of the net's code, where that breaks the graph
    if not stack:
        return Fault("compile.failed", {"reason": reason})
    place = CodeLine(stack[-1].filename, stack[-1].lineno)
    return Fault("compile.graph-breaks", {"reason": reason, "place": str(place)})
