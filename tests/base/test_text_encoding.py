"""Texts in the encodings that people have, told from their bytes."""

from pathlib import Path

import pytest

from danlu.base.errors import UserError
from danlu.base.recipe_text import read_recipe
from danlu.base.text_encoding import decode
from danlu.data import load

CHINESE = "身高,体重,城市\n" + "".join(f"{n * 1.5},{n % 7},{('北京', '上海', '广州')[n % 3]}\n" for n in range(30))
TRADITIONAL = "身高,體重,城市\n" + "".join(f"{n},{n},{('臺北', '高雄', '臺中')[n % 3]}\n" for n in range(30))
GERMAN = "a,stadt\n" + "".join(f"{n},{('München', 'Köln', 'Berlin')[n % 3]}\n" for n in range(30))
ONE = "x,名字\n" + "1,a\n" * 50 + "2,男\n"


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (CHINESE, "utf-8", "utf-8"),
        (CHINESE, "utf-8-sig", "utf-8"),
        (CHINESE, "utf-16", "utf-16"),
        (CHINESE, "utf-16-le", "utf-16-le"),
        (GERMAN, "utf-16-be", "utf-16-be"),
        (CHINESE, "gbk", "gb18030"),
        (ONE, "gb18030", "gb18030"),
        ("价格\n" + "￥3\n" * 9, "gbk", "gb18030"),
        (TRADITIONAL, "big5", "big5"),
        (GERMAN, "latin-1", "cp1252"),
        ("preis\n" + "€3\n" * 9, "cp1252", "cp1252"),
        ("temp °C\n" + "3\n" * 9, "latin-1", "cp1252"),
        ("имя,город\n" + "Иван,Москва\n" * 20, "cp1251", "cp1251"),
        ("plain", "ascii", "utf-8"),
    ],
)
def test_the_encoding_is_detected(text: str, encoding: str, found: str) -> None:
    assert decode(text.encode(encoding), "t.csv") == (text, found)


def test_the_users_word_stands(language: str) -> None:
    content = GERMAN.encode("latin-1")
    assert decode(content, "t.csv", "latin-1").text == GERMAN
    words = {"en": "not gb18030 text|not utf-8 text: line 2", "zh": "不是 utf-8 编码的文本：第 2 行"}
    with pytest.raises(UserError, match=words[language]):
        decode(content, "t.csv", "utf-8")
    with pytest.raises(UserError, match={"en": 'Did you mean "gb18030"', "zh": "gb18030"}[language]):
        decode(content, "t.csv", "gb18031")


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff", bytes(range(256)) * 4])
def test_what_is_no_text_is_refused(content: bytes) -> None:
    with pytest.raises(UserError, match="this is not a text file"):
        decode(content, "t.csv")


def test_tables_texts_and_recipes_are_read_in_any_encoding(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(CHINESE.encode("gbk"))
    table = load(tmp_path / "t.csv", target="城市")
    assert set(table.classes) == {"北京", "上海", "广州"}
    assert table.notes[0].id == "data.encoding-detected"
    told = load(tmp_path / "t.csv", target="城市", encoding="gbk")
    assert told.fingerprint() == table.fingerprint()
    assert not any(note.id == "data.encoding-detected" for note in told.notes)
    (tmp_path / "t.txt").write_bytes((CHINESE * 9).encode("gbk"))
    assert load(tmp_path / "t.txt").notes[0].values["encoding"] == "gb18030"
    (tmp_path / "r.toml").write_bytes("# 学习率\n[optim]\nlr = 0.5\n".encode("gbk"))
    assert read_recipe(tmp_path / "r.toml").optim.lr == 0.5


@pytest.mark.parametrize("text", ["a=" + "[" * 5000 + "]" * 5000, "[train]\nseed=" + "9" * 5000])
def test_a_recipe_made_to_break_the_reader_is_refused(text: str, tmp_path: Path, language: str) -> None:
    (tmp_path / "r.toml").write_text(text)
    words = {"en": "nested too deep|this is not TOML", "zh": "嵌套过深|不是合法的 TOML"}
    with pytest.raises(UserError, match=words[language]):
        read_recipe(tmp_path / "r.toml")
