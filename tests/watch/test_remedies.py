"""The remedies as plain changes: each names a setting there is, and every rule with one is a rule there is."""

import pytest

from danlu.base.recipe import Recipe
from danlu.base.records import Finding
from danlu.base.setting_keys import known_keys
from danlu.watch.remedies import REMEDIES, remedies_of
from danlu.watch.rulebook import rulebook

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
    assert Recipe().train.epochs > 3


def _plain(change: object) -> dict[str, str]:
    assert isinstance(change, dict)
    return {str(key): str(value) for key, value in change.items()}
