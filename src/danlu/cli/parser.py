"""What can be typed: verbs, their arguments and their help, in the language in force.

argparse serves here rather than a library that reads signatures: all its texts can be given in either language, and
settings (`section.key=value`) are checked by the recipe itself, with the same words as in a file.
"""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from danlu.base.errors import Fault, Faults, fail, nearest
from danlu.base.setting_keys import known_keys
from danlu.base.words import LANGUAGES, say
from danlu.cli.full_width import refuse_full_width

_OF_OUTPUT = ("file", "out", "output", "to")
_SETTING = re.compile(r"--([a-z]+\.[\w.-]+)(?:=(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Option:
    """A named argument of a verb; without `value` it is a switch; `repeated` ones gather in a list."""

    name: str
    value: str | None = None
    repeated: bool = False

    @property
    def action(self) -> str:
        return "append" if self.repeated else "store" if self.value else "store_true"


@dataclass(frozen=True)
class Verb:
    """What a verb takes: usage line, options, and whether settings of a recipe may follow."""

    name: str
    usage: str
    options: tuple[Option, ...] = field(default=())
    settings: bool = False


_RECIPE_OPTIONS = (Option("data", "D"), Option("target", "COLUMN"), Option("net", "N"))
_NOTIFY = Option("notify", "CMD|URL")
_TOLD = (Option("track", "mlflow,wandb"), _NOTIFY)
_STUDY_OPTIONS = (
    Option("vary", "KEY=A,B,…", repeated=True),
    Option("search", "KEY=LOW..HIGH", repeated=True),
    Option("trainings", "64"),
    Option("minutes", "10"),
    *_RECIPE_OPTIONS,
    Option("seeds", "10"),
    Option("folds", "5"),
    Option("metric", "NAME"),
    Option("margin", "0.01"),
    Option("baselines", "A,B,…"),
    Option("folder", "FOLDER"),
    Option("share-order"),
    Option("jobs", "2"),
    Option("cluster", "ADDRESS"),
    Option("plan"),
    *_TOLD,
)
_CURE_OPTIONS = (
    Option("rule", "ID"),
    Option("apply"),
    Option("to", "FILE.toml"),
    Option("data", "D"),
    Option("seeds", "5"),
    Option("folds", "1"),
    Option("metric", "NAME"),
    Option("margin", "0.01"),
    Option("folder", "FOLDER"),
    Option("jobs", "2"),
    Option("cluster", "ADDRESS"),
    _NOTIFY,
)
_DRAW_OPTIONS = (
    Option("file", "FILE.svg"),
    Option("kind", "KIND"),
    Option("shape", "3x224x224"),
    Option("data", "D"),
    Option("boxes", "20"),
    Option("expression", '"…"'),
)
_RANGE_TEST_OPTIONS = (
    *_RECIPE_OPTIONS,
    Option("lowest", "1e-6"),
    Option("highest", "10"),
    Option("points", "48"),
    Option("steps", "60"),
)
_OWN_NET = Option("net", "FILE.py:NAME")
_PREDICT_OPTIONS = (Option("output", "answers.csv"), Option("top", "1"), Option("beam", "1"), _OWN_NET)
_GENERATE_OPTIONS = (Option("tokens", "200"), Option("temperature", "1.0"), Option("top-k", "K"), Option("seed", "0"))
_FIT_OPTIONS = (
    *_RECIPE_OPTIONS,
    Option("epochs", "+20"),
    Option("schedule", "extended|restarted"),
    Option("from", "RUN"),
    Option("folder", "FOLDER"),
    Option("name", "NAME"),
    *_TOLD,
)

VERBS = {
    verb.name: verb
    for verb in (
        Verb(
            "fit",
            "danlu fit [RECIPE.toml | DATA] [--target COLUMN] [--net N | --from RUN] [section.key=value ...]"
            " | RUN --epochs +20",
            _FIT_OPTIONS,
            settings=True,
        ),
        Verb(
            "compare",
            "danlu compare [RECIPE.toml | DATA] --vary section.key=a,b,c | --search section.key=low..high"
            " [--seeds 10] [--folds 5] [section.key=value ...]",
            _STUDY_OPTIONS,
            settings=True,
        ),
        Verb(
            "check",
            "danlu check [RECIPE.toml | DATA | RUN | model.onnx] [--target COLUMN] [--net N] [section.key=value ...]",
            _RECIPE_OPTIONS,
            settings=True,
        ),
        Verb("cure", "danlu cure RUN [--apply] [--seeds 5]", _CURE_OPTIONS),
        Verb(
            "lr-find",
            "danlu lr-find [RECIPE.toml | DATA] [--target COLUMN] [--net N] [--points 48] [--steps 60]"
            " [section.key=value ...]",
            _RANGE_TEST_OPTIONS,
            settings=True,
        ),
        Verb(
            "resume",
            "danlu resume RUN [--data D] [data.root=FOLDER]",
            (
                Option("data", "D"),
                Option("more-seeds", "5"),
                Option("jobs", "2"),
                Option("cluster", "ADDRESS"),
                _NOTIFY,
                _OWN_NET,
            ),
        ),
        Verb("show", "danlu show [RUN]"),
        Verb(
            "runs",
            'danlu runs [FOLDER] [--where "optim.lr > 0.01 and finding = none"] [--sort=-accuracy]',
            (Option("where", '"…"'), Option("sort", "COLUMN")),
        ),
        Verb(
            "run",
            "danlu run [--folder FOLDER] [--json] SCRIPT.py|-m MODULE [ARGUMENT ...]",
            (Option("folder", "FOLDER"),),
        ),
        Verb("import", "danlu import RUNS… [--folder FOLDER]", (Option("folder", "FOLDER"),)),
        Verb("watch-log", "danlu watch-log [RUN] [--follow] [--json]", (Option("follow"),)),
        Verb("package", "danlu package RUN [--data D]", (Option("data", "D"),)),
        Verb("predict", "danlu predict RUN|model.onnx FILES… [--output answers.csv] [--top 3]", _PREDICT_OPTIONS),
        Verb(
            "generate", 'danlu generate RUN "TEXT" [--tokens 200] [--temperature 0.8] [--top-k 20]', _GENERATE_OPTIONS
        ),
        Verb("export", "danlu export RUN model.onnx [--raw]", (Option("raw"), _OWN_NET)),
        Verb(
            "view",
            "danlu view [FOLDER] [--host 127.0.0.1] [--port 8765] [--no-browser] [--read-only]",
            (Option("host", "ADDRESS"), Option("port", "8765"), Option("no-browser"), Option("read-only")),
        ),
        Verb(
            "try",
            "danlu try RUN [--host 127.0.0.1] [--port 8765] [--no-browser]",
            (Option("host", "ADDRESS"), Option("port", "8765"), Option("no-browser"), _OWN_NET),
        ),
        Verb(
            "report",
            "danlu report STUDY|RUN … [--notes notes.md] [--out report.html]",
            (Option("notes", "notes.md"), Option("out", "report.html")),
        ),
        Verb(
            "play",
            "danlu play [SHAPE | TABLE] [--target COLUMN] [--columns A,B] [--host 127.0.0.1] [--port 8765]"
            " [--no-browser]",
            (
                Option("target", "COLUMN"),
                Option("columns", "A,B"),
                Option("host", "ADDRESS"),
                Option("port", "8765"),
                Option("no-browser"),
            ),
        ),
        Verb(
            "data",
            "danlu data [NAME] [--target COLUMN] [data.key=value ...]",
            (Option("target", "COLUMN"),),
            settings=True,
        ),
        Verb("nets", "danlu nets [NAME]"),
        Verb("rules", "danlu rules [ID]"),
        Verb(
            "claims",
            "danlu claims [ID|FILE.toml|FOLDER] [--data D] [--net N] [--seeds N] [--margin M] [--plan] [--guess] "
            "[--book FILE.html] | --all | new FILE.toml",
            (
                *_RECIPE_OPTIONS,
                Option("seeds", "10"),
                Option("margin", "0.01"),
                Option("plan"),
                Option("all"),
                Option("book", "FILE.html"),
                Option("guess"),
                Option("cluster", "ADDRESS"),
            ),
        ),
        Verb(
            "exercise",
            "danlu exercise [ID] [--level 1] | ID --hint | --check FILE.py | --list",
            (Option("level", "1"), Option("hint"), Option("check", "FILE.py"), Option("list")),
        ),
        Verb(
            "draw",
            'danlu draw NET|ACTIVATION|RUN|STUDY [--file F.svg] [net.key=value ...] | --expression "…"'
            " [name=value ...]",
            _DRAW_OPTIONS,
            settings=True,
        ),
    )
}


# What people type for what has another name here.
INSTEAD = {
    "train": "danlu fit",
    "search": "danlu compare --search optim.lr=1e-4..1",
    "landscape": "danlu draw RUN --kind surface",
    "plot": "danlu draw RUN",
    "evaluate": "danlu predict RUN FILE",
    "test": "danlu predict RUN FILE",
    "list": "danlu runs",
}


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def add_usage(self, usage, actions, groups, prefix=None):  # type: ignore[no-untyped-def]
        super().add_usage(usage, actions, groups, say("cli.usage"))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        fail("cli.bad-arguments", verb=self.prog, reason=message, usage=self.usage)

    def format_help(self) -> str:
        """argparse puts a colon of its own behind a heading, which in Chinese is the wrong one."""
        return super().format_help().replace(say("cli.options") + ":", say("cli.options"))


def take_language(tokens: Sequence[str]) -> tuple[str | None, list[str]]:
    """The language named by --lang, wherever it stands, and the other tokens.

    >>> take_language(["show", "--lang", "zh"])
    ('zh', ['show'])
    """
    language, rest = None, list[str]()
    waiting = False
    for token in tokens:
        if waiting or token.startswith("--lang="):
            language = token.removeprefix("--lang=")
            waiting = False
        elif token == "--lang":
            waiting = True
        else:
            rest.append(token)
    if waiting or (language is not None and language not in LANGUAGES):
        fail("cli.unknown-language", found=language or "", languages=", ".join(LANGUAGES))
    return language, rest


def split_script(tokens: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words that are danlu's own, and those of a program that `danlu run` is given, which are left as they are.

    >>> split_script(["run", "--lang", "zh", "train.py", "--json"])
    (['run', '--lang', 'zh'], ['train.py', '--json'])
    >>> split_script(["show", "--json"])
    (['show', '--json'], [])
    """
    waiting, running = False, False
    for place, token in enumerate(tokens):
        if waiting:
            waiting = False
        elif running and (token == "-m" or not token.startswith("-")):
            return list(tokens[:place]), list(tokens[place:])
        elif token.startswith("-"):
            waiting = token == "--lang" or (running and token == "--folder")
        elif token == "run":
            running = True
        else:
            break
    return list(tokens), []


def parse(verb: Verb, tokens: Sequence[str]) -> argparse.Namespace:
    """The verb's arguments; `words` holds the ones that are no option. Raises UserError."""
    parser = verb_parser(verb)
    refuse_full_width(tokens, [*(option.name for option in verb.options), "json", "help"])
    plain, settings = _split_settings(tokens)
    try:
        arguments, unknown = parser.parse_known_intermixed_args(plain)
    except argparse.ArgumentError as error:
        if error.argument_name in ("--json", "-h/--help"):
            fail("cli.option-takes-no-value", option=error.argument_name)
        fail("cli.option-needs-value", option=error.argument_name, usage=verb.usage)
    _refuse_options(verb, unknown, plain)
    arguments.words += unknown + settings
    return arguments


def verb_parser(verb: Verb) -> argparse.ArgumentParser:
    """The parser of one verb, which also prints its help."""
    parser = _Parser(
        prog=f"danlu {verb.name}",
        usage=verb.usage,
        description=say(f"cli.help-{verb.name}"),
        formatter_class=_Formatter,
        add_help=False,
        allow_abbrev=False,
        exit_on_error=False,
    )
    parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)
    group = parser.add_argument_group(say("cli.options"))
    for option in verb.options:
        told: dict[str, Any] = {"help": say(f"cli.help-option-{option.name}"), "action": option.action}
        if option.value:
            told["metavar"] = option.value
        group.add_argument(f"--{option.name}", **told)
    group.add_argument("--json", action="store_true", help=say("cli.help-option-json"))
    group.add_argument("--lang", metavar="en|zh", help=say("cli.help-option-lang"))
    group.add_argument("-h", "--help", action="store_true", help=say("cli.help-option-help"))
    return parser


def overview() -> str:
    """The help of `danlu` alone: what it is, and its verbs."""
    width = max(map(len, VERBS)) + 2
    lines = [f"  {verb.name:{width}}{say(f'cli.line-{verb.name}')}" for verb in VERBS.values()]
    return "\n".join([say("cli.overview"), *lines, "", say("cli.overview-end")])


def _refuse_options(verb: Verb, unknown: Sequence[str], tokens: Sequence[str]) -> None:
    """UserError with every option there is not; one that is a setting is told how settings are written."""
    faults = Faults()
    known = [option.name for option in verb.options] + ["json", "lang", "help"]
    for token in unknown:
        if not token.startswith("-"):
            continue
        option, _, value = token.partition("=")
        word = option.lstrip("-")
        key = word.replace("-", "_")
        homes = [f"{section}.{key}" for section, keys in known_keys().items() if key in keys]
        if homes and verb.settings and not _same_purpose(word, known):
            following = tokens[tokens.index(token) + 1 :]
            shown = value or next((later for later in following[:1] if not later.startswith("-")), "…")
            faults.add("cli.option-is-setting", option=option, setting=f"{homes[-1]}={shown}")
        else:
            hint = _same_purpose(word, known) or nearest(word, known)
            if isinstance(hint, Fault):
                hint = Fault(hint.id, {"word": f"--{hint.values['word']}"})
            faults.add("cli.unknown-option", option=option, usage=verb.usage, hint=hint)
    faults.raise_if_any()


def _same_purpose(word: str, known: Sequence[str]) -> Fault | str:
    """The hint at the option that says where a result goes, which is called otherwise with other commands."""
    there = [name for name in known if name in _OF_OUTPUT]
    return Fault("base.did-you-mean", {"word": there[0]}) if word in _OF_OUTPUT and there else ""


def _split_settings(tokens: Sequence[str]) -> tuple[list[str], list[str]]:
    """`--section.key value` and `--section.key=value` become `section.key=value`."""
    plain, settings = list[str](), list[str]()
    waiting = ""
    for token in tokens:
        match = _SETTING.fullmatch(token)
        if waiting:
            settings.append(f"{waiting}={token}")
            waiting = ""
        elif match and match.group(2) is None:
            waiting = match.group(1)
        elif match:
            settings.append(f"{match.group(1)}={match.group(2)}")
        else:
            plain.append(token)
    if waiting:
        fail("cli.setting-needs-value", key=waiting)
    return plain, settings
