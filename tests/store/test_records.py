"""Every kind of record goes to JSON and back, and refuses what is not of its types."""

import dataclasses
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from danlu.base.graphs import LayerNode, NetGraph
from danlu.base.records import Finding
from danlu.base.strict_json import to_json
from danlu.store import records
from danlu.store.records import KINDS, MalformedRecordError, Record, record_of

NODE = LayerNode("0", "Linear", ("0",), (3,), parameters=6, detail="炉")
FINDING = Finding("plateau", "advice", ("layers.0",), 9, {"ratio": 0.1}, "title", "why", ({"advice": "wait"},))
EXAMPLES: list[Record] = [
    records.RunStarted(epochs=2, steps_per_epoch=3, fingerprint="3f2a", loading=0.5, version=2),
    records.RunResumed(step=7, loading=0.25),
    records.StepsTaken(first=1, epoch=1, loss=[2.0, math.inf], lr=[0.1, 0.2], norm=[None, 1.0]),
    records.StepsTaken(first=1, epoch=1, loss=[2.0, 1.0], lr=0.1),
    records.EpochEnded(epoch=1, step=3, train={"loss": 1.0}, validation={"loss": 2.0}, best=True, seconds=0.5),
    records.EpochEnded(epoch=1, step=3, train={"loss": 1.0}, seconds=0.5),
    records.MicroBatchChosen(step=1, samples=8, batch=32),
    records.MicroBatchChosen(step=7, samples=4, batch=32, ran_out=True),
    records.CheckpointSaved(step=3),
    records.FindingAppeared(finding=FINDING),
    records.FindingsStood(findings=(FINDING, dataclasses.replace(FINDING, remedies=({"change": {"optim.lr": 0.1}},)))),
    records.ProcessesMeasured(step=50, loss=[0.5, None], norm=[0.25, None], seconds=[0.125, 0.25]),
    records.LayersMeasured(step=1, names=("a", "b"), spread=[1.0, None], gradient=[0.5, 0.25], dead=[None, 0.5]),
    records.NetDrawn(graph=NetGraph("mlp", (NODE,), (("input", "0"), ("0", "output")), {"0": "Linear"}, (2,), (3,), 6)),
    records.SurfaceMeasured(
        xs=(0.0, 1.0), ys=(0.0, 1.0), losses=((1.0, None), (2.0, 3.0)), path=((0.0, 0.0, None),),
        minimum=(0.0, 0.0, 1.0),
    ),
    records.PredictionsMade(
        part="test", samples=3, classes=["a", "b"], confusion=[[1, 0], [1, 1]],
        calibration=records.CalibrationBins([0.5], [2], [3]),
        worst=(records.WorstSample(actual="a", predicted="b", loss=2.0, confidence=0.9, png="x", text="#1"),),
    ),
    records.PredictionsMade(part="test", samples=2, residuals=records.ResidualPairs([1.0, 2.0], [1.5, 2.5])),
    records.ForecastMade(
        part="test",
        steps=2,
        season=12,
        baselines={"last-value": {"mae": 1.5}},
        lines=(
            records.ForecastLine(times=["2020-01"], actual=[1.0], predicted=[2.0], naive={"last-value": [0.5]}),
        ),
    ),
    records.TextGenerated(epoch=2, step=6, prompt="the time", text=" traveller\n"),
    records.TimeSpent(step=6, seconds=2.0, forward=0.5, backward=0.75, validation=0.25, processor=3.5, memory=2**20),
    records.TimeSpent(step=6, seconds=2.0, gpu=2**30),
    records.SamplesFollowed(samples=[1, 4], actual=[0.0, 1.0], classes=["a", "b"], inputs=((0.5, 1.5), (-1.0, 2.0))),
    records.SamplesFollowed(samples=[1, 4], actual=[0.5, 1.5]),
    records.MomentTaken(
        epoch=1, step=3, answers=[0.0, None], likely=[0.75, 0.25], confusion=[[1, 0], [1, 1]], filters=("x",),
        layer="conv", boundary=records.BoundaryGrid([0.0, 1.0], [0.0, 1.0], ((0.5, 1.0), (0.0, None))),
    ),
    records.SamplesPictured(samples=(records.SamplePicture(4, "x", "#5"), records.SamplePicture(1))),
    records.RunStopped(step=3, reason="interrupted"),
    records.RunEnded(step=6, epochs=2, seconds=1.5, reason="early", diverged=4, score={"test": {"loss": 1.0}}),
    records.StudyBegan(
        members=4, seeds=(0, 1), failed=(records.FailedCombination({"lr": -1}, "below 0"),), loading=0.5, version=2
    ),
    records.StudyBegan(),
    records.ChoicesMade(made={"members": 16}),
    records.StackBegan(stack="3f2a", combinations=({"lr": 0.1}, {"lr": 0.2}), members=((0, 5, 0), (1, 5, 1))),
    records.MemberEpochs(
        stack="3f2a", epochs=[1, 3], train=[[2.0, math.inf], [1.0, None]],
        validation={"loss": [[2.5, 3.0], None]},
    ),
    records.MemberEpochs(stack="3f2a", epochs=[2], train=[[1.5, 1.0]]),
    records.MemberDone(
        factors={"net.hidden": [8, 8]}, seed=0, fold=1, score={"loss": 1.0}, diverged=False, epochs=3, scored_epoch=2,
        samples=30, round=1,
    ),
    records.MemberFailed(factors={}, seed=0, fold=0, reason="out of memory"),
    records.MemberFailed(factors={}, round=2, reason="below 0"),
    records.TrainingsDone(seconds=2.0),
    records.StudyLooked(seeds=2),
    records.BaselineDone(baseline="forest", seed=0, fold=0, score={"accuracy": 0.5}),
    records.BestChosen(factors={"lr": 0.1}, validation={"loss": 1.0}, run="best-1", refit=False),
    records.RoundBegan(number=1, points=({"lr": 0.1}, {"lr": 0.2})),
    records.RoundDone(number=1, seconds=2.0),
    records.NothingFound(),
]  # fmt: skip
ODD: list[Any] = [True, -1, 0.5, 2**53, "x", [], [None], {}, {"a": 1}]


