"""The facts of a column of text that is not held in memory, gathered block by block."""

from typing import TYPE_CHECKING

from danlu.data.table.cells import GROUPED_POINT, WHOLE, Beyond, CellsInMemory, Seen
from danlu.data.table.spelling import MAX_DIGITS, is_plain, plain_signs

if TYPE_CHECKING:
    import polars

# Numbers that read the same in every spelling with a decimal point, or in all of them; and dates that have one order.
_NUMBER = r"^[+-]?([0-9]+|[0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,9})?$"
_EXPONENT = r"[eE].*$"
_DATE = (
    r"^[12][0-9]{3}-(0[1-9]|1[0-2])-[0-3][0-9]"
    r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?(Z|UTC|[+-](0[0-9]|1[0-4]):?[0-5][0-9])?)?$"
)
# A number as programs write it, as `is_plain` has it, and what may be one in other signs.
_PLAIN = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_MAYBE = r"[^\x00-\x7F]"
MOST_REGULAR = 10_000
MOST_OTHERS = 100_000


class ManyCells:
    """The same facts as those of `CellsInMemory`, exactly, in bounded memory.

    Different texts are kept in the order in which they come, but for three kinds of which there may be very many, and
    of which some are as good as all: `numbers` of which the spelling leaves nothing open, `dates` with the year first,
    and, in a column that is none of either, `others`. What a column of numbers or dates is taken for depends on the
    irregular texts in it; they are all kept, or it is `too_varied` to be told.
    """

    def __init__(self) -> None:
        self.present, self.first = 0, ""
        self.zeros, self.short, self.whole, self.floats = False, True, True, True
        self.pointed, self.grouped, self.fractions, self.switches = False, True, False, True
        self._seen: dict[str, Seen] = {}
        self._in_order: dict[str, Seen] | None = None
        self.numbers, self.dates, self.others = Beyond(), Beyond(), Beyond()
        self._padded, self._digits, self._widths = False, True, set[int]()
        self._kept = {"numbers": 0, "dates": 0, "others": 0}
        self.extremes: tuple[int, int] | None = None  # of whole numbers
        self._rows = 0

    @property
    def codes(self) -> bool:
        return self._padded and self._digits and len(self._widths) == 1

    @property
    def seen(self) -> dict[str, Seen]:
        if self._in_order is None:
            self._in_order = dict(sorted(self._seen.items(), key=lambda one: one[1].row))
        return self._in_order

    @property
    def all_kept(self) -> bool:
        """Whether `seen` has every text."""
        kinds = (("numbers", MOST_REGULAR), ("dates", MOST_REGULAR), ("others", MOST_OTHERS))
        return all(self._kept[kind] < most for kind, most in kinds)

    @property
    def too_varied(self) -> bool:
        """Whether texts are missing that count, or that could outnumber those of which only some were kept."""
        some = bool(self.numbers.count or self.dates.count)
        return self._kept["others"] >= (MOST_REGULAR if some else MOST_OTHERS)

    def add(self, texts: "polars.Series") -> None:
        """The next cells of the column, stripped, None where one is missing."""
        block, begin = CellsInMemory(texts), self._rows
        self._rows += len(texts)
        if not block.present:
            return
        self.first = self.first if self.present else block.first
        self.present += block.present
        self.zeros = self.zeros or block.zeros
        self.short = self.short and block.short
        self.whole = self.whole and (self.short or block.whole)
        self.floats = self.floats and block.floats
        self.pointed = self.pointed or block.pointed
        self.grouped = self.grouped and block.grouped
        self.fractions = self.fractions or block.fractions
        self.switches = self.switches and block.switches
        self._add_codes(block)
        self._add_texts(block, begin)

    def _add_codes(self, block: CellsInMemory) -> None:
        self._padded = self._padded or block.padded
        if self._digits and len(self._widths) < 2:
            widths = block.widths
            self._digits = widths is not None
            self._widths |= widths or set()

    def _add_texts(self, block: CellsInMemory, begin: int) -> None:
        import polars

        self._in_order = None
        if self.numbers.count and bool(_are_numbers(block.there).all()):  # one look at most columns of most tables
            self._add_ends(block.there)
            self.numbers.count += block.present
            return
        counted = block.counted.with_columns(sort=_kinds(block.counted["text"]))
        self._add_ends(counted.filter(polars.col("sort") == "numbers")["text"])
        for kind, most in (("numbers", MOST_REGULAR), ("dates", MOST_REGULAR), ("others", MOST_OTHERS)):
            beyond: Beyond = getattr(self, kind)
            own = counted.filter(polars.col("sort") == kind)
            if len(own) and not beyond.count and self._kept[kind] < most:
                own = self._keep(kind, own, begin, most)
            if len(own):
                self._count(kind, beyond, own, begin)

    def _keep(self, kind: str, own: "polars.DataFrame", begin: int, most: int) -> "polars.DataFrame":
        """Keep texts while there is room; those that are left."""
        for place, (text, count, row) in enumerate(own.select("text", "count", "row").iter_rows()):
            before = self._seen.get(text)
            if before is None and self._kept[kind] >= most:
                return own.slice(place)
            self._kept[kind] += before is None
            self._seen[text] = Seen(count, begin + row) if before is None else Seen(before.times + count, before.row)
        return own.clear()

    def _count(self, kind: str, beyond: Beyond, own: "polars.DataFrame", begin: int) -> None:
        """Cells whose texts are not kept. Some of these texts may be: together the counts are right."""

        if kind == "others":  # of which those that are numbers are told apart
            own = own.filter(~_plain(own["text"]))
        if not len(own):
            return
        if not beyond.count:
            beyond.row, beyond.text = begin + own["row"][0], own["text"][0]
        beyond.count += int(own["count"].sum())

    def _add_ends(self, numbers: "polars.Series") -> None:
        ends = _ends(numbers.filter(numbers.str.contains(WHOLE)))
        if ends is not None:
            known = self.extremes or ends
            self.extremes = min(known[0], ends[0]), max(known[1], ends[1])


