"""A claim tested at places that are tasks of their own: other nets, other data, measures that point the other way."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from danlu.base.errors import fail
from danlu.base.words import LANGUAGES, speaking
from danlu.claims.adding import adding
from danlu.claims.bench import Bench, judged_by
from danlu.claims.catalogue import CLAIMS
from danlu.claims.check import options_of, result_of
from danlu.claims.claim_task import ClaimTask
from danlu.claims.effect import EffectClaim
from danlu.claims.recall import VOCABULARY, recall
from danlu.claims.training import LOSS, R2
from danlu.data import Dataset, load
from danlu.data.memory import MemoryDataset
from danlu.data.text.corpus import CorpusDataset


def few_to_recall(place: str) -> Dataset:
    return recall(2, 40)


def few_to_add(place: str) -> Dataset:
    return adding(4, 64)


def not_there(place: str) -> Dataset:
    fail("data.empty", path=place)


FORGETS = EffectClaim(
    "forgets",
    factor="train.epochs",
    levels={"1 epoch": {"train.epochs": 1}, "6 epochs": {"train.epochs": 6}},
    net="sequence-classifier",
    data=few_to_recall,
    settings={"net.vocabulary": VOCABULARY, "net.hidden": 4, "optim.name": "adam", "optim.lr": 0.02},
    condition="task",
    places={"recall 2": {}},
    tasks={
        "adding": ClaimTask(
            "lstm", few_to_add, {"net.hidden": 8, "optim.name": "adam", "optim.lr": 0.02}, LOSS, (0.01,)
        ),
        "away": ClaimTask("lstm", not_there, {}, R2, (0.01,)),
    },
    tuned=False,
    budget_differs=True,
    seeds=3,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("claim")


@pytest.mark.slow
def test_each_place_has_its_task_its_measure_and_its_trainings(folder: Path) -> None:
    options = options_of(None, None, None, None, None)
    evidence = FORGETS.test(options, Bench(folder))
    recalled, added = evidence.comparisons
    assert (recalled.condition, recalled.measure, recalled.expected) == ("task=recall 2", "accuracy", "more")
    assert (added.condition, added.measure, added.expected) == ("task=adding", "loss", "less")
    assert added.means[1] < added.means[0] < 2, "of the sums, not of the symbols"
    assert (folder / "0-0").is_dir()
    assert (folder / "1-0").is_dir()
    assert [plot.y for plot in evidence.figure] == ["accuracy", "loss", "train-loss"], "no two measures on one axis"


@pytest.mark.every(2)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_task_whose_data_cannot_be_had_is_left_out_and_told(language: str, folder: Path) -> None:
    options = options_of(None, None, None, None, None)
    plan = FORGETS.plan(options)
    assert list(plan.parts["condition"]["task"]) == ["recall 2", "adding", "away"]
    evidence = FORGETS.test(options, Bench(folder))
    assert evidence.left_out == ["away"]
    about = {
        "type": "effect", "sentence": "It forgets.", "command": "", "miniature": False, "published": [],
        "seconds": 1, "date": "", "machine": "",
    }  # fmt: skip
    with speaking(language):
        told = str(result_of(plan, evidence, about))
    assert "away" in told


def test_the_plan_names_each_task() -> None:
    task = FORGETS.plan(options_of(None, None, None, None, None)).parts["condition"]["task"]["adding"]
    assert (task["net"], task["data"], task["measure"]) == ("lstm", "few_to_add", "loss")
    other = replace(FORGETS, tasks={"adding": replace(FORGETS.tasks["adding"], rates=(0.02,))})
    options = options_of(None, None, None, None, None)
    assert other.plan(options).hash != FORGETS.plan(options).hash


@pytest.mark.parametrize("claim", ["forget-bias-one", "clipping-steadies-rnns", "dropout-placement-in-rnns"])
def test_a_claim_on_recurrent_nets_is_tested_where_memory_is_needed(claim: str) -> None:
    plan = CLAIMS[claim].claim().plan(options_of(None, None, None, None, None))
    places = plan.parts["condition"]["task"]
    assert [place.split()[0] for place in places] == ["recall", "recall", "adding", "The"]
    levels = plan.parts["levels"].values()
    nets = {places[place]["net"] for place in ("adding", "The Time Machine")}
    assert len(nets) == 2
    assert all(key.startswith(("net.", "train.")) for level in levels for key in level)


def test_the_sum_is_that_of_the_marked_numbers() -> None:
    data = adding(steps=7, samples=50)
    assert isinstance(data, MemoryDataset)
    numbers, marks = data.x[..., 0], data.x[..., 1]
    assert torch.equal(marks[:, :3].sum(1), torch.ones(len(marks)))
    assert torch.equal(marks[:, 3:].sum(1), torch.ones(len(marks)))
    torch.testing.assert_close((numbers * marks).sum(1), data.y.reshape(-1).float())


def test_a_text_is_judged_by_either_part(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text("the time traveller for so it will be convenient to speak of him " * 40)
    data = load(path)
    assert isinstance(data, CorpusDataset)
    for part in ("validation", "test"):
        judged = judged_by(data, part)
        assert isinstance(judged, CorpusDataset)
        assert torch.equal(judged.corpora["validation"], data.corpora[part])
        assert torch.equal(judged.corpora["train"], data.corpora["train"])
        assert judged.sizes == {"train": data.sizes["train"], "validation": data.sizes[part], "test": 0}
