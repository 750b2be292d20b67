"""Journals and designs of the wrong types, asked over HTTP: every page answers, none with an error of the server's."""

import json
import random
from pathlib import Path

from attack.tally import Tally
from danlu.serve import api
from dashboard_site import LAYERS, Site, course, make_run, make_study, served
from spoilt import SURFACE, spoilt, written

JOURNALS = 1000
WANTED = "no answer of HTTP 500, no page without an answer"


def attacked(share: float, seed: int, part: int, parts: int, place: Path) -> list[Tally]:
    api._SHORTEST = -1.0  # every look is answered anew
    tally = Tally("pages of fuzzed journals and designs", wanted=WANTED)
    run, study = make_run(place / "shown" / "run"), make_study(place / "shown" / "study")
    plain = [*course(), LAYERS, SURFACE]
    told = [json.loads(line) for line in (study / "journal.jsonl").read_text().splitlines()]
    design = json.loads((study / "study.json").read_text())
    with served(place / "shown") as site:
        site.enter()
        for number in range(max(1, round(JOURNALS * share / parts))):
            draw = random.Random(f"{seed} {part} {number}")
            chance = draw.choice([0.01, 0.05, 0.2])
            (run / "journal.jsonl").write_text(written([spoilt(record, draw, chance) for record in plain]))
            (study / "journal.jsonl").write_text(written([spoilt(record, draw, chance) for record in told]))
            odd = spoilt(design, draw, 0.2) if number % 5 == 0 else design
            (study / "study.json").write_text(json.dumps(odd))
            fault = _asked(site)
            tally.add("bad" if fault else "good", f"{number}: {fault}" if fault else "")
    return [tally]


def _asked(site: Site) -> str:
    """What is wrong with the answers of all pages; "" for nothing."""
    listed = site.get("/api/list?lang=en")
    if listed.status != 200:
        return f"the list: HTTP {listed.status}"
    for row in listed.json["rows"]:
        kind = "study" if row["kind"] == "study" else "run"
        answer = site.get(f"/api/{kind}/{row['id']}?lang=zh")
        if answer.status != 200 or not isinstance(answer.json, dict):
            return f"{kind}: HTTP {answer.status}"
    return ""
