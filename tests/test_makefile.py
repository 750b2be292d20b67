"""What `make` would run is whole shell: a comma ends an argument of `call`, even in quotes, and cuts a command."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
TARGETS = re.findall(r"^([\w-]+|\$\(\w+\)):(?!=)", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def named(target: str) -> str:
    """`target` with its variable replaced by what the Makefile sets it to."""
    found = re.fullmatch(r"\$\((\w+)\)", target)
    if not found:
        return target
    lines = (CHECKOUT / "Makefile").read_text(encoding="utf-8").splitlines()
    return next(line.partition(":=")[2].strip() for line in lines if line.startswith(f"{found[1]} :="))


@pytest.mark.parametrize("target", TARGETS)
def test_the_commands_of_a_target_are_whole(target: str) -> None:
    # -B: also what is up to date; -n: printed and not run.
    printed = subprocess.run(
        ["make", "-n", "-B", named(target)], cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=False
    )
    assert printed.returncode == 0, printed.stderr
    read = subprocess.run(["sh", "-n"], input=printed.stdout, capture_output=True, text=True, timeout=30, check=False)
    assert (read.returncode, read.stderr) == (0, "")
