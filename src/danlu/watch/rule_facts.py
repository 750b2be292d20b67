"""What is known of the rules themselves, in the language in force: for `danlu rules` and the page of all rules."""

from collections.abc import Mapping
from typing import Any

from danlu.base.errors import fail, nearest
from danlu.base.finding_text import remedy_text
from danlu.base.rule_names import rule_name
from danlu.base.words import say
from danlu.watch.contract import Remedy, Rule
from danlu.watch.rulebook import rulebook


def all_rules() -> list[dict[str, Any]]:
    """The facts of every rule, by id.

    >>> len(all_rules())
    70
    """
    return [rule_facts(rule) for rule in sorted(rulebook(), key=lambda rule: rule.id)]


def find_rule(word: str) -> dict[str, Any]:
    """The facts of the rule of that id or name. UserError with the nearest one where there is none.

    >>> find_rule("dead-relu")["severities"]
    ['error', 'warning', 'advice']
    """
    rules = {name: rule for rule in rulebook() for name in (rule.id, rule_name(rule.id))}
    found = rules.get(word) or rules.get(word.strip().lower().replace("_", "-"))
    if found is None:
        fail("watch.unknown-rule", rule=word, hint=nearest(word.lower(), rules))
    return rule_facts(found)


def rule_facts(rule: Rule) -> dict[str, Any]:
    """Id, name, severities, what it sees, thresholds with their units, remedies, source, and what it explains."""
    return {
        "rule": rule.id,
        "name": rule_name(rule.id),
        "severities": list(rule.severities),
        "sees": say(f"rules.sees-{rule.id}"),
        "thresholds": [
            {
                "name": name,
                "value": threshold.value,
                "unit": say(f"rules.unit-{threshold.unit}"),
                "meaning": say(f"rules.threshold-{rule.id}-{name.replace('_', '-')}"),
                "before": threshold.before,
            }
            for name, threshold in rule.thresholds.items()
        ],
        "remedies": [_remedy(remedy) for remedy in rule.remedies],
        "source": rule.reference,
        "symptoms": list(rule.symptoms),
    }


def _remedy(remedy: Remedy) -> dict[str, Any]:
    """As a finding holds it, with its text; a value that only a training tells is null."""
    if isinstance(remedy, str):
        text = say(f"watch.remedy-{remedy}")
        return {"advice": text, "text": text}
    return {"change": dict(remedy), "text": _change_text(remedy)}


def _change_text(change: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{key} = …" if value is None else remedy_text({"change": {key: value}}) for key, value in change.items()
    )
