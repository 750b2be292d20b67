"""A recipe from TOML, from `section.key=value` words and from keyword arguments; and back to TOML.

All that is wrong is collected before anything is said; each fault names the file and line, or the command line.
"""

import functools
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from danlu.base.chosen import defaults_before, is_written_by_danlu, lapsed, note_chosen, read_chosen
from danlu.base.errors import Fault, Faults, fail, nearest
from danlu.base.recipe import SECTIONS, Recipe

_OPEN = ("options", "thresholds")  # hold what stands in a section beside its known keys
# What other libraries call it.
_ELSEWHERE = {
    "learning_rate": "optim.lr",
    "optimizer": "optim.name",
    "optimiser": "optim.name",
    "criterion": "loss.name",
    "model": "net.name",
    "dataset": "data.name",
    "scheduler": "schedule.name",
    "lr_scheduler": "schedule.name",
    "batch": "train.batch_size",
    "num_epochs": "train.epochs",
    "max_epochs": "train.epochs",
    "early_stopping": "train.patience",
    "num_workers": "data.workers",
    "max_norm": "train.clip_norm",
}

# A bare key that several sections have belongs to the one people mean.
_MEANT = {"seed": "train.seed", "patience": "train.patience", "weights": "train.weights"}


@dataclass
class RecipeDraft:
    """Values by dotted key, not yet checked, each with the place it came from; later ones win."""

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    places: dict[str, Fault] = field(default_factory=dict[str, Fault])
    chosen: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])  # with what they stood among

    def put(self, key: str, value: Any, place: Fault) -> None:
        self.values[key] = value
        self.places[key] = place
        self.chosen.pop(key, None)

    def mark_chosen(self, keys: Iterable[str]) -> None:
        """Note that danlu chose the values of `keys`, for what else the draft says now."""
        self.chosen.update({key: dict(self.values) for key in keys})

    def read_file(self, path: str | Path) -> None:
        """Take all keys of a TOML file."""
        path = Path(path)
        try:
            text = path.read_text(encoding="utf-8-sig")
            tree = tomllib.loads(text)
        except FileNotFoundError:
            fail("recipe.missing-file", path=path)
        except OSError as error:
            fail("recipe.unreadable-file", path=path, reason=error.strerror or error)
        except UnicodeDecodeError:
            fail("recipe.not-text", path=path)
        except tomllib.TOMLDecodeError as error:
            fail("recipe.not-toml", path=path, reason=error)
        for section, keys in tree.items():
            if not isinstance(keys, dict):
                self.put(section, keys, _place(path, text, "", section))
                continue
            for key, value in keys.items():
                self.put(f"{section}.{key}", value, _place(path, text, section, key))
        self.mark_chosen(key for key, value in read_chosen(text).items() if self.values.get(key) == value)
        if is_written_by_danlu(path, text):
            self.take_defaults_before()

    def take_defaults_before(self, varied: Collection[str] = ()) -> None:
        """Fill in what danlu 0.1 took for want of a word, so that its runs and studies go on as they began."""
        before = defaults_before(self.values, varied)
        for key, value in before.items():
            self.put(key, value, Fault("recipe.place-call"))
        self.mark_chosen(before)

    def read_words(self, words: Iterable[str]) -> None:
        """Take `section.key=value` words of a command line; a value is read as TOML, else as a string.

        What takes a string gets one, whatever it looks like: `data.target=3` is the column called "3".
        """
        faults = Faults()
        for word in words:
            key, equals, value = word.partition("=")
            if not equals:
                faults.add("recipe.not-key-value", word=word)
            key = key.strip().replace("-", "_")
            read = _toml_value(value.strip())
            text = value.strip() if kind_of(*key.partition(".")[::2]) == (str | None) else read
            self.put(key, read if isinstance(read, str) else text, Fault("recipe.place-command-line"))
        faults.raise_if_any()

    def read_keywords(self, keywords: Mapping[str, Any], options: Iterable[str] = ()) -> None:
        """Take keywords, dotted or flat such as lr: put in the one section that has it; `options` are the net's."""
        faults = Faults()
        for name, value in keywords.items():
            homes = [f"{section}.{name}" for section, known in known_keys().items() if name in known]
            if "." in name:
                homes = [name]
            elif name in _MEANT:
                homes = [_MEANT[name]]
            elif not homes and name in options:
                homes = [f"net.{name}"]
            if len(homes) == 1:
                self.put(homes[0], value, Fault("recipe.place-call"))
            elif homes:
                faults.add("recipe.ambiguous-key", key=name, homes=", ".join(homes))
            else:
                every = {key for known in known_keys().values() for key in known} | set(options)
                hint = _nearest_key("", name) if name in _ELSEWHERE else nearest(name, every)
                faults.add("recipe.unknown-keyword", key=name, hint=hint)
        faults.raise_if_any()

    def recipe(self) -> Recipe:
        """The checked recipe, or one UserError with all faults."""
        faults = Faults()
        for key in [key for key, before in self.chosen.items() if lapsed(key, before, self.values)]:
            del self.chosen[key]
            self.values.pop(key, None)
        tree: dict[str, dict[str, Any]] = {}
        for dotted, value in self.values.items():
            section, _, key = dotted.partition(".")
            homes = [f"{home}.{section}" for home, keys in known_keys().items() if section in keys and not key]
            if homes:
                faults.add("recipe.ambiguous-key", key=section, homes=", ".join(homes))
            elif section not in known_keys() and not key:
                hint = _nearest_key("", section)
                faults.add(
                    "recipe.bare-key",
                    place=self.places[dotted],
                    key=section,
                    sections=", ".join(known_keys()),
                    hint=hint,
                )
            elif section not in known_keys():
                faults.add(
                    "recipe.unknown-section",
                    place=self.places[dotted],
                    section=section,
                    sections=", ".join(known_keys()),
                    hint=nearest(section, known_keys()),
                )
            elif not key:
                faults.add("recipe.section-without-key", place=self.places[dotted], section=section)
            elif section == "net" and key not in known_keys()["net"]:
                # TOML has lists only: what is read back later must equal what a caller gave as a tuple.
                option = list(value) if isinstance(value, tuple) else value
                tree.setdefault("net", {}).setdefault("options", {})[key] = option
            elif section == "watch" and key not in known_keys()["watch"]:
                rule, _, name = key.partition(".")
                if name or isinstance(value, dict):
                    numbers = tree.setdefault("watch", {}).setdefault("thresholds", {})
                    # A word of the command line has come with "_" in place of "-".
                    numbers.setdefault(rule.replace("_", "-"), {}).update({name: value} if name else value)
                else:
                    hint = _nearest_key(section, key)
                    faults.add("recipe.unknown-key", place=self.places[dotted], key=dotted, hint=hint)
            elif isinstance(value, bool) and _takes_number(section, key):
                # pydantic would read True as 1.
                wanted = Fault("recipe.wanted-number")
                faults.add("recipe.bad-value", place=self.places[dotted], key=dotted, found=value, wanted=wanted)
            else:
                tree.setdefault(section, {})[key] = _several(value) if _takes_names(section, key) else value
        recipe = self._validated(tree, faults)
        faults.raise_if_any()
        assert recipe is not None
        return replace(recipe, chosen=frozenset(self.chosen.keys() & self.values.keys()))

    def _validated(self, tree: dict[str, dict[str, Any]], faults: Faults) -> Recipe | None:
        import pydantic  # here, because it takes longer to import than all of danlu and torch alone does not need it

        try:
            return _validator().validate_python(tree)
        except pydantic.ValidationError as error:
            for detail in error.errors():
                path = [str(part) for part in detail["loc"]]
                section, key = path[0], path[1] if len(path) > 1 else ""
                dotted = f"{section}.{key}"
                place = self.places.get(dotted, Fault("recipe.place-call"))
                if detail["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
                    faults.add("recipe.unknown-key", place=place, key=dotted, hint=_nearest_key(section, key))
                else:
                    wanted = _wanted(detail["type"], detail.get("ctx", {}), detail["msg"])
                    found = repr(detail["input"])
                    faults.add("recipe.bad-value", place=place, key=".".join(path), found=found, wanted=wanted)
            return None


@functools.cache
def _validator() -> Any:
    import pydantic

    return pydantic.TypeAdapter(Recipe)


def known_keys() -> dict[str, list[str]]:
    """The keys of each section of a recipe.

    >>> known_keys()["loss"]
    ['name', 'reduction', 'label_smoothing', 'delta']
    """
    default = Recipe()
    return {
        section: [key.name for key in fields(getattr(default, section)) if key.name not in _OPEN]
        for section in SECTIONS
    }


def _nearest_key(section: str, key: str) -> Fault | str:
    """The hint at the setting that was meant: misspelt in its own section, else out of place or misspelt anywhere."""
    if key in _ELSEWHERE:
        return Fault("base.did-you-mean", {"word": _ELSEWHERE[key]})
    own = known_keys().get(section, [])
    homes = {name: home for home, names in known_keys().items() for name in names} | dict.fromkeys(own, section)
    hint = nearest(key, own) or nearest(key, homes)
    if isinstance(hint, Fault):
        word = hint.values["word"]
        return Fault(hint.id, {"word": f"{homes[word]}.{word}"})
    return hint


def to_toml(recipe: Recipe) -> str:
    """The recipe as TOML text; reading it back gives an equal recipe."""
    import tomli_w

    return note_chosen(recipe) + tomli_w.dumps(recipe.as_dict())


def read_recipe(path: str | Path) -> Recipe:
    """The recipe in a TOML file."""
    draft = RecipeDraft()
    draft.read_file(path)
    return draft.recipe()


def _toml_value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _place(path: Path, text: str, section: str, key: str) -> Fault:
    """The line on which `key` of `[section]` stands."""
    current = ""
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[\s*([^\[\]]+?)\s*\]", line)
        if header:
            current = header.group(1)
        match = re.match(r"""\s*["']?([\w.-]+)["']?\s*=""", line)
        if match and ((current == section and match.group(1) == key) or match.group(1) == f"{section}.{key}"):
            return Fault("recipe.place-line", {"path": path, "line": number})
    return Fault("recipe.place-file", {"path": path})


_WANTED = {
    "greater_than": "above",
    "greater_than_equal": "at-least",
    "less_than": "below",
    "less_than_equal": "at-most",
    "finite_number": "finite",
    "float_type": "number",
    "float_parsing": "number",
    "int_type": "whole",
    "int_parsing": "whole",
    "int_from_float": "whole",
    "int_parsing_size": "whole",
    "bool_type": "yes-no",
    "bool_parsing": "yes-no",
    "string_type": "text",
    "literal_error": "one-of",
    "tuple_type": "pair",
    "missing": "pair",
    "too_long": "pair",
    "too_short": "pair",
}


def _wanted(kind: str, context: Mapping[str, Any], message: str) -> Fault | str:
    if kind not in _WANTED:
        return message
    limit = next((context[name] for name in ("gt", "ge", "lt", "le", "expected") if name in context), "")
    return Fault(f"recipe.wanted-{_WANTED[kind]}", {"limit": str(limit).replace(" or ", ", ").removesuffix(".0")})


def kind_of(section: str, key: str) -> Any:
    """The type of a setting, None where there is no such one.

    >>> kind_of("train", "epochs")
    <class 'int'>
    """
    return get_type_hints(type(getattr(Recipe(), section, None))).get(key)


def _takes_names(section: str, key: str) -> bool:
    return tuple[str, ...] in (kind := kind_of(section, key), *get_args(kind))


def _several(value: Any) -> Any:
    """One name, or several with commas between; parts of a net may be called 0 and 1."""
    if isinstance(value, int | str) and not isinstance(value, bool):
        return [name.strip() for name in str(value).split(",")]
    return value


def _takes_number(section: str, key: str) -> bool:
    kind = kind_of(section, key)
    return bool({int, float} & {kind, *get_args(kind)})
