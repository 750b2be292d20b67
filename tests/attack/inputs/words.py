"""Command lines and recipes: absurd numbers in every option and every key, options that are none, nested and huge TOML."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import danlu
from attack.inputs.case import Case
from danlu.base.errors import Fault, UserError
from danlu.base.setting_keys import known_keys
from danlu.cli.main import main
from danlu.cli.parser import VERBS

LINES, SETTINGS, RECIPES = "command lines", "settings", "recipes"
VALUES = [
    "nan",
    "inf",
    "-1",
    "0",
    "1e308",
    "1" + "0" * 30,
    "",
    "x",
    "true",
    "[]",
    "[1, 2]",
    "{}",
    "\x1b[31m",
    "é中",
    "-0",
    "1e-320",
]
QUICK = ("fit", "--data", "iris", "--net", "mlp", "train.epochs=1", "net.hidden=[4]", "--folder", "run")
SMALL = ("--data", "iris", "--net", "softmax-regression")
# What does not end by itself, or reaches out of its folder.
SPARED = {"view", "try", "play"}


def typed(family: str, name: str, words: Sequence[str], prepare: Callable[[Path], Any] | None = None) -> Case:
    """A command line: it does what it says (0, 1 or 3), or is refused (2) in sentences, with nothing left behind."""

    def act(place: Path) -> list[str]:
        if prepare:
            prepare(place)
        before = sorted(path.name for path in place.iterdir())
        code = main(list(words))
        told = place.with_name(f"{place.name}.printed").read_text(errors="replace")
        if "Traceback" in told:
            raise AssertionError(f"a traceback was printed: {told[-300:]}")
        if code == 2:
            after = sorted(path.name for path in place.iterdir())
            if "✖" not in told:
                raise AssertionError(f"refused without a word: {told[:200]!r}")
            if after != before:
                return [f"refused, and left {after}"]
            raise UserError(Fault("cli.interrupted-before"))
        if code not in (0, 1, 3):
            raise AssertionError(f"exit code {code}")
        if "\x1b[31m" in told:
            return ["an escape sequence was printed"]
        return []

    return Case(family, name, act)


def settings() -> Iterator[Case]:
    for section, keys in known_keys().items():
        for number, key in enumerate([*keys, "nonsense", "hidden"] if section == "net" else [*keys, "nonsense"]):
            for value in VALUES[number % 3 :: 3]:  # a third of them for each, in turn
                word = f"{section}.{key}={value}"
                yield typed(SETTINGS, ascii(word), [*QUICK, word])


def options() -> Iterator[Case]:
    run = lambda place: danlu.fit("softmax-regression", "iris", epochs=1, folder=place / "r", progress=False)  # noqa: E731
    needed = {
        "fit": ["iris", "train.epochs=1"], "compare": ["iris", "--net", "softmax-regression", "train.epochs=1", "--vary", "lr=0.1,0.2", "--seeds", "1"],
        "check": ["iris", "--net", "softmax-regression"], "cure": ["r"], "lr-find": ["iris", "--net", "softmax-regression", "--points", "8", "--steps", "8"],
        "resume": ["r"], "show": ["r"], "data": ["iris"], "nets": ["mlp"], "draw": ["mlp"], "rules": [],
        "predict": ["r", "r/recipe.toml"], "generate": ["r", "the"],
        "package": ["r"], "export": ["r", "m.onnx"], "claims": ["linear-layers-collapse"],
        "exercise": [], "run": ["nowhere.py"], "watch-log": ["r"], "runs": [], "import": ["nowhere.csv"],
        "report": ["r"],
    }  # fmt: skip
    for name, verb in VERBS.items():
        if name in SPARED:
            continue
        first = run if "r" in needed[name] else None
        for option in verb.options:
            for value in VALUES if option.value else [""]:
                words = [name, *needed[name], f"--{option.name}", *([value] if option.value else [])]
                yield typed(LINES, ascii(" ".join(words[:1] + words[-2:])), words, first)
        if name not in ("fit", "check"):  # these would train what danlu trains where nothing is said
            yield typed(LINES, f"{name} alone", [name])
        yield typed(LINES, f"{name} with what is not there", [name, "nowhere/nothing"])
        yield typed(LINES, f"{name} with a long word", [name, "w" * 5000])
        yield typed(LINES, f"{name} with a zero byte", [name, "a\0b"])
        yield typed(LINES, f"{name} with a surrogate", [name, "a\udc80"])
        yield typed(LINES, f"{name} --help", [name, "--help"])
        yield typed(
            LINES,
            f"{name} with every option twice",
            [name, *[word for option in verb.options for word in 2 * [f"--{option.name}", "1"]]],
        )


WORDS: list[list[str]] = [
    [], [""], ["-"], ["--"], ["---"], ["--lang"], ["--lang", "fr"], ["--lang", "zh"], ["--json"], ["--json", "--json"],
    ["--version", "--json"], ["help", "help"], ["help", "fit", "--json"], ["fit", "--json=1"], ["fit", "-h", "--lang", "zh"],
    ["fti"], ["fit" * 500], ["fit", "="], ["fit", "=1"], ["fit", "a.b=c"], ["fit", "optim.lr="], ["fit", "optim.lr"],
    ["fit", "optim..lr=1"], ["fit", "--optim.lr"], ["fit", "--optim.lr=0.1=0.2"], ["fit", "optim.lr=0.1", "optim.lr=0.2", "--folder", "run", "train.epochs=1"],
    ["fit", "iris", "digits"], ["fit", "--data", "iris", "--data", "digits", "--folder", "run", "train.epochs=1"],
    ["fit", "--folder", "/proc/nothing"], ["fit", "--folder", "/dev/null"], ["fit", "--folder", "a\0b"], ["fit", "--folder", "f" * 300],
    ["fit", "--name", "../up"], ["fit", "--name", "."], ["fit", "--name", "CON"], ["fit", "--name", "n" * 300], ["fit", "--name", "\x1b[31m"],
    ["show", "/"], ["show", "/dev/zero"], ["resume", "/etc"], ["resume", "."], ["cure", "."],
    ["compare", "iris"], ["compare", "iris", "--vary", "lr"], ["compare", "iris", "--vary", "lr=" + ",".join(["0.1"] * 3000)],
    ["compare", "iris", "--vary", "lr=0.1,nan"], ["compare", "iris", "--vary", "net=mlp,nope"], ["compare", "iris", "--search", "lr=1..0"],
    ["compare", "iris", "--search", "lr=nan..1"], ["compare", "iris", "--search", "lr=0.1..inf"], ["compare", "iris", "--search", "lr=log:0..1"],
    ["compare", "iris", "--search", "net=1..2"], ["compare", "iris", "--search", "lr=0.1..1", "--trainings", "1e12"],
    ["compare", "iris", "--vary", "lr=0.1,0.2", "--seeds", "1e12"], ["compare", "iris", "--vary", "lr=0.1,0.2", "--folds", "1e12"],
    ["lr-find", "iris", "--points", "1e9"], ["lr-find", "iris", "--steps", "1e12"], ["lr-find", "iris", "--lowest", "nan"],
    ["fit", "iris", "train.epochs=1e12"], ["fit", "iris", "train.epochs=" + "9" * 400], ["fit", "iris", "net.hidden=[1000000000]"],
    ["fit", "iris", "net.hidden=" + str([4] * 300).replace(" ", ""), "--folder", "run", "train.epochs=1"], ["fit", "iris", "train.batch_size=1000000000000", "--folder", "run", "train.epochs=1"],
    ["draw", "mlp", "--shape", "99999999x99999999"], ["draw", "mlp", "--shape", "0"], ["draw", "mlp", "--file", "/proc/x.svg"],
    ["draw", "mlp", "--boxes", "1e12"], ["draw", "--expression", "(" * 5000], ["draw", "--expression", "__import__('os')"],
    ["draw", "--expression", "9**9**9**9"], ["draw", "--expression", "x" * 100_000], ["nets", "__class__"], ["data", "__class__"],
    ["play", "nowhere.csv"], ["play", "moons", "--columns", "x,y"], ["play", "iris", "--columns", "nope,nope"],
    ["play", "iris", "--columns", ""], ["play", "digits"], ["play", "moons", "--port", "1e12"], ["play", "moons", "spiral"],
    ["data", "../../etc/passwd"], ["data", "iris", "optim.lr=1"],
]  # fmt: skip

TOML: dict[str, bytes] = {
    "nothing": b"",
    "a zero byte": b"[train]\nepochs = 1\0",
    "brackets": b"a=" + b"[" * 5000 + b"]" * 5000,
    "tables in tables": b"[" + b".".join([b"a"] * 5000) + b"]",
    "digits": b"[train]\nseed=" + b"9" * 5000,
    "a huge line": b"a='" + b"x" * 10**7 + b"'",
    "not UTF-8": b"[train]\nepochs = 1 # \xff",
    "UTF-16": "[train]\nepochs = 1".encode("utf-16"),
    "a mark": b"\xef\xbb\xbf[train]\nepochs = 1",
    "JSON": b'{"train": {"epochs": 1}}',
    "a key twice": b"[train]\nepochs = 1\nepochs = 2",
    "a section twice": b"[train]\nepochs = 1\n[train]\nseed = 2",
    "a section as a number": b"train = 3",
    "a section as a list": b"[[train]]\nepochs = 1",
    "a key as a table": b"[train.epochs]\na = 1",
    "dates": b"[train]\nepochs = 2024-01-01",
    "times": b"[optim]\nlr = 07:32:00",
    "nan": b"[optim]\nlr = nan",
    "inf": b"[optim]\nlr = inf",
    "hexadecimal": b"[train]\nepochs = 0x1",
    "a path of NUL": b'[data]\npath = "a\\u0000b"',
    "a path of /dev/zero": b'[data]\npath = "/dev/zero"',
    "weights of /dev/zero": b'[net]\nname = "mlp"\nweights = "/dev/zero"',
    "a fold that is none": b"[data]\nfold = [5, 3]",
    "a fold of three": b"[data]\nfold = [1, 2, 3]",
    "an augmentation that is none": b'[data]\naugment = ["explode:9"]',
    "rates that are none": b'[optim]\nrates = ["layer4", ":", "a:b"]',
    "silence of no rule": b'[watch]\nsilence = ["nothing"]',
    "thresholds that are none": b"[watch]\ndead-relu.share = nan",
    "thresholds of thresholds": b"[watch]\ndead-relu.share.more = 1",
    "escapes in a key": b'[train]\n"\\u001b[31m" = 1',
    "escapes in a value": b'[net]\nname = "\\u001b[31m"',
    "prototype": b'[__proto__]\na = 1\n["__class__"]\nb = 2',
}


def recipes() -> Iterator[Case]:
    for name, content in TOML.items():
        yield typed(
            RECIPES,
            name,
            ["fit", "r.toml", *SMALL, "--folder", "run", "train.epochs=1"],
            lambda place, content=content: (place / "r.toml").write_bytes(content),
        )
        yield typed(
            RECIPES,
            f"{name}, checked",
            ["check", "r.toml", *SMALL],
            lambda place, content=content: (place / "r.toml").write_bytes(content),
        )


def cases() -> Iterator[Case]:
    os.environ["DANLU_LANG"] = "en"
    yield from settings()
    yield from options()
    for words in WORDS:
        yield typed(LINES, ascii(" ".join(words))[:80], words)
    yield from recipes()
