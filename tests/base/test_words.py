"""Both languages say the same things, and the code asks for no phrase that is missing and leaves none unasked."""

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import get_args

import pytest

from asked_phrases import as_python, asks, page_ids
from danlu.base.recipe_values import LearnedTask
from danlu.base.words import LANGUAGES, catalogue, language, say, speaking, use_language

SOURCES = sorted((Path(__file__).parents[2] / "src" / "danlu").rglob("*.py"))
SCRIPTS = sorted((Path(__file__).parents[2] / "src" / "danlu" / "view" / "page" / "assets").glob("*.js"))
CHINESE = re.compile(r"[\u3400-\u9fff]")
HALF_WIDTH_AFTER_CHINESE = re.compile(r"[\u3400-\u9fff](?:[,;!?]|:(?!//)|\.(?:\s|$))")

# Phrases that are the same signs in Chinese: names of measures and the like.
TECHNICAL = {"data.place-y", "view.metric-f1", "view.metric-r2"}
# Chinese words that belong in English sentences.
LOANED = ("丹炉",)

# Words that a catalogue may not hold, with what is said in their place: the terms of the field, in either language.
FORBIDDEN = {
    "en": {
        r"\bverbs?\b": "command",
        r"\bby heart\b": "overfit",
        r"\bspreads?\b": "standard deviation, std",
        r"\bamiss\b": "problem",
        r"\bbreaks\b(?! the graph)": "diverges",
        r"\blandscapes?\b": "loss surface",
        r"\bpictures?\b": "image",
        r"\bsure of wrong\b": "overconfident",
        r"\b(inputs|weights) (have|of) size\b": "root mean square, RMS",
        r"\bcries wolf\b": "false alarm",
        r"\bbelongs? into\b": "belongs in",
        r"\bwhoever\b": "anyone",
    },
    "zh": {
        "动词": "命令、子命令",
        "研究": "对比实验",
        "成员": "训练",
        "失控|崩溃": "发散",
        "成绩|打分|打一次分": "指标、结果、评估",
        "流水记录": "日志",
        "步子": "步长、学习率",
        "输入的?大小(?!写)": "均方根",
        "背下来": "过拟合",
        "图片": "图像",
        "办法": "对策",
        "地形": "损失曲面",
        "自第": "从第 N 步起",
        "水平": "取值",
        "被杀掉": "进程被强制终止",
        "瞎猜": "随机猜测",
        "走步": "更新",
        "登记": "注册",
    },
}
# What danlu draws is a picture; what it learns from is an image. A landscape and a spread stand in names of ours.
PICTURES = ("draw.", "figure.", "cli.help-draw", "cli.help-option-", "page.")
OUR_NAMES = re.compile(r"danlu\.landscape|draw\(landscape\)|picture\.svg")

# Where readers see numbers, a noun behind one that can be 1 chooses its form: {seeds:seed|seeds}.
COUNTED = re.compile(
    r"\{\w+(?::,)?\} (?:\w+ )?(seeds|steps|epochs|pairs|folds|rounds|trainings|trials|layers|rows|seconds|members)\b"
)
READ = ("page.", "view.", "figure.", "study.", "report.", "cure.", "search.", "play.", "claims.verdict")
# 32 seeds; two folds or more; beyond a limit.
NEVER_ONE = {"play.all-diverged", "study.more-folds-than-samples", "study.too-many", "study.too-many-seeds"}

Catalogue = Mapping[str, str]


def placeholders(phrase: str) -> set[str]:
    """The names in braces, without what follows them: {score.test:.3f} counts as score."""
    return {re.split(r"[.\[]", name)[0] for _, name, _, _ in string.Formatter().parse(phrase) if name is not None}


def differences(first: Catalogue, second: Catalogue) -> Iterator[str]:
    yield from (f"{id} stands in one catalogue only" for id in sorted(first.keys() ^ second.keys()))
    for id in sorted(first.keys() & second.keys()):
        if placeholders(first[id]) != placeholders(second[id]):
            yield f"{id} has not the same placeholders in both"


