"""What each verb answers when all is well."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import danlu
from command_line import CHINESE, SOFTMAX, TABLE, Type, assert_refused
from danlu.base.events import Event, Stop
from danlu.cli.parser import VERBS
from danlu.run.interrupt import Interrupt

SMALL = ("train.epochs=2", "train.batch_size=100")
KEYS = {
    "run", "recipe", "epochs", "steps", "seconds", "loading_seconds", "training_seconds", "finished", "stopped_early",
    "diverged", "diverged_since", "scored", "score", "findings", "time",
}  # fmt: skip


class AtOnce(Interrupt):
    """Ctrl-C falls into the first step."""

    def __call__(self, event: Event) -> Stop | None:
        self.asked = True
        return super().__call__(event)


def test_fit_tells_epochs_scores_and_what_to_type_next(language: str, work: Path, type_in: Type) -> None:
    answer = type_in(*SOFTMAX, *SMALL, "--lang", language)
    (run,) = (work / "runs").iterdir()
    assert answer.code == 0
    epochs = [line for line in answer.err.splitlines() if line.startswith(("epoch ", "第 "))]
    assert len(epochs) == 2, "one plain line an epoch where the output is no terminal"
    assert "\x1b" not in answer.out + answer.err
    assert f"runs/{run.name}" in answer.out
    assert f"danlu fit runs/{run.name}/recipe.toml" in answer.out
    score = danlu.Run(run).score["test"]["accuracy"]
    assert f"{score:.4f}" in answer.out
    assert bool(CHINESE.search(answer.out)) == (language == "zh")


@pytest.mark.parametrize("place", ["first", "last"])
def test_json_is_one_object_and_nothing_else(place: str, work: Path, type_in: Type) -> None:
    tokens = [*SOFTMAX[1:], *SMALL]
    answer = type_in("fit", *(["--json", *tokens] if place == "first" else [*tokens, "--json"]))
    assert set(answer.json) == KEYS
    assert answer.err == ""
    assert answer.json["finished"] is True
    assert set(answer.json["score"]) == {"train", "validation", "test"}
    shown, resumed = type_in("show", answer.json["run"], "--json"), type_in("resume", answer.json["run"], "--json")
    assert shown.json.keys() - answer.json.keys() == {"by_epoch", "notes"}
    assert {key: shown.json[key] for key in answer.json} == answer.json == resumed.json
    assert type_in("show", "--json").json == shown.json, "show without a run takes the newest"


def test_show_passes_over_a_folder_that_a_kill_left_half_made(work: Path, type_in: Type) -> None:
    assert type_in(*SOFTMAX, *SMALL, "--name", "mine").code == 0
    (work / "runs" / "half").mkdir()
    (work / "runs" / "half" / "journal.jsonl").touch()
    assert type_in("show", "--json").json["run"] == str(work / "runs" / "mine")


def test_settings_options_and_recipe_in_any_order(work: Path, type_in: Type) -> None:
    (work / "r.toml").write_text("[optim]\nlr = 0.5\n[train]\nepochs = 7\nbatch_size = 100\n")
    orders = [
        ("fit", "train.epochs=1", "--net", "softmax-regression", "r.toml", "optim.lr=0.25", "--json"),
        ("fit", "r.toml", "--optim.lr", "0.25", "--json", "--net=softmax-regression", "--train.epochs=1"),
    ]
    recipes = [type_in(*order).json["recipe"] for order in orders]
    assert recipes[0] == recipes[1]
    assert recipes[0]["optim"]["lr"] == 0.25, "the command line wins over the file"
    assert recipes[0]["train"] | {"epochs": 1, "batch_size": 100} == recipes[0]["train"]


def test_names_are_understood_in_any_capitals(work: Path, type_in: Type) -> None:
    tokens = ("--data", "Iris", "--net", "MLP", "loss.name=CrossEntropy", "optim.name=AdamW", "schedule.name=OneCycle")
    recipe = type_in("fit", *tokens, *SMALL[:1], "--json").json["recipe"]
    assert [recipe[section]["name"] for section in ("data", "net", "loss", "optim", "schedule")] == [
        "iris", "mlp", "cross-entropy", "adamw", "one-cycle",
    ]  # fmt: skip
    (work / "Digits").mkdir()
    assert "Digits" in type_in("data", "Digits").faults[0], "a path comes before another spelling"


def test_a_recipe_that_a_run_left_trains_it_again(work: Path, type_in: Type) -> None:
    first = type_in(*SOFTMAX, *SMALL, "--folder", "one", "--json").json
    second = type_in("fit", "one/recipe.toml", "--folder", "two", "--json").json
    assert first["score"] == second["score"]


def test_a_table_by_path_can_be_resumed_from_elsewhere(
    work: Path, type_in: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    (work / "t.csv").write_text("a,b,y\n" + "".join(f"{row % 7},{row % 5},{row % 2}\n" for row in range(60)))
    assert type_in(*SOFTMAX, "--data", "t.csv", "data.target=y", "train.epochs=1", "--folder", "run").code == 0
    (work / "elsewhere").mkdir()
    monkeypatch.chdir(work / "elsewhere")
    run = danlu.Run(work / "run")
    assert run.predict({"a": [1, 2], "b": [3, 4]}).shape == (2,)


@pytest.mark.every(2)
def test_data_that_were_moved_are_named_to_resume(
    language: str, work: Path, type_in: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    (work / "t.csv").write_text(TABLE)
    tokens = (*SOFTMAX, "--data", "t.csv", "data.target=y", "train.epochs=2", "--folder", "run")
    with monkeypatch.context() as interrupted:
        interrupted.setattr("danlu.run.training.Interrupt", AtOnce)
        assert type_in(*tokens).code == 130
    (work / "elsewhere").mkdir()
    (work / "t.csv").rename(work / "elsewhere" / "t.csv")
    refused = type_in("resume", "run", "--lang", language)
    assert_refused(refused, language, str(work / "t.csv"), "danlu resume run --data")
    assert type_in("resume", "run", "--data", "elsewhere/t.csv").code == 0


@pytest.mark.every(2)
def test_resume_takes_the_root_of_the_data(
    language: str, work: Path, type_in: Type, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as interrupted:
        interrupted.setattr("danlu.run.training.Interrupt", AtOnce)
        assert type_in(*SOFTMAX, "train.epochs=1", "--folder", "run").code == 130
    refused = type_in("resume", "run", "data.root=gone", "train.epochs=3", "--lang", language)
    assert_refused(refused, language, "train.epochs=3", "danlu fit run/recipe.toml")
    assert type_in("resume", "run", "--data.root", work).code == 0


def test_data_lists_and_describes(language: str, work: Path, type_in: Type) -> None:
    listed = type_in("data", "--lang", language)
    assert listed.code == 0
    assert {"digits", "mnist", "fashion-mnist", "cifar10"} <= set(listed.out.split())
    described = type_in("data", "digits", "--lang", language)
    assert "1,258" in described.out
    assert bool(CHINESE.search(described.out)) == (language == "zh")
    assert {row["name"] for row in type_in("data", "--json").json["data"]} >= {"digits", "mnist"}
    assert type_in("data", "digits", "--json").json["sizes"] == {"train": 1258, "validation": 180, "test": 359}


@pytest.mark.every(3)
@pytest.mark.parametrize("spelling", [("--data.root", "{}"), ("--data.root={}",), ("data.root={}",)])
def test_the_data_root_in_every_spelling(spelling: tuple[str, ...], data_root: Path, type_in: Type) -> None:
    tokens = [token.format(data_root) for token in spelling]
    assert type_in("data", "mnist", *tokens, "--json").json["sizes"]["test"] == 10_000


def test_nets_lists_and_describes(language: str, type_in: Type) -> None:
    listed = type_in("nets", "--lang", language)
    assert "lenet5" in listed.out
    assert "61,706" in listed.out
    described = type_in("nets", "lenet5", "--lang", language)
    assert "16×5×5" in described.out
    assert "activation" in described.out
    assert bool(CHINESE.search(described.out)) == (language == "zh")
    parameters = {row["name"]: row["parameters"] for row in type_in("nets", "--json").json["nets"]}
    assert parameters["lenet5"] == 61_706
    assert type_in("nets", "lenet5", "--json").json["multiply_adds"] == 416_520


def test_help_and_version(language: str, type_in: Type) -> None:
    for tokens in ((), ("--help",), ("help",)):
        overview = type_in(*tokens, "--lang", language)
        assert overview.code == 0
        assert all(f"\n  {verb} " in overview.out for verb in VERBS)
    for verb in VERBS:
        answer = type_in(verb, "--help", "--lang", language)
        assert answer.code == 0
        assert f"danlu {verb}" in answer.out
        assert "--json" in answer.out
        assert bool(CHINESE.search(answer.out)) == (language == "zh")
    assert type_in("--version").out.strip() == danlu.__version__


@pytest.mark.every(2)
@pytest.mark.parametrize("encoding", ["ascii", "gbk"])
def test_an_output_that_lacks_some_signs_is_written_to_all_the_same(encoding: str, work: Path) -> None:
    command = [sys.executable, "-m", "danlu", "nets", "lenet6", "--lang", "zh"]
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert done.returncode == 2
    text = done.stderr.decode(encoding)
    assert text.startswith("? ")
    assert '"lenet5"' in text
    assert ("网络" in text) == (encoding == "gbk")


def test_python_m_danlu_is_the_command_line(work: Path) -> None:
    command = [sys.executable, "-m", "danlu", "nets", "lenet6"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("✖ ")


def test_data_may_be_the_first_word(type_in: Type, data_root: Path) -> None:
    table = str(data_root / "titanic.csv")
    few = ("train.epochs=1", "--json")
    answers = [
        type_in("fit", table, "--target", "Survived", *few),
        type_in("fit", "--data", table, "data.target=Survived", *few),
        type_in("fit", "mlp", table, "--target=Survived", *few),
    ]
    assert [answer.json["recipe"]["net"]["name"] for answer in answers] == ["mlp"] * 3
    assert len({str(answer.json["score"]) for answer in answers}) == 1
    assert type_in("fit", "digits", *few).json["recipe"]["net"]["name"] == "lenet5"
    plan = type_in("compare", table, "--target", "Survived", "--vary", "net.hidden=[4],[8]", "--plan", "--json").json
    assert len(plan["groups"][0]["combinations"][0]) == 1


def test_without_a_target_a_likely_one_is_told(type_in: Type, data_root: Path) -> None:
    answer = type_in("fit", str(data_root / "titanic.csv"))
    assert answer.code == 2
    assert "--target Survived" in answer.err
