"""Studies: members equal fit's, effects equal a plain computation, the test part is seen once, and studies go on."""

import json
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import nn

import danlu
from danlu.base.errors import UserError
from danlu.store.journal import read
from danlu.study.compare import go_on, planned
from danlu.study.study import Study

SMALL: dict[str, Any] = {"net": "mlp", "data": "iris", "epochs": 3, "progress": False}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return danlu.compare(
        **SMALL, vary={"lr": [0.01, 0.1], "net.depth": [1, 2]}, seeds=3, folds=4, folder=tmp_path_factory.mktemp("a")
    )


def test_every_combination_is_trained_with_every_seed_on_every_fold(study: Study) -> None:
    assert len({(str(member.factors), member.seed, member.fold) for member in study.members}) == 2 * 2 * 3 * 4
    assert study.table().shape == (48, 8)
    assert {member.factors["optim.lr"] for member in study.members} == {0.01, 0.1}


def test_a_member_equals_the_same_recipe_trained_by_fit(study: Study, tmp_path: Path) -> None:
    data = list(danlu.load("iris").folds(4))[2]
    run = danlu.fit("mlp", data, lr=0.1, depth=2, epochs=3, seed=1, batch_size=16, folder=tmp_path, progress=False)
    member = next(
        member
        for member in study.members
        if member.factors == {"optim.lr": 0.1, "net.depth": 2} and (member.seed, member.fold) == (1, 2)
    )
    assert member.score["loss"] == pytest.approx(run.score["validation"]["loss"], rel=1e-4)
    assert member.score["accuracy"] == pytest.approx(run.score["validation"]["accuracy"])


def test_effects_equal_a_plain_computation(study: Study) -> None:
    effect = next(effect for effect in study.effects if effect.factor == "optim.lr")
    values = {(str(member.factors), member.seed, member.fold): member.score["accuracy"] for member in study.members}
    folds = []
    for fold in range(4):
        differences = [
            values[str({"optim.lr": 0.1, "net.depth": depth}), seed, fold]
            - values[str({"optim.lr": 0.01, "net.depth": depth}), seed, fold]
            for seed in range(3)
            for depth in (1, 2)
        ]
        folds.append(numpy.mean(differences))
    assert effect.effect.mean == pytest.approx(numpy.mean(folds))
    assert effect.effect.pairs == 12


def test_the_best_is_chosen_by_validation_refitted_on_both_parts_and_scored_once(study: Study) -> None:
    best = study.best
    assert best is not None
    means = {
        str(factors): numpy.mean([m.score["accuracy"] for m in study.members if str(m.factors) == factors])
        for factors in {str(member.factors) for member in study.members}
    }
    assert means[str(best.factors)] == max(means.values())
    assert best.recipe.data.refit
    assert "accuracy" in best.test
    run = danlu.Run(best.run)
    assert run.score.keys() == {"train", "test"}
    assert len([record for record in read(study.folder / "journal.jsonl") if record["kind"] == "best"]) == 1
    assert (study.folder / "best.toml").is_file()


def test_more_seeds_leave_what_is_trained_alone(tmp_path: Path) -> None:
    first = danlu.compare(**SMALL, vary={"lr": [0.01, 0.1]}, seeds=2, folder=tmp_path / "study")
    before = {(str(m.factors), m.seed): dict(m.score) for m in first.members}
    after = first.more(seeds=2, progress=False)
    assert {member.seed for member in after.members} == {0, 1, 2, 3}
    assert len(after.members) == 8
    for member in after.members:
        if member.seed < 2:
            assert before[str(member.factors), member.seed] == dict(member.score)


def test_a_study_that_was_cut_short_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    whole = danlu.compare(**SMALL, vary={"lr": [0.01, 0.1]}, seeds=3, folds=2, folder=tmp_path / "whole")
    danlu.compare(**SMALL, vary={"lr": [0.01, 0.1]}, seeds=3, folds=2, folder=tmp_path / "cut")
    journal = tmp_path / "cut" / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(lines[:6]) + lines[6][:20])  # killed in the middle of a line
    again = go_on(tmp_path / "cut", progress=False)
    assert again.finished

    def scores(study: Study) -> dict[str, float]:
        return {f"{m.factors} {m.seed} {m.fold}": m.score["accuracy"] for m in study.members}

    assert scores(again) == pytest.approx(scores(whole))


def test_what_cannot_be_stacked_is_trained_one_by_one_and_takes_part(tmp_path: Path) -> None:
    study = danlu.compare(
        "mlp", "iris", vary={"optim.name": ["sgd", "rprop"]}, seeds=2, epochs=2, folder=tmp_path / "s", progress=False
    )
    assert sorted(str(member.factors["optim.name"]) for member in study.members) == ["rprop"] * 2 + ["sgd"] * 2
    assert all("test" not in danlu.Run(run).score for run in (study.folder / "members").iterdir())


def test_a_net_of_the_users_own_is_built_anew_for_every_seed(tmp_path: Path) -> None:
    x, y = torch.randn(60, 3), torch.arange(60) % 2
    study = danlu.compare(
        lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)),
        (x, y),
        vary={"lr": [0.01, 0.1]},
        seeds=2,
        folds=2,
        epochs=1,
        folder=tmp_path / "s",
        progress=False,
    )
    assert len({member.score["loss"] for member in study.members}) == 8


def test_baselines_stand_beside_the_members(tmp_path: Path) -> None:
    study = danlu.compare(
        **SMALL, vary={"lr": [0.01, 0.1]}, seeds=2, folds=3, baselines=["majority", "linear"], folder=tmp_path / "s"
    )
    accuracy = {(row["baseline"], row["fold"]): row["score"]["accuracy"] for row in study.baselines}
    assert accuracy["majority", 0] < 0.5 < accuracy["linear", 0]


