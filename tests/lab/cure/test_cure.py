"""Cures: a remedy is proved by a study or not recommended, and the cured recipe trains."""

import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy
import pytest
from torch import nn

import danlu
from danlu.base.errors import UserError
from danlu.base.words import use_language
from danlu.lab.cure.proof import Proof
from danlu.study.compare import compare, go_on
from danlu.study.study import Study

FAST: dict[str, Any] = {"data": "digits", "epochs": 3, "batch_size": 32, "progress": False}


class Own(nn.Module):
    """A net of the user's."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def forward(self, x: Any) -> Any:
        return self.layers(x)


class Answers(Own):
    """One that ends in a softmax, which no recipe can take away."""

    def forward(self, x: Any) -> Any:
        return self.layers(x).softmax(1)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> danlu.Run:
    """A rate far too high."""
    return danlu.fit("mlp", hidden=[32], lr=20.0, folder=tmp_path_factory.mktemp("faulty") / "run", **FAST)


@pytest.fixture(scope="module")
def proof(faulty: danlu.Run, tmp_path_factory: pytest.TempPathFactory) -> Proof:
    return danlu.cure(faulty, seeds=4, folder=tmp_path_factory.mktemp("proof") / "study", progress=False)


def test_a_rate_too_high_is_lowered_and_proved(faulty: danlu.Run, proof: Proof) -> None:
    assert faulty.findings[0].rule == "lr-too-high"
    assert proof.recommended is not None
    assert proof.recommended["optim.lr"] < 20
    assert proof.effect is not None
    assert proof.effect.verdict == "better"
    assert proof.effect.effect.low > 0


def test_original_and_changed_are_paired_and_all_else_is_equal(faulty: danlu.Run, proof: Proof) -> None:
    assert proof.study is not None
    places = {(str(member.factors), member.seed) for member in proof.study.members}
    levels = proof.study.factors["remedy"]
    assert len(places) == len(levels) * 4
    assert {member.seed for member in proof.study.members} == {0, 1, 2, 3}
    own = next(member for member in proof.study.members if member.factors["remedy"] == {} and member.seed == 0)
    assert own.score["accuracy"] == pytest.approx(faulty.score["validation"]["accuracy"], abs=0.02)


def test_the_cured_recipe_is_written_never_over_a_file_and_trains(proof: Proof, tmp_path: Path) -> None:
    first, second = proof.apply(), proof.apply()
    assert first.parent == second.parent == proof.run.parent
    assert first != second
    assert proof.recipe is not None
    assert tomllib.loads(first.read_text(encoding="utf-8"))["optim"]["lr"] == proof.recipe.optim.lr
    run = danlu.fit(recipe=first, folder=tmp_path / "cured", progress=False)
    assert run.score["validation"]["accuracy"] > 0.6
    with pytest.raises(UserError, match="stands there already"):
        proof.apply(first)


def test_the_study_is_one_like_any(proof: Proof) -> None:
    assert proof.study is not None
    study = Study(proof.study.folder)
    assert study.best is not None
    assert study.best.factors == {"remedy": proof.recommended}
    assert Proof.of_study(study).as_dict() == proof.as_dict()
    assert go_on(study.folder, progress=False).members == study.members


def test_a_study_broken_off_goes_on(faulty: danlu.Run, proof: Proof, tmp_path: Path) -> None:
    assert proof.study is not None
    shutil.copytree(proof.study.folder, tmp_path / "study")
    journal = tmp_path / "study" / "journal.jsonl"
    journal.write_text("".join(journal.read_text(encoding="utf-8").splitlines(keepends=True)[:6]), encoding="utf-8")
    half = Proof.of_study(Study(tmp_path / "study"))
    assert half.as_dict()["finished"] is False
    assert "danlu resume" in str(half)
    again = danlu.cure(faulty, seeds=4, folder=tmp_path / "study", progress=False)
    assert again.study is not None
    assert len(again.study.members) == len(proof.study.members)
    assert again.recommended == proof.recommended


def test_more_seeds_go_on_with_the_same_study(
    faulty: danlu.Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    first = danlu.cure(faulty, seeds=2, progress=False)
    more = danlu.cure(faulty, seeds=3, progress=False)
    assert first.study is not None
    assert more.study is not None
    assert more.study.folder == first.study.folder
    assert more.study.members[: len(first.study.members)] == first.study.members
    assert {member.seed for member in more.study.members} == {0, 1, 2}
    other = danlu.cure(faulty, seeds=2, metric="loss", progress=False)
    assert other.study is not None
    assert other.study.folder != first.study.folder


def test_a_training_without_findings_says_so(tmp_path: Path) -> None:
    settings: dict[str, Any] = {**FAST, "epochs": 20, "lr": 0.1, "schedule.name": "cosine"}
    run = danlu.fit("softmax-regression", folder=tmp_path / "run", **settings)
    assert run.findings == []
    proof = danlu.cure(run, progress=False)
    assert proof.study is None
    assert proof.recommended is None
    for words, told, refused in (("en", "nothing wrong", "no change is proved"), ("zh", "没有发现", "没有配方可写")):
        use_language(words)
        assert told in str(proof)
        with pytest.raises(UserError, match=refused):
            proof.apply()


def test_a_training_that_was_not_watched_says_so(tmp_path: Path) -> None:
    settings: dict[str, Any] = {**FAST, "epochs": 1, "watch": False}
    run = danlu.fit("softmax-regression", folder=tmp_path / "run", **settings)
    for words, told in (("en", "not watched"), ("zh", "没有开启诊断")):
        use_language(words)
        assert told in str(danlu.cure(run, progress=False))


def test_what_no_recipe_can_mend_is_told_and_nothing_is_trained(tmp_path: Path) -> None:
    run = danlu.fit(Answers(), lr=0.1, folder=tmp_path / "run", **FAST)
    assert run.findings[0].rule == "softmax-twice"
    proof = danlu.cure(run, net=Answers, seeds=2, folder=tmp_path / "study", progress=False)
    assert proof.as_dict()["by_hand"][0]["rule"] == "softmax-twice"
    for words, told in (("en", "By hand"), ("zh", "需要您自己")):
        use_language(words)
        assert told in str(proof)


def test_no_change_is_recommended_that_is_not_proved_better(tmp_path: Path) -> None:
    settings: dict[str, Any] = {**FAST, "hidden": [32], "lr": 0.0005, "epochs": 1}
    run = danlu.fit("mlp", folder=tmp_path / "run", **settings)
    proof = danlu.cure(run, seeds=2, margin=1.0, folder=tmp_path / "study", progress=False)
    better = [effect.end for effect in proof.effects if effect.verdict == "better"]
    assert proof.recommended in better or proof.recommended is None


def test_arrays_given_in_this_session_are_prepared_anew(tmp_path: Path) -> None:
    data = danlu.load("digits")
    x = numpy.random.default_rng(0).normal(size=(400, 8)).astype("float32")
    run = danlu.fit(
        "mlp",
        (1000 * x, (x[:, 0] + x[:, 1] > 0).astype(int)),
        standardise=False,
        lr=0.1,
        epochs=4,
        folder=tmp_path / "run",
        progress=False,
    )
    assert data.task == run.data.task == "classification"
    proof = danlu.cure(run, seeds=3, folder=tmp_path / "study", progress=False)
    assert {"data.standardise": True} in [effect.end for effect in proof.effects]
    effect = next(effect for effect in proof.effects if effect.end == {"data.standardise": True})
    assert effect.verdict == "better"


@pytest.mark.every(2)
def test_a_net_of_own_code_needs_the_function_that_builds_it(tmp_path: Path, language: str) -> None:
    run = danlu.fit(Own(), lr=20.0, folder=tmp_path / "run", **FAST)
    for net in (None, Own()):
        with pytest.raises(UserError, match={"en": "give the function", "zh": "传入构造它的函数"}[language]):
            danlu.cure(run, net=net, progress=False)
    use_language("en")
    proof = danlu.cure(run, net=Own, seeds=3, folder=tmp_path / "study", progress=False)
    assert proof.recommended is not None
    assert proof.effect is not None
    assert not any(key.startswith("net.") for effect in proof.effects for key in effect.end)


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("arguments", "english", "chinese"),
    [
        ({"net": Own}, "leave net out", "不要再传入 net"),
        ({"seeds": 0}, "at least one seed", "至少需要一个种子"),
        ({"metric": "r2"}, "no metric", "没有"),
    ],
)
def test_mistakes_are_told(
    faulty: danlu.Run, arguments: dict[str, Any], english: str, chinese: str, tmp_path: Path, language: str
) -> None:
    with pytest.raises(UserError, match={"en": english, "zh": chinese}[language]):
        danlu.cure(faulty, folder=tmp_path / "study", progress=False, **arguments)
    assert not (tmp_path / "study").exists()


@pytest.mark.every(2)
def test_what_is_no_run_is_refused(faulty: danlu.Run, tmp_path: Path, language: str) -> None:
    study = compare("softmax-regression", "iris", vary={"lr": [0.1, 0.2]}, seeds=1, epochs=1, folder=tmp_path / "study",
                    progress=False)  # fmt: skip
    wanted = {
        "en": ("this is a study", "no such run", "needs a run"),
        "zh": ("这是一次对比实验", "找不到", "需要一次训练"),
    }[language]
    for given, words in zip((study.folder, tmp_path / "nowhere", 5), wanted, strict=True):
        with pytest.raises(UserError, match=words):
            danlu.cure(given, progress=False)  # type: ignore[arg-type]
    with pytest.raises(UserError, match={"en": "a run lies there", "zh": "已经放着一次训练"}[language]):
        danlu.cure(faulty, folder=faulty.folder, progress=False)


@pytest.mark.every(2)
def test_data_given_in_another_session_are_asked_for(tmp_path: Path, language: str) -> None:
    x = numpy.random.default_rng(0).normal(size=(400, 8)).astype("float32")
    data = (1000 * x, (x[:, 0] + x[:, 1] > 0).astype(int))
    unscaled = {"standardise": False, "lr": 0.1, "epochs": 2}
    folder = danlu.fit("mlp", data, **unscaled, folder=tmp_path / "run", progress=False).folder
    with pytest.raises(UserError, match={"en": "Give them again", "zh": "再次传入"}[language]):
        danlu.cure(folder, progress=False)
    assert danlu.cure(folder, data=data, seeds=2, folder=tmp_path / "study", progress=False).effects


def test_both_languages_tell_the_same(proof: Proof) -> None:
    english = str(proof)
    assert "pairs: better" in english
    assert "Recommended: optim.lr" in english
    use_language("zh")
    chinese = str(proof)
    assert "建议：optim.lr" in chinese
    assert len(chinese.splitlines()) == len(english.splitlines())
