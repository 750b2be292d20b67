"""Where in the user's code the fault of a finding lies: which of the lines that were noted, rule by rule."""

from collections.abc import Callable, Iterable, Mapping

from torch import nn

from danlu.base.records import CodeLine
from danlu.watch.contract import Rule, Verdict
from danlu.watch.frames import as_read, is_theirs
from danlu.watch.measured import Measured, Optimiser
from danlu.watch.reading import main_optimiser
from danlu.watch.sites import Sites
from danlu.watch.sources import Sources, class_line

# Rules that tell an outcome: no single line is at fault.
OUTCOMES = ("overfitting", "underfitting", "plateau", "too-few-epochs")

CULPRITS: Mapping[str, str] = {
    "input-scale": "loader", "input-twice-scaled": "loader", "input-nonfinite": "loader", "input-constant": "loader",
    "unshuffled": "loader", "train-test-overlap": "loader", "loader-starved": "loader",
    "batchnorm-small-batch": "loader", "nonfinite-input": "loader",
    "label-range": "loss", "label-imbalance": "loss object", "softmax-twice": "loss", "loss-mismatch": "loss",
    "loss-broadcast": "loss", "loss-sum": "loss object", "nonfinite": "loss", "nonfinite-loss": "loss",
    "output-activation": "module", "initial-loss": "module", "missing-nonlinearity": "module", "bad-init": "module",
    "vanishing-gradient": "module", "exploding-gradient": "module", "saturated": "module", "dead-relu": "module",
    "dropout-too-high": "module", "parameters-unused": "module", "nonfinite-weight": "module",
    "nonfinite-activation": "module", "parameters-not-optimized-unregistered": "module",
    "parameters-not-optimized-moved": "module",
    "lr-too-high": "optimizer", "lr-too-low": "optimizer", "no-update": "optimizer", "scheduler-misuse": "optimizer",
    "parameters-not-optimized": "optimizer", "optimizer-recreated": "optimizer", "weight-decay-too-high": "optimizer",
    "gradients-accumulate": "step", "no-update-no-gradient": "step", "no-update-zero-gradient": "step",
    "no-update-no-step": "backward", "no-update-foreign": "backward", "clip-too-tight": "clip",
    "eval-mode-in-training": "forward", "train-mode-in-evaluation": "evaluation",
}  # fmt: skip
"""What a rule points at, or a rule with a variant of its verdict, which goes before."""

_MEANT: Mapping[str, Callable[[Optimiser], float]] = {
    "gradients-accumulate": lambda one: one.stale,
    "optimizer-recreated": lambda one: one.recreated,
    "weight-decay-too-high": lambda one: one.weight_decay,
}
"""Of several optimisers the one that has most of this; of other rules the one that made most steps."""


class Culprits:
    """Finds the line of a verdict."""

    def __init__(self, measured: Measured, sites: Sites, roots: Mapping[str, nn.Module]) -> None:
        self._measured = measured
        self._sites = sites
        self._roots = roots
        self._sources = Sources()

    def __call__(self, rule: Rule, verdict: Verdict) -> CodeLine | None:
        """The line, as people read it; None where there is none to be named."""
        line = verdict.line or self._line(rule.id, verdict)
        return as_read(line) if line is not None else None

    def _line(self, rule: str, verdict: Verdict) -> CodeLine | None:
        lines = self._measured.lines
        what = CULPRITS.get(f"{rule}-{verdict.variant}") or CULPRITS.get(rule)
        what = what or ("module" if verdict.where else "")
        if not lines or rule in OUTCOMES:
            return None
        match what:
            case "loss" | "loss object":
                made = self._made(self._measured.declared.kind, "loss") if self._measured.declared else None
                return (made if what == "loss object" else None) or lines.get("loss") or made or lines.get("backward")
            case "loader":
                return self._loader()
            case "module":
                return self._module(verdict.where)
            case "optimizer" | "step" | "clip":
                return (lines.get("clip") if what == "clip" else None) or self._optimiser(rule, made=what != "step")
            case _:
                return lines.get(what)

    def _optimiser(self, rule: str, *, made: bool) -> CodeLine | None:
        known = self._measured.optimisers
        meant = _MEANT.get(rule)
        one = max(known, key=meant, default=None) if meant else main_optimiser(self._measured)
        if one is None:
            return self._measured.lines.get("backward")
        near = one.stepped_at or self._measured.lines.get("backward")
        if not made or near is None:
            return near
        return one.made_at or self._sources.made(one.kind, near, self._files()) or near

    def _loader(self) -> CodeLine | None:
        lines = self._measured.lines
        kind = self._measured.loader_kind or (
            type(self._sites.loader).__name__ if self._sites.loader is not None else ""
        )
        return (self._made(kind, "loader") if kind else None) or lines.get("loader") or lines.get("forward")

    def _module(self, where: Iterable[str]) -> CodeLine | None:
        """The class of the user's that holds the first of these layers; where there is none, the line that made the
        model."""
        for name in [*where, ""]:
            for module in reversed(self._path(name)):
                line = class_line(type(module))
                if line is not None:
                    return line
        root = self._path("")[0]
        return self._made(type(root).__name__, "forward") or self._measured.lines.get("forward")

    def _path(self, name: str) -> list[nn.Module]:
        """The modules from a root down to the layer of that name, as far as it leads."""
        parts = name.split(".")
        module = self._roots.get("") or self._roots.get(parts.pop(0)) or next(iter(self._roots.values()))
        path = [module]
        for part in parts:
            inner = module._modules.get(part)  # pyright: ignore[reportPrivateUsage]
            if inner is None:
                break
            module = inner
            path.append(module)
        return path

    def _made(self, kind: str, used: str) -> CodeLine | None:
        """Where the object of that class was made which the line `used` works with."""
        lines = self._measured.lines
        near = lines.get(used) or next(iter(lines.values()), None)
        return self._sources.made(kind, near, self._files()) if near is not None else None

    def _files(self) -> list[str]:
        """All files of the user's that the training was seen to run through."""
        noted = [line.file for line in self._measured.lines.values()]
        return [file for file in dict.fromkeys([*noted, *self._sites.files]) if is_theirs(file)]
