"""Folders of pictures whose net is left open: which gets which net, size, augmentation, schedule and rate, and why."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

import danlu
from danlu.base.recipe import Recipe
from danlu.base.recipe_text import read_recipe, to_toml
from danlu.run.settings.draft import draft_recipe
from danlu.run.setup import Setup, set_up
from danlu.study.compare import planned
from danlu.study.search.search import sought
from danlu.view.study import StudyReporter

Pixels = numpy.ndarray[Any, Any]
Drawn = numpy.random.Generator
Make = Callable[[Drawn], Pixels]


def noise(drawn: Drawn, side: int = 16, channels: int = 3) -> Pixels:
    """What looks no different when mirrored."""
    return drawn.integers(0, 256, (side, side, channels), dtype=numpy.uint8)


def bar(drawn: Drawn, side: int = 16) -> Pixels:
    """Bright on the left."""
    pixels = noise(drawn, side) // 4
    pixels[:, : side // 3] += 120
    return pixels


def grey(drawn: Drawn) -> Pixels:
    return noise(drawn, 16, 1)[..., 0]


def wide(drawn: Drawn) -> Pixels:
    return drawn.integers(0, 256, (90, 120, 3), dtype=numpy.uint8)


def folder(place: Path, classes: dict[str, Make], each: int = 100) -> Path:
    drawn = numpy.random.default_rng(0)
    for name, make in classes.items():
        (place / name).mkdir(parents=True)
        for number in range(each):
            Image.fromarray(make(drawn)).save(place / name / f"{number}.png")
    return place


def chosen(source: Path, **settings: Any) -> Setup:
    return set_up(draft_recipe(None, source, settings=settings))


def told(setup: Setup) -> str:
    return "\n".join(str(note) for note in setup.data.notes if note.id == "lab.usual-pictures")


FOLDERS: dict[str, tuple[dict[str, Make], int, tuple[str, ...], str, str]] = {
    "photographs": ({"cat": noise, "dog": noise}, 100, ("crop", "flip"), "look alike when flipped", "外观相近"),
    "grey": ({"cat": grey, "dog": grey}, 100, ("crop", "flip"), "look alike when flipped", "外观相近"),
    "signs": ({"a": noise, "dog": noise}, 100, ("crop",), "the class a is a single character", "a 是单个字符"),
    "digits": ({"7": noise, "10": noise}, 100, ("crop",), "the class 7 is a single character", "7 是单个字符"),
    "sides": ({"turn_Left": noise, "stop": noise}, 100, ("crop",), "turn_Left names a side", "turn_Left 含左右方向"),
    "左右": ({"左转": noise, "直行": noise}, 100, ("crop",), "the class 左转 names a side", "左转 含左右方向"),
    "bright": ({"bright": noise, "leftover": noise}, 100, ("crop", "flip"), "look alike", "外观相近"),
    "shoes": ({"shoe": bar, "boot": bar}, 100, ("crop",), "100% of the images are closer", "100% 的图像翻转后"),
    "one way": ({"fish": bar, **dict.fromkeys(("cat", "dog", "cow", "pig", "owl", "hen", "fox"), noise)}, 60, ("crop",),
                "100% of the class fish", "类别 fish 中 100% 的图像"),
    "few": ({"cat": noise, "dog": noise}, 20, ("crop",), "too few images to tell", "图像太少"),
}  # fmt: skip


@pytest.mark.every(4)
@pytest.mark.parametrize("kind", FOLDERS)
def test_mirror_images_only_where_they_look_alike(kind: str, tmp_path: Path, language: str) -> None:
    classes, each, augment, english, chinese = FOLDERS[kind]
    setup = chosen(folder(tmp_path / "pictures", classes, each))
    assert setup.recipe.data.augment == augment
    assert (english if language == "en" else chinese) in told(setup)


def test_the_choices_and_their_telling(tmp_path: Path) -> None:
    setup = chosen(folder(tmp_path / "pictures", {"cat": noise, "dog": noise}))
    recipe = setup.recipe
    assert (recipe.net.name, recipe.net.options) == ("small-resnet", {"depth": 8})
    assert (recipe.schedule.name, recipe.optim.name, recipe.optim.lr) == ("one-cycle", "sgd", 0.05)
    assert recipe.data.image_size is None
    for word in ("small-resnet with 8 layers", "crop, flip", "one-cycle schedule", "learning rate 0.05"):
        assert word in told(setup)
    kept = read_recipe(_written(recipe, tmp_path))
    assert kept == recipe
    assert kept.chosen >= {"net.name", "net.depth", "data.augment", "schedule.name", "optim.lr"}


def test_large_pictures_are_made_smaller(tmp_path: Path) -> None:
    place = folder(tmp_path / "pictures", {"cat": wide, "dog": wide}, each=12)
    setup = chosen(place)
    assert (setup.recipe.data.image_size, setup.data.sample_shape) == (64, (3, 64, 64))
    assert "from 90×120 to 64×64" in told(setup)
    named = chosen(place, image_size=100)
    assert (named.data.sample_shape, "64×64" in told(named)) == ((3, 100, 100), False)


def test_a_table_of_paths_is_such_a_folder(tmp_path: Path) -> None:
    folder(tmp_path / "pictures", {"cat": noise, "dog": noise}, each=12)
    rows = [f"pictures/{name}/{number}.png,{name}" for name in ("cat", "dog") for number in range(12)]
    (tmp_path / "list.csv").write_text("\n".join(["file,animal", *rows]), encoding="utf-8")
    recipe = chosen(tmp_path / "list.csv", target="animal").recipe
    assert (recipe.net.name, recipe.schedule.name, recipe.data.augment) == ("small-resnet", "one-cycle", ("crop",))


NAMED: list[dict[str, Any]] = [
    {"schedule.name": "constant"},
    {"schedule.name": "cosine"},
    {"lr": 0.2},
    {"momentum": 0.5},
    {"augment": ("rotation",)},
    {"image_size": 12},
    {"epochs": 3},
    {"batch_size": 8},
    {"depth": 14},
    {"seed": 3},
    {"weights": "best"},
]


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("usual") / "pictures", {"cat": noise, "dog": noise})


@pytest.mark.every(4)
@pytest.mark.parametrize("settings", NAMED, ids="-".join)
def test_naming_one_setting_changes_no_other(settings: dict[str, Any], photographs: Path) -> None:
    usual, named = chosen(photographs).recipe, chosen(photographs, **settings).recipe
    asked, plain = draft_recipe(None, photographs, settings=settings), draft_recipe(None, photographs)
    assert _differing(usual, named) == _differing(plain, asked)


def test_whoever_names_a_net_gets_a_constant_rate(photographs: Path) -> None:
    recipe = chosen(photographs, **{"net.name": "mlp"}).recipe
    assert (recipe.schedule.name, recipe.optim.lr, recipe.data.augment) == ("constant", 0.01, None)
    assert "usual-pictures" not in str(chosen(photographs, **{"net.name": "small-resnet"}).data.notes)


def test_a_training_without_an_end_has_no_cycle(photographs: Path, tmp_path: Path) -> None:
    run = danlu.fit(data=photographs, patience=1, samples=16, folder=tmp_path / "run", progress=False)
    assert run.recipe.schedule.name == "constant"


def test_data_loaded_before_are_treated_alike(photographs: Path) -> None:
    assert set_up(draft_recipe(None, data := danlu.load(photographs)), data).recipe == chosen(photographs).recipe


def test_what_is_no_folder_is_trained_as_before() -> None:
    recipe = set_up(draft_recipe(None, "digits")).recipe
    assert (recipe.net.name, recipe.schedule.name, recipe.optim.lr) == ("lenet5", "constant", 0.01)


def test_an_old_recipe_keeps_what_it_says(photographs: Path, tmp_path: Path) -> None:
    old = Recipe(
        data={"path": str(photographs), "augment": ["crop:1"]},  # pyright: ignore[reportArgumentType]
        net={"name": "small-resnet"},  # pyright: ignore[reportArgumentType]
        schedule={"name": "constant"},  # pyright: ignore[reportArgumentType]
        optim={"lr": 0.01},  # pyright: ignore[reportArgumentType]
    )
    again = set_up(draft_recipe(recipe=_written(old, tmp_path))).recipe
    assert (again.schedule.name, again.optim.lr, again.net.options) == ("constant", 0.01, {})
    assert again.data.augment == ("crop:1",)


def _differing(one: Recipe, other: Recipe) -> set[str]:
    first, second = (
        {f"{section}.{key}": value for section, keys in recipe.as_dict().items() for key, value in keys.items()}
        for recipe in (one, other)
    )
    return {key for key in first.keys() | second.keys() if first.get(key) != second.get(key)}


def _written(recipe: Recipe, place: Path) -> Path:
    (place / "recipe.toml").write_text(to_toml(recipe), encoding="utf-8")
    return place / "recipe.toml"


@pytest.mark.every(2)
def test_a_study_and_a_search_tell_what_a_training_tells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str
) -> None:
    place = folder(tmp_path / "pictures", {"cat": noise, "dog": noise}, 20)
    wanted = told(chosen(place))
    plan, base, _ = planned(None, place, vary={"optim.momentum": [0.0, 0.9]}, seeds=[0], epochs=1)
    assert wanted
    assert plan.facts()["notes"] == [wanted]
    assert base.net.name == "small-resnet"
    quest, first, _ = sought(None, place, space={"optim.momentum": (0.1, 0.9)}, trainings=2, epochs=1)
    assert list(map(str, quest.notes)) == first.facts()["notes"] == [wanted]
    StudyReporter(visible=True).opening(plan.facts(), tmp_path)
    assert f"! {wanted}" in capsys.readouterr().err
    StudyReporter(visible=False).opening(plan.facts(), tmp_path)
    assert wanted not in capsys.readouterr().err
    named, _, _ = planned("mlp", place, vary={"optim.momentum": [0.0, 0.9]}, seeds=[0], epochs=1)
    assert named.facts()["notes"] == []
