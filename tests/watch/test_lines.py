"""A finding names the line of the user's code where its fault lies, however the program is written."""

import contextlib
import linecache
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import danlu
from danlu.base.finding_text import Findings
from danlu.base.records import CodeLine, Finding, finding_of
from danlu.watch import Watch, frames, sites
from danlu.watch.frames import as_read, is_theirs
from danlu.watch.rulebook import rulebook
from faulty_programs import CASES, program
from loops import net, train


def findings_of(
    source: str, file: Path, monkeypatch: pytest.MonkeyPatch, name: str | None = None
) -> dict[str, Finding]:
    """What is found in a program that is run as a script, by rule; `name` is what its code is called."""
    file.write_text(source, encoding="utf-8")
    watches: list[danlu.Watch] = []

    def kept(*args: Any, **settings: Any) -> danlu.Watch:
        watches.append(Watch(*args, **settings))
        return watches[-1]

    monkeypatch.setattr(danlu, "watch", kept)
    with contextlib.suppress(IndexError):  # a target that is no class
        exec(compile(source, name or str(file), "exec"), {"__name__": "__main__"})
    return {finding.rule: finding for watch in watches for finding in watch.findings}


@pytest.mark.every(6)
@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize(("rule", "style"), CASES)
def test_the_line_of_the_fault_is_named(rule: str, style: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, number = program(rule, style)
    file = tmp_path / "train.py"
    found = findings_of(source, file, monkeypatch)
    assert rule in found
    assert found[rule].line == f"train.py:{number}"
    assert found[rule].as_dict()["line"] == {"file": str(file), "line": number}


_SMALL = """
import torch, torch.nn.functional as F
from torch import nn
import danlu
{before}
generator = torch.Generator().manual_seed(0)
with danlu.watch({watched}) as watch:
    for step in range({steps}):
        x = torch.randn(32, 8, generator=generator)
        y = x[:, :3].argmax(1)
        optimizer.zero_grad()
        {loss}
        loss.backward()
        optimizer.step()
"""
_SGD = "optimizer = torch.optim.SGD(model.parameters(), lr={rate})"
_SEQUENTIAL = "model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))"
_PLAIN_LOSS = "loss = F.cross_entropy(model(x), y)"

# By what is special: what stands before the block, what is watched, the loss, the rule that is to be found, a part of
# the line that is to be named.
OTHERS: dict[str, tuple[str, str, str, str, str]] = {
    "of two losses the one at fault": (
        _SEQUENTIAL + "\n" + _SGD.format(rate=0.1), "model, optimizer",
        ("output = model(x); loss = F.cross_entropy(output, y)\n"
        "        loss = loss + F.cross_entropy(output.softmax(1), y)"),
        "softmax-twice", "output.softmax(1), y",
    ),
    "of two alike the one at fault, in the other order": (
        _SEQUENTIAL + "\n" + _SGD.format(rate=0.1), "model, optimizer",
        ("output = model(x); loss = F.cross_entropy(output.softmax(1), y)\n"
        "        loss = loss + F.cross_entropy(output, y)"),
        "softmax-twice", "output.softmax(1), y",
    ),
    "smoothed labels": (
        _SEQUENTIAL + "\n" + _SGD.format(rate=0.1), "model, optimizer",
        "loss = F.cross_entropy(model(x).softmax(1), y, label_smoothing=0.1)", "softmax-twice", "label_smoothing",
    ),
    "a loss by hand": (
        "model = nn.Linear(8, 1)\n" + _SGD.format(rate=0.01), "model, optimizer",
        "loss = ((model(x) - y) ** 2).mean()", "loss-broadcast", "** 2).mean()",
    ),
    "a model without a class": (
        "model = nn.Sequential(\n    nn.Linear(8, 16), nn.Sequential(nn.Linear(16, 3)),\n)\n" + _SGD.format(rate=0.1),
        "model, optimizer", _PLAIN_LOSS, "missing-nonlinearity", "model = nn.Sequential(",
    ),
    "of two optimisers the one in use": (
        _SEQUENTIAL + "\nother = torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1)\n" + _SGD.format(rate=1e-7),
        "model, optimizer", _PLAIN_LOSS, "lr-too-low", "optimizer = torch.optim.SGD",
    ),
    "an optimiser of a class of one's own, made in the block": (
        "class Mine(torch.optim.SGD):\n    def __init__(self, params):\n        super().__init__(params, lr=1e-7)\n"
        + _SEQUENTIAL + "\noptimizer = None", "model",
        _PLAIN_LOSS + "\n        optimizer = optimizer or Mine(model.parameters())\n        optimizer.zero_grad()",
        "lr-too-low", "optimizer or Mine(",
    ),
    "an optimiser that nothing in sight made": (
        _SEQUENTIAL + "\noptimizer = getattr(torch.optim, 'SG' + 'D')(model.parameters(), lr=1e-7)",
        "model, optimizer", _PLAIN_LOSS, "lr-too-low", "optimizer.step()",
    ),
    "a layer that each pass makes anew": (
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.one = nn.Linear(8, 16)\n    def forward(self, x):\n        h = torch.relu(self.one(x))\n"
        "        return nn.Linear(16, 3)(h)\n"
        "model = Net()\n" + _SGD.format(rate=0.1),
        "model, optimizer", _PLAIN_LOSS, "parameters-not-optimized", "return nn.Linear(16, 3)",
    ),
    "a setting of the loss object": (
        _SEQUENTIAL + "\n" + _SGD.format(rate=0.01) + "\ncost = nn.CrossEntropyLoss(reduction='sum')",
        "model, optimizer, loss_fn=cost", "loss = cost(model(x), y)", "loss-sum", "cost = nn.CrossEntropyLoss",
    ),
}  # fmt: skip


def other(kind: str) -> tuple[str, str, int]:
    """Source, rule and line of a program of that table."""
    before, watched, loss, rule, part = OTHERS[kind]
    source = _SMALL.format(before=before, watched=watched + ", shown=False", loss=loss, steps=60)
    source = source.replace("optimizer.zero_grad()\n", "model.zero_grad()\n", 1)
    (number,) = [number for number, line in enumerate(source.splitlines(), 1) if part in line]
    return source, rule, number


@pytest.mark.every(2)
@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("kind", OTHERS)
def test_other_programs(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, rule, number = other(kind)
    found = findings_of(source, tmp_path / "train.py", monkeypatch)
    assert found[rule].line == f"train.py:{number}"


def test_a_class_of_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nets = tmp_path / "elsewhere.py"
    nets.write_text(
        "import torch\nfrom torch import nn\n\n\n@torch.no_grad\ndef nothing():\n    pass\n\n\n"
        "class Net(nn.Sequential):\n    '''Two layers.'''\n\n    def extra(self):\n        pass\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    before = "from elsewhere import Net\nmodel = Net(nn.Linear(8, 16), nn.Linear(16, 3))\n" + _SGD.format(rate=0.1)
    source = _SMALL.format(before=before, watched="model, optimizer, shown=False", loss=_PLAIN_LOSS, steps=20)
    found = findings_of(source, tmp_path / "train.py", monkeypatch)
    assert found["missing-nonlinearity"].line == "elsewhere.py:10"


@pytest.mark.parametrize(("name", "number"), [("<ipython-input-7-0a1b2c>", "7"), ("/tmp/ipykernel_5/99.py", "4")])
def test_a_cell_is_named_by_its_number(
    name: str, number: str, language: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shell = types.SimpleNamespace(compile=types.SimpleNamespace(format_code_name=lambda _: ("Cell", "In[4]")))
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    before = _SEQUENTIAL + "\n" + _SGD.format(rate=1e-7)
    source = _SMALL.format(before=before, watched="model, optimizer, shown=False", loss=_PLAIN_LOSS, steps=60)
    monkeypatch.setitem(linecache.cache, name, (len(source), None, source.splitlines(keepends=True), name))
    found = findings_of(source, tmp_path / "cell.py", monkeypatch, name)
    expected = f"cell {number}, line 6" if language == "en" else f"第 {number} 个单元格第 6 行"
    assert found["lr-too-low"].line == expected
    assert found["lr-too-low"].as_dict()["line"] == {"file": f"In[{number}]", "line": 6}


def test_a_cell_whose_number_nobody_tells() -> None:
    assert as_read(CodeLine("/tmp/ipykernel_5/99.py", 2)) == CodeLine("In[]", 2)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["stdin", "exec", "eval"])
def test_code_that_stands_in_no_file_is_watched_all_the_same(way: str, tmp_path: Path) -> None:
    source, rule, number = other("smoothed labels")
    source += f"\nprint([one.line for one in watch.findings if one.rule == {rule!r}])"
    command, given = [sys.executable, "-"], source
    if way != "stdin":
        program = f"exec({source!r})" if way == "exec" else f"eval(compile({source!r}, '<string>', 'exec'))"
        command, given = [sys.executable, "-c", program], ""
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"['<{'stdin' if way == 'stdin' else 'string'}>:{number}']"


def test_frames_are_looked_at_in_the_first_steps_only(monkeypatch: pytest.MonkeyPatch) -> None:
    walks: list[int] = []
    monkeypatch.setattr(sites, "calling_line", lambda *args: walks.append(1) or frames.calling_line(*args))

    def count(steps: int) -> int:
        walks.clear()
        model = net()
        with Watch(model, shown=False):
            train(model, steps)
        return len(walks)

    few = count(3)
    assert 0 < few <= 16
    assert count(300) == few


def test_a_step_holds_its_graph_no_longer_than_it_lasts() -> None:
    model = net()
    with Watch(model, shown=False) as watch:
        train(model, 3)
        observer = watch._observer  # pyright: ignore[reportPrivateUsage]
        assert observer is not None
        assert observer.probes.sites._losses == []  # pyright: ignore[reportPrivateUsage]


def test_every_rule_points_at_something_or_tells_an_outcome() -> None:
    places = {
        "loss", "whole loss", "loss object", "loss weights", "loader", "module", "call", "layer", "pass",
        "initialisation", "optimizer", "scheduler", "schedule step", "step", "clearing", "clip", "backward", "forward",
        "checkpoint", "train", "evaluation", "evaluated", "averaged", "average", "reloaded",
    }  # fmt: skip
    for rule in rulebook():
        assert rule.fault_in in {*places, "outcome"}, rule.id
        assert set(rule.variants_in.values()) <= places, rule.id


@pytest.mark.parametrize(
    ("file", "theirs"),
    [
        ("/home/me/train.py", True),
        (pytest.__file__, False),
        (frames.__file__, False),
        (contextlib.__file__, False),
        ("<frozen importlib._bootstrap>", False),
        ("<eval_with_key>.3", False),
        ("<stdin>", True),
        ("<ipython-input-3-0a1b>", True),
        ("/tmp/ipykernel_3/4.py", True),
    ],
)
def test_whose_file_it_is(file: str, theirs: bool) -> None:
    assert is_theirs(file) == theirs


def test_danlus_own_runs_name_no_line(tmp_path: Path) -> None:
    run = danlu.fit("mlp", "digits", lr=1e4, epochs=1, folder=tmp_path / "run", progress=False)
    assert run.findings
    assert {finding.line for finding in run.findings} == {None}
    assert {finding["line"] for finding in run.as_dict()["findings"]} == {None}


def test_a_line_is_shown_behind_the_layers() -> None:
    finding = Finding("dead-relu", "error", ("0",), 3, {}, "half are 0", "", code=CodeLine("/elsewhere/train.py", 48))
    assert str(Findings([finding])).startswith("✖ dead-relu   0, train.py:48, since step 3\n")
    assert finding_of(finding.as_dict()) == finding


_CALLER = """
import torch, torch.nn.functional as F
from torch import nn
import danlu

def train(model, own, steps=60):
    generator = torch.Generator().manual_seed(0)
    with danlu.watch(model, own, shown=False):
        for step in range(steps):
            x = torch.randn(32, 8, generator=generator)
            own.zero_grad()
            F.cross_entropy(model(x), x[:, :3].argmax(1)).backward()
            own.step()

def other():
    net = nn.Linear(8, 3)
    sgd = torch.optim.SGD(net.parameters(), lr=0.1)
    return sgd

def main():
    net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    sgd = torch.optim.SGD(net.parameters(), lr=1e-7)  # here
    train(net, sgd)

main()
"""


def test_the_optimiser_of_the_function_that_calls_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = findings_of(_CALLER, tmp_path / "train.py", monkeypatch)
    (number,) = [number for number, line in enumerate(_CALLER.splitlines(), 1) if "# here" in line]
    assert found["lr-too-low"].line == f"train.py:{number}"


_OPEN = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Embedding(12, 8), nn.Linear(8, 12)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first={first})
        self.body = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
    def forward(self, x):
        h = self.embed(x)
        h = self.body(h)
        return self.head(h)
"""


@pytest.mark.parametrize(
    ("first", "rule", "part"),
    [(True, "future-leak", "h = self.body(h)"), (False, "samples-mixed", "layer = nn.TransformerEncoderLayer")],
)
def test_a_layer_of_torchs_is_named_where_it_is_called_or_made(
    first: bool, rule: str, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = _SMALL.format(
        before=_OPEN.format(first=first) + "model = Net()\n" + _SGD.format(rate=0.01),
        watched="model, optimizer, shown=False",
        loss="row = torch.randint(12, (6, 10), generator=generator)\n"
        "        loss = F.cross_entropy(model(row[:, :-1]).flatten(0, 1), row[:, 1:].flatten())",
        steps=4,
    )
    (number,) = [number for number, line in enumerate(source.splitlines(), 1) if part in line]
    found = findings_of(source, tmp_path / "train.py", monkeypatch)
    assert found[rule].line == f"train.py:{number}"
