"""What every rule is held to: it declares all that it says, and its own test fails once it says nothing."""

import ast
import importlib.util
import inspect
import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from danlu.base.setting_keys import known_keys
from danlu.base.words import LANGUAGES, catalogue
from danlu.watch.contract import SEVERITIES, Rule
from danlu.watch.rulebook import rulebook

RULES = {rule.id: rule for rule in rulebook()}
LOSSES = {"cross-entropy"}  # names of losses that are ids of advice too
UNIT_TESTS = Path(__file__).parent / "rules"


def module_of(rule: Rule) -> ModuleType:
    module = inspect.getmodule(rule.judge)
    assert module is not None
    return module


def unit_test(rule: Rule) -> Path:
    return UNIT_TESTS / f"test_{rule.id.replace('-', '_')}.py"


def judging(rule: Rule) -> list[ast.stmt]:
    """The source of a rule without the declaration itself."""
    tree = ast.parse(inspect.getsource(module_of(rule)))
    return [node for node in tree.body if not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "RULE")]


def strings(rule: Rule) -> set[str]:
    nodes = (node for part in judging(rule) for node in ast.walk(part))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def calls(function: Callable[..., None]) -> Iterator[dict[str, Any]]:
    """The arguments that pytest would call a test with, one by one; nothing for a test that takes a fixture."""
    marks = [mark for mark in getattr(function, "pytestmark", []) if mark.name == "parametrize"]
    rows = list[list[dict[str, Any]]]()
    for mark in marks:
        names, values = mark.args[:2]
        names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
        rows.append([dict(zip(names, [value] if len(names) == 1 else value, strict=True)) for value in values])
    for choice in itertools.product(*rows):
        given = {name: value for part in choice for name, value in part.items()}
        if given.keys() == inspect.signature(function).parameters.keys():
            yield given


def failures(path: Path, rule: Rule) -> list[str]:
    """The tests of a file that fail when `rule` stands in the place of the one they judge."""
    spec = importlib.util.spec_from_file_location(f"{path.stem}_tried", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.RULE = rule  # type: ignore[attr-defined]
    failed = list[str]()
    for name, function in vars(module).items():
        if name.startswith("test_") and callable(function):
            try:
                for arguments in calls(function):
                    function(**arguments)
            except AssertionError:
                failed.append(name)
    return failed


@pytest.mark.parametrize("id", RULES)
def test_a_rule_that_says_nothing_fails_its_own_test(id: str) -> None:
    assert failures(unit_test(RULES[id]), replace(RULES[id], judge=lambda measured, thresholds: None))


def test_the_rules_as_they_are_fail_none() -> None:
    assert failures(unit_test(RULES["bad-init"]), RULES["bad-init"]) == []


@pytest.mark.parametrize("id", RULES)
def test_each_threshold_is_tried_at_its_boundary(id: str) -> None:
    source = unit_test(RULES[id]).read_text(encoding="utf-8")
    assert [name for name in RULES[id].thresholds if f'"{name}"' not in source] == []


@pytest.mark.parametrize("id", RULES)
def test_a_rule_declares_what_it_says(id: str) -> None:
    rule, said = RULES[id], strings(RULES[id])
    advice = {key.removeprefix("watch.remedy-") for key in catalogue("en") if key.startswith("watch.remedy-")}
    settings = {f"{section}.{key}" for section, keys in known_keys().items() for key in keys}
    settings |= {"net.activation", "net.norm", "net.dropout"}
    declared_advice = {remedy for remedy in rule.remedies if isinstance(remedy, str)}
    declared_changes = {key for remedy in rule.remedies if not isinstance(remedy, str) for key in remedy}
    assert declared_advice - LOSSES == said & advice - LOSSES
    assert declared_changes == said & settings
    assert set(rule.severities) == said & set(SEVERITIES)
    assert list(rule.severities) == [severity for severity in SEVERITIES if severity in rule.severities]
    assert set(rule.symptoms) <= RULES.keys()


@pytest.mark.parametrize("id", RULES)
def test_its_thresholds_are_named_for_what_they_bound_used_and_explained(id: str) -> None:
    rule = RULES[id]
    assert [name for name in rule.thresholds if not name.startswith(("min_", "max_"))] == []
    assert rule.thresholds.keys() == {text for text in strings(rule) if text.startswith(("min_", "max_"))}
    for language in LANGUAGES:
        phrases = catalogue(language)
        wanted = [f"rules.threshold-{id}-{name.replace('_', '-')}" for name in rule.thresholds]
        wanted += [f"rules.unit-{threshold.unit}" for threshold in rule.thresholds.values()]
        assert [key for key in wanted if key not in phrases] == []


def test_no_phrase_explains_a_threshold_that_does_not_exist() -> None:
    known = {f"rules.threshold-{rule.id}-{name.replace('_', '-')}" for rule in rulebook() for name in rule.thresholds}
    known |= {f"rules.{kind}-{id}" for kind in ("name", "sees") for id in RULES}
    known |= {f"rules.unit-{one.unit}" for rule in rulebook() for one in rule.thresholds.values()}
    assert {key for key in catalogue("en") if key.startswith("rules.")} == known


@pytest.mark.parametrize("id", RULES)
def test_it_has_a_name_a_source_and_a_file_of_its_name(id: str) -> None:
    assert catalogue("en")[f"rules.name-{id}"] == id  # in English the id is the name
    assert catalogue("zh")[f"rules.name-{id}"] != id
    assert RULES[id].reference
    assert module_of(RULES[id]).__name__.rpartition(".")[2] == id.replace("-", "_")


def test_no_two_rules_share_a_chinese_name() -> None:
    names = [catalogue("zh")[f"rules.name-{id}"] for id in RULES]
    assert len(set(names)) == len(names)
