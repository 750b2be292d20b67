"""danlu cure as it is typed: from a faulty run to a cured recipe that trains."""

from pathlib import Path

import pytest

from command_line import CHINESE, Type, assert_refused
from danlu.cli import results
from danlu.run.interrupt import Interrupted

FAULTY = (
    "fit",
    "--net",
    "mlp",
    "net.hidden=[32]",
    "--data",
    "digits",
    "optim.lr=20",
    "train.epochs=3",
    "--name",
    "faulty",
)


@pytest.fixture
def faulty(type_in: Type) -> str:
    assert type_in(*FAULTY, "train.batch_size=32").code == 0
    return "runs/faulty"


@pytest.mark.every(2)
def test_what_helps_is_told_written_and_trains(type_in: Type, faulty: str, language: str) -> None:
    answer = type_in("cure", faulty, "--apply", "--seeds", "3", "--lang", language)
    assert answer.code == 0
    assert {"en": "Recommended: optim.lr", "zh": "建议：optim.lr"}[language] in answer.out
    assert bool(CHINESE.search(answer.out.replace("炉", ""))) == (language == "zh")
    assert Path("runs/faulty-cured.toml").is_file()
    run = type_in("fit", "runs/faulty-cured.toml", "--json").json
    assert run["score"]["validation"]["accuracy"] > 0.6


def test_one_object_for_json_and_the_study_is_shown_again(type_in: Type, faulty: str) -> None:
    record = type_in("cure", faulty, "--seeds", "3", "--json").json
    assert record["findings"][0]["rule"] == "lr-too-high"
    assert list(record["recommended"]) == ["optim.lr"]
    assert record["recipe"]["optim"]["lr"] == record["recommended"]["optim.lr"]
    assert record["study"].endswith("studies/cure-faulty")
    assert record["applied"] is None
    for verb in ("show", "resume"):
        again = type_in(verb, "studies/cure-faulty", "--json").json
        assert again["effects"] == record["effects"]
        assert again["recommended"] == record["recommended"]


@pytest.mark.every(2)
def test_a_name_for_the_recipe_and_never_over_a_file(type_in: Type, faulty: str, language: str) -> None:
    assert type_in("cure", faulty, "--seeds", "3", "--to", "mine.toml").code == 0
    text = Path("mine.toml").read_text(encoding="utf-8")
    refused = type_in("cure", faulty, "--seeds", "3", "--to", "mine.toml", "--json", "--lang", language)
    assert refused.code == 2
    assert "mine.toml" in refused.json["error"][0]
    assert Path("mine.toml").read_text(encoding="utf-8") == text


@pytest.mark.every(2)
def test_the_remedies_of_one_finding_alone(type_in: Type, faulty: str, language: str) -> None:
    record = type_in("cure", faulty, "--rule", "lr-too-high", "--seeds", "3", "--json").json
    assert {rule for remedy in record["remedies"] for rule in remedy["rules"]} == {"lr-too-high"}
    assert [finding["rule"] for finding in record["findings"]] == ["lr-too-high"]
    assert_refused(
        type_in("cure", faulty, "--rule", "saturated", "--lang", language), language, "saturated", "lr-too-high"
    )


def test_a_run_without_findings(type_in: Type) -> None:
    type_in("fit", "--net", "softmax-regression", "optim.lr=0.1", "schedule.name=cosine", "--name", "fine")
    for language, told in (("en", "nothing wrong"), ("zh", "没有发现")):
        answer = type_in("cure", "runs/fine", "--lang", language)
        assert answer.code == 0
        assert told in answer.out
    assert not Path("studies").exists()


@pytest.mark.every(2)
def test_what_is_no_run_is_refused(type_in: Type, language: str) -> None:
    assert_refused(type_in("cure", "--lang", language), language, "danlu cure RUN")
    assert_refused(type_in("cure", "runs/nowhere", "--lang", language), language, "runs/nowhere")
    study = ("compare", "--net", "mlp", "--data", "iris", "train.epochs=1", "--seeds", "1", "--folder", "study")
    type_in(*study, "--vary", "optim.lr=0.1,0.2")
    assert_refused(type_in("cure", "study", "--lang", language), language, "study", "danlu fit")


@pytest.mark.every(2)
def test_numbers_that_are_none_are_refused(type_in: Type, faulty: str, language: str) -> None:
    assert_refused(type_in("cure", faulty, "--seeds", "many", "--lang", language), language, "--seeds many")


def test_an_interrupted_study_is_told_as_one(type_in: Type, faulty: str) -> None:
    type_in("cure", faulty, "--seeds", "2")
    assert results.of_interrupted(Interrupted("studies/cure-faulty", saved=True)).record["study"]
