"""docs/recipe.md, in both languages, says what the recipe's classes say."""

import pytest

import recipe_page
from danlu.base.recipe import SECTIONS

SETTINGS = [(section, one) for section in SECTIONS for one in recipe_page.settings(section)]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_current(language: str) -> None:
    assert recipe_page.PAGES[language].read_text(encoding="utf-8") == recipe_page.page(language), "make docs"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_key_is_explained(language: str) -> None:
    assert len(SETTINGS) > 80
    silent = [f"{section}.{one.key}" for section, one in SETTINGS if not recipe_page.meaning(section, one, language)]
    assert silent == []
    assert all(recipe_page.summary(section, language).endswith((".", "。")) for section in SECTIONS)


def test_types_and_bounds_are_those_of_the_classes() -> None:
    shown = {
        f"{section}.{one.key}": (recipe_page.kind_text(one.annotation), recipe_page.bounds_text(one.annotation))
        for section, one in SETTINGS
    }
    assert shown["train.keep"] == ("integer", "≥ 2, ≤ 1,000,000,000")
    assert shown["optim.lr"] == ("number", "> 0")
    assert shown["optim.betas"] == ("pair", "≥ 0, < 1; ≥ 0, < 1")
    assert shown["train.seed"] == ("integer", "≥ 0, ≤ 2⁶³ - 1")
    assert shown["train.weights"] == ("`last`, `best`", "")
    assert shown["data.augment"] == ("list of strings", "")


def test_no_chinese_text_is_left_over() -> None:
    assert list(recipe_page.unused_chinese()) == []
