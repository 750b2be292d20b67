"""A table whose rows are sentences: a column of tokens and one of tags, blanks between them."""

from danlu.base.errors import fail
from danlu.data.table.source import TableSource
from danlu.data.table.to_predict import Columns, target_names
from danlu.data.text.tagged import tagged_pair
from danlu.data.text.tagged_texts import Tagged

_TOKENS = ("tokens", "words", "text", "sentence", "句子", "文本", "词")


def tagged_table(source: TableSource, target: Columns | None, kind: str | None = None) -> dict[str, Tagged]:
    """The sentences of a table by part. UserError where it is not known which columns are meant."""
    texts = [name for name, column in source.table.items() if column.kind == "text"]
    names, _ = target_names(source.table, target, source.place)
    others = [name for name in texts if name not in names]
    chosen = [name for name in others if name.lower() in _TOKENS] or others
    if len(names) != 1 or len(chosen) != 1 or names[0] not in texts:
        fail("data.tags-columns", path=source.place, columns=", ".join(source.table), found=", ".join(names))
    tokens, tags = (source.table[name].values for name in (chosen[0], names[0]))
    empty = [row for row, pair in enumerate(zip(tokens, tags, strict=True)) if None in pair]
    if empty:
        fail("data.tags-empty", place=source.place, count=len(empty), at=source.at(empty[0]))
    whole = tagged_pair(tokens.tolist(), tags.tolist(), kind)
    found, first = dict[str, Tagged](), 0
    for part, count in (source.parts or {"train": len(whole.tokens)}).items():
        rows = slice(first, first + count)
        found[part], first = Tagged(whole.tokens[rows], whole.tags[rows], () if first else source.notes), first + count
    return found