def not_english(phrases: Catalogue) -> Iterator[str]:
    for id, phrase in phrases.items():
        if CHINESE.search(re.sub("|".join(LOANED), "", phrase)):
            yield id


def not_chinese(phrases: Catalogue) -> Iterator[str]:
    """Phrases with Latin letters outside the placeholders and no Chinese sign, and half-width stops in Chinese text."""
    for id, phrase in phrases.items():
        bare = re.sub(r"\{[^{}]*\}", "", phrase)
        wordless = not re.search(r"[A-Za-z]", bare) or id in TECHNICAL
        if not (CHINESE.search(bare) or wordless) or HALF_WIDTH_AFTER_CHINESE.search(phrase):
            yield id


def missing(phrases: Catalogue, sources: Iterable[str]) -> Iterator[str]:
    for source in sources:
        for id, values in asks(source).calls:
            if id not in phrases:
                yield f"{id} stands in no catalogue"
            elif values is not None and not placeholders(phrases[id]) <= values:
                yield f"{id} is not given {', '.join(sorted(placeholders(phrases[id]) - values))}"
        for prefix in sorted(asks(source).prefixes):
            area = prefix.partition(".")[0]
            known_area = any(id.startswith(f"{area}.") for id in phrases)
            if known_area and not any(id.startswith(prefix) for id in phrases):
                yield f"{prefix}… stands in no catalogue"


def unasked(phrases: Catalogue, sources: Iterable[str]) -> Iterator[str]:
    found = [asks(source) for source in sources]
    written = {id for asked in found for id in asked.constants}
    built = tuple(prefix for asked in found for prefix in asked.prefixes)
    yield from (id for id in phrases if id not in written and not id.startswith(built))


def forbidden(phrases: Catalogue, language: str) -> Iterator[str]:
    """Phrases with a word that WORDS forbids, and what to say."""
    for id, phrase in phrases.items():
        bare = OUR_NAMES.sub("", re.sub(r"\{[^{}]*\}", "", phrase))
        for pattern, better in FORBIDDEN[language].items():
            found = re.search(pattern, bare, re.IGNORECASE)
            if found and not (better == "image" and id.startswith(PICTURES)):
                yield f"{id}: {found.group()!r}; say: {better}"


def uncounted(phrases: Catalogue) -> Iterator[str]:
    yield from (id for id, phrase in phrases.items() if id.startswith(READ) and COUNTED.search(phrase))


def read_sources() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in SOURCES]


def test_both_catalogues_say_the_same_things() -> None:
    assert list(differences(catalogue("en"), catalogue("zh"))) == []


@pytest.mark.parametrize("name", LANGUAGES)
def test_no_phrase_is_empty(name: str) -> None:
    phrases = catalogue(name)
    assert len(phrases) > 50
    assert [id for id, phrase in phrases.items() if not phrase.strip()] == []


def test_english_is_english_and_chinese_is_chinese() -> None:
    assert list(not_english(catalogue("en"))) == []
    assert list(not_chinese(catalogue("zh"))) == []


@pytest.mark.parametrize("name", LANGUAGES)
def test_the_terms_are_those_of_the_field(name: str) -> None:
    assert list(forbidden(catalogue(name), name)) == []


@pytest.mark.parametrize(
    ("language", "phrase"),
    [
        ("en", "danlu VERB: this verb takes one name"),
        ("en", "a batch learnt by heart"),
        ("en", "the column spreads by 3"),
        ("en", "all pictures look the same"),
        ("en", "the inputs have size 90"),
        ("zh", "没有这个动词"),
        ("zh", "这是一项研究"),
        ("zh", "成员之间无法共用批次"),
        ("zh", "训练开始失控"),
        ("zh", "查看成绩"),
        ("zh", "步子太大"),
        ("zh", "输入的大小约为 3"),
        ("zh", "自第 3 步起"),
        ("zh", "两个水平"),
    ],
)
def test_a_word_that_is_forbidden_is_seen(language: str, phrase: str) -> None:
    assert list(forbidden({"a.b": phrase}, language))


