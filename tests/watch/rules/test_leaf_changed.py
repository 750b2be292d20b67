"""leaf-changed: told of the exception that torch raises."""

import pytest
import torch

from danlu.base.records import CodeLine
from danlu.watch.measured import Measured
from danlu.watch.rules.leaf_changed import RULE
from measurements import told, verdict

LINE = CodeLine("train.py", 9)


@pytest.mark.parametrize("part", [slice(None), 0])
def test_it_is_told_by_torchs_own_words(part: slice | int) -> None:
    weight = torch.zeros(3, 2, requires_grad=True)
    with pytest.raises(RuntimeError, match="in-place operation") as raised:
        weight[part].add_(1) if isinstance(part, int) else weight.add_(1)
    found = told(RULE, Measured(step=2, crashed="RuntimeError", crash=str(raised.value), crashed_at=LINE))
    assert (found.severity, found.since, found.line) == ("error", 2, LINE)


def test_other_ends_are_silent() -> None:
    assert verdict(RULE, Measured(step=2)) is None
    assert verdict(RULE, Measured(step=2, crashed="ValueError", crash="in-place")) is None
