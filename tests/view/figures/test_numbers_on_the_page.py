"""The page's own script reads every number that danlu's JSON can hold, those that are not finite as well."""

import json
import math
import shutil
import subprocess

import pytest

from danlu.base.strict_json import to_json
from danlu.view.figures.names import short
from danlu.view.page.assets import asset

NUMBERS = [0, 1234567, 0.5, 1e-9, -3e20, math.nan, math.inf, -math.inf, None]
SHOWN = ["0", "1,234,567", "0.5", "1.0e-09", "-3.0e+20", "–", "∞", "-∞", "–"]


def test_a_number_that_is_not_finite_is_shown_as_such() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js here to run the page's script in")
    script = f"{asset('scales.js')}\nconsole.log(JSON.stringify({to_json(NUMBERS)}.map((one) => danlu.short(one))));"
    told = subprocess.run([node, "-e", script], check=False, capture_output=True, text=True, timeout=60)
    assert json.loads(told.stdout) == SHOWN == [short(one) for one in NUMBERS], told.stderr