@pytest.mark.parametrize(
    ("language", "id", "phrase"),
    [
        ("en", "draw.a", "a picture of a net"),
        ("en", "a.b", "Draw it with danlu.draw(landscape)."),
        ("en", "a.b", "{verb} takes one name"),
        ("zh", "a.b", "文件大小为 3 字节"),
        ("zh", "a.b", "不区分输入大小写"),
    ],
)
def test_the_same_letters_in_another_sense_pass(language: str, id: str, phrase: str) -> None:
    assert list(forbidden({id: phrase}, language)) == []


def test_every_phrase_that_the_code_asks_for_exists_and_gets_its_values() -> None:
    assert list(missing(catalogue("en"), read_sources())) == []


def test_every_phrase_that_the_page_asks_for_exists() -> None:
    asked = {id for path in SCRIPTS for id in page_ids(path.read_text(encoding="utf-8"))}
    assert len(asked) > 10
    assert asked - catalogue("en").keys() == set()


def test_every_phrase_is_asked_for() -> None:
    scripts = [as_python(path.read_text(encoding="utf-8")) for path in SCRIPTS]
    assert list(unasked(catalogue("en"), [*read_sources(), *scripts])) == []


def test_what_a_script_asks_for_is_seen() -> None:
    script = 'danlu.say("runs"); danlu.say(dark ? "light" : "dark"); danlu.say(`state-${state}`);'
    phrases = {f"page.{name}": name for name in ("runs", "light", "state-done", "state")}
    assert page_ids(script) == {"page.runs"}
    assert list(unasked(phrases, [as_python(script)])) == ["page.state"]


def test_differences_are_seen() -> None:
    english = {"a.one": "{x} of {y:.2f}", "a.two": "two", "a.three": "3"}
    chinese = {"a.one": "{y} 之 {z}", "a.two": "二"}
    assert list(differences(english, chinese)) == [
        "a.three stands in one catalogue only",
        "a.one has not the same placeholders in both",
    ]


@pytest.mark.parametrize(
    "phrase",
    ["validation", "loss {loss}", "文件不存在, 请检查", "应为整数.", "应为: {x}", "磁盘已满! 请重试"],
)
def test_chinese_that_is_none_is_seen(phrase: str) -> None:
    assert list(not_chinese({"a.b": phrase})) == ["a.b"]


@pytest.mark.parametrize("phrase", ["{path}", "、", "{path} 第 {line} 行", "例如 optim.lr=0.05。", "丹炉：https://a.b"])
def test_chinese_that_is_one_passes(phrase: str) -> None:
    assert list(not_chinese({"a.b": phrase})) == []


def test_chinese_in_the_english_catalogue_is_seen() -> None:
    assert list(not_english({"a.b": "the disk is 满", "a.c": "danlu (丹炉)"})) == ["a.b"]


@pytest.mark.parametrize(
    ("source", "report"),
    [
        ('say("a.two")', "a.two stands in no catalogue"),
        ('fail("a.two", x=1)', "a.two stands in no catalogue"),
        ('raise UserError(Fault("a.two"))', "a.two stands in no catalogue"),
        ('self.faults.add("a.two")', "a.two stands in no catalogue"),
        ('say(f"a.none-{x}")', "a.none-… stands in no catalogue"),
        ('say("a.one")', "a.one is not given x"),
        ('Fault("a.one", {"y": 1})', "a.one is not given x"),
    ],
)
def test_a_phrase_that_is_missing_is_seen(source: str, report: str) -> None:
    assert list(missing({"a.one": "{x}"}, [source])) == [report]


