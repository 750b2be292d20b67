"""Tables as people have them: each is read right, or refused with one clear message, in both languages."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from danlu.base.errors import UserError
from danlu.base.words import use_language
from danlu.data import load
from danlu.data.table.encoder import TableEncoder
from danlu.data.table.fitted import NumberColumn


@dataclass(frozen=True)
class Right:
    """What a file is to be read as: the kind of each feature column, the classes, the rows, and what is told."""

    columns: dict[str, str]
    classes: tuple[str, ...] = ()
    rows: int = 300
    told: tuple[str, ...] = ()
    target: str = "y"
    refused: str | None = field(default=None)


NUMBERS = {"a": "number", "b": "number"}
MIXED = {**NUMBERS, "c": "category"}
YES_NO = ("no", "yes")
TWO = {"x1": "number", "x2": "number"}
WHOLE = {"x1": "integer", "x2": "integer"}
AB = ("a", "b")


def refused(phrase: str) -> Right:
    return Right({}, refused=phrase)


FILES = {
    "tables/bom.csv": Right(MIXED, YES_NO),
    "tables/dates.csv": Right({"when": "date", "b": "number"}, told=("dates-read",)),
    "tables/empty.csv": refused("data.empty-file"),
    "tables/headonly.csv": refused("data.no-rows"),
    "tables/imbal.csv": Right(NUMBERS, ("0", "1"), rows=1500, told=("told-classification",)),
    "tables/index.csv": Right(NUMBERS, YES_NO, told=("dropped-identifier",)),
    "tables/latin1.csv": Right({**NUMBERS, "stadt": "category"}, YES_NO, told=("encoding-detected",)),
    "tables/missing_target.csv": refused("data.target-missing"),
    "tables/money.csv": Right({"price": "number", "b": "number"}, told=("numbers-read",)),
    "tables/na_words.csv": Right(MIXED, YES_NO, told=("imputed",)),
    "tables/onecls.csv": refused("data.target-constant"),
    "tables/percent.csv": Right({"p": "number", "b": "number"}, told=("numbers-read",)),
    "tables/question.csv": Right(MIXED, YES_NO, told=("imputed",)),
    "tables/ragged.csv": refused("data.ragged"),
    "tables/rare.csv": Right(NUMBERS, ("no", "rare", "yes")),
    "tables/semi.csv": Right(MIXED, YES_NO, told=("separator",)),
    "tables/semi_decimal_comma.csv": Right(MIXED, YES_NO, told=("separator", "numbers-read")),
    "tables/spaces_header.csv": Right(MIXED, YES_NO),
    "tables/texts.csv": Right({"text": "category"}, ("neg", "pos"), rows=160, target="label"),
    "tables/tiny.csv": refused("data.no-features"),
    "tables/whitespace.dat": Right(MIXED, YES_NO),
    "tables/whitespace.txt": Right(MIXED, YES_NO),
    "trust/cr.csv": Right(TWO, AB, rows=120),
    "trust/cur.csv": Right(WHOLE, AB, rows=120, told=("numbers-read",)),
    "trust/dc.csv": Right(TWO, AB, rows=120, told=("separator", "numbers-read")),
    "trust/dc.tsv": Right(TWO, AB, rows=120, told=("numbers-read",)),
    "trust/e39.csv": refused("data.too-large"),
    "trust/esc2.csv": Right({"x": "number"}, AB, rows=120, told=("dropped-text",)),
    "trust/fwd.csv": Right(TWO, AB, rows=120, told=("numbers-read",)),
    "trust/fz-3.parquet": refused("data.not-parquet"),
    "trust/gbk.csv": Right({"身高": "number", "x2": "number"}, ("女", "男"), rows=120, told=("encoding-detected",)),
    "trust/obc.csv": Right(WHOLE, AB, rows=120, told=("odd-cells", "imputed")),
    "trust/z.csv": Right(WHOLE, AB, rows=120, told=("numbers-read",)),
}


def test_every_table_has_its_right_outcome_here(cases_root: Path) -> None:
    there = {f"tables/{path.name}" for path in (cases_root / "tables").iterdir()}
    there |= {f"trust/{path.name}" for path in (cases_root / "trust").iterdir() if path.suffix in (".csv", ".tsv")}
    assert there <= set(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_table_is_read_right_or_refused(name: str, cases_root: Path) -> None:
    right = FILES[name]
    if right.refused:
        with pytest.raises(UserError, match=r"\S") as caught:
            load(cases_root / name, target=right.target)
        assert caught.value.faults[0].id == right.refused
        spoken = []
        for language in ("en", "zh"):
            use_language(language)
            spoken.append(str(caught.value.faults[0]))
        assert spoken[0] != spoken[1]
        return
    data = load(cases_root / name, target=right.target)
    assert isinstance(data.encoder, TableEncoder)
    kinds = {one.name: one.kind if isinstance(one, NumberColumn) else "category" for one in data.encoder.columns}
    assert (kinds, data.classes, sum(data.sizes.values())) == (right.columns, right.classes, right.rows)
    told = {note.id.removeprefix("data.") for note in data.notes}
    assert set(right.told) <= told
    for x, _ in data.batches("train", 2000, device=torch.device("cpu")):
        assert torch.isfinite(x).all()
        assert x[:, 0].unique().numel() > 1


def test_the_same_numbers_come_out_of_every_spelling(cases_root: Path) -> None:
    """The files of whole families hold the same numbers, written otherwise."""
    for plain, *others in (("tables/semi.csv", "tables/semi_decimal_comma.csv"), ("trust/dc.csv", "trust/fwd.csv")):
        wanted = load(cases_root / plain, target="y")
        for other in others:
            assert torch.equal(load(cases_root / other, target="y").x, wanted.x)  # type: ignore[attr-defined]
