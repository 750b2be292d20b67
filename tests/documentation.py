"""README and docs/ as tests read them: pages in two languages, their blocks, and what a command is said to print.

A block is known by the word behind its fence:

    python, sh   code, run from the top of its page to the bottom in one folder; Python that begins with
                 `# NAME.py` becomes that file, for the code below it
    text         what the code before it prints; a line of … stands for any number of lines
    toml         a recipe; one that begins with `# NAME.toml` becomes that file, for the code below it
    bat          the commands that install on Windows, compared with the Makefile
    (nothing)    neither code nor output, such as the contents of a folder
"""

import difflib
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
DOCS = CHECKOUT / "docs"
CHINESE_NAME = ".zh-CN.md"
KINDS = ("python", "sh", "text", "toml", "bat", "")
GAPS = ("…", "……")

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_NUMBER = re.compile(r"[-+]?\d[\d,.:]*(?:e[-+]?\d+)?")
_NAME_END = re.compile(r"-[0-9a-f]{4}\b")


@dataclass(frozen=True)
class Block:
    """One fenced block; `line` is that of its first line in the page, from 1."""

    kind: str
    text: str
    line: int

    @property
    def bare(self) -> str:
        """The code without comments, which are in the page's language."""
        if self.kind == "python":
            return _without_comments(self.text)
        return re.sub(r"(?m)(^|\s+)#.*$", "", self.text).strip()


@dataclass(frozen=True)
class Page:
    """A Markdown file of the repository."""

    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @property
    def name(self) -> str:
        return self.path.relative_to(CHECKOUT).as_posix()

    @property
    def chinese(self) -> bool:
        return self.path.name.endswith(CHINESE_NAME)

    @property
    def language(self) -> str:
        return "zh" if self.chinese else "en"

    @property
    def twin(self) -> "Page":
        """The same page in the other language, whether or not it is there."""
        stem = self.path.name.removesuffix(CHINESE_NAME if self.chinese else ".md")
        return Page(self.path.with_name(stem + (".md" if self.chinese else CHINESE_NAME)))

    @property
    def blocks(self) -> list[Block]:
        text = self.text
        return [
            Block(match[2], re.sub(rf"(?m)^{match[1]}", "", match[3]), text.count("\n", 0, match.start(3)) + 1)
            for match in _FENCE.finditer(text)
        ]

    @property
    def prose(self) -> str:
        """The page without its blocks."""
        return _FENCE.sub("", self.text)

    @property
    def inline(self) -> list[str]:
        """What stands between backticks in prose and tables."""
        return [code.replace(r"\|", "|") for code in _INLINE.findall(self.prose)]

    @property
    def tables(self) -> Iterator[list[int]]:
        """For each table the number of cells of its rows."""
        rows = list[int]()
        for line in [*self.prose.splitlines(), ""]:
            if line.startswith("|"):
                rows.append(len(re.findall(r"(?<!\\)\|", line)) - 1)
            elif rows:
                yield rows
                rows = []

    @property
    def commands_in_tables(self) -> list[str]:
        """Those in the first column."""
        cells = [line.split("|")[1] for line in self.prose.splitlines() if line.startswith("|")]
        return [code for cell in cells for code in _INLINE.findall(cell) if code.startswith("danlu ")]

    @property
    def links(self) -> list[str]:
        """The targets of links and pictures within the repository."""
        targets = re.findall(r"\]\(([^)\s]+)\)", _INLINE.sub("", self.prose))
        return [target for target in targets if not re.match(r"[a-z]+:", target)]

    @property
    def anchors(self) -> set[str]:
        """The fragments by which its headings are linked to."""
        headings = re.findall(r"(?m)^#+ (.+)$", self.prose)
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def pages() -> list[Page]:
    """README and all of docs/, both languages."""
    readmes = [CHECKOUT / "README.md", CHECKOUT / f"README{CHINESE_NAME}"]
    return [Page(path) for path in [*readmes, *sorted(DOCS.glob("*.md"))]]


def name_of(page: object) -> str | None:
    """The name of a test's page, for pytest."""
    return page.name if isinstance(page, Page) else None


def masked(line: str) -> str:
    """A line of output with what differs between machines left out: numbers, the end of a made-up name, padding.

    >>> masked("epoch 1/5  loss 1.12e-3  in runs/mlp-digits-3f2a")
    'epoch #/# loss # in runs/mlp-digits-#'
    """
    return " ".join(_NUMBER.sub("#", _NAME_END.sub("-#", line)).split())


def missing_from(printed: str, promised: str) -> str:
    """What of the promised output was not printed, as a message; empty where all of it was, in its order."""
    found = [line for line in map(masked, printed.splitlines()) if line]
    wanted = [line for line in map(masked, promised.splitlines()) if line]
    told = "".join(f"{line}\n" for line in found)
    pattern = ""
    for line in wanted:
        pattern += r"(?:.*\n)*?" if line in GAPS else re.escape(f"{line}\n")
        if not re.match(pattern, told):
            near = difflib.get_close_matches(line, found, 1, 0.3)
            return f"not printed here: {line}\nnearest:          {near[0] if near else '–'}"
    return "" if re.fullmatch(pattern, told) else f"more was printed than the page shows; it ends with: {found[-1]}"


def _without_comments(code: str) -> str:
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    kept = [token.string for token in tokens if token.type not in (tokenize.COMMENT, tokenize.NL)]
    return " ".join(kept)
