"""What the cells of a column of text show: the facts by which it is told what they stand for."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from danlu.data.table.spelling import MAX_DIGITS, MISSING

if TYPE_CHECKING:
    import polars

# [0-9], for \d is every script's digits.
LEADING_ZERO = r"^[+-]?0[0-9]"
WHOLE = r"^[+-]?[0-9]+$"
SHORT_WHOLE = r"^[+-]?[0-9]{1,15}$"
# What can only be a decimal point: it stands behind a 0, or not in front of three digits.
DECIMAL_POINT = r"^[+-]?0?\.[0-9]|\.([0-9]{1,2}|[0-9]{4,})$"
GROUPED_POINT = r"^[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+$"


class Seen(NamedTuple):
    """How many cells have a text, and the first row that does."""

    times: int
    row: int


@dataclass
class Beyond:
    """Cells of one kind whose different texts are too many to be kept."""

    count: int = 0
    row: int = 0  # the first
    text: str = ""


class CellsInMemory:
    """The facts of a column in memory, each found out when it is asked for. `texts` has None for what is missing.

    `seen` are its different texts in the order in which they come. `numbers`, `dates` and `others` are those that are
    too many to be kept: there are none here, see `ManyCells`.
    """

    def __init__(self, texts: "polars.Series") -> None:
        self.texts = texts
        self.numbers, self.dates, self.others, self.too_varied = Beyond(), Beyond(), Beyond(), False

    @cached_property
    def there(self) -> "polars.Series":
        return self.texts.drop_nulls()

    @property
    def present(self) -> int:
        return len(self.there)

    @property
    def first(self) -> str:
        return self.there[0]

    @cached_property
    def zeros(self) -> bool:
        """Whether a number has zeros in front."""
        return bool(self.there.str.contains(LEADING_ZERO).any())

    @cached_property
    def widths(self) -> "set[int] | None":
        """How long the texts are without their signs, where all of them are digits; None where they are not."""
        digits = self.there.str.strip_chars_start("+-")
        return set(digits.str.len_chars().unique().to_list()) if digits.str.contains(r"^\d+$").all() else None

    @cached_property
    def padded(self) -> bool:
        return bool(self.there.str.contains(r"^[+-]*0.").any())

    @property
    def codes(self) -> bool:
        """Whether all are digits, as long as each other, some with zeros in front: "00123"."""
        return self.padded and self.widths is not None and len(self.widths) == 1

    @cached_property
    def short(self) -> bool:
        """Whether all are whole numbers that a float holds exactly."""
        return bool(self.there.str.contains(SHORT_WHOLE).all())

    @cached_property
    def whole(self) -> bool:
        """Whether all are whole numbers."""
        longest = self.there.str.len_bytes().max()
        return isinstance(longest, int) and longest <= MAX_DIGITS and bool(self.there.str.contains(WHOLE).all())

    @cached_property
    def extremes(self) -> tuple[int, int] | None:
        """The least and the largest, of whole numbers."""
        numbers = [int(text) for text in self.there.unique().to_list()] if self.whole else []
        return (min(numbers), max(numbers)) if numbers else None

    @cached_property
    def floats(self) -> bool:
        """Whether all are numbers as programs write them."""
        return not bool((self.texts.cast(float, strict=False).is_null() & self.texts.is_not_null()).any())

    @cached_property
    def _with_points(self) -> "polars.Series":
        return self.there.filter(self.there.str.contains(".", literal=True))

    @property
    def pointed(self) -> bool:
        """Whether some have a point."""
        return len(self._with_points) > 0

    @cached_property
    def grouped(self) -> bool:
        """Whether all points may stand between thousands."""
        return bool(self._with_points.str.contains(GROUPED_POINT).all())

    @cached_property
    def fractions(self) -> bool:
        """Whether a point can only be a decimal one."""
        return bool(self.there.str.contains(DECIMAL_POINT).any())

    @cached_property
    def switches(self) -> bool:
        """Whether all are true or false."""
        return bool(self.there.str.to_lowercase().is_in(("true", "false")).all())

    @cached_property
    def counted(self) -> "polars.DataFrame":
        """The different texts in their order, the `count` of each and the first `row` that has it."""
        import polars

        return (
            polars.DataFrame({"text": self.texts})
            .with_row_index("row")
            .drop_nulls()
            .group_by("text", maintain_order=True)
            .agg(polars.len().alias("count"), polars.col("row").first())
        )

    @cached_property
    def seen(self) -> dict[str, Seen]:
        pairs = zip(self.counted["count"].to_list(), self.counted["row"].to_list(), strict=True)
        return {text: Seen(*pair) for text, pair in zip(self.counted["text"].to_list(), pairs, strict=True)}


def stripped(series: "polars.Series") -> "polars.Series":
    """Texts without blanks around them, and None for what stands for a missing value."""
    texts = series.str.strip_chars()
    return texts.set(texts.is_in(MISSING), None)
