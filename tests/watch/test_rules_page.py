"""docs/rules.md, in both languages, says what the rules say."""

import pytest

import rules_page
from danlu.watch.rulebook import rulebook


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_current(language: str) -> None:
    assert rules_page.PAGES[language].read_text(encoding="utf-8") == rules_page.page(language), "make docs"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_rule_is_there_with_its_thresholds_and_its_source(language: str) -> None:
    sections = rules_page.page(language).split("\n## ")[1:]
    by_id = {section.partition("\n")[0].split()[-1].strip("`"): section for section in sections}
    assert list(by_id) == sorted(rule.id for rule in rulebook())
    for rule in rulebook():
        assert rule.reference in by_id[rule.id]
        assert all(f"| `{name}` | {one.value:g} |" in by_id[rule.id] for name, one in rule.thresholds.items())
