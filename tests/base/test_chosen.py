"""What danlu chose yields where its reason is gone; what the user said never does."""

from pathlib import Path
from typing import Any

import pytest

from danlu.base.chosen import lapsed, read_chosen
from danlu.base.recipe import OptimRecipe, Recipe, TrainRecipe
from danlu.base.recipe_text import RecipeDraft, read_recipe, to_toml

CHOSEN = frozenset({"optim.lr", "optim.momentum", "train.batch_size"})
RECIPE = Recipe(optim=OptimRecipe(name="sgd", lr=0.01, momentum=0.9), train=TrainRecipe(batch_size=16), chosen=CHOSEN)


def drafted(path: Path, *words: str) -> Recipe:
    draft = RecipeDraft()
    draft.read_file(path)
    draft.read_words(words)
    return draft.recipe()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.toml"
    path.write_text(to_toml(RECIPE), encoding="utf-8")
    return path


def test_what_was_chosen_is_read_back(file: Path) -> None:
    recipe = read_recipe(file)
    assert recipe == RECIPE
    assert recipe.chosen == CHOSEN
    assert recipe.fingerprint() == RECIPE.fingerprint()
    assert to_toml(recipe) == to_toml(RECIPE)


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ((), CHOSEN),
        (("optim.name=sgd",), CHOSEN),
        (("train.epochs=3", "data.root=elsewhere"), CHOSEN),
        (("net.name=mlp",), {"optim.lr", "optim.momentum"}),
        (("optim.lr=0.02",), {"optim.momentum", "train.batch_size"}),
        (("data.name=mnist",), {"optim.lr", "optim.momentum"}),
        (("optim.name=adam",), set()),
    ],
)
def test_a_choice_yields_with_its_reason(file: Path, words: tuple[str, ...], kept: set[str]) -> None:
    recipe = drafted(file, *words)
    assert recipe.chosen == kept
    for key in CHOSEN - kept:
        if not any(word.startswith(key) for word in words):
            section, _, name = key.partition(".")
            assert getattr(getattr(recipe, section), name) is None


def test_what_the_user_said_never_yields(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8").replace("lr = 0.01", "lr = 0.05"), encoding="utf-8")
    recipe = drafted(file, "optim.name=adam")
    assert (recipe.optim.lr, recipe.optim.momentum) == (0.05, None)
    both = drafted(file, "optim.name=adam", "optim.momentum=0.9")
    assert both.optim.momentum == 0.9


@pytest.mark.parametrize("note", ["# chosen by danlu: {", "# chosen by danlu: [1]", "# chosen by danlu:", "", "lr = 1"])
def test_a_note_that_was_spoilt_chooses_nothing(note: str) -> None:
    assert read_chosen(f"{note}\n[optim]\n") == {}


def test_values_belong_to_what_they_were_chosen_for() -> None:
    before: dict[str, Any] = {"net.name": "mlp", "data.name": "digits", "optim.name": "sgd"}
    for key, change, expected in (
        ("loss.name", {"net.name": "logistic-regression"}, True),
        ("loss.name", {"data.target": "y"}, True),
        ("loss.name", {"optim.name": "adam"}, False),
        ("net.classes", {"data.name": "mnist"}, True),
        ("train.batch_size", {"optim.name": "lbfgs"}, True),
        ("train.batch_size", {"net.name": "tabm"}, True),
        ("train.batch_size", {"data.shuffle": False}, False),
        ("train.patience", {"net.name": "tabm"}, True),
        ("train.patience", {"train.epochs": 50}, True),
        ("train.patience", {"optim.lr": 0.1}, False),
        ("train.ema", {"train.patience": 3}, True),
        ("schedule.warmup", {"optim.name": "adam"}, False),
    ):
        assert lapsed(key, before, before | change) is expected, (key, change)
