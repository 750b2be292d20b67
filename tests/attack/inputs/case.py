"""A hostile input, and how a try at it ended."""

import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from danlu.base.errors import DanluError
from danlu.base.words import use_language

CHINESE = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class Case:
    """`act` gives the input to danlu in an empty folder. It returns what was changed unsaid (nothing, it is hoped),
    and raises UserError where the input is refused.
    """

    family: str
    name: str
    act: Callable[[Path], Sequence[str]]


def attempt(case: Case, place: Path) -> tuple[str, str]:
    """How it ended: "accepted", "refused", "traceback" or "unsaid change", with what is to be said of it (of a refusal,
    the first of its sentences).
    """
    try:
        changed = list(case.act(place))
    except DanluError as error:
        wrong = _wrong_words(error)
        return ("traceback", f"{case.name}: {wrong}") if wrong else ("refused", error.faults[0].id)
    except BaseException as error:  # noqa: BLE001  (whatever it is, it is what the attack looks for)
        where = traceback.extract_tb(error.__traceback__)[-1]
        told = f"{type(error).__name__}: {str(error)[:200]} ({Path(where.filename).name}:{where.lineno})"
        return "traceback", f"{case.name}: {told}"
    if changed:
        return "unsaid change", f"{case.name}: {'; '.join(changed)[:400]}"
    return "accepted", ""


def _wrong_words(error: DanluError) -> str:
    """What is wrong with the words of a refusal; "" where they are as they should be."""
    told: list[str] = []
    for language in ("en", "zh"):
        use_language(language)
        told.append(str(error))
    use_language("en")
    if not error.faults or not all(sentence.strip() for sentence in told):
        return "refused without a word"
    if told[0] == told[1] or not CHINESE.search(told[1]):
        return f"refused in one language only: {told[0][:200]}"
    if len(told[0]) > 20_000:
        return f"refused with {len(told[0])} signs: {told[0][:100]}"
    return ""
