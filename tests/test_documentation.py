"""README and docs/: both languages hold the same, links lead somewhere, and what is named exists."""

import functools
import re
import shlex
import tomllib
from collections.abc import Callable

import pytest

import danlu
from danlu.base.errors import UserError
from danlu.base.recipe import SECTIONS
from danlu.base.recipe_text import RecipeDraft
from danlu.base.setting_keys import known_keys
from danlu.cli.parser import VERBS, parse
from documentation import CHECKOUT, DOCS, KINDS, Page, masked, missing_from, name_of, pages

PAGES = pages()
ENGLISH = [page for page in PAGES if not page.chinese]
MAKEFILE = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
README_LINES = 160
FILE = re.compile(r"\.(csv|txt)$")  # train.csv is no key of the section train
SETTING = re.compile(rf"(--vary )?(\"?)({'|'.join(SECTIONS)})\.(\w+)(?: ?= ?(.*?))?\2")


def test_every_page_is_there_in_both_languages() -> None:
    lonely = [page.name for page in PAGES if not page.twin.path.is_file()]
    assert not lonely, f"without the other language: {lonely}"
    assert len(ENGLISH) > 1


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_links_to_itself_in_the_other_language(page: Page) -> None:
    opening = page.text.split("\n\n")[:2]
    assert any(f"({page.twin.path.name})" in part for part in opening)


@pytest.mark.parametrize("page", ENGLISH, ids=name_of)
def test_both_languages_have_the_same_blocks(page: Page) -> None:
    ours, theirs = ([(block.kind, block) for block in one.blocks] for one in (page, page.twin))
    assert [kind for kind, _ in ours] == [kind for kind, _ in theirs]
    for (kind, here), (_, there) in zip(ours, theirs, strict=True):
        if kind not in ("text", ""):
            assert here.bare == there.bare, f"{page.name}, line {here.line}"


@pytest.mark.parametrize("page", ENGLISH, ids=name_of)
def test_both_languages_have_the_same_headings_tables_and_links(page: Page) -> None:
    def outline(one: Page) -> dict[str, object]:
        targets = [link.partition("#")[0].replace(".zh-CN", "") for link in one.links]
        return {
            "headings": re.findall(r"(?m)^#+(?= )", one.prose),
            "tables": [*one.tables],
            "links": sorted(set(targets)),
        }

    assert outline(page) == outline(page.twin)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Page) -> None:
    for link in page.links:
        path, _, anchor = link.partition("#")
        target = Page((page.path.parent / path).resolve() if path else page.path)
        assert target.path.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in target.anchors, f"{page.name}: {link}; there are {sorted(target.anchors)}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_chinese_page_links_to_chinese_pages(page: Page) -> None:
    for link in page.links:
        target = Page((page.path.parent / link.partition("#")[0]).resolve())
        if target in PAGES and target != page.twin:
            assert target.chinese == page.chinese, f"{page.name}: {link}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_rows_of_a_table_have_as_many_cells_as_its_head(page: Page) -> None:
    for cells in page.tables:
        assert len(set(cells)) == 1, f"{page.name}: a table with rows of {sorted(set(cells))} cells"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_are_of_a_known_kind(page: Page) -> None:
    assert page.text.count("```") == 2 * len(page.blocks), "a fence that is not closed, or within a line"
    for before, block in zip([None, *page.blocks], page.blocks, strict=False):
        assert block.kind in KINDS, f"{page.name}, line {block.line}: {block.kind}"
        if block.kind == "text":
            assert before is not None and before.kind in ("python", "sh"), f"{page.name}, line {block.line}: of what?"
        if block.kind == "":
            assert not re.search(r"(?m)^\s*(\$|>>>|danlu |import )", block.text), f"{page.name}, line {block.line}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_stands_in_the_text_exists(page: Page) -> None:
    """Commands are parsed with their options, and names of the package looked up."""
    for code in page.inline:
        if re.fullmatch(r"danlu\.[\w.]+(\(.*)?", code):
            functools.reduce(getattr, code.partition("(")[0].split(".")[1:], danlu)
        elif code.startswith("danlu "):
            words = shlex.split(code)[1:]
            assert words[0] in VERBS or words[0].startswith("--"), f"{page.name}: {code}"
            if words[0] in VERBS:
                parse(VERBS[words[0]], words[1:])
        elif (setting := SETTING.fullmatch(code)) and not FILE.search(code):
            vary, _, section, key, value = setting.groups()
            known = [*known_keys()[section], *(vars(danlu.Watch) if section == "watch" else ())]
            assert section == "net" or key in known, f"{page.name}: {code}"
            if value and not vary and ".." not in value and "…" not in value:
                draft = RecipeDraft()
                draft.read_words([f"{section}.{key}={value}"])
                draft.recipe()
    lines = [line for block in page.blocks if block.kind == "sh" for line in block.text.splitlines()]
    for code in [*page.inline, *lines]:
        if code.startswith("make "):
            assert re.search(rf"(?m)^{code.split()[1]}:", MAKEFILE), f"{page.name}: {code}"