def _kinds(texts: "polars.Series") -> "polars.Series":
    import polars

    numbers = _are_numbers(texts)
    dates = texts.str.contains(_DATE) & texts.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False).is_not_null()
    frame = polars.DataFrame({"numbers": numbers, "dates": dates})
    kind = polars.when("numbers").then(polars.lit("numbers")).when("dates").then(polars.lit("dates"))
    return frame.select(kind.otherwise(polars.lit("others")).alias("sort"))["sort"]


def _are_numbers(texts: "polars.Series") -> "polars.Series":
    grouped = texts.str.replace(_EXPONENT, "").str.contains(GROUPED_POINT)
    return texts.str.contains(_NUMBER) & ~grouped & (texts.str.len_bytes() <= MAX_DIGITS)


def _plain(texts: "polars.Series") -> "polars.Series":
    """Which texts are numbers as any program writes them, also in full-width signs."""
    import polars

    plain = texts.str.contains(_PLAIN)
    odd = texts.str.contains(_MAYBE) & texts.str.contains(r"\p{N}")
    if not odd.any():
        return plain
    pairs = zip(texts.to_list(), plain.to_list(), odd.to_list(), strict=True)
    return polars.Series([is_plain(plain_signs(text)) if strange else found for text, found, strange in pairs])


def _ends(whole: "polars.Series") -> tuple[int, int] | None:
    """The least and the largest of whole numbers."""
    import polars

    if not len(whole):
        return None
    short = whole.str.len_bytes() <= 16
    numbers = [int(text) for text in whole.filter(~short).to_list()]
    if short.any():
        some = whole.filter(short).str.strip_prefix("+").cast(polars.Int64)
        numbers += [int(str(some.min())), int(str(some.max()))]
    return min(numbers), max(numbers)
