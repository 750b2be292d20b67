"""The report over several runs and studies: one file in both languages, its prose in Markdown with their pictures."""

from collections.abc import Mapping, Sequence

from danlu.base.errors import Faults, nearest
from danlu.base.naming import listed
from danlu.base.words import say
from danlu.view.outline import outline
from danlu.view.page.document import document
from danlu.view.page.languages import in_both
from danlu.view.page.markup import Markup, Part, element, joined
from danlu.view.page.prose import ProsePlace, prose, prose_places
from danlu.view.report_items import Fills, ReportItem, numbers_of, pictures_of, pictures_of_several, proved

_SEVERAL = ","


def reported(items: Sequence[ReportItem], notes: str | None = None, file: str = "") -> str:
    """The report, first in the language in force; `notes` is its prose, from a file of that name, else it has an order
    of its own. UserError with every place in the prose that names nothing of these."""
    if notes is not None:
        _check(items, notes, file)
    named = listed((item.name for item in items), 4)
    return document(f"{named} · danlu", in_both(lambda: _parts(items, outline(items) if notes is None else notes)))


def _parts(items: Sequence[ReportItem], text: str) -> list[Part]:
    """All of it in the language in force."""
    return [*prose(text, _Filled(items)), _made(items)]


class _Filled:
    """What stands in each place, in the language in force; what an item can show is looked up once."""

    def __init__(self, items: Sequence[ReportItem]) -> None:
        self._items = items
        self._pictures: dict[str, Fills] = {}

    def __call__(self, place: ProsePlace) -> Part:
        named = _named(self._items, place.of)
        if not place.picture:
            return proved(numbers_of(named[0])[place.what], named[0])
        return self.pictures(place.of, named)[place.what]()

    def pictures(self, of: str, named: Sequence[ReportItem]) -> Fills:
        if of not in self._pictures:
            self._pictures[of] = pictures_of(named[0]) if len(named) == 1 else pictures_of_several(named)
        return self._pictures[of]


def _check(items: Sequence[ReportItem], notes: str, file: str) -> None:
    faults, filled = Faults(), _Filled(items)
    names = [item.name for item in items]
    for place in prose_places(notes):
        where = {"file": file, "line": place.line}
        named = _named(items, place.of)
        parts = [place.of] if place.of in names else place.of.split(_SEVERAL)
        if len(named) < len(parts) or (len(named) > 1 and not place.picture):
            unknown = next((part.strip() for part in parts if not _named(items, part)), place.of)
            hint = nearest(unknown, names)
            faults.add("report.unknown-item", name=unknown, known=listed(names, 20), hint=hint, **where)
            continue
        there: Mapping[str, object] = filled.pictures(place.of, named) if place.picture else numbers_of(named[0])
        if place.what not in there:
            phrase = "report.unknown-picture" if place.picture else "report.unknown-number"
            known, hint = listed(there, 40) or "–", nearest(place.what, there)
            faults.add(phrase, what=place.what, name=place.of, known=known, hint=hint, **where)
    faults.raise_if_any()


def _named(items: Sequence[ReportItem], of: str) -> list[ReportItem]:
    """Those that a place names, by name, several with commas between."""
    by_name = {item.name: item for item in items}
    if of in by_name:
        return [by_name[of]]
    return [by_name[part.strip()] for part in of.split(_SEVERAL) if part.strip() in by_name]


def _made(items: Sequence[ReportItem]) -> Markup:
    """How the numbers of each were made: to be read at the end, and opened from each number."""
    told: list[Markup] = []
    opened: list[Markup] = []
    for item in items:
        made = item.made()
        rows: list[Part] = [element("dt", say("report.command")), element("dd", element("code", made.command))]
        for name, text in made.facts:
            rows += [element("dt", name), element("dd", text)]
        inside = joined([element("h3", item.name), element("dl", *rows)])
        told.append(element("div", inside, class_="made"))
        opened.append(element("div", inside, class_="made", id=item.place, popover=True))
    heading = element("h2", say("report.made"))
    return joined([element("section", heading, *told), *opened])
