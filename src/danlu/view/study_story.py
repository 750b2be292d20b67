"""What page and report tell of a study, a search or a cure besides its pictures, in the order in which it is read."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from danlu.base.places import shown
from danlu.base.words import say
from danlu.stats.members import MOST_SEEDS
from danlu.view.cure import told_cure
from danlu.view.figures.names import score_label, score_text, short
from danlu.view.info.cure import cure_record
from danlu.view.info.search import setting_importances
from danlu.view.info.study import StudyInfo
from danlu.view.info.study_record import search_record, study_record
from danlu.view.search_words import told_search
from danlu.view.study_words import TextTable, ToldEffect, members_table, told_study

_MOST_MEMBERS = 500  # of a table in a page or a report


@dataclass(frozen=True)
class NamedTable:
    """A table under its heading."""

    title: str
    table: TextTable


@dataclass(frozen=True)
class StudyStory:
    """The answers first, each with the command that trains the seeds it still lacks ("" where it lacks none); what is
    to be said besides; the best, its scores, and the tables."""

    facts: str
    heading: str = ""
    answers: Sequence[tuple[ToldEffect, str]] = ()
    lines: Sequence[str] = ()
    best: str = ""
    command: str = ""  # what to type next
    numbers: Sequence[tuple[str, str]] = ()
    tables: Sequence[NamedTable] = ()
    failed: Sequence[str] = field(default=())
    members: TextTable = field(default_factory=lambda: TextTable((), ()))


def study_story(info: StudyInfo) -> StudyStory:
    """The story of a study as far as it is, in the language in force."""
    told = {"search": _of_search, "cure": _of_cure, "study": _of_study}[info.kind](info)
    return StudyStory(**told, facts=study_facts(info), numbers=best_scores(info), members=story_members(info))


def story_members(info: StudyInfo) -> TextTable:
    """One row a member, as many as page and report hold."""
    return members_table([member.as_dict() for member in info.members], [*info.factors], _MOST_MEMBERS)


def study_facts(info: StudyInfo) -> str:
    """How far a study is, in a line."""
    facts = {
        "state": say(f"page.state-{info.state}"),
        "done": f"{len(info.members):,}",
        "planned": f"{info.planned:,}",
        "seconds": short(round(info.seconds, 1)),
    }
    if info.kind != "search":
        return say("page.study-done", **facts)
    return say("page.search-done", **facts, rounds=f"{info.rounds:,}", trials=f"{len(info.trials):,}")


def best_scores(info: StudyInfo) -> list[tuple[str, str]]:
    """The scores of the best combination, by their names, those on the test part first."""
    parts = (("test", info.test), ("validation", info.best.validation if info.best else {}))
    return [(score_label(part, name), score_text(value)) for part, score in parts for name, value in score.items()]


def _of_study(info: StudyInfo) -> Mapping[str, Any]:
    told = told_study(study_record(info))
    folder = shlex.quote(str(shown(info.where)))
    room = MOST_SEEDS - len({member.seed for member in info.members})
    means = [NamedTable(say("page.means"), table) for table in told.interactions]
    combinations = [NamedTable(say("page.combinations"), told.combinations)] if told.combinations.rows else []
    return {
        "answers": [
            (one, f"danlu resume {folder} --more-seeds {one.more}" if 0 < one.more <= room else "")
            for one in told.effects
        ],
        "lines": [line for line in (told.looks, told.further) if line],
        "best": told.best,
        "tables": [*combinations, *(means if info.members else [])],
        "failed": told.failed,
    }


def _of_search(info: StudyInfo) -> Mapping[str, Any]:
    told = told_search(search_record(info))
    lines = [
        say(
            "page.matters" if one.low > 0 else "page.matters-not",
            setting=key, share=f"{one.share:.0%}", low=f"{one.low:.0%}", high=f"{one.high:.0%}",
        )
        for key, one in setting_importances(info).items()
    ]  # fmt: skip
    tables = [NamedTable(say("page.trials"), told.trials)] if told.trials.rows else []
    return {"lines": [*lines, told.counts], "best": told.best, "tables": tables}


def _of_cure(info: StudyInfo) -> Mapping[str, Any]:
    told = told_cure(cure_record(info))
    by_hand = [NamedTable(say("cure.by-hand"), TextTable((), (), told.by_hand))] if told.by_hand else []
    return {
        "heading": told.heading,
        "answers": [(one, "") for one in told.effects],
        "lines": [told.looks] if told.looks else [],
        "best": told.answer if info.members and info.state != "running" else "",
        "command": told.command,
        "tables": by_hand,
        "failed": told.failed,
    }
