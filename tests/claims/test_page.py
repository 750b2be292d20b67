"""The verdicts that README and docs show are those of the last `make claims`, by the plans that stand today."""

import pytest

from claims_page import PAGES, READMES, page, recorded, table
from danlu.base.words import LANGUAGES
from danlu.claims.catalogue import CLAIMS
from danlu.claims.check import options_of, plan_of


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_are_drawn_from_the_record(language: str) -> None:
    assert PAGES[language].read_text(encoding="utf-8") == page(language), "make docs"
    assert table(language) in READMES[language].read_text(encoding="utf-8"), "make docs"


def test_the_record_holds_every_claim_by_its_plan_of_today() -> None:
    plans = {one: plan_of(one, options_of(None, None, None, None, None)).hash for one in CLAIMS}
    assert {one["claim"]: one["hash"] for one in recorded()} == plans, "a plan was changed: make claims"
