"""pytest --danlu: tests that train are watched, and fail on errors; without the option nothing happens at all."""

import importlib.metadata
import os
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["pytester"]

_TESTS = """
import pytest

def train(softmax, reduction="mean"):
    import torch
    from torch import nn
    torch.manual_seed(0)
    x = torch.randn(64, 8)
    y = (x[:, 0] > 0).long()
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 2))
    if softmax:
        model.append(nn.Softmax(1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(20):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y, reduction=reduction).backward()
        optimizer.step()

def test_healthy():
    train(False)

def test_faulty():
    train(True)

def test_faulty_and_red():
    train(True)
    assert 1 == 2

@pytest.mark.danlu_silence("softmax-twice")
def test_silenced():
    train(True)

@pytest.mark.danlu_silence
def test_left_alone():
    train(True)

@pytest.fixture
def trained():
    train(True)

def test_of_a_fixture(trained):
    pass

def test_without_training():
    pass
"""


def run(pytester: pytest.Pytester, tests: str, *words: str) -> pytest.RunResult:
    pytester.makepyfile(tests)
    known = {point.value for point in importlib.metadata.entry_points(group="pytest11")}
    plugin = () if "danlu.cli.pytest_plugin" in known else ("-p", "danlu.cli.pytest_plugin")
    source = Path(__file__).parents[2] / "src"
    os.environ["PYTHONPATH"] = str(source)  # pytester puts the environment back
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *plugin, *words)


def outcomes(result: pytest.RunResult) -> dict[str, int]:
    return result.parseoutcomes()


def test_a_test_that_trains_badly_fails(pytester: pytest.Pytester) -> None:
    result = run(pytester, _TESTS, "--danlu", "--strict-markers")
    assert outcomes(result) == {"passed": 4, "failed": 2, "errors": 1}
    result.stdout.fnmatch_lines([
        "*test_faulty *",
        "✖ softmax-twice   test_a_test_that_trains_badly_fails.py:*, since step 1, surely",
        "*ends in a softmax over 2 outputs*",
        "*test_faulty_and_red*",
        "*assert 1 == 2*",
        "*- Captured danlu call -*",
        "✖ softmax-twice*",
        "danlu: 5 tests that train were watched, 2 failed by what was found",
    ])  # fmt: skip


@pytest.mark.slow
@pytest.mark.every(3)
@pytest.mark.parametrize(("level", "failed"), [("error", 0), ("warning", 1), ("never", 0)])
def test_the_level_is_chosen(level: str, failed: int, pytester: pytest.Pytester) -> None:
    tests = _TESTS.partition("def test_healthy")[0] + "def test_of_a_sum():\n    train(False, 'sum')\n"
    result = run(pytester, tests, "--danlu", f"--danlu-fail={level}")
    wanted: dict[str, Any] = {"failed": 1} if failed else {"passed": 1}
    assert outcomes(result) == wanted, result.stdout.str()


@pytest.mark.slow
def test_several_processes(pytester: pytest.Pytester) -> None:
    result = run(pytester, _TESTS, "--danlu", "-n", "2")
    assert outcomes(result) == {"passed": 4, "failed": 2, "errors": 1}
    result.stdout.fnmatch_lines(["danlu: 5 tests that train were watched, 2 failed by what was found"])


@pytest.mark.slow
def test_without_the_option_nothing_is_loaded(pytester: pytest.Pytester) -> None:
    tests = "import sys\n\ndef test_it():\n    assert 'torch' not in sys.modules and 'danlu.watch' not in sys.modules\n"
    assert outcomes(run(pytester, tests)) == {"passed": 1}
    result = run(pytester, tests, "--danlu")
    assert outcomes(result) == {"passed": 1}
    result.stdout.fnmatch_lines(["danlu: no test was watched*"])


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("mark", "said"), [("'softmax-twise'", "there is no rule softmax-twise"), ("'plateau'", "passed")]
)
def test_a_rule_that_does_not_exist(mark: str, said: str, pytester: pytest.Pytester) -> None:
    tests = f"import pytest\n\n@pytest.mark.danlu_silence({mark})\ndef test_it():\n    pass\n"
    result = run(pytester, tests, "--danlu")
    assert said in result.stdout.str()
