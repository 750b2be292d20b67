"""Tables of texts with a label each: when they are taken for such, what is made of them, and what is refused."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars
import pytest

import danlu
from danlu.data.plain import from_plain, to_plain
from danlu.data.preprocessing import Preprocessing
from danlu.data.raw import raw_samples
from danlu.data.table.column_texts import ColumnTexts

GOOD, BAD = "a truly fine film", "what a dull mess"
REVIEWS = [f"{GOOD if row % 2 else BAD} number {row}" for row in range(60)]
LABELS = ["pos" if row % 2 else "neg" for row in range(60)]
CHINESE = [f"{'非常好看的电影' if row % 2 else '太无聊了不推荐'}第{row}部" for row in range(60)]


def table(**columns: Any) -> dict[str, Any]:
    return {"review": REVIEWS, **columns, "label": LABELS}


def told(data: danlu.Dataset) -> list[str]:
    return [note.id.removeprefix("data.") for note in data.notes]


TAKEN: dict[str, tuple[Mapping[str, Any], dict[str, Any], str]] = {
    "two columns": (table(), {}, "words"),
    "numbers of the rows": (table(id=list(range(60))), {}, "words"),
    "a column that says nothing": (table(lang=["en"] * 60), {}, "words"),
    "the text named": (table(stars=[1, 2, 3] * 20), {"columns": ["review"]}, "words"),
    "all others left out": (table(stars=[1, 2, 3] * 20), {"drop": ["stars"]}, "words"),
    "Chinese": ({"评论": CHINESE, "label": LABELS}, {}, "characters"),
    "whole numbers as classes": ({"review": REVIEWS, "label": [0, 1] * 30}, {}, "words"),
    "grouped": (table(author=["a", "b", "c"] * 20), {"group": "author"}, "words"),
    "characters asked for": (table(), {"tokens": "characters"}, "characters"),
    "classification asked for": (table(), {"task": "classification"}, "words"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_text_with_nothing_beside_its_class_is_read(name: str) -> None:
    columns, options, tokens = TAKEN[name]
    data = danlu.load(columns, "label", **options)
    assert (data.task, data.outputs, sum(data.sizes.values())) == ("classification", 2, 60)
    assert isinstance(data.encoder, ColumnTexts)
    assert data.encoder.vocabulary.kind == tokens
    assert "told-labelled" in told(data)


LEFT: dict[str, tuple[Mapping[str, Any], str, dict[str, Any], str]] = {
    "another column": (table(stars=[1, 2, 3] * 20), "label", {}, "dropped-prose"),
    "few texts": ({"review": ["good film", "bad film"] * 30, "n": [1, 2, 3] * 20, "label": LABELS}, "label", {}, ""),
}


@pytest.mark.parametrize("name", LEFT)
def test_a_table_with_other_columns_stays_one(name: str) -> None:
    columns, target, options, note = LEFT[name]
    data = danlu.load(columns, target, **options)
    assert len(data.sample_shape) == 1
    assert not isinstance(data.encoder, ColumnTexts)
    assert note in ("", *told(data))
    if note:
        assert 'data.columns = "review"' in " ".join(map(str, data.notes))


def missing(row: int) -> list[str | None]:
    return [None if number == row else text for number, text in enumerate(REVIEWS)]


REFUSED: dict[str, tuple[Mapping[str, Any], str, str]] = {
    "two texts": (table(title=REVIEWS[::-1]), "label", 'data.columns = "title"'),
    "a text to a number": (
        {"review": REVIEWS, "price": [row + 0.5 for row in range(60)]},
        "price",
        "no column is left",
    ),
    "a gap": ({"review": missing(3), "label": LABELS}, "label", "without a text: 1, the first in row 4"),
    "a blank": ({"review": [*REVIEWS[:-1], "  "], "label": LABELS}, "label", "without a text: 1, the first in row 60"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused(name: str) -> None:
    columns, target, words = REFUSED[name]
    with pytest.raises(danlu.UserError, match=words):
        danlu.load(columns, target)


def test_words_that_stand_for_a_gap_among_numbers_are_texts_here() -> None:
    data = danlu.load({"review": ["None", "NA", "?", *REVIEWS[3:]], "label": LABELS}, "label")
    assert {"None", "NA", "?"} <= {text for part in data.sizes for text in raw_samples(data, part).samples}


def test_long_texts_are_cut_which_is_told() -> None:
    long = [f"{text} {'and so on ' * (100 if row == 5 else 1)}" for row, text in enumerate(REVIEWS)]
    data = danlu.load({"review": long, "label": LABELS}, "label")
    assert data.sample_shape == (256,)
    assert "texts-cut" in told(data)
    assert danlu.load({"review": long, "label": LABELS}, "label", steps=400).sample_shape == (306,)


def test_rows_come_back_as_they_were_and_are_named_by_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    polars.DataFrame(table()).write_csv(path)
    data = danlu.load(path, "label")
    raw = raw_samples(data, "test")
    pairs = dict(zip(REVIEWS, LABELS, strict=True))
    assert raw.targets == [pairs[text] for text in raw.samples]
    doubled = polars.concat([polars.DataFrame(table())] * 2)
    doubled.write_csv(path)
    assert "shared-lines" in told(danlu.load(path, "label"))


def test_the_fitted_column_is_kept_as_plain_values() -> None:
    fitted = Preprocessing.of(danlu.load(table(), "label"))
    again = from_plain(to_plain(fitted))
    assert isinstance(again.encoder, ColumnTexts)
    assert again.encoder.column == "review"
    assert again.encode(REVIEWS[:3]).tolist() == fitted.encode(REVIEWS[:3]).tolist()
    for given in (
        polars.DataFrame(table()).head(3),
        {"review": REVIEWS[:3]},
        [{"review": text} for text in REVIEWS[:3]],
    ):
        assert again.encode(given).tolist() == fitted.encode(REVIEWS[:3]).tolist()
    with pytest.raises(danlu.UserError, match='no column "review"'):
        again.encode({"text": REVIEWS[:3]})


def test_a_run_answers_tables_lines_and_frames(tmp_path: Path) -> None:
    path = tmp_path / "评论 表.csv"
    polars.DataFrame(table()).write_csv(path)
    run = danlu.fit(data=path, target="label", hidden=8, embedding=8, epochs=1, folder=tmp_path / "run", progress=False)
    assert run.recipe.net.name == "sequence-classifier"
    answers = run.predict(REVIEWS[:4]).tolist()
    lines = tmp_path / "lines.txt"
    lines.write_text("\n".join(REVIEWS[:4]), encoding="utf-8")
    frame = polars.DataFrame({"review": REVIEWS[:4]})
    for given in (frame, {"review": REVIEWS[:4]}, lines):
        assert run.predict(given).tolist() == answers
    assert run.predict(path).tolist()[:4] == answers
    assert run.evaluate(path)["accuracy"] == pytest.approx(
        sum(a == b for a, b in zip(run.predict(path).tolist(), LABELS, strict=True)) / 60
    )