def test_the_readme_is_short() -> None:
    for page in PAGES[:2]:
        assert len(page.text.splitlines()) <= README_LINES


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set[str](), [PAGES[0].name, PAGES[1].name]
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        page = Page(CHECKOUT / name)
        linked = [(page.path.parent / link.partition("#")[0]).resolve() for link in page.links]
        waiting += [path.relative_to(CHECKOUT).as_posix() for path in linked if path.suffix == ".md"]
    assert {page.name for page in PAGES} <= reached


def test_pictures_are_shown_somewhere() -> None:
    shown = {(page.path.parent / link).resolve() for page in PAGES for link in page.links}
    pictures = {path.resolve() for path in DOCS.iterdir() if path.suffix in (".svg", ".png")}
    assert pictures <= shown


def test_the_pip_commands_install_what_make_does() -> None:
    whole = re.search(r"(?m)^WHOLE := -e '(.*)'$", MAKEFILE)
    assert whole
    for page in PAGES[:2]:
        lines = [line for block in page.blocks if block.kind == "bat" for line in block.text.splitlines()]
        installed = [line.split(" install ")[1] for line in lines if " install " in line]
        assert installed == ["-c constraints.txt torch", f'-c constraints.txt -e "{whole[1]}"']


def test_extras_that_are_named_exist() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for page in PAGES:
        for named in re.findall(r"-e [\"']?\.\[([\w,]+)\]", page.text):
            assert set(named.split(",")) <= set(project["optional-dependencies"]), page.name


BROKEN: list[tuple[str, Callable[[Page], None], str]] = [
    ("[nowhere](docs/nowhere.md)", test_links_lead_somewhere, "nowhere"),
    ("# Elsewhere\n\n[here](#there)", test_links_lead_somewhere, "#there; there are"),
    ("| a | b |\n|---|---|\n| c |", test_rows_of_a_table_have_as_many_cells_as_its_head, "rows of"),
    ("```\ndanlu fit\n```", test_blocks_are_of_a_known_kind, "line 2"),
    ("```text\nepoch 1\n```", test_blocks_are_of_a_known_kind, "of what"),
    ("```bash\nls\n```", test_blocks_are_of_a_known_kind, "bash"),
    ("type `danlu brew`", test_what_stands_in_the_text_exists, "danlu brew"),
    ("type `danlu fit --pace 3`", test_what_stands_in_the_text_exists, "--pace"),
    ("call `danlu.brew(net)`", test_what_stands_in_the_text_exists, "no attribute 'brew'"),
    ("set `train.pace=3`", test_what_stands_in_the_text_exists, "train.pace"),
    ("set `train.epochs=many`", test_what_stands_in_the_text_exists, "train.epochs"),
    ("type `make elixir`", test_what_stands_in_the_text_exists, "make elixir"),
]


@pytest.mark.parametrize(("text", "test", "told"), BROKEN, ids=[told for _, _, told in BROKEN])
def test_what_is_wrong_with_a_page_is_seen(
    text: str, test: Callable[[Page], None], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Page, "text", text)
    with pytest.raises((AssertionError, AttributeError, UserError), match=re.escape(told)):
        test(Page(CHECKOUT / "README.md"))


def test_output_is_compared_without_its_numbers() -> None:
    printed = "loss 0.25\nrun: runs/mlp-digits-3f2a\nepoch 1/5\nepoch 2/5\ndone in 3.1 s\n"
    assert masked("loss -1.5e-3   |  x") == "loss # | x"
    assert not missing_from(printed, "loss 0.5\n…\nepoch 9/9\ndone in 1 s")
    assert "not printed here: accuracy #" in missing_from(printed, "loss 0.5\naccuracy 0.9\n…")
    assert "not printed here: epoch #/#" in missing_from(printed, "loss 0.5\nepoch 1/5\n…")
    assert "ends with: done in # s" in missing_from(printed, "…\nepoch 1/5\nepoch 2/5")
