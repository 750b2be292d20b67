"""Records of a run, as plain frozen values."""

import pytest

from danlu.base.records import Finding


def test_a_finding_is_frozen() -> None:
    finding = Finding("dead-units", "warning", ("layers.0",), 20, {"share": 0.9}, "title", "why")
    assert finding.remedies == ()
    with pytest.raises(AttributeError, match="cannot assign"):
        finding.since = 3  # pyright: ignore[reportAttributeAccessIssue]
