"""How the numbers of a run or a study came to be: the command that makes them again, the seeds, and the hashes."""

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from danlu.base.naming import listed
from danlu.base.places import shown
from danlu.base.recipe import CUSTOM, Recipe
from danlu.base.short_recipe import typed
from danlu.base.strict_json import to_json
from danlu.base.words import say
from danlu.view.info.run import RunInfo, flat
from danlu.view.info.study import StudyInfo

_HASH = 16  # signs, as many as those of a recipe


@dataclass(frozen=True)
class Provenance:
    """`facts` are further lines, each with its name, in the language in force; `command` is typed or called."""

    command: str
    facts: Sequence[tuple[str, str]]


def run_provenance(info: RunInfo) -> Provenance:
    """How a run was made: its recipe makes it again."""
    recipe = shlex.quote(str(shown(Path(info.where) / "recipe.toml")))
    settings = info.settings
    given = CUSTOM in (settings.get("data.name"), settings.get("net.name"))
    seeds = [f"{key} = {settings[key]}" for key in ("train.seed", "data.split_seed", "data.fold") if key in settings]
    facts = [("report.seeds", ", ".join(seeds)), ("report.recipe-hash", info.history.fingerprint)]
    facts += [*_surroundings(info.environment), ("report.folder", info.where)]
    command = f"danlu.fit(net, data, recipe={recipe!r})" if given else f"danlu fit {recipe}"
    return Provenance(command, _said(facts))


def study_provenance(info: StudyInfo, design: Mapping[str, Any], environment: Mapping[str, Any]) -> Provenance:
    """How a study was made, from its design; `environment` is that of its best run."""
    seeds = design.get("seeds") or []
    folds = int(design.get("folds") or 1)
    told = listed(seeds, 20) + (f" · {say('report.folds', count=folds)}" if folds > 1 else "")
    content = hashlib.sha256(to_json(dict(design)).encode()).hexdigest()[:_HASH]
    facts = [("report.seeds", told), ("report.design-hash", content)]
    facts += [*_surroundings(environment), ("report.folder", info.where)]
    return Provenance(_study_command(design, seeds, folds), _said(facts))


def _study_command(design: Mapping[str, Any], seeds: Sequence[int], folds: int) -> str:
    if cure := design.get("cure"):
        return shlex.join(["danlu", "cure", str(shown(cure["run"])), "--seeds", str(len(seeds))])
    usual, asked = flat(Recipe().as_dict()), flat(design.get("recipe") or {})
    factors: Mapping[str, Any] = design.get("factors") or {}
    if any(level is None or isinstance(level, Mapping) for levels in factors.values() for level in levels):
        return _study_call(design, factors, len(seeds), folds)
    words = ["danlu", "compare"]
    for key, levels in factors.items():
        words += ["--vary", f"{key}={','.join(map(typed, levels))}"]
    words += ["--seeds", str(len(seeds))]
    words += ["--folds", str(folds)] if folds > 1 else []
    for option in ("metric", "margin"):
        words += [f"--{option}", str(design[option])] if design.get(option) is not None else []
    words += [f"{key}={typed(value)}" for key, value in asked.items() if value is not None and usual.get(key) != value]
    return shlex.join(words)


def _study_call(design: Mapping[str, Any], factors: Mapping[str, Any], seeds: int, folds: int) -> str:
    """The same in Python, for levels that cannot be typed: none, and several settings at once."""
    usual = Recipe().as_dict()
    own = {
        section: {key: value for key, value in keys.items() if value != usual.get(section, {}).get(key)}
        for section, keys in (design.get("recipe") or {}).items()
        if isinstance(keys, Mapping)
    }
    given = {"recipe": {section: keys for section, keys in own.items() if keys}, "vary": dict(factors), "seeds": seeds}
    given |= {"folds": folds} if folds > 1 else {}
    given |= {option: design[option] for option in ("metric", "margin") if design.get(option) is not None}
    return f"danlu.compare({', '.join(f'{name}={value!r}' for name, value in given.items())})"


def _surroundings(environment: Mapping[str, Any]) -> list[tuple[str, str]]:
    data, hardware = (_mapping(environment.get(key)) for key in ("data", "hardware"))
    machine = [f"torch {hardware['torch']}" if "torch" in hardware else "", str(hardware.get("device", ""))]
    return [
        ("report.data-hash", str(data.get("fingerprint", ""))),
        ("report.machine", ", ".join(filter(None, machine))),
    ]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _said(facts: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(say(name), text) for name, text in facts if text]
