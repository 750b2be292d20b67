"""docs/claim-verdicts.md, its Chinese sibling and README's table of verdicts, from the record of `make claims`.

`python tests/claims_page.py FOLDER` takes that record out of the folder where the claims were tested; `make docs`
writes the pages anew.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from danlu.base.words import say, speaking
from danlu.claims.catalogue import CLAIMS
from danlu.claims.result import results_in
from danlu.view.claims import verdict_words

CHECKOUT = Path(__file__).parents[1]
RECORD = CHECKOUT / "docs" / "claims" / "verdicts.json"
PAGES = {"en": CHECKOUT / "docs" / "claim-verdicts.md", "zh": CHECKOUT / "docs" / "claim-verdicts.zh-CN.md"}
READMES = {"en": CHECKOUT / "README.md", "zh": CHECKOUT / "README.zh-CN.md"}
WORDS = (
    "exact", "holds", "holds only when", "does not hold", "the opposite holds", "undecided", "not exact", "not tested",
)  # fmt: skip

OPENINGS = {
    "en": """\
# What the notes say, and what came out

[中文](claim-verdicts.zh-CN.md)

Each sentence was tested by `danlu claims` on its default data: by a plan that stood beforehand, at each level's own
best learning rate, with a placebo and a positive control. A verdict is for that ground and for no other; `danlu claims
ID --data YOURS` tests it on yours. [The book](claims/notes.html) has the pictures, intervals and plans. This page is
made from the record of the last `make claims`, and a test holds it current.

| claim | sentence | verdict | plan |
|---|---|---|---|""",
    "zh": """\
# 笔记里的说法，检验的结果

[English](claim-verdicts.md)

每条说法都由 `danlu claims` 在默认数据上检验：方案事先定好，各取值都用自己的最佳学习率，
并设安慰剂对照和阳性对照。结论只对这些数据有效；`danlu claims ID --data YOURS` 可以在您的数据上检验。
图、区间和方案见[结论汇编](claims/notes.html)。本页由最近一次 `make claims` 的记录生成，有测试保证它与记录一致。

| 论断 | 笔记的说法 | 结论 | 方案 |
|---|---|---|---|""",
}
HEADS = {"en": "| verdict here | claims of the notes |", "zh": "| 这里的结论 | 笔记里的论断 |"}


def recorded() -> list[dict[str, Any]]:
    """The verdicts of the last `make claims`, in the order of the catalogue."""
    return json.loads(RECORD.read_text(encoding="utf-8"))


def taken_from(folder: Path) -> list[dict[str, Any]]:
    """What was tested in `folder`, without figures and machines."""
    found = {one.claim: one.record for one in results_in(folder) if not one.record.get("miniature")}
    return [
        {"claim": id, "verdict": found[id]["verdict"], "hash": found[id]["plan"]["hash"], "date": found[id]["date"]}
        for id in CLAIMS
        if id in found
    ]


def page(language: str) -> str:
    """The page in that language."""
    with speaking(language):
        rows = [_row(one) for one in recorded()]
    return "\n".join([OPENINGS[language], *rows]) + "\n"


def _row(one: Mapping[str, Any]) -> str:
    claim = one["claim"]
    return f"| {claim} | {say(f'notes.say-{claim}')} | {verdict_words(one['verdict'])} | `{one['hash']}` |"


def table(language: str) -> str:
    """README's table: the claims by what they came to."""
    by_word: dict[str, list[str]] = {word: [] for word in WORDS}
    for one in recorded():
        by_word[one["verdict"]["word"]].append(one["claim"])
    with speaking(language):
        rows = [f"| {_heading(word)} | {', '.join(ids)} |" for word, ids in by_word.items() if ids]
    return "\n".join([HEADS[language], "|---|---|", *rows])


def _heading(word: str) -> str:
    """The verdict without what differs from claim to claim."""
    blank: dict[str, Any] = {"word": word, "more": None, "difference": "…", "where": ["…"], "open": [], "failed": []}
    return verdict_words(blank).rstrip(" :：")


def with_table(readme: str, language: str) -> str:
    """The text of a README with the table in the place of the one it has."""
    before, _, rest = readme.partition(HEADS[language])
    return before + table(language) + rest[rest.index("\n\n") :]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        RECORD.write_text(json.dumps(taken_from(Path(sys.argv[1])), indent=1, ensure_ascii=False) + "\n", "utf-8")
    for language, file in PAGES.items():
        file.write_text(page(language), encoding="utf-8")
        readme = READMES[language].read_text(encoding="utf-8")
        READMES[language].write_text(with_table(readme, language), encoding="utf-8")
