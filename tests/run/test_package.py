"""A training ends with its package whole: golden samples that the run answers alike, and any change to it does not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

import danlu
from danlu.base.errors import UserError
from danlu.ship.golden import DECISIONS, Said, prove
from danlu.store.package_file import RunAnswers, read_package_file
from every_kind import CASES, Case, trained
from task_matrix import TASKS, ground_of
from task_matrix import trained as trained_on


def answers_of(run: danlu.Run) -> RunAnswers:
    package = read_package_file(run.folder / "package.json")
    assert package is not None and package.answers is not None
    return package.answers


def asked(run: danlu.Run, change: Callable[[torch.Tensor], torch.Tensor] = lambda x: x) -> Callable[[Any], Said]:
    def ask(raw: Any) -> Said:
        answerer = run.answerer
        encoded = answerer.encode(raw)
        answers = answerer.answers(change(encoded))
        values = [None] * len(encoded) if run.preprocessing.task == "reconstruction" else answers.values
        chances = None if answers.probabilities is None else answers.probabilities.numpy()
        return Said(values, chances)

    return ask


@pytest.mark.every(2)
@pytest.mark.parametrize("case", CASES)
def test_a_run_answers_its_golden_samples_alike(case: Case, tmp_path: Path) -> None:
    run, _ = trained(case, tmp_path)
    answers = answers_of(run)
    assert answers.golden.missing == "" and 2 <= len(answers.golden.samples) <= 8
    proof = prove(answers.golden, asked(danlu.Run(run.folder)))
    assert (proof.differences, proof.largest) == ((), 0.0)
    assert answers.task == run.preprocessing.task and answers.decision in DECISIONS
    assert answers.classes == run.preprocessing.classes
    assert {part: dict(score.metrics) for part, score in answers.score.items()} == run.score
    assert {part: score.samples for part, score in answers.score.items()} == {
        part: run.data.sizes[part] for part in run.score
    }
    assert answers.recipe == run.recipe.fingerprint()
    answers.weights.refuse_other(run.folder)


def test_samples_of_several_inputs_are_kept_too(tmp_path: Path) -> None:
    ground = ground_of(TASKS["several-inputs"], tmp_path)
    run = trained_on(ground, tmp_path / "run")
    golden = answers_of(run).golden
    assert (golden.kind, len(golden.samples)) == ("several", 8)
    proof = prove(golden, asked(run))
    assert (proof.differences, proof.largest) == ((), 0.0)


def test_golden_samples_stand_for_all_classes(tmp_path: Path) -> None:
    run = danlu.fit("mlp", "digits", epochs=3, folder=tmp_path / "run", progress=False)
    golden = answers_of(run).golden
    assert len({sample.answer for sample in golden.samples}) >= 6
    assert all(sample.raw.shape == (1, 8, 8) and sample.raw.dtype == numpy.uint8 for sample in golden.samples)
    proof = prove(golden, asked(run, lambda x: x * 1.05))
    assert proof.largest > 1e-4 and proof.differences


@pytest.mark.parametrize("averaged", ["best", "ema"])
def test_the_weights_are_those_that_were_scored(averaged: str, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"ema": 0.9} if averaged == "ema" else {"weights": "best"}
    run = danlu.fit("mlp", "iris", epochs=3, folder=tmp_path / "run", progress=False, **settings)
    assert answers_of(run).weights.part == averaged
    assert not prove(answers_of(run).golden, asked(danlu.Run(run.folder))).differences


def test_weights_that_were_exchanged_are_refused(tmp_path: Path) -> None:
    runs = [
        danlu.fit("mlp", "iris", epochs=1, seed=seed, folder=tmp_path / str(seed), progress=False) for seed in (0, 1)
    ]
    step = next((runs[0].folder / "checkpoints").iterdir()).name
    source, target = (run.folder / "checkpoints" / step for run in (runs[1], runs[0]))
    for file in source.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    with pytest.raises(UserError, match="does not hold the weights that were scored"):
        danlu.Run(runs[0].folder).net()


def test_a_net_that_cannot_be_copied_ends_its_training_all_the_same(tmp_path: Path) -> None:
    class Own(torch.nn.Linear):
        def __deepcopy__(self, memo: Any) -> Any:
            raise RuntimeError("there is only one of me")

    run = danlu.fit(Own(4, 3), "iris", epochs=1, folder=tmp_path / "run", progress=False)
    assert run.finished and answers_of(run).golden.missing == "ship.golden-net-fails"


def test_data_of_ones_own_have_no_golden_samples(tmp_path: Path) -> None:
    class Own(torch.utils.data.Dataset[Any]):
        def __len__(self) -> int:
            return 40

        def __getitem__(self, row: int) -> Any:
            return torch.full((3,), row / 40), row % 2

    run = danlu.fit("mlp", Own(), epochs=1, folder=tmp_path / "run", progress=False)
    assert answers_of(run).golden.missing == "data.no-raw"


def test_the_package_is_complete_before_the_end_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        raise KeyboardInterrupt("just now")

    with monkeypatch.context() as patch:
        patch.setattr("danlu.run.training.complete_package", fails)
        with pytest.raises(KeyboardInterrupt, match="just now"):
            danlu.fit("mlp", "iris", epochs=2, folder=tmp_path / "run", progress=False)
    assert not danlu.Run(tmp_path / "run").finished
    run = danlu.resume(tmp_path / "run", progress=False)
    whole = danlu.fit("mlp", "iris", epochs=2, folder=tmp_path / "whole", progress=False)
    assert run.finished
    told, wanted = ((one.folder / "package.json").read_bytes() for one in (run, whole))
    assert json.loads(told)["answers"]["golden"] == json.loads(wanted)["answers"]["golden"]
