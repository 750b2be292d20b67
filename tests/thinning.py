"""Which cases of a costly table `make test` runs."""

from zlib import crc32


def kept(table: str, cases: int, n: int) -> set[int]:
    """Of each `n` cases in a row one, by place.

    Which of them differs from row to row and from table to table, and is always the same for a table: with each n-th
    case and an even n, a table in two languages or two precisions would be run in one of them only.
    """
    rows = range(0, cases, n)
    return {start + crc32(f"{table} {start}".encode()) % min(n, cases - start) for start in rows}