def test_a_level_that_fails_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    study = danlu.compare(**SMALL, vary={"net.hidden": [[8], [0], [16]]}, seeds=2, folder=tmp_path / "s")
    assert len(study.members) == 4
    assert "net.hidden" in study.failed[0]["reason"]


def test_the_object_for_json_has_the_keys_that_stay(study: Study) -> None:
    record = json.loads(json.dumps(study.as_dict()))
    assert {"study", "members", "effects", "best", "seconds"} <= record.keys()
    assert {"factors", "seed", "fold", "score", "diverged"} <= record["members"][0].keys()
    wanted = {"factor", "from", "to", "metric", "mean", "low", "high", "pairs", "verdict"}
    assert wanted <= record["effects"][0].keys()


def test_a_rate_that_diverges_is_never_called_better(tmp_path: Path) -> None:
    study = danlu.compare(
        "linear-regression",
        "diabetes",
        vary={"lr": [0.01, 1e6]},
        seeds=3,
        epochs=3,
        folder=tmp_path / "s",
        progress=False,
    )
    assert all(member.diverged == (member.factors["optim.lr"] == 1e6) for member in study.members)
    assert study.effects[0].verdict == "worse"
    assert study.best is not None
    assert study.best.factors == {"optim.lr": 0.01}


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"vary": {"optim.lrr": [1, 2]}}, r"optim\.lrr.*optim\.lr"),
        ({"vary": {"lr": [0.1, "abc"]}}, r"optim\.lr is 'abc'"),
        ({"vary": {"lr": [0.1]}}, "one level"),
        ({"vary": {"lr": 0.1}}, "must be a list"),
        ({"vary": {}}, "Nothing varies"),
        ({"vary": {"seed": [1, 2]}}, "Use seeds"),
        ({"vary": {"lr": [0.1, 0.2], "optim.lr": [0.3, 0.4]}}, "named twice"),
        ({"vary": {"lr": [0.1, 0.2]}, "folds": 1000}, "only 120 samples"),
        ({"vary": {"lr": [0.1, 0.2]}, "seeds": 0}, "at least one seed"),
        ({"vary": {"lr": [0.1, 0.2]}, "baselines": ["forrest"]}, "forest"),
        ({"vary": {"lr": [0.1, 0.2]}, "metric": "acuracy"}, "no metric"),
        ({"vary": {"net.depth": [0, -1]}}, r"net\.depth"),
    ],
)
def test_mistakes_are_told_and_nothing_is_left_behind(
    arguments: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        danlu.compare(**SMALL, **arguments)
    assert list(tmp_path.iterdir()) == []


def test_one_object_is_no_net_for_a_study() -> None:
    with pytest.raises(UserError, match="a new Linear for every seed"):
        danlu.compare(nn.Linear(4, 3), "iris", vary={"lr": [0.1, 0.2]})


def test_a_plan_tells_what_is_stacked() -> None:
    plan, _, _ = planned("mlp", "iris", vary={"lr": [0.1, 0.2], "net.depth": [1, 2]}, seeds=2, folds=3)
    facts = plan.facts()
    assert facts["members"] == 24
    assert [group["members"] for group in facts["groups"]] == [12, 12]
    assert all(group["stacked"] for group in facts["groups"])


def test_another_study_does_not_go_on_in_the_same_folder(tmp_path: Path) -> None:
    danlu.compare(**SMALL, vary={"lr": [0.01, 0.1]}, seeds=2, folder=tmp_path / "s")
    with pytest.raises(UserError, match="another study"):
        danlu.compare(**SMALL, vary={"lr": [0.01, 0.2]}, seeds=2, folder=tmp_path / "s")


def test_members_begin_with_the_weights_of_a_file(tmp_path: Path) -> None:
    run = danlu.fit("mlp", "iris", epochs=20, lr=0.1, hidden=[8], folder=tmp_path / "run", progress=False)
    torch.save(run.net().state_dict(), tmp_path / "mlp.pth")
    settings: dict[str, Any] = {"hidden": [8], "epochs": 1, "net.weights": str(tmp_path / "mlp.pth"), "progress": False}
    study = danlu.compare("mlp", "iris", vary={"lr": [1e-9, 1e-8]}, seeds=2, folder=tmp_path / "study", **settings)
    wanted = run.score["validation"]["loss"]
    assert [member.score["loss"] for member in study.members] == pytest.approx([wanted] * 4, rel=1e-4)


def test_a_level_whose_weights_do_not_fit_is_told(tmp_path: Path) -> None:
    torch.save(danlu.nets.MLP(4, 3, hidden=[8]).state_dict(), tmp_path / "mlp.pth")
    settings: dict[str, Any] = {"epochs": 1, "net.weights": str(tmp_path / "mlp.pth"), "progress": False}
    factors = {"hidden": [[8], [9]], "lr": [0.1, 0.01]}
    study = danlu.compare("mlp", "iris", vary=factors, seeds=1, folder=tmp_path / "study", **settings)
    assert len(study.members) == 2
    assert [failed["factors"]["net.hidden"] for failed in study.failed] == [[9], [9]]
    with pytest.raises(danlu.UserError, match="not for this net"):
        danlu.compare("mlp", "iris", vary={"hidden": [[8], [9]]}, seeds=2, folder=tmp_path / "other", **settings)
    assert not (tmp_path / "other").exists()
