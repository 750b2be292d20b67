"""Studies, searches, cures and claims through a cluster: pickled as for another process, carried out in this one."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

import danlu
from danlu.base.errors import UserError
from danlu.base.seeds import use_threads
from danlu.claims.check import check
from danlu.study import reached as connect
from danlu.study.cluster.protocol import Ended, Lost, Place, Resources


@dataclass
class Pickling:
    """Two slots; what is held and what is sent goes through bytes, as to another process."""

    name: str = "pickling"
    slots: int = 2
    held: list[int] = field(default_factory=list[int])
    sent: list[int] = field(default_factory=list[int])
    _done: list[tuple[Hashable, Ended | Lost]] = field(default_factory=list[tuple[Hashable, Ended | Lost]])

    def resources(self) -> Resources:
        return Resources(self.slots, self.slots, 2**31)

    def places(self, look: Callable[[], Place]) -> Sequence[Place]:
        return [look()]

    def hold(self, value: Any) -> Any:
        held = cloudpickle.dumps(value)
        self.held.append(len(held))
        return held

    def submit(self, work: Any, held: Any, sent: Any, beside: Hashable | None = None) -> Hashable:
        packed = cloudpickle.dumps((work, sent))
        self.sent.append(len(packed))
        there, task = cloudpickle.loads(packed)
        outcome = there(cloudpickle.loads(held), task, lambda: False)
        self._done.append((len(self.sent), Ended(cloudpickle.loads(cloudpickle.dumps(outcome)))))
        return len(self.sent)

    def ended(self, seconds: float) -> Sequence[tuple[Hashable, Ended | Lost]]:
        done, self._done = self._done, []
        return done

    def drop(self, tickets: Sequence[Hashable]) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pickling]:
    one = Pickling()
    monkeypatch.setattr(connect, "_reached", lambda wanted: one)
    monkeypatch.setattr("danlu.stack.train.cores", lambda: 2)
    monkeypatch.setattr("danlu.study.on_cluster._LEAST_WORK", 1.0)
    before = use_threads(1)
    yield one
    use_threads(before)


def scores(study: danlu.Study) -> dict[str, dict[str, float]]:
    return {f"{member.factors} {member.seed} {member.fold}": dict(member.score) for member in study.members}


def test_stacks_of_several_folds_and_nets_share_one_copy_of_the_data(cluster: Pickling, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"vary": {"hidden": [[8], [16]], "lr": [0.01, 0.1]}, "seeds": 3, "folds": 2, "epochs": 2}
    here = danlu.compare("mlp", "digits", **asked, folder=tmp_path / "here", progress=False)
    there = danlu.compare("mlp", "digits", **asked, folder=tmp_path / "there", progress=False, cluster="ray")
    assert scores(there) == scores(here)
    assert there.best is not None
    assert here.best is not None
    assert there.best.test == here.best.test
    (held,) = cluster.held
    rows = here.best.recipe and 1797 * 64 * 4 * 2
    assert held < 1.1 * rows  # two folds of floats, without the test part
    assert max(cluster.sent) < 20_000
    assert len(cluster.sent) == 4


@pytest.mark.slow
def test_forms_of_convolutions_are_decided_by_the_first_stack_for_all(cluster: Pickling, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"vary": {"lr": [0.01, 0.1]}, "seeds": 3, "epochs": 1, "samples": 60, "batch_size": 10}
    there = danlu.compare("lenet5", "digits", **asked, folder=tmp_path / "there", progress=False, cluster="ray")
    journal = (tmp_path / "there" / "journal.jsonl").read_text()
    assert '"convolution ' in journal
    # Cut off behind the choices, the study goes on here as it went there.
    whole = scores(there)
    lines = journal.splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if '"kind": "member"' in line)
    (tmp_path / "there" / "journal.jsonl").write_text("".join(lines[: first + 1]))
    assert scores(danlu.resume(tmp_path / "there", progress=False)) == whole


@pytest.mark.slow
def test_a_search_climbs_its_rungs_there(cluster: Pickling, tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    asked: dict[str, Any] = {
        "space": {"lr": (1e-3, 1)},
        "trainings": 16,
        "epochs": 8,
        "hidden": [16],
        "progress": False,
    }
    here = danlu.search("mlp", "iris", **asked, folder=tmp_path / "here")
    there = danlu.search("mlp", "iris", **asked, folder=tmp_path / "there", cluster="ray")
    assert [(one.factors, one.state, one.epochs, one.score) for one in there.trials] == [
        (one.factors, one.state, one.epochs, one.score) for one in here.trials
    ]
    assert {one.state for one in there.trials} == {"finished", "dropped"}
    assert cluster.sent


@pytest.mark.slow
def test_a_cure_is_proved_there(cluster: Pickling, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"hidden": [32], "lr": 20.0, "momentum": 0.0, "epochs": 2}
    run = danlu.fit("mlp", "digits", **asked, folder=tmp_path / "run", progress=False)
    here = danlu.cure(run, seeds=3, folder=tmp_path / "here", progress=False)
    there = danlu.cure(run, seeds=3, folder=tmp_path / "there", progress=False, cluster="ray")
    assert here.study is not None
    assert there.study is not None
    assert scores(there.study) == scores(here.study)
    assert cluster.sent


def test_the_trainings_of_a_claim_run_there(cluster: Pickling, tmp_path: Path) -> None:
    check("momentum-helps", miniature=True, folder=tmp_path / "there", cluster="ray")
    assert cluster.sent


def test_a_net_of_ones_own_that_fails_is_told(cluster: Pickling, tmp_path: Path) -> None:
    from torch import Tensor, nn

    class Failing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            if self.training and len(x) == 9:  # the last batch of the training part, which no trial sees
                raise ZeroDivisionError("a mistake of mine")
            return self.layer(x)

    asked: dict[str, Any] = {"vary": {"lr": [0.001, 0.01]}, "seeds": 2, "epochs": 1, "batch_size": 32}
    with pytest.raises(UserError, match="Nothing could be trained: ZeroDivisionError: a mistake of mine"):
        danlu.compare(Failing, "iris", **asked, folder=tmp_path / "s", progress=False, cluster="ray")
    assert len([one for one in danlu.Study(tmp_path / "s").failed if "seed" in one]) == 4


def test_what_cannot_be_sent_is_told(monkeypatch: pytest.MonkeyPatch, cluster: Pickling, tmp_path: Path) -> None:
    def refuse(value: Any) -> Any:
        raise TypeError("cannot pickle '_thread.lock' object")

    monkeypatch.setattr(cluster, "hold", refuse)
    with pytest.raises(UserError, match="cannot be sent to other processes: cannot pickle '_thread.lock' object"):
        danlu.compare("mlp", "iris", vary={"lr": [0.1, 1.0]}, folder=tmp_path / "s", progress=False, cluster="ray")


def test_other_processors_are_noted_and_workers_without_danlu_refused(
    monkeypatch: pytest.MonkeyPatch, cluster: Pickling, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    here = connect.place_here()
    other = Place(here.danlu, here.torch, here.python, "ABACUS")
    monkeypatch.setattr(cluster, "places", lambda look: [other])
    asked: dict[str, Any] = {"vary": {"lr": [0.1, 1.0]}, "seeds": 2, "epochs": 1, "progress": False, "cluster": "ray"}
    danlu.compare("mlp", "iris", **asked, folder=tmp_path / "s")
    assert "processors differ (ABACUS" in capfd.readouterr().err

    def lacking(look: Any) -> Any:
        raise ModuleNotFoundError("No module named 'danlu'", name="danlu")

    monkeypatch.setattr(cluster, "places", lacking)
    with pytest.raises(UserError, match="the workers cannot import danlu"):
        danlu.compare("mlp", "iris", **asked, folder=tmp_path / "t")

    def late(look: Any) -> Any:
        raise TimeoutError("tcp://someone:secret@10.0.0.1 gave no answer")

    monkeypatch.setattr(cluster, "places", late)
    with pytest.raises(UserError, match="not every worker has answered") as told:
        danlu.compare("mlp", "iris", **asked, folder=tmp_path / "v")
    assert "secret" not in str(told.value)
    monkeypatch.setattr(cluster, "places", lambda look: [])
    with pytest.raises(UserError, match="no workers yet"):
        danlu.compare("mlp", "iris", **asked, folder=tmp_path / "u")


def test_the_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    for address in ("dask://127.0.0.1:8786", "ray"):
        with pytest.raises(UserError, match=r"pip install 'danlu\[cluster\]'"):
            danlu.compare(
                "mlp", "iris", vary={"lr": [0.1, 1.0]}, folder=tmp_path / "s", progress=False, cluster=address
            )
