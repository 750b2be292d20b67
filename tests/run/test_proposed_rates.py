"""A learning rate that a finding proposes is one at which the network trains, however far off the present one is."""

from pathlib import Path
from typing import Any

import pytest

import danlu

FAR = [10.0**power for power in (*range(2, 10), *range(-9, -4))]
CASES = [
    *(("sgd", 0.0, rate) for rate in FAR),
    *(("sgd", 0.9, rate) for rate in FAR[::4]),
    *((name, None, rate) for name in ("adam", "rmsprop") for rate in (1e2, 1e9, 1e-9, 1e-6)),
]
QUICK = [("sgd", 0.9, 1e2), ("sgd", 0.0, 1e9), ("sgd", 0.0, 1e-9), ("adam", None, 1e9)]


def trained(folder: Path, rate: float, name: str, momentum: float | None) -> danlu.Run:
    settings: dict[str, Any] = {"optim.name": name, "optim.lr": rate, "batch_size": 16, "epochs": 6}
    if momentum is not None:
        settings["optim.momentum"] = momentum
    return danlu.fit("mlp", "digits", folder=folder, progress=False, **settings)


@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("name", "momentum", "rate"),
    [*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in CASES if case not in QUICK)],
)
def test_the_proposed_rate_trains(tmp_path: Path, name: str, momentum: float | None, rate: float) -> None:
    ill = trained(tmp_path / "ill", rate, name, momentum)
    changes = [remedy.get("change", {}) for finding in ill.findings for remedy in finding.remedies]
    proposed = [change["optim.lr"] for change in changes if "optim.lr" in change]
    assert proposed, ill.findings
    well = trained(tmp_path / "well", proposed[0], name, momentum)
    assert well.score["test"]["accuracy"] > 0.9
    assert {finding.rule for finding in well.findings}.isdisjoint({"lr-too-high", "lr-too-low", "no-update"})
