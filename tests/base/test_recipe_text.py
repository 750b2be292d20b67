"""A recipe from TOML, words and keywords: every mistake is named with its place, and all of them at once."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from danlu.base.errors import Fault, UserError
from danlu.base.recipe import OptimRecipe, Recipe
from danlu.base.recipe_text import RecipeDraft, read_recipe, to_toml
from danlu.base.setting_keys import known_keys
from danlu.base.words import use_language


def from_words(*words: str) -> Recipe:
    draft = RecipeDraft()
    draft.read_words(words)
    return draft.recipe()


def from_keywords(options: tuple[str, ...] = (), **keywords: Any) -> Recipe:
    draft = RecipeDraft()
    draft.read_keywords(keywords, options)
    return draft.recipe()


def from_file(folder: Path, text: str) -> Recipe:
    file = folder / "r.toml"
    file.write_text(text, encoding="utf-8")
    return read_recipe(file)


def told(error: UserError) -> tuple[str, str]:
    """What a person reads in English and in Chinese."""
    texts = list[str]()
    for language in ("en", "zh"):
        use_language(language)
        texts.append(str(error))
    use_language("en")
    return texts[0], texts[1]


def test_no_file_and_no_word_is_the_default_recipe() -> None:
    assert RecipeDraft().recipe() == Recipe()


def test_a_file_is_read(tmp_path: Path) -> None:
    recipe = from_file(
        tmp_path,
        '[data]\nname = "mnist"\n[net]\nname = "mlp"\nhidden = [64, 32]\n[optim]\nlr = 1\nbetas = [0.8, 0.9]\n',
    )
    assert recipe.data.name == "mnist"
    assert recipe.net.options == {"hidden": [64, 32]}
    assert recipe.optim == OptimRecipe(lr=1.0, betas=(0.8, 0.9))


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "r.toml"
    file.write_bytes("\ufeff[train]\r\nepochs = 3\r\n".encode())
    assert read_recipe(file).train.epochs == 3


@pytest.mark.parametrize(
    ("word", "section", "key", "value"),
    [
        ("optim.lr=0.05", "optim", "lr", 0.05),
        ("optim.lr=1e-3", "optim", "lr", 0.001),
        ("train.epochs = 5", "train", "epochs", 5),
        ("train.batch-size=32", "train", "batch_size", 32),
        ("data.name=mnist", "data", "name", "mnist"),
        ('data.name="mnist"', "data", "name", "mnist"),
        ("data.path=C:\\a b=c.csv", "data", "path", "C:\\a b=c.csv"),
        ("data.shuffle=false", "data", "shuffle", False),
        ("optim.betas=[0.5, 0.9]", "optim", "betas", (0.5, 0.9)),
        ("net.hidden=[8, 8]", "net", "options", {"hidden": [8, 8]}),
        ("net.activation=tanh", "net", "options", {"activation": "tanh"}),
    ],
)
def test_words_are_read_as_toml_else_as_text(word: str, section: str, key: str, value: object) -> None:
    assert getattr(getattr(from_words(word), section), key) == value


def test_what_comes_later_wins(tmp_path: Path) -> None:
    file = tmp_path / "r.toml"
    file.write_text("[train]\nepochs = 3\nseed = 4\n", encoding="utf-8")
    draft = RecipeDraft()
    draft.read_file(file)
    draft.read_words(["train.epochs=5", "train.epochs=6"])
    draft.read_keywords({"seed": 9})
    recipe = draft.recipe()
    assert (recipe.train.epochs, recipe.train.seed) == (6, 9)


@pytest.mark.parametrize(
    ("word", "target"),
    [("3", "3"), ("1e5", "1e5"), ("true", "true"), ("2020-01-01", "2020-01-01"), ('"a b"', "a b"), ("价格", "价格")],
)
def test_what_takes_a_string_gets_one(word: str, target: str) -> None:
    assert from_words(f"data.target={word}").data.target == target


def test_keywords_find_their_section() -> None:
    recipe = from_keywords(("hidden",), lr=0.1, epochs=3, momentum=0.5, batch_size=8, hidden=[4], label_smoothing=0.1)
    assert (recipe.optim.lr, recipe.optim.momentum) == (0.1, 0.5)
    assert (recipe.train.epochs, recipe.train.batch_size) == (3, 8)
    assert recipe.net.options == {"hidden": [4]}
    assert recipe.loss.label_smoothing == 0.1


def test_keywords_that_several_sections_have_go_where_people_mean_them() -> None:
    recipe = from_keywords(seed=3, patience=4)
    assert (recipe.train.seed, recipe.train.patience) == (3, 4)
    assert (recipe.data.split_seed, recipe.schedule.patience) == (0, 3)


def test_dotted_keywords_say_it_in_full() -> None:
    dotted: dict[str, Any] = {"schedule.patience": 7}
    assert from_keywords(**dotted).schedule.patience == 7


def test_an_option_given_as_a_tuple_reads_back_equal() -> None:
    recipe = from_keywords(("hidden",), hidden=(64, 32))
    assert recipe.net.options == {"hidden": [64, 32]}


SECTIONS = "data, net, loss, optim, schedule, train, watch, track"

MISTAKES = {
    "optim.lr=abc": (
        "command line: optim.lr is 'abc'; it must be a number.",
        "命令行：optim.lr 的值是 'abc'，应为数字。",
    ),
    "optim.lr=-0.1": (
        "command line: optim.lr is -0.1; it must be a number above 0.",
        "命令行：optim.lr 的值是 -0.1，应为大于 0 的数。",
    ),
    "optim.lr=nan": (
        "command line: optim.lr is nan; it must be a finite number.",
        "命令行：optim.lr 的值是 nan，应为有限的数。",
    ),
    "optim.lr=inf": (
        "command line: optim.lr is inf; it must be a finite number.",
        "命令行：optim.lr 的值是 inf，应为有限的数。",
    ),
    "optim.lr=true": (
        "command line: optim.lr is True; it must be a number.",
        "命令行：optim.lr 的值是 True，应为数字。",
    ),
    "train.epochs=true": (
        "command line: train.epochs is True; it must be a number.",
        "命令行：train.epochs 的值是 True，应为数字。",
    ),
    "train.epochs=2.5": (
        "command line: train.epochs is 2.5; it must be a whole number.",
        "命令行：train.epochs 的值是 2.5，应为整数。",
    ),
    "train.batch_size=0": (
        "command line: train.batch_size is 0; it must be a number of at least 1.",
        "命令行：train.batch_size 的值是 0，应为不小于 1 的数。",
    ),
    "optim.momentum=1": (
        "command line: optim.momentum is 1; it must be a number below 1.",
        "命令行：optim.momentum 的值是 1，应为小于 1 的数。",
    ),
    "schedule.gamma=2": (
        "command line: schedule.gamma is 2; it must be a number of at most 1.",
        "命令行：schedule.gamma 的值是 2，应为不大于 1 的数。",
    ),
    "optim.nesterov=maybe": (
        "command line: optim.nesterov is 'maybe'; it must be true or false.",
        "命令行：optim.nesterov 的值是 'maybe'，应为布尔值（true 或 false）。",
    ),
    "train.device=gpu": (
        "command line: train.device is 'gpu'; it must be one of 'auto', 'cpu', 'cuda', 'mps'.",
        "命令行：train.device 的值是 'gpu'，应为以下之一：'auto', 'cpu', 'cuda', 'mps'。",
    ),
    "optim.betas=0.9": (
        "command line: optim.betas is 0.9; it must be a pair of numbers such as [0.9, 0.999].",
        "命令行：optim.betas 的值是 0.9，应为一对数，例如 [0.9, 0.999]。",
    ),
    "optim.lrr=0.1": (
        'command line: there is no setting called optim.lrr. Did you mean "optim.lr"?',
        '命令行：没有 optim.lrr 这项设置。您是不是想写 "optim.lr"？',
    ),
    "train.lr=0.1": (
        'command line: there is no setting called train.lr. Did you mean "optim.lr"?',
        '命令行：没有 train.lr 这项设置。您是不是想写 "optim.lr"？',
    ),
    "epoch=3": (
        (
            "command line: there is no setting called epoch. Settings are written section.key=value; the sections are "
            f'{SECTIONS} (an option of the net is written net.epoch). Did you mean "train.epochs"?'
        ),
        (
            f"命令行：没有 epoch 这项设置；设置要写成 section.key=value，节有 {SECTIONS}"
            '（网络自己的选项写成 net.epoch）。您是不是想写 "train.epochs"？'
        ),
    ),
    "optim.zzz=0.1": (
        "command line: there is no setting called optim.zzz.",
        "命令行：没有 optim.zzz 这项设置。",
    ),
    "optimm.lr=0.1": (
        f'command line: there is no section [optimm]; the sections are {SECTIONS}. Did you mean "optim"?',
        f'命令行：没有 [optimm] 这一节；可用的有 {SECTIONS}。您是不是想写 "optim"？',
    ),
    "optim=0.1": (
        "command line: optim is a section, not a setting: write optim.key=value, or [optim] with keys below it.",
        "命令行：optim 是一节，不是一项设置：请写成 optim.key=value，或在 [optim] 下面逐行写各项。",
    ),
    "lr=0.1": (
        "lr: a setting is written with its section in front: optim.lr.",
        "lr：设置要连同所在的节一起写：optim.lr。",
    ),
    "seed": (
        '"seed" is not understood here: a setting is written section.key=value, for example optim.lr=0.05.',
        '看不懂 "seed"：设置要写成 section.key=value，例如 optim.lr=0.05。',
    ),
}


@pytest.mark.parametrize("word", MISTAKES)
def test_a_mistake_is_told_in_both_languages(word: str) -> None:
    with pytest.raises(UserError, match=r"\w") as caught:
        from_words(word)
    assert told(caught.value) == MISTAKES[word]


@pytest.mark.parametrize(
    ("word", "key"), [("optim.betas=[0.9]", "optim.betas.1"), ("optim.betas=[0.9, 2]", "optim.betas.1")]
)
def test_a_mistake_inside_a_pair_names_the_place_in_it(word: str, key: str) -> None:
    with pytest.raises(UserError, match=f"^command line: {key} is"):
        from_words(word)


def test_a_pair_of_three_is_none() -> None:
    with pytest.raises(UserError, match=r"optim\.betas is .*pair of numbers"):
        from_words("optim.betas=[0.1, 0.2, 0.3]")


FAULTY = """\
# lr = 1 in a comment is none
[data]
nme = "mnist"          # line 3

