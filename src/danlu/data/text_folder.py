"""Texts in folders: a folder for each class, a file for each text."""

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from danlu.base.errors import Fault, fail
from danlu.data.dataset import Dataset, Encoder, Origin, RawSamples, ReadSource
from danlu.data.folder.scan import ENDINGS as PICTURES
from danlu.data.folder.scan import TEXT_ENDINGS, FolderSearch, Listing, parts_of, scan
from danlu.data.options import Options
from danlu.data.readers.text_file import read_texts
from danlu.data.table.column_texts import ColumnTexts
from danlu.data.table.labelled import with_usual_tokens
from danlu.data.targets import Labels
from danlu.data.text.encoders import TextEncoder
from danlu.data.text.sequences import text_dataset

COLUMN = "text"  # that of a table with more of them


def find_texts(folder: Path, given: Mapping[str, Path] | None = None) -> Listing | None:
    """The texts in the folders of the classes in `folder`, or in its folders train, val and test, or in those `given`
    for the parts. None where these hold no texts, or images, beside which a text is a description.
    """
    search = FolderSearch(TEXT_ENDINGS)
    parts = dict(given) if given else parts_of(folder, search)
    inside = [inner for path in parts.values() for inner in search.folders(path).values()]
    if not any(_holds(inner, TEXT_ENDINGS) for inner in inside) or any(_holds(inner, PICTURES) for inner in inside):
        return None
    return scan(folder, given, TEXT_ENDINGS)


def _holds(folder: Path, endings: tuple[str, ...]) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(entry.name.lower().endswith(endings) and entry.is_file() for entry in entries)
    except OSError:
        return False


def texts_builder(name: str, listing: Listing, encoding: str | None) -> ReadSource:
    """What makes a data set of the texts, which are read once. UserError with all that cannot be read."""
    texts, notes = read_texts([Path(str(file.path)) for file in listing.pictures], encoding)
    return ReadSource(partial(_build, name, listing, texts, (*listing.notes, *notes)), partial(_raw, listing, texts))


def _build(name: str, listing: Listing, texts: list[str], notes: tuple[Fault, ...], options: Options) -> Dataset:
    if isinstance(options.group, str) or isinstance(options.time, str):
        fail("data.no-columns", path=listing.folder)
    options, told = with_usual_tokens(options, texts)
    labels = torch.tensor([file.label for file in listing.pictures])
    pools, first = {}, 0
    for part, files in listing.parts.items():
        rows = slice(first, first + len(files))
        pools[part], first = (texts[rows], labels[rows]), rows.stop
    data = text_dataset(name, pools, Labels(listing.classes), options, str(options.tokens), Origin(str(listing.folder)))
    encoder = data.encoder
    assert isinstance(encoder, TextEncoder)
    found = Fault("data.told-text-files", {"count": len(texts), "tokens": Fault(f"data.kind-{options.tokens}")})
    encoder = ColumnTexts(encoder.vocabulary, encoder.length, COLUMN, by_file=True)
    return replace(data, encoder=encoder, notes=(found, *told, *notes, *data.notes))


def _raw(listing: Listing, texts: list[str], numbers: list[int], encoder: Encoder) -> RawSamples:
    labels = [listing.classes[listing.pictures[number].label] for number in numbers]
    return RawSamples("texts", [texts[number] for number in numbers], labels)