def test_there_is_an_example_of_every_kind() -> None:
    assert {example.kind for example in EXAMPLES} == KINDS.keys()
    assert {type(example) for example in EXAMPLES} == set(KINDS.values())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.kind)
def test_a_record_comes_back_from_its_line(example: Record) -> None:
    assert record_of(json.loads(to_json(example.to_json()))) == example


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.kind)
def test_keys_of_a_newer_danlu_are_passed_over(example: Record) -> None:
    assert record_of(json.loads(to_json({**example.to_json(), "of tomorrow": [1]}))) == example


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.kind)
def test_values_of_another_type_make_a_line_malformed_or_are_what_they_are(example: Record) -> None:
    """Nothing but MalformedRecordError comes of a wrong value, and what is taken is written as it was."""
    plain = json.loads(to_json(example.to_json()))
    for key in plain.keys() - {"kind"}:
        for odd in ODD:
            try:
                record = record_of({**plain, key: odd})
            except MalformedRecordError:
                continue
            assert record is not None
            again = json.loads(to_json(record.to_json()))
            if key != "severity":
                assert again.get(key, odd) == odd


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one.kind)
def test_what_is_missing_or_null_is_its_default_or_makes_the_line_malformed(example: Record) -> None:
    plain = json.loads(to_json(example.to_json()))
    for key in plain.keys() - {"kind"}:
        without = {name: value for name, value in plain.items() if name != key}
        answers: list[Record | str | None] = []
        for entry in (without, {**plain, key: None}):
            try:
                answers.append(record_of(entry))
            except MalformedRecordError:
                answers.append("malformed")
        assert answers[0] == answers[1]


@settings(max_examples=30)
@given(
    st.dictionaries(
        st.sampled_from(["kind", "step", "epoch", "loss", "factors", "score"]),
        st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), st.lists),
    )
)
def test_any_object_is_a_record_unknown_or_malformed(entry: dict[str, Any]) -> None:
    for kind in (entry.get("kind"), *KINDS, "of tomorrow"):
        try:
            record = record_of({**entry, "kind": kind})
        except MalformedRecordError:
            continue
        assert (record is None) == (kind not in KINDS)


LENGTH, GRID = "must be of one length", "a row for each y and a column for each x"
TEST = {"kind": "predictions", "part": "test", "samples": 1}
CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "steps", "first": 1, "epoch": 1, "loss": [1.0], "lr": [], "norm": None}, LENGTH),
    ({"kind": "steps", "first": 1, "epoch": 1, "loss": [1.0], "lr": 0.1, "norm": [1.0, 2.0]}, LENGTH),
    ({"kind": "net", "name": "x", "nodes": [], "edges": [["input", "nowhere"]]}, "edges join its nodes"),
    ({"kind": "surface", "xs": [0, 1], "ys": [0, 1], "losses": [[1, 2]]}, GRID),
    ({"kind": "surface", "xs": [0, "NaN"], "ys": [0, 1], "losses": [[1, 2], [3, 4]]}, "has places"),
    ({"kind": "surface", "xs": [0, 1], "ys": [0, 1], "losses": [[None, None], ["NaN", None]]}, "a loss at one of them"),
    (TEST | {"confusion": [[1, 2]]}, "a row and a column for each class"),
    (TEST | {"confusion": [[1]], "classes": ["a", "b"]}, "a row and a column for each class"),
    (TEST | {"calibration": {"confidence": [0.5], "right": [], "samples": [1]}}, LENGTH),
    (TEST | {"residuals": {"predicted": [1.0], "actual": []}}, "residuals are pairs"),
    ({"kind": "followed", "samples": [1], "actual": [], "classes": None}, "what it is"),
    ({"kind": "followed", "samples": [1], "actual": [0.5], "classes": ["a", "b"]}, "one of the classes"),
    ({"kind": "moment", "epoch": 1, "step": 1, "confusion": [[1, 2]]}, "a row and a column for each class"),
    ({"kind": "moment", "epoch": 1, "step": 1, "boundary": {"xs": [0, 1], "ys": [0, 1], "values": [[1, 2]]}}, GRID),
    ({"kind": "finding", **vars(FINDING), "remedies": [{}]}, "a change or an advice"),
    ({"kind": "findings", "findings": [{**vars(FINDING), "remedies": [{"advice": 3}]}]}, "a change or an advice"),
]


@pytest.mark.parametrize(("entry", "words"), CONTRADICTIONS)
def test_what_contradicts_itself_is_malformed(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(MalformedRecordError, match=words):
        record_of(entry)


def test_a_severity_of_tomorrow_counts_as_advice() -> None:
    record = record_of({"kind": "finding", **vars(FINDING), "severity": "catastrophe"})
    assert isinstance(record, records.FindingAppeared)
    assert record.finding.severity == "advice"
