"""From a table that was read to its data set: of rows, of windows of rows, or of texts with their tags."""

from functools import partial

from danlu.data.dataset import Dataset, Origin, ReadSource
from danlu.data.options import Options
from danlu.data.series.load import series_dataset
from danlu.data.table.chosen import chosen_columns
from danlu.data.table.load import table_dataset
from danlu.data.table.raw import raw_rows
from danlu.data.table.source import TableSource
from danlu.data.table.tagged import tagged_table
from danlu.data.table.to_predict import Columns
from danlu.data.text.tagged import tagged_dataset


def table_builder(name: str, source: TableSource, target: Columns | None, origin: Origin | None = None) -> ReadSource:
    """What makes a data set of a table, of windows or tagged texts where they are asked for, and hands out its rows."""

    def build(options: Options) -> Dataset:
        chosen, named, rest = chosen_columns(source, target, options)
        if rest.task == "tagging":
            tagged = tagged_table(chosen, named, rest.tokens)
            return tagged_dataset(name, tagged, rest, origin or Origin(source.place))
        make = table_dataset if rest.window is None else series_dataset
        return make(name, chosen, named, rest, origin=origin)

    return ReadSource(build, partial(raw_rows, source, target))
