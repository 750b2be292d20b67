"""Where in the user's code the fault of a finding lies: which of the lines that were noted, rule by rule."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from torch import nn

from danlu.base.records import CodeLine, Snippet
from danlu.watch.contract import Rule, Verdict
from danlu.watch.frames import as_read, is_theirs
from danlu.watch.measured import Measured
from danlu.watch.reading import main_optimiser
from danlu.watch.sites import Sites
from danlu.watch.snippets import snippet
from danlu.watch.sources import Sources, class_line
from danlu.watch.telling import caller, cuts_the_graph, makes_a_layer, makes_what_goes_backwards, only_call

_CUT = ("cut", "no-gradient")  # variants of verdicts whose loss does not lead to what is to learn
OUTCOME = "outcome"
"""Where the fault of a rule lies that tells how a training ended: no single line is at fault."""


class Culprits:
    """Finds the line of a verdict."""

    def __init__(self, measured: Measured, sites: Sites, roots: Mapping[str, nn.Module], sources: Sources) -> None:
        self._measured = measured
        self._sites = sites
        self._roots = roots
        self._sources = sources

    def __call__(self, rule: Rule, verdict: Verdict) -> tuple[CodeLine, Snippet | None] | None:
        """The line, as people read it, and its statement before and after the first remedy that changes it; None where
        there is no line to be named."""
        line = verdict.line or self._line(rule, verdict)
        if line is None:
            return None
        if line == self._measured.lines.get("backward") and self._what(rule, verdict) != "backward":
            scopes = self._sources.around(line)  # what is wrong with a loss is wrong where it is made
            line = makes_what_goes_backwards(scopes[0], line) if scopes else line
            line = cuts_the_graph(scopes[0], line) if scopes and verdict.variant in _CUT else line
        tree = self._sources.tree(line.file)
        found = (snippet(tree, line, remedy) for remedy in verdict.remedies) if tree is not None else ()
        return as_read(line), next((one for one in found if one is not None), None)

    def _what(self, rule: Rule, verdict: Verdict) -> str:
        return rule.variants_in.get(verdict.variant) or rule.fault_in or ("module" if verdict.where else "")

    def _line(self, rule: Rule, verdict: Verdict) -> CodeLine | None:
        lines = self._measured.lines
        what = self._what(rule, verdict)
        if not lines or what == OUTCOME:
            return None
        match what:
            case "loss" | "loss object":
                made = self._made(self._measured.declared.kind, "loss") if self._measured.declared else None
                return (made if what == "loss object" else None) or lines.get("loss") or made or lines.get("backward")
            case "whole loss":
                return lines.get("backward") or lines.get("loss")
            case "loader":
                return self._loader()
            case "evaluated":
                kind = self._measured.evaluated_kind
                made = self._made(kind, "evaluated") if kind else None
                made = made or lines.get("evaluated") or lines.get("evaluation") or self._loader()
                return (self._telling(rule.told_by, made) if made is not None else None) or made
            case "module":
                return self._module(verdict.where, rule.told_by)
            case "pass":
                return self._made_in_pass() or self._module(verdict.where, ())
            case "scheduler":  # one that is never called has no line of its own but that which makes it
                kinds = {one.kind for one in self._measured.schedulers}
                made = self._made(kinds.pop(), "scheduler") if len(kinds) == 1 else None
                made = self._called(made) if made is not None else None
                return made or lines.get("scheduler") or self._optimiser(rule, made=True)
            case "schedule step":
                return lines.get("scheduler") or self._optimiser(rule, made=True)
            case "optimizer" | "step" | "clip":
                return (lines.get("clip") if what == "clip" else None) or self._optimiser(rule, made=what != "step")
            case _:
                return lines.get(what)

    def _optimiser(self, rule: Rule, *, made: bool) -> CodeLine | None:
        known = self._measured.optimisers
        most = rule.optimizer_with
        one = max(known, key=attrgetter(most), default=None) if most else main_optimiser(self._measured)
        if one is None:
            return self._measured.lines.get("backward")
        near = one.stepped_at or self._measured.lines.get("backward")
        if not made or near is None:
            return near
        return one.made_at or self._sources.made(one.kind, near, self._places()) or near

    def _loader(self) -> CodeLine | None:
        lines = self._measured.lines
        kind = self._measured.loader_kind or (
            type(self._sites.loader).__name__ if self._sites.loader is not None else ""
        )
        return (self._made(kind, "loader") if kind else None) or lines.get("loader") or lines.get("forward")

    def _module(self, where: Iterable[str], told_by: Sequence[str]) -> CodeLine | None:
        """Where a class on the way to the first of these layers makes one of the calls `told_by`; where the class of
        the user's that holds the layer makes it, else where that class begins; where there is none, the line that made
        the model."""
        names = [*where, ""]
        for _, module in reversed(self._path(names[0])) if told_by else ():
            begin = class_line(type(module))
            line = self._telling(told_by, begin) if begin is not None else None
            if line is not None:
                return line
        for name in names:
            for part, module in reversed(self._path(name)):
                line = (self._sources.part(type(module), part) if part else None) or class_line(type(module))
                if line is not None:
                    return line
        root = self._path("")[0][1]
        return self._made(type(root).__name__, "forward") or self._measured.lines.get("forward")

    def _made_in_pass(self) -> CodeLine | None:
        """Where a class of the user's makes a layer in a method that runs in each pass."""
        for kind in dict.fromkeys(type(module) for root in self._roots.values() for module in root.modules()):
            begin = class_line(kind)
            scopes = self._sources.around(begin) if begin is not None else []
            number = makes_a_layer(scopes[0]) if scopes else None
            if begin is not None and number is not None:
                return CodeLine(begin.file, number)
        return None

    def _telling(self, told_by: Sequence[str], place: CodeLine) -> CodeLine | None:
        """The line of one of these calls in the class or function in which a line stands."""
        scopes = self._sources.around(place) if told_by else []
        number = only_call(scopes[0], told_by) if len(scopes) > 1 else None
        return CodeLine(place.file, number) if number is not None else None

    def _called(self, made: CodeLine) -> CodeLine:
        """The line under way that calls the function in which something was made, where that function is over."""
        scopes, places = self._sources.around(made), self._places()
        home = next((one for one in scopes if isinstance(one, ast.FunctionDef)), None)
        around = [one for place in places if place.file == made.file for one in self._sources.around(place)]
        if home is None or home.name == "__init__" or any(one is home for one in around):
            return made
        number = caller(around, home.name)
        return CodeLine(made.file, number) if number is not None else made

    def _path(self, name: str) -> list[tuple[str, nn.Module]]:
        """The modules from a root down to the layer of that name, as far as it leads, each with the attribute of it
        that the next one is; the last one has none, unless the name is that of one of its parameters."""
        parts = [part for part in name.split(".") if part]
        module = self._roots.get("") or self._roots.get(parts.pop(0) if parts else "")
        module = module if module is not None else next(iter(self._roots.values()))
        path: list[tuple[str, nn.Module]] = []
        for part in parts:
            path.append((part, module))
            inner = module._modules.get(part)  # pyright: ignore[reportPrivateUsage]
            if inner is None:
                return path
            module = inner
        return [*path, ("", module)]

    def _made(self, kind: str, used: str) -> CodeLine | None:
        """Where the object of that class was made which the line `used` works with."""
        lines = self._measured.lines
        near = lines.get(used) or next(iter(lines.values()), None)
        return self._sources.made(kind, near, self._places()) if near is not None else None

    def _places(self) -> list[CodeLine]:
        """All lines of the user's that the training was seen to run through."""
        return [line for line in (*self._measured.lines.values(), *self._sites.under_way) if is_theirs(line.file)]
