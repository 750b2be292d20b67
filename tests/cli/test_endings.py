"""How a training ends is told: diverged and from which step, stopped early, which weights are scored, how long."""

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

import danlu
from command_line import Type, assert_refused
from danlu.base.words import say
from danlu.store.journal import read
from danlu.store.records import EpochEnded
from danlu.view.info.ending import diverged_at, scored_weights
from danlu.view.summary import summary_lines

NAN = float("nan")
TABLE = "a,b,y\n" + "".join(f"{row * 1000},{row % 5},{row * 1.5}\n" for row in range(60))
DIVERGING = ("data.standardise=false", "optim.lr=1000", "train.epochs=2", "net.hidden=[4]", "data.task=regression")


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "t.csv"
    path.write_text(TABLE)
    return str(path)


@pytest.mark.parametrize(
    ("losses", "score", "since"),
    [
        ([1.0, 0.5, 0.2], {}, None),
        ([1.0, NAN, 0.2], {}, None),
        ([1.0, NAN, float("inf")], {}, 2),
        ([NAN, NAN, NAN], {}, 1),
        ([1.0, 0.5, 0.2], {"test": {"loss": NAN}}, 3),
        ([1.0, 0.5, 0.2], {"train": {"loss": NAN}, "test": {"loss": 0.1}}, None),
        ([], {}, None),
    ],
)
def test_a_training_diverged_where_no_loss_is_finite_any_more(
    losses: list[float], score: Any, since: int | None
) -> None:
    assert diverged_at(range(1, len(losses) + 1), losses, score) == since


@pytest.mark.every(2)
def test_a_diverged_run_is_marked_everywhere(type_in: Type, table: str, work: Path, language: str) -> None:
    answer = type_in("fit", "--lang", language, table, "--target", "y", *DIVERGING, "--name", "gone")
    assert answer.code == 3
    run = danlu.Run(work / "runs" / "gone")
    assert run.diverged
    since = run.diverged_since
    assert since is not None
    (end,) = [record for record in read(run.folder / "journal.jsonl") if record["kind"] == "end"]
    assert end["diverged"] == since
    assert say("view.diverged", step=f"{since:,}") in answer.out
    assert f"diverged at step {since}" in repr(run)
    assert "diverged" in (run.folder / "report.html").read_text() if language == "en" else True
    shown = type_in("show", "runs/gone", "--json")
    assert (shown.code, shown.json["diverged"], shown.json["diverged_since"]) == (0, True, since)
    resumed = type_in("resume", "runs/gone", "--json")
    assert (resumed.code, resumed.json["diverged"]) == (3, True)
    assert type_in("fit", table, "--target", "y", *DIVERGING, "--json").code == 3


def test_a_study_of_which_every_training_diverged_ends_so_and_has_no_best(
    type_in: Type, table: str, language: str
) -> None:
    words = ("compare", table, "--target", "y", *DIVERGING, "--vary", "optim.lr=1000,2000", "--seeds", "1", "--json")
    answer = type_in(*words)
    assert all(member["diverged"] for member in answer.json["members"])
    assert (answer.code, answer.json["best"]) == (3, {})
    study = answer.json["study"]
    assert type_in("show", study, "--json").json["finished"]
    told = {"en": "so none is the best", "zh": "没有最好的一组"}[language]
    assert told in type_in("show", study, "--lang", language).out
    assert_refused(type_in("predict", study, table, "--lang", language), language, told)


def test_a_healthy_run_ends_with_nothing_of_the_kind(type_in: Type, work: Path) -> None:
    answer = type_in("fit", "iris", "train.epochs=1", "optim.lr=0.02", "--name", "fine")
    assert answer.code == 0
    assert not danlu.Run(work / "runs" / "fine").diverged
    assert "optim.lr=0.04" in answer.out  # what is proposed next is another rate than its own
    assert "optim.lr=0.02" not in answer.out.splitlines()[-2]


def epochs(*accuracies: float) -> list[EpochEnded]:
    best = [place for place in range(len(accuracies)) if accuracies[place] > max(accuracies[:place], default=0.0)]
    return [
        EpochEnded(
            epoch=place + 1,
            step=place + 1,
            train={"loss": 1.0},
            validation={"loss": 1.0, "accuracy": accuracy},
            best=place in best,
            seconds=1.0,
        )
        for place, accuracy in enumerate(accuracies)
    ]


@pytest.mark.parametrize(
    ("accuracies", "asked", "samples", "phrase"),
    [
        ((0.7, 0.8, 0.9), False, 100, "scored-last-is-best"),
        ((0.7, 0.9, 0.89, 0.89), False, 100, "scored-last-as-good"),
        ((0.7, 0.90001, 0.9, 0.9), False, 100, "scored-last-equal"),
        ((0.7, 0.99, 0.8, 0.8, 0.8, 0.8), False, 1000, "scored-last-worse"),
        ((0.7, 0.9, 0.8), True, 100, "scored-best-asked"),
        ((), False, 0, "scored-last-alone"),
    ],
)
def test_which_weights_are_scored_is_told(
    accuracies: tuple[float, ...], asked: bool, samples: int, phrase: str, language: str
) -> None:
    scored = scored_weights(epochs(*accuracies), asked, samples).as_dict()
    run: dict[str, Any] = {
        "run": "runs/x", "finished": True, "score": {}, "diverged": False, "scored": scored, "epochs": 3, "steps": 9,
        "seconds": 3.0, "loading_seconds": 1.0, "training_seconds": 2.0,
        "recipe": {"train": {"weights": "best"} if asked else {}},
    }  # fmt: skip
    line = summary_lines(run)[0]
    start = say(f"view.{phrase}", epoch=0, best_epoch=0, metric="", last="", best="", patience=0)[:9]
    assert line.startswith(start)
    assert ("train.weights=best" in line) == (phrase == "scored-last-worse")


def test_early_stopping_is_announced(capsys: pytest.CaptureFixture[str], tmp_path: Path, language: str) -> None:
    run = danlu.fit("mlp", "iris", lr=1e-9, momentum=0.0, epochs=30, patience=2, folder=tmp_path / "run", seed=1)
    said = capsys.readouterr().err
    assert run.epochs < 30
    assert say("view.stopped-early", epoch=run.epochs, patience=2) in said
    record = run.as_dict()
    assert record["stopped_early"] is True
    assert record["scored"]["weights"] == "best"
    assert json.loads(json.dumps(record)) == record


def test_seconds_are_those_from_the_call_on(tmp_path: Path) -> None:
    x = numpy.random.default_rng(0).normal(size=(60, 3)).astype("float32")
    record = danlu.fit((x, x[:, 0]), epochs=1, folder=tmp_path / "run", progress=False).as_dict()
    assert 0 < record["loading_seconds"] < record["seconds"]
    study = danlu.compare(
        "mlp", (x, x[:, 0]), vary={"lr": [0.01, 0.1]}, seeds=1, epochs=1, folder=tmp_path / "s", progress=False
    )
    told = study.as_dict()
    assert 0 < told["loading_seconds"] < told["seconds"]
    assert danlu.Study(study.folder).seconds == study.seconds
