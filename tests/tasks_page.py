"""docs/tasks.md and its Chinese sibling, made from the matrix that is tested: `make docs` writes them anew."""

from pathlib import Path

from danlu.base.errors import Fault
from danlu.base.words import speaking
from task_matrix import TASKS, VERBS

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {"en": DOCS / "tasks.md", "zh": DOCS / "tasks.zh-CN.md"}

_OPENING = {
    "en": """\
# What works with what

[中文](tasks.zh-CN.md)

Every task with everything that danlu does with it. Each cell is a test: what works is done (a resume ends bit for bit
as if it had never been broken off), what does not is refused with the reason below. The page is made from these
tests.""",
    "zh": """\
# 各任务支持的功能

[English](tasks.md)

每种任务与 danlu 的每项功能。每一格都有测试：支持的功能确实运行（恢复训练的结果与未中断时逐位相同），不支持的会给出
下面的理由。本页由这些测试生成。""",
}
_TASK = {"en": "task", "zh": "任务"}
_VERBS = {
    "en": dict(zip(VERBS, VERBS, strict=True)),
    "zh": dict(
        zip(VERBS, ("训练", "恢复", "诊断", "检查", "对比", "预测", "评估", "导出", "报告", "试用"), strict=True)
    ),
}


def page(language: str) -> str:
    """The whole page."""
    refused = [*dict.fromkeys(phrase for task in TASKS.values() for phrase in task.refused.values())]
    lines = [_OPENING[language], "", f"| {_TASK[language]} | {' | '.join(_VERBS[language].values())} |"]
    lines.append(f"|---|{'---|' * len(VERBS)}")
    for task in TASKS.values():
        cells = [str(refused.index(task.refused[verb]) + 1) if verb in task.refused else "✓" for verb in VERBS]
        lines.append(f"| {getattr(task, language)} | {' | '.join(cells)} |")
    with speaking(language):
        named = {"run": "RUN", "name": "RUN", "task": "…"}
        reasons = [f"{number}. {Fault(phrase, named)}" for number, phrase in enumerate(refused, 1)]
    return "\n".join([*lines, "", *reasons, ""])


if __name__ == "__main__":
    for tongue, path in PAGES.items():
        path.write_text(page(tongue), encoding="utf-8")
