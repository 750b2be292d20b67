"""From a table that was read to its data set: of rows, of windows of rows, of texts with their tags, or of pairs."""

from danlu.data.dataset import Dataset, Encoder, Origin, RawSamples, ReadSource
from danlu.data.options import Options
from danlu.data.series.encoder import WindowEncoder
from danlu.data.series.load import series_dataset
from danlu.data.series.raw import raw_windows
from danlu.data.table.load import table_dataset
from danlu.data.table.pairs import holds_pairs, pairs_table
from danlu.data.table.raw import raw_rows
from danlu.data.table.source import TableSource
from danlu.data.table.tagged import tagged_table
from danlu.data.table.to_predict import Columns
from danlu.data.text.pairs import pairs_dataset
from danlu.data.text.tagged import tagged_dataset


def table_builder(name: str, source: TableSource, target: Columns | None, origin: Origin | None = None) -> ReadSource:
    """What makes a data set of a table, of windows, tagged texts or pairs where they are asked for, and hands out its
    rows. Two columns of texts are pairs where nothing is asked for: see `holds_pairs`.
    """

    def build(options: Options) -> Dataset:
        if options.task == "tagging":
            tagged = tagged_table(source, target, options.tokens)
            return tagged_dataset(name, tagged, options, origin or Origin(source.place))
        if holds_pairs(source, target, options):
            pairs = pairs_table(source, target, options)
            return pairs_dataset(name, pairs, options, origin or Origin(source.place))
        make = table_dataset if options.window is None else series_dataset
        return make(name, source, target, options, origin=origin)

    def raw(numbers: list[int], encoder: Encoder) -> RawSamples:
        if isinstance(encoder, WindowEncoder):
            return raw_windows(source, numbers, encoder)
        return raw_rows(source, target, numbers, encoder)

    return ReadSource(build, raw)
