"""`danlu claims`: the list, one claim, its plan, the book, own claims; and all that can be typed wrongly."""

from pathlib import Path

import pytest

from command_line import Type
from danlu.claims.catalogue import CLAIMS

IDENTITY = "linear-layers-collapse"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_list_has_every_claim_and_its_last_verdict(type_in: Type, language: str) -> None:
    listed = type_in("claims", "--lang", language).out
    assert all(claim in listed for claim in CLAIMS)
    type_in("claims", IDENTITY, "--lang", language)
    verdicts = {one["id"]: one["verdict"] for one in type_in("claims", "--json").json["claims"]}
    assert verdicts[IDENTITY]["word"] == "exact"
    assert verdicts["momentum-helps"] is None


def test_a_claim_is_told_with_its_verdict(type_in: Type, language: str) -> None:
    told = type_in("claims", IDENTITY, "--lang", language)
    assert told.code == 0
    assert ("exact to" if language == "en" else "精确到") in told.out
    assert type_in("claims", IDENTITY, "--json").json["verdict"]["word"] == "exact"


def test_its_folder_shows_it_again(type_in: Type, language: str) -> None:
    told = type_in("claims", IDENTITY, "--lang", language).out
    (folder,) = Path("claims").iterdir()
    assert type_in("show", str(folder), "--lang", language).out == told
    assert type_in("show", str(folder), "--json").json["claim"] == IDENTITY
    (folder / "claim.json").write_text("{")
    assert ("damaged" if language == "en" else "损坏") in type_in("show", str(folder), "--lang", language).err


def test_a_plan_trains_nothing(type_in: Type, language: str) -> None:
    told = type_in("claims", "momentum-helps", "--plan", "--lang", language)
    assert "optim.momentum" in told.out
    assert not list(Path().iterdir())
    plan = type_in("claims", "momentum-helps", "--plan", "--json").json
    assert plan["hash"] in told.out
    assert len(type_in("claims", "--all", "--plan", "--json").json["plans"]) == len(CLAIMS)


def test_the_book_holds_both_languages(type_in: Type) -> None:
    type_in("claims", IDENTITY, "--book", "notes.html")
    book = Path("notes.html").read_text(encoding="utf-8")
    assert "one linear layer" in book
    assert "线性层" in book
    assert "exact to" in book
    assert "精确到" in book
    assert "http" not in book.replace("http-equiv", "").replace("http://www.w3.org", "")
    Path("notes.html").unlink()
    assert type_in("claims", "--book", "notes.html", "--json").json == {"book": "notes.html", "claims": 1}


@pytest.mark.every(2)
def test_a_claim_of_ones_own(type_in: Type, language: str) -> None:
    told = type_in("claims", "new", "mine.toml", "--lang", language)
    assert "mine.toml" in told.out
    assert type_in("claims", "new", "mine.toml").code == 2, "what is there is not written over"
    text = Path("mine.toml").read_text(encoding="utf-8")
    text = text.replace('"train.epochs" = 10', '"train.epochs" = 1').replace("seeds = 10", "seeds = 3")
    Path("mine.toml").write_text(text.replace("values = [100, 400]", "values = [100]"), encoding="utf-8")
    record = type_in("claims", "mine.toml", "--json").json
    assert record["sentence"] == "A wider network is more accurate."
    assert record["plan"]["levels"] == {"16": {"net.width": 16}, "128": {"net.width": 128}}
    assert "mine" in type_in("claims", ".", "--book", "all.html").out


WRONG: dict[str, tuple[tuple[str, ...], str]] = {
    "unknown": (("momentum-help",), "momentum-helps"),
    "two": (("momentum-helps", IDENTITY), IDENTITY),
    "all and one": (("--all", IDENTITY), IDENTITY),
    "seeds": (("momentum-helps", "--seeds", "2"), "2"),
    "seeds no number": (("momentum-helps", "--seeds", "many"), "many"),
    "margin": (("momentum-helps", "--margin", "-1"), "-1"),
    "margin nan": (("momentum-helps", "--margin", "nan"), "nan"),
    "data of an identity": ((IDENTITY, "--data", "iris"), "--data"),
    "data that are not there": (("momentum-helps", "--data", "nowhere.csv"), "nowhere.csv"),
    "a net that is none": (("momentum-helps", "--net", "mlpp"), "mlp"),
    "book": ((IDENTITY, "--book", "book.pdf"), "book.pdf"),
    "book nowhere": ((IDENTITY, "--book", "nowhere/book.html"), "nowhere"),
    "book of nothing": (("--book", "book.html"), "danlu claims"),
    "guess without a terminal": ((IDENTITY, "--guess"), "--guess"),
    "new without a file": (("new",), "mine.toml"),
    "new, no toml": (("new", "mine.txt"), "mine.txt"),
    "no such file": (("mine.toml",), "mine.toml"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_mistake_is_told_and_leaves_nothing(wrong: str, type_in: Type, language: str) -> None:
    words, named = WRONG[wrong]
    told = type_in("claims", *words, "--lang", language)
    assert told.code == 2
    assert named in told.err
    assert "Traceback" not in told.err
    left = [path for path in Path().rglob("*") if path.is_file()]
    assert not left


OWN_WRONG: dict[str, tuple[str, str]] = {
    "no toml": ("= 1", "mine.toml"),
    "an unknown key": ('sentense = "x"', "sentense"),
    "nothing": ("", "sentence"),
    "one level": ('sentence = "x"\nfactor = "net.width"\nlevels = [16]\nexpect = "more"', "mine.toml"),
    "another expectation": ('sentence = "x"\nfactor = "net.width"\nlevels = [16, 32]\nexpect = "better"', "better"),
    "another measure": (
        'sentence = "x"\nfactor = "net.width"\nlevels = [16, 32]\nexpect = "more"\nmeasure = "speed"', "speed",
    ),
    "unequal budgets": (
        'sentence = "x"\nfactor = "train.epochs"\nlevels = [1, 2]\nexpect = "more"', "budget_differs",
    ),
    "a wrong kind": ('sentence = 3\nfactor = "net.width"\nlevels = [16, 32]\nexpect = "more"', "sentence"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", OWN_WRONG)
def test_a_mistake_in_a_claim_of_ones_own_is_told(wrong: str, type_in: Type, language: str) -> None:
    text, named = OWN_WRONG[wrong]
    Path("mine.toml").write_text(text, encoding="utf-8")
    told = type_in("claims", "mine.toml", "--lang", language)
    assert told.code == 2
    assert named in told.err
    assert "Traceback" not in told.err
