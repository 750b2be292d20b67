"""danlu report: one file of several runs, and what is told of mistakes."""

import json
import re
import shlex
from html import unescape
from pathlib import Path

from command_line import CHINESE, SOFTMAX, Type, assert_refused, snapshot


def test_runs_in_one_file(language: str, work: Path, type_in: Type) -> None:
    for name in ("one", "two"):
        assert type_in(*SOFTMAX, "train.epochs=1", "--name", name).code == 0
    answer = type_in("report", "runs/one", "runs/two", "--lang", language)
    assert answer.code == 0
    assert "report.html" in answer.out
    assert bool(CHINESE.search(answer.out)) == (language == "zh")
    text = (work / "report.html").read_text(encoding="utf-8")
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in text
    (work / "notes.md").write_text("# Mine\n\n![curves](one,two) <script>x</script>\n", encoding="utf-8")
    told = type_in("report", "runs/one", "runs/two", "--notes", "notes.md", "--out", "a.html", "--json").json
    assert told == {"file": "a.html", "sources": ["runs/one", "runs/two"]}
    assert "&lt;script&gt;x&lt;/script&gt;" in (work / "a.html").read_text(encoding="utf-8")
    before = snapshot(work)
    assert_refused(type_in("report", "--lang", language), language, "danlu report")
    assert_refused(type_in("report", "runs/one", "runs/one", "--lang", language), language, "runs/one")
    assert_refused(type_in("report", "runs/one", "net.x=1", "--lang", language), language, "net.x=1")
    assert_refused(type_in("report", "runs/one", "--out", "none/a.html", "--lang", language), language, "none")
    assert_refused(type_in("report", "runs/one", "--notes", "none.md", "--lang", language), language, "none.md")
    assert_refused(
        type_in("report", "runs/one", "--notes", "notes.md", "--lang", language), language, "notes.md", "3", "two"
    )
    assert snapshot(work) == before


def test_the_poster_is_drawn_again(work: Path, type_in: Type) -> None:
    assert type_in(*SOFTMAX, "train.epochs=1", "--name", "one").code == 0
    assert type_in("draw", "runs/one", "--kind", "overview", "--file", "a.png").out == "a.png is written.\n"
    assert (work / "a.png").read_bytes().startswith(b"\x89PNG")
    assert_refused(type_in("draw", "lenet5", "--kind", "overview"), "en", "overview")


def test_the_commands_make_the_numbers_again(work: Path, type_in: Type) -> None:
    asked = ("--vary", "optim.lr=0.001,0.1", "--seeds", "2", "train.epochs=1", "net.hidden=[8]", "train.clip_norm=1.5")
    assert type_in("compare", "--net", "mlp", "--data", "iris", *asked, "--folder", "studies/a").code == 0
    assert type_in("fit", "--net", "mlp", "--data", "iris", "train.epochs=1", "--name", "one").code == 0
    assert type_in("report", "studies/a", "runs/one").code == 0
    text = (work / "report.html").read_text(encoding="utf-8")
    commands = [
        shlex.split(unescape(found)) for found in re.findall("<dd><code>(danlu (?:fit|compare) .*?)</code>", text)
    ]
    compare, fit = (next(one for one in commands if one[1] == verb) for verb in ("compare", "fit"))
    assert type_in(*compare[1:], "--folder", "studies/b").code == 0
    designs = [json.loads((work / "studies" / name / "study.json").read_text(encoding="utf-8")) for name in "ab"]
    assert designs[0] == designs[1]
    assert type_in(*fit[1:], "--name", "two").code == 0
    journals = [(work / "runs" / name / "journal.jsonl").read_text(encoding="utf-8") for name in ("one", "two")]
    fingerprints = [json.loads(journal.splitlines()[0])["fingerprint"] for journal in journals]
    assert fingerprints[0] == fingerprints[1]
    assert fingerprints[0] in text
