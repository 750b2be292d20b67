"""Files of tagged sentences: a token and its tag in each line, a blank line between sentences."""

from dataclasses import replace
from pathlib import Path

from danlu.base.errors import Fault, Faults
from danlu.data.readers.text_file import read_text
from danlu.data.text.tagged_texts import Tagged

CONLL = (".conll", ".conllu", ".conll.gz", ".conllu.gz", ".bio", ".iob", ".iob2")
_MOST_TOLD = 5
_UNIVERSAL = 10  # columns of CoNLL-U: number, form, lemma, universal part of speech, …
_FORM, _PART_OF_SPEECH = 1, 3


def is_conll(path: Path) -> bool:
    """Whether the name is that of a file of tagged sentences."""
    return path.name.lower().endswith(CONLL)


def read_conll(path: Path, encoding: str | None = None) -> Tagged:
    """The sentences in the file `path`."""
    text, notes = read_text(path, encoding)
    found = parse_conll(text, path)
    return replace(found, notes=(*notes, *found.notes))


def parse_conll(text: str, path: object) -> Tagged:
    """The sentences of a text: the first column is the token and the last one its tag; of CoNLL-U the form and the
    universal part of speech. Lines that begin with "# ", and -DOCSTART-, are left out. UserError with the lines that
    have no tag.

    >>> parse_conll("the DET\\ncat NOUN\\n\\nhi INTJ\\n", "a.conll").tags
    [['DET', 'NOUN'], ['INTJ']]
    """
    faults, bad = Faults(), 0
    tokens: list[list[str]] = [[]]
    tags: list[list[str]] = [[]]
    widths: set[int] = set()
    for number, line in enumerate(text.split("\n"), start=1):
        cells = [cell.strip() for cell in line.split("\t")] if "\t" in line.strip() else line.split()
        if not any(cells):
            if tokens[-1]:
                tokens.append([])
                tags.append([])
            continue
        if cells[0] == "-DOCSTART-" or (line.startswith("# ") and len(cells) != 2) or line.startswith("#\ttext"):
            continue
        universal = len(cells) == _UNIVERSAL and cells[0][0].isdigit()
        if universal and not cells[0].isdigit():  # a contraction, or a word that is not there
            continue
        token, tag = (cells[_FORM], cells[_PART_OF_SPEECH]) if universal else (cells[0], cells[-1])
        if len(cells) < 2 or not token or not tag:
            bad += 1
            if bad <= _MOST_TOLD:
                faults.add("data.conll-line", path=path, line=number, text=line.strip()[:60])
        else:
            tokens[-1].append(token)
            tags[-1].append(tag)
            widths.add(len(cells))
    if bad > _MOST_TOLD:
        faults.add("data.conll-more", count=bad - _MOST_TOLD)
    if not bad and not tokens[0]:
        faults.add("data.empty-file", path=path)
    faults.raise_if_any()
    notes = (Fault("data.conll-columns", {"path": path, "count": max(widths)}),) if max(widths) > 2 else ()
    return Tagged([one for one in tokens if one], [one for one in tags if one], notes)
