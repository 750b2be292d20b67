"""Claims of a user's own: a TOML file of a sentence, a factor with its levels, a measure and what is expected."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

from danlu.base.errors import Faults, fail, nearest
from danlu.base.files import replace_file
from danlu.base.input_files import guarded, path_kind, read_file
from danlu.base.text_encoding import decode
from danlu.claims.effect import RATES, EffectClaim
from danlu.claims.evidence import Expected
from danlu.claims.training import DIVERGED, GAP, TRAIN_LOSS, Measure, metric

MEASURES: Mapping[str, Measure] = {
    one.name: one
    for one in (
        *(metric(name) for name in ("accuracy", "f1", "loss", "r2", "mae", "rmse", "perplexity")),
        TRAIN_LOSS, DIVERGED, GAP,
    )
}  # fmt: skip

_KEYS = {
    "sentence": str, "factor": str, "levels": (list, dict), "measure": str, "expect": str, "data": str, "net": str,
    "margin": (int, float), "seeds": int, "rates": list, "tuned": bool, "budget_differs": bool, "settings": dict,
    "condition": dict,
}  # fmt: skip
_NEEDED = ("sentence", "factor", "levels", "expect")

TEMPLATE = """\
sentence = "A wider network is more accurate."
factor = "net.width"
levels = [16, 128]        # the first is what the others are compared with; or a table: small = {{"net.width" = 16}}
expect = "more"           # of the measure at the later levels: {expected}
measure = "accuracy"      # {measures}
margin = 0.005            # the largest difference that counts as none
data = "digits"           # a name, or a file
net = "mlp"
seeds = 10

[settings]                # what stays the same
"train.epochs" = 10

[condition]               # along what it may begin or end to hold; leave it out where there is nothing
name = "data.samples"
values = [100, 400]
"""


@dataclass(frozen=True)
class OwnClaim:
    """A claim out of a file: its id (the file's name), its sentence, and the effect that tests it."""

    id: str
    sentence: str
    effect: EffectClaim


def write_template(path: Path) -> None:
    """A claim to be changed, in a file that is not there yet. UserError where it is."""
    if path.suffix != ".toml":
        fail("claims.own-not-toml", path=path)
    if path_kind(path) != "missing":
        fail("claims.own-exists", path=path)
    text = TEMPLATE.format(expected=", ".join(get_args(Expected)), measures=", ".join(MEASURES))
    replace_file(path, text.encode())


def read_own(path: Path) -> OwnClaim:
    """The claim in a TOML file. UserError with all that is wrong in it.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "width.toml"
    >>> write_template(file)
    >>> read_own(file).effect.levels
    {'16': {'net.width': 16}, '128': {'net.width': 128}}
    """
    if path_kind(path) == "missing":
        fail("recipe.missing-file", path=path)
    text = decode(read_file(path), path).text
    with guarded(path, "recipe.not-toml"):
        given = tomllib.loads(text)
    faults = Faults()
    for key, value in given.items():
        if key not in _KEYS:
            faults.add("claims.own-unknown-key", path=path, key=key, keys=", ".join(_KEYS), hint=nearest(key, _KEYS))
        elif not isinstance(value, _KEYS[key]) or (isinstance(value, bool) and _KEYS[key] is not bool):
            faults.add("claims.own-wrong-kind", path=path, key=key, found=value)
    for key in _NEEDED:
        if key not in given:
            faults.add("claims.own-lacks", path=path, key=key)
    _one_of(faults, path, "expect", given, get_args(Expected))
    _one_of(faults, path, "measure", given, MEASURES)
    faults.raise_if_any()
    return OwnClaim(path.stem, given["sentence"], _effect(path, given))


def _one_of(faults: Faults, path: Path, key: str, given: Mapping[str, Any], known: Any) -> None:
    value = given.get(key)
    if isinstance(value, str) and value not in known:
        faults.add("claims.own-not-one-of", path=path, key=key, found=value, known=", ".join(known))


def _effect(path: Path, given: Mapping[str, Any]) -> EffectClaim:
    levels = _by_label(given["factor"], given["levels"])
    if len(levels) < 2:
        fail("claims.own-one-level", path=path)
    condition = cast(Mapping[str, Any], given.get("condition", {}))
    places = _by_label(str(condition.get("name", "")), condition["values"]) if condition.get("values") else {"": {}}
    claim = EffectClaim(
        path.stem,
        factor=given["factor"],
        levels=levels,
        net=given.get("net", "mlp"),
        data=given.get("data", "digits"),
        settings=flat(given.get("settings", {})),
        measure=MEASURES[given.get("measure", "accuracy")],
        expected=given["expect"],
        margin=float(given.get("margin", 0.005)),
        condition=str(condition.get("name", "")),
        places=places,
        rates=[float(rate) for rate in given.get("rates", RATES)],
        tuned=given.get("tuned", "optim.lr" not in {key for level in levels.values() for key in level}),
        seeds=given.get("seeds", 10),
        budget_differs=given.get("budget_differs", False),
    )
    if claim.seeds < 3:
        fail("claims.seeds", found=claim.seeds)
    return claim


def _by_label(factor: str, levels: Any) -> dict[str, dict[str, Any]]:
    """Settings by label: of a list of values of one setting, or of a table of settings."""
    if isinstance(levels, Mapping):
        table = cast(Mapping[str, Any], levels)
        return {label: flat(settings) for label, settings in table.items()}
    return {_label(value): {factor: value} for value in levels}


def _label(value: Any) -> str:
    if isinstance(value, list):
        return "×".join(_label(part) for part in cast(list[Any], value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def flat(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Settings by their dotted names, whether tables were nested or names written with dots.

    >>> flat({"train": {"epochs": 3}, "optim.lr": 0.1})
    {'train.epochs': 3, 'optim.lr': 0.1}
    """
    found: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{before}{key}"
        found |= flat(cast(Mapping[str, Any], value), f"{name}.") if isinstance(value, Mapping) else {name: value}
    return found
