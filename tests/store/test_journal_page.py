"""docs/journal.md, in both languages, says what the records' classes say."""

import pytest

import journal_page
from danlu.store.records import KINDS


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_is_current(language: str) -> None:
    written = journal_page.PAGES[language].read_text(encoding="utf-8")
    assert written == journal_page.page(language), "write it anew: PYTHONPATH=src:tests python tests/journal_page.py"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("word", KINDS)
def test_every_kind_and_every_key_is_explained(word: str, language: str) -> None:
    summary, keys = journal_page.texts(word, KINDS[word], language)
    assert summary.endswith((".", "。"))
    assert list(keys) == [name for name, _, _ in journal_page.fields(KINDS[word])]
    assert all(keys.values())


def test_no_chinese_text_is_left_over() -> None:
    assert not list(journal_page.unused_chinese())
