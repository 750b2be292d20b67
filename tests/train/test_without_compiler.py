"""An optimiser that does not wait for torch's compiler is torch's own, to the last bit, and imports no compiler."""

import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import nn

from danlu.train.optimisers import OPTIMISERS
from danlu.train.without_compiler import without_compiler

NAMES = [name for name in OPTIMISERS if name != "sparse-adam"]


def trained(kind: type[torch.optim.Optimizer], name: str) -> tuple[list[torch.Tensor], dict[str, Any], list[str]]:
    """Weights and state after some steps, the last ones with state that was saved and taken back; what hooks saw."""
    generator = torch.Generator().manual_seed(0)
    net = nn.Linear(4, 3, bias=name != "muon").double()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    x, y = torch.randn(8, 4, generator=generator).double(), torch.randn(8, 3, generator=generator).double()
    optimizer, seen = kind(net.parameters(), lr=0.01), list[str]()  # pyright: ignore[reportCallIssue]
    optimizer.register_step_pre_hook(lambda *_: seen.append("before"))
    optimizer.register_step_post_hook(lambda *_: seen.append("after"))

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = nn.functional.mse_loss(net(x), y)
        value.backward()
        return value

    for step in range(6):
        if step == 3:
            optimizer.load_state_dict(optimizer.state_dict())
        if name == "lbfgs":
            optimizer.step(loss)
        else:
            loss()
            optimizer.step()
    return [parameter.detach() for parameter in net.parameters()], optimizer.state_dict(), seen


@pytest.mark.parametrize("name", NAMES)
def test_it_takes_the_same_steps(name: str) -> None:
    weights, state, seen = trained(without_compiler(OPTIMISERS[name]), name)
    others, other_state, other_seen = trained(OPTIMISERS[name], name)
    assert all(torch.equal(weight, other) for weight, other in zip(weights, others, strict=True))
    assert repr(state) == repr(other_state)
    assert seen == other_seen == ["before", "after"] * 6


@pytest.mark.parametrize("name", OPTIMISERS)
def test_it_goes_by_the_same_name(name: str) -> None:
    kind = OPTIMISERS[name]
    own = without_compiler(kind)
    assert own is without_compiler(kind)
    assert issubclass(own, kind)
    assert (own.__name__, own.__module__, own.__doc__) == (kind.__name__, kind.__module__, kind.__doc__)


def test_none_of_them_imports_the_compiler() -> None:
    program = """
import sys, torch
from danlu.train.optimisers import OPTIMISERS
from danlu.train.without_compiler import without_compiler
for kind in map(without_compiler, OPTIMISERS.values()):
    weight = torch.nn.Parameter(torch.ones(2, 2))
    optimizer = kind([weight])
    def loss():
        optimizer.zero_grad()
        weight.grad = torch.ones(2, 2).to_sparse() if kind.__name__ == "SparseAdam" else torch.ones(2, 2)
        return weight.sum()
    loss()
    optimizer.step(loss)
    optimizer.load_state_dict(optimizer.state_dict())
print("torch._dynamo" in sys.modules, "sympy" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
