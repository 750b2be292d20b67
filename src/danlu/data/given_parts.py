"""Parts that a user gives one by one: files, folders, frames or arrays for train, validation and test."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy

from danlu.base.errors import Fault, fail
from danlu.base.input_files import path_kind
from danlu.data.dataset import Builder, Dataset, Origin, ReadSource
from danlu.data.folder.load import folder_builder, listing_builder
from danlu.data.folder.shards import archives_of, read_archives
from danlu.data.given_arrays import arrays_builder
from danlu.data.large.files import is_large
from danlu.data.options import Options
from danlu.data.parts import PARTS, part_of
from danlu.data.raw_pools import raw_texts
from danlu.data.readers.conll import is_conll, parse_conll, read_conll
from danlu.data.readers.csv_text import FileOptions
from danlu.data.readers.table_file import is_archive, read_table
from danlu.data.readers.text_file import is_text, read_text
from danlu.data.table.frames import is_frame, sheet_of
from danlu.data.table.load import source_of
from danlu.data.table.to_predict import Columns
from danlu.data.table_builder import large_builder, sheets_builder, table_builder
from danlu.data.targets import Labels, read_target
from danlu.data.text.corpus import Corpus, corpus_dataset
from danlu.data.text.pairs import Pairs, are_pairs, pairs_dataset, raw_pairs
from danlu.data.text.sequences import text_dataset
from danlu.data.text.tagged import is_tagged, raw_tagged, tagged_dataset, tagged_pair
from danlu.data.text.tagged_texts import Tagged
from danlu.data.text_folder import find_texts, texts_builder
from danlu.data.torch_data import is_torch_data, torch_dataset


def parts_given(given: Any) -> dict[str, Any] | None:
    """What a dict (or a tuple of torch data) gives for each part; None where `given` is nothing of the kind."""
    if is_torch_data(given):
        return {"train": given}
    named: dict[Any, Any] = {}
    if isinstance(given, Mapping):
        named.update(cast(Mapping[Any, Any], given))
    elif isinstance(given, tuple | list) and len(given) <= len(PARTS) and all(is_torch_data(one) for one in given):
        named.update(zip(PARTS, given, strict=False))
    if not named or not all(_is_source(one) for one in named.values()):
        return None
    words = {word: part_of(word) if isinstance(word, str) else None for word in named}
    if None in words.values() or "train" not in words.values():
        fail("data.part-names", found=", ".join(map(str, named)), wanted=", ".join(PARTS))
    twice = next((part for part in PARTS if list(words.values()).count(part) > 1), None)
    if twice is not None:
        fail("data.part-twice", part=twice, found=", ".join(str(word) for word in named if words[word] == twice))
    by_part = {str(words[word]): one for word, one in named.items()}
    return {part: by_part[part] for part in PARTS if part in by_part}


def parts_builder(parts: dict[str, Any], target: Columns | None, name: str | None, options: FileOptions) -> Builder:
    """Reads every part; what comes back makes one data set of them. What is missing is taken from "train"."""
    if all(is_torch_data(one) for one in parts.values()):
        return partial(torch_dataset, name or "torch", parts, target=target)
    if all(isinstance(one, str | Path) for one in parts.values()):
        return _from_paths({part: Path(one).expanduser() for part, one in parts.items()}, target, name, options)
    if all(is_frame(one) or isinstance(one, Mapping) for one in parts.values()):
        sheets = {part: sheet_of(one, part) for part, one in parts.items()}
        return table_builder(name or "table", source_of(sheets, target), target)
    if all(isinstance(one, tuple) for one in parts.values()):
        _refuse_target(target, name or "arrays")
        if all(is_tagged(*pair) for pair in parts.values()):
            return tagged_builder(name or "texts", {part: tagged_pair(x, y) for part, (x, y) in parts.items()})
        if all(is_text_list(x) for x, _ in parts.values()):
            return ReadSource(partial(labelled_texts, name or "texts", parts), partial(raw_texts, parts))
        return arrays_builder(name or "arrays", parts)
    return fail("data.parts-mixed", found=", ".join(f"{part}: {type(one).__name__}" for part, one in parts.items()))


def labelled_texts(name: str, pools: Mapping[str, tuple[Any, Any]], options: Options) -> Dataset:
    """A data set of texts with a label each, with a tag for each token, or with a text that they become, in pools by
    part.
    """
    if options.task == "tagging":
        pairs = {part: tagged_pair(x, y, options.tokens) for part, (x, y) in pools.items()}
        return tagged_dataset(name, pairs, options, Origin())
    texts = {part: list(x) for part, (x, _) in pools.items()}
    if options.task == "translation" or (options.task == "auto" and _are_pairs(pools)):
        pairs = {part: Pairs(list(x), list(y)) for part, (x, y) in pools.items()}
        return pairs_dataset(name, pairs, options, Origin())
    labels = {part: numpy.asarray(y) for part, (_, y) in pools.items()}
    for part, x in texts.items():
        if len(x) != len(labels[part]):
            fail("data.lengths-differ", x=len(x), y=len(labels[part]))
    y, target = read_target(numpy.concatenate(list(labels.values())), "classification", Fault("data.place-y"))
    assert isinstance(target, Labels)
    indices = y.split([len(x) for x in texts.values()])
    by_part = {part: (x, index) for (part, x), index in zip(texts.items(), indices, strict=True)}
    return text_dataset(name, by_part, target, options, "characters", Origin())


def text_builder(name: str, corpus: Corpus, files: Mapping[str, tuple[Path, str]], origin: Origin) -> Builder:
    """What makes a data set of texts in files: a running text, or where that is asked for, tagged sentences."""

    def pools() -> dict[str, Tagged]:
        return {part: parse_conll(text, path) for part, (path, text) in files.items()}

    def build(options: Options) -> Dataset:
        if options.task == "tagging":
            return tagged_dataset(name, pools(), options, origin)
        return corpus_dataset(name, corpus, options, origin)

    return ReadSource(build, lambda numbers, encoder: raw_tagged(pools(), numbers, encoder))


def tagged_builder(name: str, pools: dict[str, Tagged], origin: Origin | None = None) -> Builder:
    """What makes a data set of tagged sentences."""
    build = partial(tagged_dataset, name, pools)
    return ReadSource(lambda options: build(options, origin or Origin()), partial(raw_tagged, pools))


def is_text_list(x: Any) -> bool:
    """Whether x is texts, one a sample."""
    if isinstance(x, numpy.ndarray):
        return (x.dtype.kind == "U" and x.ndim == 1) or (
            x.dtype == object and x.ndim == 1 and len(x) > 0 and isinstance(x[0], str)
        )
    return isinstance(x, list | tuple) and len(x) > 0 and all(isinstance(text, str) for text in x)


def pairs_builder(name: str, pools: dict[str, Pairs], origin: Origin) -> Builder:
    """What makes a data set of pairs of texts."""
    build = partial(pairs_dataset, name, pools)
    return ReadSource(lambda options: build(options, origin), partial(raw_pairs, pools))


def _are_pairs(pools: Mapping[str, tuple[Any, Any]]) -> bool:
    """Whether texts are given with texts that they become, and not with their classes."""
    return are_pairs(*([one for pool in pools.values() for one in list(pool[place])] for place in (0, 1)))


def _is_source(one: Any) -> bool:
    """Whether it can be a part of its own: a column of a table cannot."""
    pair = isinstance(one, tuple) and len(cast(tuple[Any, ...], one)) == 2
    return isinstance(one, str | Path | Mapping) or is_torch_data(one) or is_frame(one) or pair


def _from_paths(paths: dict[str, Path], target: Columns | None, name: str | None, options: FileOptions) -> Builder:
    for path in paths.values():
        if path_kind(path) == "missing":
            fail("data.missing-file", path=path, hint="")
    folders = [path.is_dir() for path in paths.values()]
    first = paths["train"]
    stem = name or (first.name if folders[0] else first.name.split(".")[0])
    archives = {part: archives_of(path) for part, path in paths.items() if path.is_dir() or is_archive(path)}
    if len(archives) == len(paths) and all(archives.values()):
        _refuse_target(target, stem)
        return listing_builder(stem, read_archives({part: one["train"] for part, one in archives.items() if one}))
    if all(folders):
        _refuse_target(target, stem)
        listing = find_texts(first, paths)
        return folder_builder(stem, first, paths) if listing is None else texts_builder(stem, listing, options.encoding)
    if any(folders):
        fail("data.parts-mixed", found=", ".join(f"{part}: {path}" for part, path in paths.items()))
    origin = Origin(str(first))
    if target is None and all(is_text(path) for path in paths.values()):
        read = {part: read_text(path, options.encoding) for part, path in paths.items()}
        texts = {part: text for part, (text, _) in read.items()}
        notes = tuple(note for _, told in read.values() for note in told)
        corpus = Corpus(texts["train"], texts.get("validation"), texts.get("test"), notes=notes)
        return text_builder(
            stem,
            corpus,
            {part: (path, text) for path, (part, text) in zip(paths.values(), texts.items(), strict=True)},
            origin,
        )
    if target is None and all(is_conll(path) for path in paths.values()):
        return tagged_builder(stem, {part: read_conll(path, options.encoding) for part, path in paths.items()}, origin)
    if is_large(list(paths.values()), options.stream):
        return large_builder(stem, first, {part: [path] for part, path in paths.items()}, target, options)
    sheets = {part: read_table(path, options) for part, path in paths.items()}
    return sheets_builder(stem, sheets, target, origin)


def _refuse_target(target: Columns | None, name: str) -> None:
    if target is not None:
        fail("data.target-without-table", target=target if isinstance(target, str) else ",".join(target), name=name)
