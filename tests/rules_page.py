"""docs/rules.md and its Chinese sibling, made from the rules themselves: `make docs` writes them anew."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from danlu.base.words import say, speaking
from danlu.watch.rule_facts import all_rules

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {"en": DOCS / "rules.md", "zh": DOCS / "rules.zh-CN.md"}

_ENGLISH = """\
# What watch looks for

[中文](rules.zh-CN.md)

Every rule of `danlu.watch` and of danlu's own runs: what it sees, its thresholds, what to do, and its
source. This page is made from the rules themselves, and a test holds it current; `danlu rules` shows the
same in the terminal.

An **error** means that the network cannot learn, a **warning** that it learns worse than it could;
**advice** is worth knowing. A rule reports only where the measured number is at least every threshold
`min_…` and at most every threshold `max_…` that applies; one that ends in `_warning` or `_error` decides
the severity. Thresholds are set in a recipe, `[watch]` with `dead-relu.min_dead_share = 0.6`, or in Python
`danlu.watch(…, thresholds={"dead-relu": {"min_dead_share": 0.6}})`; rules are switched off with
`silence = ["dead-relu"]`. The names of danlu 0.1 still work in this version, and say so."""

_CHINESE = """\
# 诊断规则

[English](rules.md)

`danlu.watch` 和 danlu 自己的训练所用的全部规则：检查什么问题、阈值、对策与出处。本页由规则本身生成，
有测试保证它与代码一致；在终端里可用 `danlu rules` 查看同样的内容。

**错误**表示网络无法学习，**警告**表示学得不如应有的好，**建议**仅供参考。只有当测得的数值不小于各个适用的
`min_…` 阈值、且不大于各个适用的 `max_…` 阈值时，规则才会报告；
以 `_warning` 或 `_error` 结尾的阈值决定程度。
阈值可以写进配方的 `[watch]`：`dead-relu.min_dead_share = 0.6`，也可以在 Python 里设置：
`danlu.watch(…, thresholds={"dead-relu": {"min_dead_share": 0.6}})`；用 `silence = ["dead-relu"]` 关闭规则。
danlu 0.1 的旧名在这个版本中仍然有效，并会给出提示。"""

TEXTS = {
    "en": {
        "opening": _ENGLISH,
        "index": "| rule | severity | what it sees |",
        "thresholds": "| threshold | default | unit | meaning | before |",
        "sees": "{sees} ({severities})",
        "remedies": "Remedies:",
        "source": "Source: {source}.",
        "comma": ", ",
    },
    "zh": {
        "opening": _CHINESE,
        "index": "| 规则 | 程度 | 检查的问题 |",
        "thresholds": "| 阈值 | 默认值 | 单位 | 含义 | 旧名 |",
        "sees": "{sees}（{severities}）",
        "remedies": "对策：",
        "source": "出处：{source}。",
        "comma": "、",
    },
}


def page(language: str) -> str:
    """The page in that language."""
    texts = TEXTS[language]
    with speaking(language):
        rules = all_rules()
        lines = [texts["opening"], "", texts["index"], "|---|---|---|"]
        lines += [
            f"| [{_label(rule)}](#{_anchor(rule)}) | {_severities(rule, texts)} | {rule['sees']} |" for rule in rules
        ]
        for rule in rules:
            lines += ["", *_section(rule, texts)]
    return "\n".join(lines) + "\n"


def _section(rule: Mapping[str, Any], texts: Mapping[str, str]) -> list[str]:
    lines = [f"## {_label(rule)}", ""]
    lines += [texts["sees"].format(sees=rule["sees"], severities=_severities(rule, texts))]
    if rule["thresholds"]:
        lines += ["", texts["thresholds"], "|---|---|---|---|---|"]
        lines += [
            f"| `{one['name']}` | {one['value']:g} | {one['unit']} | {one['meaning']} | `{one['before']}` |"
            for one in rule["thresholds"]
        ]
    lines += ["", texts["remedies"], ""]
    lines += [f"- {_remedy(remedy)}" for remedy in rule["remedies"]]
    return [*lines, "", texts["source"].format(source=rule["source"])]


def _label(rule: Mapping[str, Any]) -> str:
    same = rule["name"] == rule["rule"]
    return rule["name"] if same else f"{rule['name']} `{rule['rule']}`"


def _anchor(rule: Mapping[str, Any]) -> str:
    """What Markdown makes of the heading."""
    return _label(rule).replace("`", "").replace(" ", "-").lower()


def _severities(rule: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    severities: Sequence[str] = rule["severities"]
    return texts["comma"].join(say(f"page.severity-{severity}") for severity in severities)


def _remedy(remedy: Mapping[str, Any]) -> str:
    return f"`{remedy['text']}`" if "change" in remedy else remedy["text"]


if __name__ == "__main__":
    for language, file in PAGES.items():
        file.write_text(page(language), encoding="utf-8")
