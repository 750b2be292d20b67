"""What is wrong with watch itself never harms the training, and leaving the block leaves no trace."""

# It looks at the very places that watch touches.
# pyright: reportPrivateUsage=false, reportPrivateImportUsage=false

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import danlu
from danlu.watch.observer import Observer
from danlu.watch.probes.parameters import ParameterProbe
from loops import batches, net, train


def broken(*args: Any, **kwargs: Any) -> None:
    raise ZeroDivisionError("a probe that fails")


def weights(model: nn.Module) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in model.parameters()]


@pytest.mark.parametrize("place", [(ParameterProbe, "before"), (Observer, "_end_step"), (Observer, "_training_begins")])
def test_an_exception_in_a_probe_is_told_once_and_ends_nothing(
    place: tuple[type, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, watched = net(), net()
    train(plain)
    monkeypatch.setattr(*place, broken)
    with danlu.watch(watched):
        train(watched)
    assert all(torch.equal(one, other) for one, other in zip(weights(plain), weights(watched), strict=True))
    assert capsys.readouterr().err.count("a probe that fails") == 1


def test_an_exception_in_the_training_goes_through() -> None:
    model = net()
    with pytest.raises(RuntimeError, match="mat1 and mat2"), danlu.watch(model, shown=False) as watch:
        model(torch.randn(4, 5))
    assert watch.findings == []


def traces(model: nn.Module, optimizer: torch.optim.Optimizer) -> list[Any]:
    """Everything that watching may touch."""
    hooks = [
        dict(vars(module)[name])
        for module in model.modules()
        for name in ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    ]
    functions = [F.cross_entropy, F.mse_loss, F.dropout, torch.autograd.backward, nn.utils.clip_grad_norm_]
    functions += [torch.Tensor.backward, nn.Module.__call__, torch.optim.lr_scheduler.StepLR.step]
    functions += [torch.amp.GradScaler.scale, torch.autograd.graph.saved_tensors_hooks.__enter__]
    functions += [nn.Module._call_impl, nn.Module.train, torch.no_grad.__enter__, torch.inference_mode.__enter__]
    functions += [torch.set_grad_enabled.__init__, torch.autograd._engine_run_backward, torch._VF.dropout]
    functions += [nn.utils.clip_grad_value_, nn.utils.clip_grad._clip_grads_with_norm_, F.mse_loss, torch.kl_div]
    return [hooks, functions, dict(optimizer.state_dict()["state"]), torch.get_rng_state().tolist()]


@pytest.mark.parametrize("ends", ["by itself", "by an exception"])
def test_leaving_the_block_puts_everything_back(ends: str) -> None:
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    before = traces(model, optimizer)
    try:
        with danlu.watch(model, optimizer, shown=False):
            for x, y in batches(30):
                optimizer.zero_grad()
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
            if ends == "by an exception":
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        pass
    assert traces(model, optimizer) == before


@pytest.mark.parametrize("kind", ["dropout", "convolution", "adam"])
def test_the_watched_weights_are_those_of_the_unwatched_training(kind: str) -> None:
    def trained(*, watched: bool) -> list[torch.Tensor]:
        torch.manual_seed(3)
        middle = [nn.Dropout(0.3)] if kind == "dropout" else []
        begin = [nn.Unflatten(1, (1, 8)), nn.Conv1d(1, 4, 3), nn.BatchNorm1d(4), nn.Flatten()]
        layers = [*begin, nn.Linear(24, 16)] if kind == "convolution" else [nn.Linear(8, 16)]
        model = nn.Sequential(*layers, nn.ReLU(), *middle, nn.Linear(16, 3))
        optimizer = torch.optim.Adam(model.parameters()) if kind == "adam" else torch.optim.SGD(model.parameters(), 0.1)
        with danlu.watch(model, optimizer, shown=False) if watched else torch.enable_grad():
            for x, y in batches(150):
                optimizer.zero_grad()
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
        return [*weights(model), *(buffer.clone() for buffer in model.buffers()), torch.get_rng_state()]

    assert all(
        torch.equal(one, other) for one, other in zip(trained(watched=True), trained(watched=False), strict=True)
    )
