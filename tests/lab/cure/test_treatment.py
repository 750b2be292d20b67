"""Which remedies a recipe can take, and what is tried of them together."""

import pytest

from danlu.base.recipe import Recipe
from danlu.base.records import Finding
from danlu.lab.cure.treatment import Remedy, levels_of, remedies_for
from danlu.run.settings.draft import draft_recipe


def finding(rule: str, **evidence: object) -> Finding:
    return Finding(rule, "error", (), 1, evidence, "", "")


def changes(recipe: Recipe, *findings: Finding) -> list[dict[str, object]]:
    return [change for remedy in remedies_for(recipe, findings, 10) for change in remedy.changes]


def test_options_that_the_net_has_not_are_not_tried() -> None:
    found = changes(draft_recipe("lenet5", "digits", settings={"activation": "sigmoid"}), finding("vanishing-gradient"))
    assert found == [{"net.activation": "relu"}]


def test_what_the_recipe_says_already_is_no_change() -> None:
    recipe = draft_recipe("mlp", "digits", settings={"norm": "batch", "residual": True})
    found = changes(recipe, finding("vanishing-gradient"))
    assert found == [{"net.init": "kaiming-normal"}]  # relu and torch's own first weights are the MLP's


def test_rare_classes_are_weighed_or_shown_more_often_but_not_both() -> None:
    recipe = draft_recipe("mlp", "digits")
    (remedy,) = remedies_for(recipe, [finding("label-imbalance")], 10)
    assert remedy.changes == ({"loss.class_weights": "balanced"}, {"data.balance": "classes"})
    assert len(levels_of([remedy])) == 3
    balanced = draft_recipe("mlp", "digits", settings={"data.balance": "classes"})
    assert changes(balanced, finding("label-imbalance")) == []


def test_a_symptom_is_left_to_its_cause() -> None:
    recipe = draft_recipe("mlp", "digits", settings={"lr": 10.0})
    symptom = finding("saturated", cause="lr-too-high")
    assert {key for change in changes(recipe, finding("lr-too-high"), symptom) for key in change} == {
        "optim.lr", "train.clip_norm"
    }  # fmt: skip
    assert {"net.norm": "batch"} in changes(recipe, symptom)


def test_a_cause_without_a_remedy_leaves_its_symptoms_theirs() -> None:
    recipe = draft_recipe("mlp", "digits")
    assert changes(recipe, finding("input-nonfinite"), finding("too-few-epochs", cause="input-nonfinite"))


def test_remedies_of_the_same_setting_are_one() -> None:
    recipe = draft_recipe("mlp", "digits", settings={"lr": 1.0})
    (remedy, *_) = remedies_for(recipe, [finding("lr-too-high"), finding("nonfinite")], 10)
    assert remedy.rules == ("lr-too-high", "nonfinite")
    assert [change["optim.lr"] for change in remedy.changes] == [0.1, 0.01]


def test_the_rest_of_a_net_of_own_code_can_be_changed() -> None:
    recipe = draft_recipe("mlp", "digits", settings={"lr": 1.0})
    own = Recipe(net=type(recipe.net)(name="custom", options={"class": "Own"}), optim=recipe.optim)
    found = changes(own, finding("vanishing-gradient"), finding("lr-too-high"))
    assert found
    assert not any(key.startswith("net.") for change in found for key in change)


@pytest.mark.parametrize("count", [1, 2, 4, 6])
def test_levels_hold_nothing_each_change_and_all_together(count: int) -> None:
    remedies = [Remedy((str(number),), ({f"k.{number}": 1}, {f"k.{number}": 2})) for number in range(count)]
    levels = levels_of(remedies)
    assert levels[0] == {}
    assert all(change in levels for remedy in remedies for change in remedy.changes)
    assert len({str(level) for level in levels}) == len(levels) <= max(12, 1 + 2 * count)


def test_changes_of_the_same_setting_are_never_put_together() -> None:
    levels = levels_of([Remedy(("a",), ({"x": 1},)), Remedy(("b",), ({"x": 2, "y": 1},)), Remedy(("c",), ({"z": 1},))])
    assert {"x": 1, "z": 1} in levels
    assert all(level.get("x") != 1 or "y" not in level for level in levels)