[optim]
name = "sgd"
"lr" = "abc"           # line 7
momentum = -1          # line 8

[ schedule ]
gamma = nan            # line 11

[nett]
name = "mlp"           # line 14
"""


def test_all_mistakes_of_a_file_are_told_at_once_each_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no section") as caught:
        from_file(tmp_path, FAULTY)
    english, chinese = told(caught.value)
    file = tmp_path / "r.toml"
    assert sorted(english.splitlines()) == [
        f"{file}, line 11: schedule.gamma is nan; it must be a finite number.",
        f'{file}, line 14: there is no section [nett]; the sections are {SECTIONS}. Did you mean "net"?',
        f'{file}, line 3: there is no setting called data.nme. Did you mean "data.name"?',
        f"{file}, line 7: optim.lr is 'abc'; it must be a number.",
        f"{file}, line 8: optim.momentum is -1; it must be a number of at least 0.",
    ]
    assert f"{file} 第 7 行：optim.lr 的值是 'abc'，应为数字。" in chinese.splitlines()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("optim.lr = -1", "r.toml, line 1"),
        ("\n\noptim.lr = -1", "r.toml, line 3"),
        ("[train]\nlr = 1\n[optim]\nlr = -1", "r.toml, line 4"),
        ("optim = { lr = -1 }", "r.toml"),
    ],
)
def test_lines_are_counted_however_the_key_is_written(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(UserError, match="lr") as caught:
        from_file(tmp_path, text)
    lines = [line for line in str(caught.value).splitlines() if "optim.lr is -1" in line]
    assert lines == [f"{tmp_path}/{place}: optim.lr is -1; it must be a number above 0."]


def test_a_key_outside_any_section_is_placed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"r\.toml, line 2: there is no setting called epoch.*train\.epochs"):
        from_file(tmp_path, "\nepoch = 3\n[optim]\nlr = 1")


@pytest.mark.parametrize("section", ["optim = 3", "[[optim]]\nlr = 1"])
def test_a_section_that_is_no_table_is_refused(tmp_path: Path, section: str) -> None:
    with pytest.raises(UserError, match="optim is a section, not a setting"):
        from_file(tmp_path, section)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.toml: there is no such recipe file\.$") as caught:
        read_recipe(tmp_path / "none.toml")
    assert told(caught.value)[1] == f"{tmp_path / 'none.toml'}：找不到这个配方文件。"


def test_a_file_that_is_no_toml_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"r\.toml: this is not TOML: .*line 2") as caught:
        from_file(tmp_path, "[optim]\nlr 0.05\n")
    assert "不是合法的 TOML" in told(caught.value)[1]


@pytest.mark.parametrize("content", [b"\xff\xfe[\x00o\x00", b"\x00\x01\x02"])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "r.toml"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"r\.toml: (this is not a text file|not utf-16 text|this is not TOML)"):
        read_recipe(file)


def test_a_folder_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read as a recipe") as caught:
        read_recipe(tmp_path)
    assert "无法作为配方读取" in told(caught.value)[1]


def test_an_ambiguous_keyword_names_its_homes() -> None:
    with pytest.raises(UserError, match=r"^name: .* in front: data\.name, net\.name, loss\.name, .*\.$") as caught:
        from_keywords(name="mlp")
    assert told(caught.value)[1].startswith("name：设置要连同所在的节一起写：data.name, net.name")


def test_an_unknown_keyword_gets_the_nearest_spelling_also_of_the_nets_options() -> None:
    with pytest.raises(UserError, match=r"no setting called epoch\..*epochs") as caught:
        from_keywords(("hidden",), epoch=3, hiden=[4])
    english, chinese = told(caught.value)
    assert english.splitlines() == [
        'There is no setting called epoch. Did you mean "epochs"?',
        'There is no setting called hiden. Did you mean "hidden"?',
    ]
    assert chinese.splitlines()[0] == '没有名为 epoch 的设置。您是不是想写 "epochs"？'


def test_a_keyword_with_a_wrong_value_is_placed_in_the_call() -> None:
    with pytest.raises(UserError, match=r"^arguments: optim\.lr is nan; it must be a finite number\.$") as caught:
        from_keywords(lr=math.nan)
    assert told(caught.value)[1] == "参数：optim.lr 的值是 nan，应为有限的数。"


def test_put_keeps_the_place_that_a_caller_names() -> None:
    draft = RecipeDraft()
    draft.put("optim.lr", -1, Fault("recipe.place-file", {"path": "elsewhere"}))
    with pytest.raises(UserError, match=r"^elsewhere: optim\.lr is -1"):
        draft.recipe()


def test_known_keys_are_those_of_the_recipe() -> None:
    assert list(known_keys()) == ["data", "net", "loss", "optim", "schedule", "train", "watch", "track"]
    assert "name" in known_keys()["net"] and "lr" in known_keys()["optim"]
    assert "options" not in known_keys()["net"], "they are written beside the name"


TOML_VALUES = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(lambda key: key not in ("name", "options"))


@given(
    options=st.dictionaries(KEYS, TOML_VALUES, max_size=3),
    lr=st.none() | st.floats(1e-9, 1e3),
    betas=st.none() | st.tuples(st.floats(0, 0.999), st.floats(0, 0.999)),
    path=st.none() | st.text(st.characters(codec="utf-8")),
    seed=st.integers(0, 2**63 - 1),
    shuffle=st.booleans(),
)
def test_a_recipe_written_and_read_is_equal(
    tmp_path_factory: pytest.TempPathFactory,
    options: dict[str, Any],
    lr: float | None,
    betas: tuple[float, float] | None,
    path: str | None,
    seed: int,
    shuffle: bool,
) -> None:
    draft = RecipeDraft()
    settings = {"optim.lr": lr, "optim.betas": betas, "data.path": path, "train.seed": seed, "data.shuffle": shuffle}
    settings |= {f"net.{key}": value for key, value in options.items()}
    draft.read_keywords({key: value for key, value in settings.items() if value is not None})
    recipe = draft.recipe()
    file = tmp_path_factory.getbasetemp() / "round-trip.toml"
    file.write_bytes(to_toml(recipe).encode())
    assert read_recipe(file) == recipe
    assert read_recipe(file).fingerprint() == recipe.fingerprint()
