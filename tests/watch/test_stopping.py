"""StopTraining, raised by on_finding, ends the block after the step under way; nothing else that is raised does."""

import pytest
import torch
from torch import nn

import danlu
from danlu.base.records import Finding


def train(watch: danlu.Watch, net: nn.Module, steps: int = 60, *, optimizer: bool = True, passes: bool = False) -> int:
    sgd = torch.optim.SGD(net.parameters(), lr=0.1)
    x = torch.randn(32, 4, generator=torch.Generator().manual_seed(0))
    y, done = (x[:, 0] > 0).long(), 0
    with watch:
        for _ in range(steps):
            try:
                net.zero_grad()
                nn.functional.cross_entropy(net(x), y).backward()
                if optimizer:
                    sgd.step()
                else:
                    with torch.no_grad():
                        for weight in net.parameters():
                            assert weight.grad is not None
                            weight.sub_(weight.grad, alpha=0.1)
            except Exception:  # noqa: BLE001 - as people write it
                assert passes
            done += 1
    return done


def faulty() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 2), nn.Softmax(1))


def stop(finding: Finding) -> None:
    raise danlu.StopTraining(finding.rule)


@pytest.mark.every(2)
@pytest.mark.parametrize("optimizer", [True, False])
@pytest.mark.parametrize("passes", [True, False])
def test_the_block_ends(optimizer: bool, passes: bool) -> None:
    net = faulty()
    watch = danlu.watch(net, on_finding=stop, shown=False)
    done = train(watch, net, optimizer=optimizer, passes=passes)
    assert done < 20
    assert watch.findings[0].rule == "softmax-twice"
    assert not watch.measured.crashed
    assert watch.findings.closing
    again = danlu.watch(net, shown=False)
    assert train(again, net) == 60  # nothing is left behind


def test_the_step_under_way_is_done() -> None:
    net, twin = faulty(), faulty()
    done = train(danlu.watch(net, on_finding=stop, shown=False), net)
    train(danlu.watch(twin, shown=False), twin, done + 1)
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), twin.parameters(), strict=True))


def test_other_exceptions_end_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(finding: Finding) -> None:
        raise ValueError("no network")

    net = faulty()
    watch = danlu.watch(net, on_finding=fail, shown=False)
    assert train(watch, net) == 60
    assert "no network" in str(watch.findings)


def test_behind_the_block_there_is_nothing_to_stop() -> None:
    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
    told: list[str] = []

    def note_and_stop(finding: Finding) -> None:
        told.append(finding.rule)
        raise danlu.StopTraining

    watch = danlu.watch(net, on_finding=note_and_stop, shown=False)
    assert train(watch, net, 60) == 60
    assert told == ["too-few-epochs"]  # an outcome, found when the block was left
