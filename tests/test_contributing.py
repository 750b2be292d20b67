"""What CONTRIBUTING.md says of adding a net, done to a copy of the package: one file, two lines, and the net trains."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]


def section(heading: str) -> str:
    text = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {heading}\n(.*?)(?=^## )", text, re.MULTILINE | re.DOTALL)
    assert found, f"CONTRIBUTING.md has no section {heading}"
    return found[1]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of src/ to which the section's code blocks have been added where it says."""
    text = section("Adding a net")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3, "the file, the export, the line in NETS"
    files = re.findall(r"`(src/danlu/[\w/]+\.pyi?)`", text)
    assert files == ["src/danlu/nets/maxout.py", "src/danlu/nets/__init__.pyi", "src/danlu/nets/registry.py"]
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(CHECKOUT / "src", root / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    net, exports, registry = (root / file for file in files)
    assert not net.exists(), "the example is not to be a net of danlu's already"
    net.write_text(blocks[0], encoding="utf-8")
    exports.write_text(exports.read_text(encoding="utf-8") + blocks[1], encoding="utf-8")
    before, start, after = registry.read_text(encoding="utf-8").partition("NETS: dict[str, NetEntry] = {\n")
    registry.write_text(before + start + blocks[2] + after, encoding="utf-8")
    return root


def run(copy: Path, *words: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(copy / "src"), "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, *words], cwd=copy, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_commands_of_the_section_work(copy: Path) -> None:
    commands = re.findall(r"^danlu (.*)$", section("Adding a net"), re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["nets", "fit", "show"]
    told = [run(copy, "-m", "danlu", *shlex.split(command)) for command in commands]
    assert "spread" in told[0], "the net is told layer by layer"
    accuracy = re.search(r"^test .*accuracy (0\.\d+)", told[2], re.MULTILINE)
    assert accuracy
    assert float(accuracy[1]) > 0.85
    assert 'name = "maxout"' in (copy / "runs" / "first" / "recipe.toml").read_text()


@pytest.mark.slow
def test_the_new_net_is_listed_and_its_example_runs(copy: Path) -> None:
    assert "maxout" in run(copy, "-m", "danlu", "nets")
    assert "0 failed" in run(
        copy, "-c", "import doctest, danlu.nets.maxout as m; print(doctest.testmod(m).failed, 'failed')"
    )


@pytest.mark.slow
def test_its_options_are_checked(copy: Path) -> None:
    words = ["-m", "danlu", "fit", "--net", "maxout", "net.pieces=0", "net.peaces=2"]
    environment = os.environ | {"PYTHONPATH": str(copy / "src")}
    done = subprocess.run(
        [sys.executable, *words], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert 'Did you mean "pieces"?' in done.stderr
    assert "net.pieces is 0" in done.stderr
