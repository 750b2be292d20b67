"""train.compile: tried beforehand, told, kept to where it pays, off where the graph breaks or a compiler is lacking."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor, nn

import danlu
from danlu.base.errors import UserError
from danlu.run import compiling
from danlu.run.interrupt import Interrupted
from interruption import assert_same_end, interrupt_at

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's own compiler
X = numpy.random.default_rng(0).normal(size=(130, 4)).astype("float32")
DATA = (X, (X.sum(1) > 0).astype("int64"))
SHORT: dict[str, Any] = {"batch_size": 16, "epochs": 3, "lr": 0.1, "progress": True}
COMPILE = nn.Module.compile


class Own(nn.Module):
    """A net of the user's, with a branch that no graph can hold where it `breaks`."""

    def __init__(self, *, breaks: bool = False) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 2))
        self.breaks = breaks

    def forward(self, x: Tensor) -> Tensor:
        if self.breaks and x.sum().item() > 1e9:
            x = x + 1
        return self.layers(x)


def own(*, breaks: bool = False) -> Own:
    torch.manual_seed(0)
    return Own(breaks=breaks)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """torch's graphs without machine code, which takes long to make; they pay where a step takes less than `pays`."""

    def compile_quickly(self: nn.Module, **settings: Any) -> None:
        COMPILE(self, backend="aot_eager", **settings)

    monkeypatch.setattr(nn.Module, "compile", compile_quickly)
    return lambda pays: monkeypatch.setattr(compiling, "_PAYS", pays)


def is_compiled(run: danlu.Run) -> bool | None:
    return json.loads((run.folder / "environment.json").read_text(encoding="utf-8")).get("compiled")


def weights(run: danlu.Run) -> dict[str, Tensor]:
    return run.net().state_dict()


def assert_same_bits(one: danlu.Run, other: danlu.Run) -> None:
    assert all(torch.equal(tensor, weights(other)[name]) for name, tensor in weights(one).items())


@pytest.mark.every(4)
@pytest.mark.parametrize("more", [{}, {"fit_memory": True}, {"ema": 0.9}, {"precision": "bfloat16"}], ids=str)
def test_a_compiled_training_comes_to_the_same(
    more: dict[str, Any], quick: Callable[[float], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = danlu.fit(own(), DATA, folder=tmp_path / "plain", **SHORT, **more)
    quick(1e9)
    net = own()
    run = danlu.fit(net, DATA, compile=True, folder=tmp_path / "run", **SHORT, **more)
    assert is_compiled(run)
    assert "compiled by torch.compile: a step takes" in " ".join(capsys.readouterr().err.split())
    assert list(weights(run)) == list(weights(plain))
    near = {"rtol": 0.1, "atol": 0.05} if "precision" in more else {"rtol": 1e-4, "atol": 1e-5}
    for name, tensor in weights(plain).items():
        torch.testing.assert_close(weights(run)[name], tensor, **near)
    assert getattr(net, "_compiled_call_impl", None) is None
    assert not [one for one in run.findings if one.severity == "error"]


def test_watching_changes_no_bit(quick: Callable[[float], None], tmp_path: Path) -> None:
    quick(1e9)
    runs = [danlu.fit(own(), DATA, compile=True, watch=on, folder=tmp_path / str(on), **SHORT) for on in (True, False)]
    assert_same_bits(*runs)


@pytest.mark.every(2)
@pytest.mark.parametrize("pays", [0.0, 1e9])
def test_a_resume_runs_the_code_that_the_run_began_with(
    pays: float, quick: Callable[[float], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick(pays)
    whole = danlu.fit(own(), DATA, compile=True, folder=tmp_path / "whole", **SHORT)
    interrupt_at(monkeypatch, 8)
    with pytest.raises(Interrupted, match="run"):
        danlu.fit(own(), DATA, compile=True, folder=tmp_path / "run", **SHORT)
    quick(1e9 - pays)  # whatever a trial would come to now
    run = danlu.resume(tmp_path / "run", net=own(), data=DATA, progress=False)
    assert is_compiled(run) is (pays > 0)
    assert_same_end(run, whole)


def no_compiler(self: nn.Module, **settings: Any) -> None:
    raise RuntimeError("InvalidCxxCompiler: No working C++ compiler found in torch._inductor.config.cpp.cxx: (None,)")


def failing(self: nn.Module, **settings: Any) -> None:
    raise TypeError("no such thing")


OFF: dict[str, tuple[bool, float, Any, str]] = {
    "graph": (True, 1e9, None, r"graph break at \S*test_compiling\.py:3\d: "),
    "slower": (False, 0.0, None, "not compiled: with torch.compile a step takes"),
    "compiler": (False, 1e9, no_compiler, "finds no working C"),
    "failing": (False, 1e9, failing, "fails on this net"),
}


@pytest.mark.every(2)
@pytest.mark.parametrize("case", OFF)
def test_where_it_does_not_pay_it_is_off_and_told(
    case: str, quick: Callable[[float], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    breaks, pays, compiles, words = OFF[case]
    plain = danlu.fit(own(breaks=breaks), DATA, folder=tmp_path / "plain", **SHORT)
    quick(pays)
    if compiles is not None:
        monkeypatch.setattr(nn.Module, "compile", compiles)
    run = danlu.fit(own(breaks=breaks), DATA, compile=True, folder=tmp_path / "run", **SHORT)
    told = " ".join(capsys.readouterr().err.split())
    assert re.search(words, told), told
    assert is_compiled(run) is False
    assert_same_bits(run, plain)


def test_a_net_that_danlu_writes_out_is_not_compiled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = danlu.fit("mlp", DATA, compile=True, folder=tmp_path / "run", **SHORT)
    assert "writes the steps of this net out" in " ".join(capsys.readouterr().err.split())
    assert is_compiled(run) is False


def test_a_net_that_is_compiled_is_left_alone(
    quick: Callable[[float], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net = own()
    net.compile()
    code = net._compiled_call_impl  # pyright: ignore[reportPrivateUsage]
    danlu.fit(net, DATA, compile=True, folder=tmp_path / "run", **SHORT)
    assert "compiled already" in " ".join(capsys.readouterr().err.split())
    assert net._compiled_call_impl is code  # pyright: ignore[reportPrivateUsage]


def test_a_study_refuses_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train\.compile is for one training"):
        danlu.compare(own, DATA, vary={"lr": [0.1, 0.2]}, compile=True, folder=tmp_path / "s", **SHORT)


@pytest.mark.slow
def test_machine_code_comes_to_the_same_bits_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_PAYS", 1e9)
    plain = danlu.fit(own(), DATA, folder=tmp_path / "plain", **SHORT)
    whole = danlu.fit(own(), DATA, compile=True, folder=tmp_path / "whole", **SHORT)
    assert is_compiled(whole)
    assert whole.score["test"]["loss"] == pytest.approx(plain.score["test"]["loss"], rel=0.5)  # other dropout masks
    interrupt_at(monkeypatch, 8)
    with pytest.raises(Interrupted, match="run"):
        danlu.fit(own(), DATA, compile=True, folder=tmp_path / "run", **SHORT)
    assert_same_end(danlu.resume(tmp_path / "run", net=own(), data=DATA, progress=False), whole)
