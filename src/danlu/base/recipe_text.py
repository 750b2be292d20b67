"""A recipe from TOML, from `section.key=value` words and from keyword arguments; and back to TOML.

All that is wrong is collected before anything is said; each fault names the file and line, or the command line.
"""

import errno
import functools
import math
import os
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from danlu.base.chosen import defaults_before, is_written_by_danlu, lapsed, note_chosen, read_chosen
from danlu.base.errors import Fault, Faults, fail, nearest
from danlu.base.exact_fit import fitted
from danlu.base.input_files import guarded, path_kind, read_file
from danlu.base.keywords import SYNONYMS, settings_of
from danlu.base.recipe import KINDS, Recipe
from danlu.base.sections import is_flag_for_number
from danlu.base.setting_keys import kind_of, known_keys, means_unset, takes_names, takes_text
from danlu.base.text_encoding import decode
from danlu.base.wanted import wanted as wanted_in_words

# Columns may be given by their number, and so may sheets.
_COLUMNS = ("target", "group", "time", "weight", "sheet")
_TYPES = "data.types."
# No number of a recipe may be above: torch's single precision ends at 3.4e38, and products of settings go into it.
_MOST = 1e30


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
        kind = path_kind(path)
        if kind == "missing":
            fail("recipe.missing-file", path=path)
        if kind == "folder":
            fail("recipe.unreadable-file", path=path, reason=os.strerror(errno.EISDIR))
        # As every text that a user brings: editors on Windows save in the language's own encoding.
        text = decode(read_file(path), path).text
        with guarded(path, "recipe.not-toml"):
            tree = tomllib.loads(text)
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

    def read_recipe(self, recipe: Recipe) -> None:
        """Take all that a recipe says, and what of it danlu chose."""
        self.read_tree(recipe.as_dict())
        self.mark_chosen(recipe.chosen)

    def read_words(self, words: Iterable[str]) -> None:
        """Take `section.key=value` words of a command line; a value is read as TOML, else as a string.

        What takes a string gets one, whatever it looks like: `data.target=3` is the column called "3".
        """
        faults = Faults()
        for word in words:
            key, equals, value = word.partition("=")
            if not equals:
                faults.add("recipe.not-key-value", word=word)
            column = key.strip().removeprefix(_TYPES)
            key = key.strip().replace("-", "_")
            read = _toml_value(value.strip())
            section, _, name = key.partition(".")
            text = value.strip() if takes_text(section, name, read) else read
            if key.startswith(_TYPES):  # a column is called as it is
                key = _TYPES + column
            self.put(key, read if isinstance(read, str) else text, Fault("recipe.place-command-line"))
        faults.raise_if_any()

    def read_keywords(self, keywords: Mapping[str, Any], options: Iterable[str] = ()) -> None:
        """Take keywords, dotted or flat such as lr, or whole sections as mappings; `options` are the net's."""
        faults = Faults()
        for key, value in settings_of(keywords, [*options], faults):
            self.put(key, value, Fault("recipe.place-call"))
        faults.raise_if_any()

    def read_tree(self, tree: Mapping[str, Any]) -> None:
        """Take a recipe written as nested mappings, as a TOML file would hold it."""
        for section, keys in tree.items():
            if not isinstance(keys, Mapping):
                self.put(section, keys, Fault("recipe.place-call"))
                continue
            for key, value in keys.items():
                self.put(f"{section}.{key}", value, Fault("recipe.place-call"))

    def recipe(self) -> Recipe:
        """The checked recipe, or one UserError with all faults."""
        faults = Faults()
        # A choice that is given up may have been the reason for another: the optimiser for its rate.
        while gone := [key for key, before in self.chosen.items() if lapsed(key, before, self.values)]:
            for key in gone:
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
            elif dotted.startswith(_TYPES):
                tree.setdefault("data", {}).setdefault("types", {})[dotted.removeprefix(_TYPES)] = value
            elif is_flag_for_number(kind_of(section, key), value):
                wanted = Fault("recipe.wanted-number")
                faults.add("recipe.bad-value", place=self.places[dotted], key=dotted, found=value, wanted=wanted)
            elif _beyond(value):
                wanted = Fault("recipe.wanted-at-most", {"limit": f"{_MOST:g}"})
                faults.add("recipe.bad-value", place=self.places[dotted], key=dotted, found=value, wanted=wanted)
            else:
                tree.setdefault(section, {})[key] = _read_as(section, key, value)
        recipe = self._validated(tree, faults)
        faults.raise_if_any()
        assert recipe is not None
        return replace(recipe, chosen=frozenset(self.chosen.keys() & self.values.keys()))

    def _validated(self, tree: dict[str, dict[str, Any]], faults: Faults) -> Recipe | None:
        sections = {section: fitted(KINDS[section], keys) for section, keys in tree.items() if section in KINDS}
        if sections.keys() == tree.keys() and None not in sections.values():
            return Recipe(**sections)
        import pydantic  # here, because it takes longer to import than all of danlu and torch alone does not need it

        try:
            return _validator().validate_python(tree)
        except pydantic.ValidationError as error:
            for detail in error.errors():
                path = [str(part) for part in detail["loc"]]
                section, key = path[0], path[1] if len(path) > 1 else ""
                dotted = f"{section}.{key}"
                place = self.places.get(".".join(path)) or self.places.get(dotted, Fault("recipe.place-call"))
                if detail["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
                    faults.add("recipe.unknown-key", place=place, key=dotted, hint=_nearest_key(section, key))
                else:
                    wanted = wanted_in_words(detail["type"], detail.get("ctx", {}), detail["msg"])
                    found = repr(detail["input"])
                    faults.add("recipe.bad-value", place=place, key=".".join(path), found=found, wanted=wanted)
            return None


@functools.cache
def _validator() -> Any:
    import pydantic

    return pydantic.TypeAdapter(Recipe)


def _beyond(value: object) -> bool:
    """Whether a number, or one of several, is finite and beyond what any setting may be."""
    if isinstance(value, list | tuple):
        return any(_beyond(one) for one in cast(Sequence[object], value))
    return isinstance(value, float) and _MOST < abs(value) < math.inf


def _nearest_key(section: str, key: str) -> Fault | str:
    """The hint at the setting that was meant: misspelt in its own section, else out of place or misspelt anywhere."""
    if key in SYNONYMS:
        return Fault("base.did-you-mean", {"word": SYNONYMS[key]})
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
    except (ValueError, RecursionError):  # no TOML, numbers of thousands of digits, thousands of brackets
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


def _read_as(section: str, key: str, value: Any) -> Any:
    """The value of a setting in the form that its type has."""
    if means_unset(section, key, value):
        return None
    if key in _COLUMNS:
        return _columns(value)
    if takes_names(section, key):
        return _columns(_several(value))
    return dict(cast(Mapping[Any, Any], value)) if isinstance(value, Mapping) else value  # words may join a table


def _columns(value: Any) -> Any:
    """A column, or several, by name; a number is taken for its text."""
    if isinstance(value, list | tuple):
        return [_columns(one) for one in cast(Sequence[object], value)]
    return str(value) if isinstance(value, int) else value


def _several(value: Any) -> Any:
    """One name, or several with commas between; parts of a net may be called 0 and 1."""
    if isinstance(value, int | str) and not isinstance(value, bool):
        return [name.strip() for name in str(value).split(",")]
    return value