@pytest.mark.parametrize(
    "source",
    ['say("a.one", x=1)', 'say("a.one", **values)', 'Fault("a.one", values)', 'names.add("b.c")', 'f"b.d-{x}"'],
)
def test_a_phrase_that_is_there_passes(source: str) -> None:
    assert list(missing({"a.one": "{x}"}, [source])) == []


def test_a_phrase_that_nobody_asks_for_is_seen() -> None:
    phrases = {"a.one": "1", "a.two": "2", "a.three": "3", "a.kind-x": "x", "a.kind": "y"}
    sources = ['say("a.one")', 'TABLE = {"key": "a.two"}', 'say(f"a.kind-{kind}")', "# a.three"]
    assert list(unasked(phrases, sources)) == ["a.three", "a.kind"]


def test_say_fills_the_placeholders_in_the_language_in_force() -> None:
    use_language("zh")
    assert say("base.did-you-mean", word="relu") == '您是不是想写 "relu"？'
    use_language("en")
    assert say("base.did-you-mean", word="relu") == ' Did you mean "relu"?'


def test_a_noun_behind_a_number_is_one_or_many() -> None:
    assert set(uncounted(catalogue("en"))) == NEVER_ONE
    assert list(uncounted({"page.a": "{n} more seeds", "page.b": "{n:,} {n:seed|seeds}", "page.c": "{n} seeds"})) == [
        "page.a",
        "page.c",
    ]


@pytest.mark.parametrize(
    ("count", "told"), [(1, "about 1 more seed"), (0, "about 0 more seeds"), (1234, "about 1,234 more seeds")]
)
def test_the_number_chooses_the_noun(count: int, told: str) -> None:
    use_language("en")
    assert say("figure.more-pairs", count=count) == told
    use_language("zh")
    assert f"{count:,}" in say("figure.more-pairs", count=count)


def test_a_phrase_that_does_not_exist_is_our_own_mistake() -> None:
    with pytest.raises(KeyError, match=r"base\.nothing"):
        say("base.nothing")


def test_without_a_choice_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    use_language(None)
    monkeypatch.setenv("DANLU_LANG", "zh_CN")
    assert language() == "zh"
    monkeypatch.setenv("DANLU_LANG", "fr")
    assert language() == "en"
    use_language("zh")
    assert language() == "zh"


def test_an_unknown_language_is_refused_and_changes_nothing() -> None:
    with pytest.raises(ValueError, match=r"one of .*'en', 'zh'.*got 'fr'"):
        use_language("fr")
    assert language() == "en"


# Words of a command that danlu proposes come from the user: a name with a blank in it has to be in quotes.
PROPOSED = re.compile(
    r"danlu (?!on )[a-z-]+ (?:--[a-z-]+ )*\{\w+\}|danlu [^\n：:]*?--(?:net|data|from|target|check) \{\w+\}"
)


@pytest.mark.parametrize("name", LANGUAGES)
def test_words_of_a_proposed_command_can_be_typed(name: str) -> None:
    assert [id for id, phrase in catalogue(name).items() if PROPOSED.search(phrase)] == []


def test_a_word_with_a_blank_is_proposed_in_quotes() -> None:
    with speaking("zh"):
        assert 'danlu fit "我的 数据.csv"' in say("cli.word-is-data", word="我的 数据.csv")
        assert "danlu fit 数据.csv" in say("cli.word-is-data", word="数据.csv")


@pytest.mark.parametrize(("name", "said"), [("en", "both mean the validation part"), ("zh", "都表示验证集")])
def test_parts_of_the_data_are_called_by_their_names(name: str, said: str) -> None:
    with speaking(name):
        assert said in say("data.two-folders-for-a-part", path="a", first="val", second="dev", part="validation")


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_task_has_a_name(name: str) -> None:
    tasks = {*get_args(LearnedTask), "language"} - {"auto"}
    assert {f"base.task-{task}" for task in tasks} <= catalogue(name).keys()
