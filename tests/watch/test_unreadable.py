"""Tensors that cannot be read are passed over, each by itself; what was never read is not called fine."""

# What a net is given is of any kind here.
# pyright: reportUnknownLambdaType=false

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import danlu
from danlu.watch.guard import Guard
from loops import batches, loud, net


@dataclasses.dataclass
class Batch:
    """What some loops hand to their net."""

    x: torch.Tensor


class Taking(nn.Module):
    """A net that makes of what it is given what its layers want."""

    def __init__(self, unpack: Callable[..., torch.Tensor]) -> None:
        super().__init__()
        self.unpack, self.inner = unpack, net()

    def forward(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        return self.inner(self.unpack(*args, **kwargs))


def _quantized(x: torch.Tensor) -> torch.Tensor:
    return torch.quantize_per_tensor(x, 0.1, 0, torch.qint8)


# What the net is given for a batch x, how it reads that, and whether watch can read it.
GIVEN: dict[str, tuple[Callable[[torch.Tensor], Any], Callable[..., torch.Tensor], bool]] = {
    "plain": (lambda x: (x,), lambda x: x, True),
    "scalar first": (lambda x: (torch.tensor(0.5), x), lambda t, x: x, True),
    "times first": (lambda x: (torch.rand(len(x)), x), lambda t, x: x, True),
    "nothing first": (lambda x: (None, x), lambda _, x: x, True),
    "a word first": (lambda x: ("word", x), lambda _, x: x, True),
    "dict": (lambda x: ({"name": "a", "x": x},), lambda given: given["x"], True),
    "list": (lambda x: ([x, x],), lambda given: given[0], True),
    "dataclass": (lambda x: (Batch(x),), lambda given: given.x, True),
    "bool": (lambda x: (x > 0,), lambda x: x.float(), True),
    "whole numbers": (lambda x: ((x * 10).long(),), lambda x: x.float() / 10, True),
    "half": (lambda x: (x.half(),), lambda x: x.float(), True),
    "complex": (lambda x: (x + 0j,), lambda x: x.real, False),
    "coo": (lambda x: (x.to_sparse(),), lambda x: x.to_dense(), False),
    "csr": (lambda x: (x.to_sparse_csr(),), lambda x: x.to_dense(), False),
    "quantized": (lambda x: (_quantized(x),), lambda x: x.dequantize(), False),
    "nested": (
        lambda x: (torch.nested.nested_tensor(list(x), layout=torch.jagged),),
        lambda x: torch.stack(list(x.unbind())),
        False,
    ),
    "nothing": (lambda x: (), lambda: torch.ones(32, 8), False),
}


@pytest.mark.every(3)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", GIVEN)
def test_every_step_is_seen_whatever_the_net_is_given(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    give, unpack, readable = GIVEN[kind]
    model = Taking(unpack)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with danlu.watch(model, optimizer) as watch:
        for x, y in batches(30):
            optimizer.zero_grad()
            F.cross_entropy(model(*give(x)), y).backward()
            optimizer.step()
    assert "could not measure" not in capsys.readouterr().err
    assert watch.measured.step == watch.measured.loss.count == 30
    assert len(watch.measured.layers["inner.0"].std) == 7  # steps 1, 2, 3, 5, 10, 20, 30
    assert bool(len(watch.measured.inputs.batch)) == readable
    assert ("not judged: " in str(watch.findings)) == (not readable)
    assert ("input-scale" in str(watch.findings)) == (not readable)


@pytest.mark.parametrize("unreadable", ["meta", "coo", "empty"])
def test_one_batch_that_cannot_be_read_blinds_nothing(unreadable: str, capsys: pytest.CaptureFixture[str]) -> None:
    model = Taking(lambda x: x.to_dense() if x.is_sparse else x)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with danlu.watch(model, optimizer) as watch:
        for step, (x, y) in enumerate(batches(30)):
            if step == 0 and unreadable == "meta":
                with torch.no_grad(), torch.device("meta"):
                    torch.func.functional_call(
                        model, {name: one.to("meta") for name, one in model.named_parameters()}, (x.to("meta"),)
                    )
            given = x.to_sparse() if step == 4 and unreadable == "coo" else x
            if step == 4 and unreadable == "empty":
                model(x[:0]).sum().backward()
            optimizer.zero_grad()
            F.cross_entropy(model(given), y).backward()
            optimizer.step()
    assert "could not measure" not in capsys.readouterr().err
    assert watch.measured.step == 30
    assert watch.measured.inputs.batch.last_step == 30
    assert watch.measured.unread == {}
    assert watch.findings.remarks == []
    assert loud(watch) == []


def test_a_failure_is_told_once_and_briefly_when_it_comes_again_and_again() -> None:
    told: list[str] = []
    guard = Guard(lambda name, error: told.append(name))
    outcomes = iter([False, True, False, False] + [True] * 100)

    def measure() -> int:
        if next(outcomes):
            raise ValueError("x" * 20_000)
        return 1

    assert [guard(measure) for _ in range(4)] == [1, None, 1, 1]
    assert told == []  # one failure is no reason to speak
    answers = [guard(measure) for _ in range(90)]
    assert len(told) == 1
    assert sum(1 for _ in outcomes) > 80  # ever more seldom
    assert set(answers) == {None}


def test_what_is_told_of_a_failure_is_one_short_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from danlu.watch.probes.inputs import InputProbe

    def see(self: InputProbe, *args: Any) -> None:
        raise NotImplementedError("no kernel\n" + "registered at …\n" * 1_000)

    monkeypatch.setattr(InputProbe, "see", see)
    model = net()
    with danlu.watch(model) as watch:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for x, y in batches(30):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "could not measure" in line]
    assert len(line) < 250
    assert any("input-scale" in remark and "measurement failed" in remark for remark in watch.findings.remarks)


def test_where_nothing_was_seen_nothing_is_called_fine() -> None:
    with danlu.watch(net(), shown=False) as watch:
        pass
    assert "never called" in str(watch.findings)
    model = net()
    with danlu.watch(model, shown=False) as watch:
        for x, _ in batches(7):
            model(x)
    assert str(watch.findings).startswith("not judged: 7 forward passes")
    assert watch.findings == []


def test_the_steps_that_are_measured_do_not_depend_on_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(slowness: float) -> tuple[list[int], list[str]]:
        now = iter(range(10_000_000))
        monkeypatch.setattr("time.perf_counter", lambda: slowness * next(now))
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        with danlu.watch(model, optimizer, shown=False) as watch:
            for x, y in batches(700):
                optimizer.zero_grad()
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
        return watch.measured.inputs.std.steps, [str(finding) for finding in watch.findings]

    assert measured(1e-6) == measured(0.1)


def test_a_net_that_is_made_by_its_first_batch() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.LazyLinear(16), nn.ReLU(), nn.LazyLinear(3), nn.Softmax(1))
    with danlu.watch(model, shown=False) as watch:
        optimizer: torch.optim.Optimizer | None = None
        for x, y in batches(30):
            loss = F.cross_entropy(model(x), y)
            optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert loud(watch)[:1] == ["softmax-twice"]
    assert watch.measured.step == 30
