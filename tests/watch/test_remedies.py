"""The remedies as plain changes: each names a setting there is with a value that it can take."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from danlu.base.recipe import Recipe
from danlu.base.records import Finding
from danlu.base.setting_keys import known_keys
from danlu.base.words import catalogue
from danlu.nets import build, option_names
from danlu.run.settings.draft import draft_recipe
from danlu.run.settings.usual import usual_epochs
from danlu.study.factors import flat
from danlu.watch import rules
from danlu.watch.rates import usual_rates
from danlu.watch.remedies import REMEDIES, higher_rate, lower_rate, next_rate, other_rate, remedies_of
from danlu.watch.rulebook import rulebook

MLP = draft_recipe("mlp", "digits", settings={"hidden": [8, 8]})
VALUES = {
    "optim.lr": 0.1, "train.epochs": 5, "net.name": "mlp", "net.hidden": [4], "steps_per_epoch": 10,
    "train.clip_value": 0.1,
}  # fmt: skip


def finding(rule: str) -> Finding:
    proposed = ({"change": {"optim.lr": 0.02}}, {"change": {"train.clip_norm": 2.0}}, {"advice": "look"})
    return Finding(rule, "error", (), 1, {"step": 30}, "", "", proposed)


@pytest.mark.parametrize("rule", REMEDIES)
def test_remedies_are_of_rules_and_name_settings(rule: str) -> None:
    assert rule in {one.id for one in rulebook()}
    for changes in remedies_of(finding(rule), VALUES):
        assert len({tuple(change.items()) for change in map(_plain, changes)}) == len(changes)
        for key in (key for change in changes for key in change):
            section, _, name = key.partition(".")
            assert name in known_keys()[section] or section == "net"


def test_a_rule_without_a_row_is_answered_by_what_its_finding_proposes() -> None:
    assert "softmax-twice" not in REMEDIES
    assert remedies_of(finding("softmax-twice"), VALUES) == [[{"optim.lr": 0.02}]]
    assert remedies_of(Finding("softmax-twice", "error", (), 1, {}, "", "", ({"advice": "x"},)), VALUES) == []


def test_rates_keep_their_side_of_the_present_one() -> None:
    (lower, _) = remedies_of(finding("lr-too-high"), VALUES)
    (higher,) = remedies_of(finding("lr-too-low"), VALUES)
    assert [change["optim.lr"] for change in lower] == [0.02, 0.002, 0.01]
    assert [change["optim.lr"] for change in higher] == [0.2]


def test_overfitting_ends_where_the_validation_loss_was_lowest() -> None:
    (epochs, *_) = remedies_of(finding("overfitting"), VALUES)
    assert epochs == [{"train.epochs": 3}]
    assert usual_epochs(60_000) > 3


ABSURD = [
    {"optim.name": name, "optim.lr": rate}
    for name in ("sgd", "adam", "lbfgs", "adadelta")
    for rate in (1e-300, 1e-9, 1e-3, 0.1, 5.0, 1e6, 1e30)
]


@pytest.mark.parametrize("values", ABSURD, ids=lambda values: "-".join(map(str, values.values())))
def test_whatever_the_rate_was_the_next_one_is_one_that_trains(values: dict[str, Any]) -> None:
    low, _, high = usual_rates(values["optim.name"])
    unsaid = Finding("underfitting", "warning", (), 1, {}, "", "")
    others = [change["optim.lr"] for change in other_rate(values, unsaid)]
    for rate in (next_rate(values, ()), *others):
        assert low <= rate <= high
        assert rate != values["optim.lr"]
    assert next_rate(values, [finding("lr-too-high")]) == 0.02
    for changes in (lower_rate(values, unsaid), higher_rate(values, unsaid)):
        assert all(change["optim.lr"] <= max(high, 10 * values["optim.lr"]) for change in changes)


SIDES = [
    ("overfitting", "net.dropout", 0.4, [0.5]),
    ("overfitting", "net.dropout", 0.7, []),
    ("overfitting", "optim.weight_decay", 1e-3, [5e-3]),
    ("dropout-too-high", "net.dropout", 0.2, [0.1]),
    ("weight-decay-too-high", "optim.weight_decay", 1e-5, [0.0]),
    ("batchnorm-small-batch", "train.batch_size", 64, []),
    ("underfitting", "net.hidden", [2048], []),
    ("underfitting", "net.hidden", [2048, 64], [[2048, 512]]),
    ("underfitting", "net.width", 1024, []),
    ("label-imbalance", "loss.class_weights", "balanced", []),
    ("label-imbalance", "loss.class_weights", None, ["balanced"]),
]


@pytest.mark.parametrize(("rule", "key", "value", "wanted"), SIDES)
def test_a_remedy_lies_on_the_side_that_helps(rule: str, key: str, value: Any, wanted: list[Any]) -> None:
    values = {key: value, "net.name": "mlp"}
    found = [change[key] for changes in remedies_of(finding(rule), values) for change in changes if key in change]
    assert found == wanted


def written_changes() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every change that a rule's file proposes; what is computed stands as 0.5, 2 or "x" do: in its bounds."""
    for file in sorted(Path(rules.__path__[0]).glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            keys = (
                [key.value for key in node.keys if isinstance(key, ast.Constant)] if isinstance(node, ast.Dict) else []
            )
            if keys and all(isinstance(key, str) and "." in key for key in keys):
                assert isinstance(node, ast.Dict)
                yield file.stem, {str(k): _value(v) for k, v in zip(keys, node.values, strict=True)}


def made(change: Mapping[str, Any]) -> Recipe:
    """The recipe with this change, whose net could be built."""
    recipe = draft_recipe(recipe=MLP, settings=change)
    build(recipe.net.name, recipe.net.options, sample_shape=(64,), outputs=10, task="classification")
    return recipe


def _value(node: ast.expr) -> Any:
    return 2 if not isinstance(node, ast.Constant) or node.value is None else node.value


WRITTEN = list(written_changes())


def test_the_rules_propose_changes() -> None:
    assert len(WRITTEN) >= 20


@pytest.mark.parametrize(("rule", "change"), WRITTEN, ids=[f"{rule}-{'-'.join(change)}" for rule, change in WRITTEN])
def test_every_change_that_a_rule_proposes_makes_a_recipe(rule: str, change: dict[str, Any]) -> None:
    recipe = made(change)
    assert {key: flat(recipe)[key] for key in change} == change


@pytest.mark.every(3)
@pytest.mark.parametrize("rule", REMEDIES)
@pytest.mark.parametrize("net", ["mlp", "resnet18"])
def test_every_remedy_that_cure_tries_makes_a_recipe(rule: str, net: str) -> None:
    for changes in remedies_of(finding(rule), VALUES | {"net.name": net}):
        for change in changes:
            options = {key.removeprefix("net.") for key in change if key.startswith("net.")} - {"name"}
            if options <= set(option_names(str(change.get("net.name", "mlp")))):
                made(change)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_weights_of_classes_are_a_setting_and_no_advice(language: str) -> None:
    advice = [text for key, text in catalogue(language).items() if key.startswith("watch.remedy-")]
    assert advice
    assert not [text for text in advice if "weight=" in text or "class weight" in text or "加权" in text]


def _plain(change: object) -> dict[str, str]:
    assert isinstance(change, dict)
    return {str(key): str(value) for key, value in change.items()}
