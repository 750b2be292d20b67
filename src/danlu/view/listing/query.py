"""What the reader of the list wants to see: it stands in the address of the page, and is typed as options."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

USUAL_COLUMNS = ("net.name", "data.name", "optim.lr", "epochs", "steps", "findings", "changed")
_FIRST = 200  # rows of the first answer
_MOST_ROWS = 20_000
_MOST_COLUMNS = 30
_MOST_OPENED = 200


@dataclass(frozen=True)
class ListQuery:
    """`where` picks; `sort` is a column, with "-" before it from the greatest down; `metric` is the score shown;
    `base` is the id of the run to which the others are compared; `opened` the ids of studies and groups unfolded."""

    where: str = ""
    sort: str = "-changed"
    metric: str = ""
    columns: tuple[str, ...] = USUAL_COLUMNS
    group: str = ""
    base: str = ""
    opened: tuple[str, ...] = ()
    archived: bool = False
    limit: int = _FIRST

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Self:
        """The query that the parameters of an address mean; what is none of them is passed over.

        >>> ListQuery.of({"where": "lr > 0.1", "columns": "optim.lr,changed", "limit": "x"}).columns
        ('optim.lr', 'changed')
        """
        limit = asked.get("limit", "")
        return cls(
            where=asked.get("where", ""),
            sort=asked.get("sort") or "-changed",
            metric=asked.get("metric", ""),
            columns=_parts(asked["columns"])[:_MOST_COLUMNS] if "columns" in asked else USUAL_COLUMNS,
            group=asked.get("group", ""),
            base=asked.get("base", ""),
            opened=_parts(asked.get("opened", ""))[:_MOST_OPENED],
            archived=asked.get("archived") == "1",
            limit=min(_MOST_ROWS, max(1, int(limit))) if limit.isascii() and limit.isdigit() else _FIRST,
        )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part for part in text.split(",") if part))
