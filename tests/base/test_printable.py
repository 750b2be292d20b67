"""Whatever stands in data, recipes and journals, a terminal only shows it: one function, in all that is printed."""

import io
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danlu.base.errors import UserError, fail
from danlu.base.finding_text import Findings
from danlu.base.printable import printable
from danlu.base.records import Finding
from danlu.base.strict_json import to_json
from danlu.base.words import say
from danlu.view.tables import print_facts, print_table
from danlu.view.terminal import PlainConsole

HOSTILE = "x\x1b]0;pwned\x07\x1b[31mred\x9b2J\r\x08\u202egnp.exe\x7f"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@given(st.text(st.characters(codec=None)))
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    shown = printable(text)
    assert not OBEYED.search(shown)
    shown.encode()
    assert printable(shown) == shown


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert printable(text) == text


def test_sentences_errors_findings_and_tables_are_printable() -> None:
    console = PlainConsole(file=io.StringIO(), width=200, force_terminal=True)
    console.print(HOSTILE, markup=False)
    print_table(console, ["view.data-name"], [[HOSTILE]])
    classes: dict[str, Any] = {HOSTILE: {"train": 1}}
    print_facts(console, {"name": HOSTILE, "features": [HOSTILE], "classes": classes, "notes": [HOSTILE]})
    evidence, advice = {"symptoms": [HOSTILE]}, {"advice": HOSTILE}
    finding = Finding(HOSTILE, "error", (HOSTILE,), 1, evidence, HOSTILE, HOSTILE, (advice,))
    with pytest.raises(UserError, match="pwned") as caught:
        fail("recipe.missing-file", path=HOSTILE)
    assert isinstance(console.file, io.StringIO)
    own = re.compile(r"\x1b\[[0-9;]*m")  # the console's own styles
    told = [own.sub("", console.file.getvalue()), str(Findings([finding])), str(caught.value)]
    told.append(say("recipe.missing-file", path=HOSTILE))
    for text in told:
        assert "pwned" in text
        assert "\\x1b]0;pwned" in text
        assert not OBEYED.search(text)


def test_json_means_the_same_and_is_printable() -> None:
    assert json.loads(to_json({HOSTILE: HOSTILE})) == {HOSTILE: HOSTILE}
    assert not OBEYED.search(to_json({HOSTILE: HOSTILE}))


def test_a_style_of_the_consoles_own_is_obeyed() -> None:
    console = PlainConsole(file=io.StringIO(), force_terminal=True, color_system="standard")
    console.print("bold", style="bold")
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().startswith("\x1b[1m")
