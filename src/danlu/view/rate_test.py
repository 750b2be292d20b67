"""A range test of learning rates as text: a bar a rate, the edge, and the rate to take. Drawn from plain records."""

import math
from collections.abc import Mapping
from typing import Any

from danlu.base.words import say

_MOST_ROWS = 24
_WIDTH = 40


def rate_test_text(test: Mapping[str, Any]) -> str:
    """The curve with its marks, and what it comes to; from the object that `--json` prints."""
    heading = say("search.rate-test", net=test["net"], data=test["data"], steps=test["steps"], start=test["start"])
    how = say("search.at-once") if test["stacked"] else say("search.one-by-one", reason=test["why_not_stacked"])
    lines = [f"{heading} {how}", "", *_rows(test), ""]
    if test["edge"] is not None:
        lines.append(say("search.edge", edge=test["edge"]))
    elif test["best"] is not None:
        lines.append(say("search.no-edge", highest=test["rates"][-1]))
    lines.append(test["reason"])
    if test["suggestion"] is not None:
        words = " ".join(f"{key}={_value(value)}" for key, value in test["settings"].items())
        lines.append(say("search.suggested", rate=test["suggestion"], settings=words))
    return "\n".join(lines)


def _rows(test: Mapping[str, Any]) -> list[str]:
    marks = {test["edge"]: say("search.mark-edge"), test["best"]: say("search.mark-best")}
    marks[test["suggestion"]] = say("search.mark-suggestion")  # wins where the two are one
    points = list(zip(test["rates"], test["losses"], strict=True))
    every = -(-len(points) // _MOST_ROWS)
    shown = [point for place, point in enumerate(points) if place % every == 0 or point[0] in marks]
    lowest = min((loss for _, loss in points if math.isfinite(loss)), default=0.0)
    rows: list[str] = []
    for rate, loss in shown:
        share = (loss - lowest) / (test["start"] - lowest) if test["start"] > lowest and math.isfinite(loss) else 1.0
        bar = "█" * max(1, round(_WIDTH * min(1.0, share)))
        told = f"{loss:.4g}" if math.isfinite(loss) else "—"
        rows.append(f"{rate:>9.2e}  {told:>9}  {bar:<{_WIDTH}}  {marks.get(rate, '')}".rstrip())
    return rows


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
