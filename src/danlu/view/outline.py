"""The order of a report whose prose nobody has written: question, effect, scores, curves, findings, as Markdown."""

import re
from collections.abc import Sequence
from urllib.parse import quote

from danlu.base.metric_names import metric_name
from danlu.base.naming import listed
from danlu.base.words import say
from danlu.view.info.effects import level_text
from danlu.view.info.run import RunInfo
from danlu.view.info.study import StudyInfo
from danlu.view.sources import Source, pictures_of

_MARKS = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&])")
_MOST_LEVELS = 8


def outline(sources: Sequence[Source]) -> str:
    """The report as its prose would name the pictures: a beginning for one's own."""
    studies = [source for source in sources if isinstance(source.info, StudyInfo)]
    runs = [source for source in sources if isinstance(source.info, RunInfo)]
    lines = [f"# {_words(listed((source.name for source in sources), 4))}"]
    if studies:
        lines += [f"## {say('report.question')}", *(_question(source) for source in studies)]
        lines += [f"## {say('report.effect')}"]
    for source in studies:
        lines += _named(source, studies) + _places(source, ("answers", "forest", "combinations"))
    if runs:
        lines += [f"## {say('page.scores')}", _place("scores", runs)]
    lines += [f"## {say('report.curves')}"]
    lines += [_place("curves", runs)] if len(runs) > 1 else []
    for source in sources if len(runs) < 2 else studies:
        lines += _named(source, sources) + _places(source, ("curves", "sweep"))
    for source in runs:
        lines += _named(source, runs) + _places(source, ("confusion", "residuals", "forecast", "texts"))
    if runs:
        lines += [f"## {say('page.findings')}"]
    for source in runs:
        lines += [*_named(source, runs), _place("findings", [source])]
    return "\n\n".join(lines) + "\n"


def _question(source: Source) -> str:
    info = source.info
    assert isinstance(info, StudyInfo)
    varied = [f"{key} ({listed(map(level_text, levels), _MOST_LEVELS)})" for key, levels in info.factors.items()]
    factors = say("report.and").join(map(_words, varied))
    facts = {
        "metric": _words(metric_name(info.metric)),
        "trainings": f"{len(info.members):,}",
        "name": _words(source.name),
    }
    return say("report.asks", factors=factors, seeds=len({one.seed for one in info.members}), **facts)


def _named(source: Source, among: Sequence[Source]) -> list[str]:
    """A heading with the name of what follows, where there are several."""
    return [f"### {_words(source.name)}"] if len(among) > 1 else []


def _places(source: Source, kinds: Sequence[str]) -> list[str]:
    there = pictures_of(source)
    return [_place(kind, [source]) for kind in kinds if kind in there]


def _place(kind: str, sources: Sequence[Source]) -> str:
    return f"![{kind}]({','.join(quote(source.name, safe='') for source in sources)})"


def _words(text: str) -> str:
    """A name as Markdown writes it, all of its signs as they are."""
    return _MARKS.sub(r"\\\1", text)
