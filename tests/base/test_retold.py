"""A finding follows its reader's language, whatever language it was written in; what danlu never said stays."""

import string
from collections.abc import Iterator
from typing import Any

import pytest

from danlu.base.records import Finding
from danlu.base.retold import retold
from danlu.base.words import LANGUAGES, catalogue, speaking

TITLES = sorted(id for id in catalogue("en") if id.startswith("watch.title-"))
FINDINGS = "watch.title-"


def fields(*phrases: str) -> Iterator[tuple[str, str]]:
    for phrase in phrases:
        for _, name, spec, _ in string.Formatter().parse(phrase):
            if name:
                yield name.partition(".")[0].partition("[")[0], spec or ""


def numbers_for(id: str) -> dict[str, Any]:
    """Made-up numbers of the types that the phrases of a title, and of its reason, can take in both languages."""
    phrases = [catalogue(one)[key] for one in LANGUAGES for key in (id, id.replace("title-", "why-", 1))]
    found: dict[str, Any] = {}
    for name, spec in fields(*phrases):
        wanted = 0.5 if spec and spec[-1] in "gefs%" else 12
        found[name] = wanted if spec else found.get(name, 12)
    return found


@pytest.mark.every(4)
@pytest.mark.parametrize("id", TITLES)
@pytest.mark.parametrize(("written", "read"), [("en", "zh"), ("zh", "en")])
def test_every_finding_is_told_again(id: str, written: str, read: str) -> None:
    numbers = numbers_for(id)
    rule = id.removeprefix(FINDINGS)
    why = id.replace("title-", "why-", 1)

    def told(phrase: str, spoken: str) -> str:
        try:
            return catalogue(spoken)[phrase].format(**numbers)
        except KeyError:  # a variant with numbers of its own
            return ""

    finding = Finding(rule, "error", (), 1, numbers, told(id, written), told(why, written))
    with speaking(read):  # type: ignore[arg-type]
        again = retold(finding)
    # Two variants may be one sentence in one language.
    same = [one for one in TITLES if one.startswith(id)]
    assert again.title in {told(one, read) for one in same if told(one, written) == finding.title}
    assert again.why == told(why, read) or finding.why in {told(why, read)}


def test_advice_is_told_again_and_a_change_stays() -> None:
    change = {"change": {"net.activation": "relu"}}
    advice = {"advice": catalogue("zh")["watch.remedy-residual"]}
    finding = Finding("vanishing-gradient", "error", (), 1, {}, "mine", "mine", (change, advice))
    with speaking("en"):
        assert retold(finding).remedies == (change, {"advice": catalogue("en")["watch.remedy-residual"]})


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_of_somebody_else_stays(language: str) -> None:
    finding = Finding("my-rule", "advice", (), 1, {"x": 1}, "a title of {mine}", "因为", ({"advice": "do {this}"},))
    with speaking(language):
        assert retold(finding) is finding


def test_a_number_that_is_not_finite_is_read_back_from_its_word() -> None:
    id = "watch.title-lr-too-high-rising"
    numbers = {"first": 1.0, "loss": float("nan"), "rate": 1.0, "size": float("inf")}
    written = catalogue("en")[id].format(**numbers)
    kept = numbers | {"loss": "NaN", "size": "Infinity"}
    with speaking("zh"):
        assert retold(Finding("lr-too-high", "error", (), 1, kept, written, "")).title == catalogue("zh")[id].format(
            **numbers
        )
