"""Where in the user's code the fault of a finding lies: which of the lines that were noted, rule by rule."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from torch import nn

from danlu.base.records import CodeLine, Snippet
from danlu.watch.contract import Rule, Verdict
from danlu.watch.frames import as_read, is_theirs
from danlu.watch.measured import Measured
from danlu.watch.pointing import (
    cut_in_pass,
    gives_setting,
    in_pass,
    initialises,
    keeps,
    makes_what_is_called,
    uncalled,
)
from danlu.watch.reading import main_optimiser
from danlu.watch.sites import Sites
from danlu.watch.snippets import snippet
from danlu.watch.sources import Sources, class_line
from danlu.watch.telling import (
    caller,
    clears_within,
    cuts_the_graph,
    makes_a_layer,
    makes_what_goes_backwards,
    only_call,
    waits_to_step,
)

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
        line = self._pass(verdict) or verdict.line or self._line(rule, verdict)
        if line is None:
            return None
        if line == self._measured.lines.get("backward") and self._what(rule, verdict) != "backward":
            scopes = self._sources.around(line)  # what is wrong with a loss is wrong where it is made
            line = makes_what_goes_backwards(scopes[0], line) if scopes else line
            line = cuts_the_graph(scopes[0], line, scopes[-1]) if scopes and verdict.variant in _CUT else line
        tree = self._sources.tree(line.file)
        found = (snippet(tree, line, remedy) for remedy in verdict.remedies) if tree is not None else ()
        return as_read(line), next((one for one in found if one is not None), None)

    def _what(self, rule: Rule, verdict: Verdict) -> str:
        return (
            verdict.fault_in
            or rule.variants_in.get(verdict.variant)
            or rule.fault_in
            or ("module" if verdict.where else "")
        )

    def _pass(self, verdict: Verdict) -> CodeLine | None:
        """The line of `forward`, in the class of the net or of a layer, that does what the verdict speaks of."""
        cut = verdict.variant in _CUT
        for _, module in reversed(self._path(next(iter(verdict.where), ""))) if verdict.in_pass or cut else ():
            begin = class_line(type(module))
            scopes = self._sources.around(begin) if begin is not None else []
            number = (cut_in_pass(scopes[0]) if cut else in_pass(scopes[0], verdict.in_pass)) if scopes else None
            if begin is not None and number is not None:
                return CodeLine(begin.file, number)
        return None

    def _line(self, rule: Rule, verdict: Verdict) -> CodeLine | None:
        lines = self._measured.lines
        what = self._what(rule, verdict)
        if not lines or what == OUTCOME:
            return None
        match what:
            case "loss" | "loss object" | "loss weights":
                made = self._made(self._measured.declared.kind, "loss") if self._measured.declared else None
                found = None if what == "loss" else made
                found = found or (self._loss_object() if what == "loss weights" else None)
                return found or lines.get("loss") or made or lines.get("backward")
            case "average":
                kind = self._measured.averaged.kind if self._measured.averaged is not None else ""
                made = self._made(kind, "averaged") if kind else None
                return made or lines.get("averaged") or lines.get("evaluation")
            case "train":
                return lines.get("train") or self._module(verdict.where, rule.told_by)
            case "whole loss":
                return lines.get("backward") or lines.get("loss")
            case "loader":
                return self._loader()
            case "evaluated":
                kind = self._measured.evaluated_kind
                made = self._made(kind, "evaluated") if kind else None
                made = made or lines.get("evaluated") or lines.get("evaluation") or self._loader()
                return (self._telling(rule.told_by, made) if made is not None else None) or made
            case "module" | "call":
                return self._module(verdict.where, rule.told_by, called=what == "call")
            case "layer":
                return self._layer(verdict.where) or self._module(verdict.where, rule.told_by)
            case "initialisation":
                return self._initialised() or self._module(verdict.where, rule.told_by)
            case "pass":
                return self._made_in_pass() or self._module(verdict.where, ())
            case "state":
                return self._state() or lines.get("forward")
            case "scheduler":  # one that is never called has no line of its own but that which makes it
                kinds = {one.kind for one in self._measured.schedulers}
                made = self._made(kinds.pop(), "scheduler") if len(kinds) == 1 else None
                made = self._called(made) if made is not None else None
                return made or lines.get("scheduler") or self._optimiser(rule, made=True)
            case "schedule step":
                return lines.get("scheduler") or self._optimiser(rule, made=True)
            case "stepping":
                return self._waiting_step() or lines.get("backward")
            case "clearing":
                return self._clearing() or self._optimiser(rule, made=False)
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
        found = one.made_at or self._sources.made(one.kind, near, self._places()) or near
        rate = any("optim.lr" in one for one in rule.remedies if not isinstance(one, str))
        setting = gives_setting(self._sources.around(found), found.line, "lr") if rate else None
        return self._at(found, setting) or found

    @staticmethod
    def _at(place: CodeLine, number: int | None) -> CodeLine | None:
        return CodeLine(place.file, number) if number is not None else None

    def _loss_object(self) -> CodeLine | None:
        """Where the loss object was made that is called in the line of the loss."""
        line = self._measured.lines.get("loss")
        scopes = self._sources.around(line) if line is not None else []
        return self._at(line, makes_what_is_called(scopes, line.line)) if line is not None else None

    def _initialised(self) -> CodeLine | None:
        """Where the weights are drawn or set, in the functions under way or the class of the net."""
        begin = class_line(type(self._path("")[0][1]))
        for place in (*self._sites.under_way, *([begin] if begin is not None else [])):
            scopes = self._sources.around(place)[:-1]
            found = self._at(place, initialises(scopes[:1]))
            if found is not None:
                return found
        return None

    def _loader(self) -> CodeLine | None:
        lines = self._measured.lines
        kind = self._measured.loader_kind or (
            type(self._sites.loader).__name__ if self._sites.loader is not None else ""
        )
        return (self._made(kind, "loader") if kind else None) or lines.get("loader") or lines.get("forward")

    def _layer(self, where: Sequence[str]) -> CodeLine | None:
        """Where a class of the user's makes the innermost layer on the way to the first of these that it makes by its
        name."""
        path = self._path(where[0]) if where else []
        kinds = [type(module) for _, module in path]
        owners = [place for place, kind in enumerate(kinds) if class_line(kind) is not None]
        owner = owners[-1] if owners else 0
        made = (self._sources.layer(kinds[owner], kind.__name__) for kind in reversed(kinds[owner + 1 :]))
        return next((line for line in made if line is not None), None)

    def _module(self, where: Iterable[str], told_by: Sequence[str], *, called: bool = False) -> CodeLine | None:
        """Where a class on the way to the first of these layers makes one of the calls `told_by`; where the class of
        the user's that holds the layer makes it, or calls it, where that is meant; else where that class begins; where
        there is none, the line that made the model."""
        names = [*where, ""]
        for _, module in reversed(self._path(names[0])) if told_by else ():
            begin = class_line(type(module))
            line = self._telling(told_by, begin) if begin is not None else None
            if line is not None:
                return line
        for name in names:
            for part, module in reversed(self._path(name)):
                line = self._sources.calling(type(module), part) if part and called else None
                line = line or (self._sources.part(type(module), part) if part else None) or class_line(type(module))
                if line is not None:
                    return line
        root = self._path("")[0][1]
        return self._made(type(root).__name__, "forward") or self._measured.lines.get("forward")

    def _state(self) -> CodeLine | None:
        """Where the class that holds a state in an attribute keeps it for the next call."""
        path, name = self._measured.carried.held or ("", "")
        module = self._path(path)[-1][1]
        begin = class_line(type(module)) if name else None
        scopes = self._sources.around(begin) if begin is not None else []
        return self._at(begin, keeps(scopes[0], name)) if begin is not None and scopes else None

    def _clearing(self) -> CodeLine | None:
        """Where `zero_grad` is named and not called, or gradients are cleared in the loop that the backward pass stands
        in."""
        near = main_optimiser(self._measured)
        place = near.stepped_at if near is not None else None
        uncalled_at = self._at(place, uncalled(self._sources.around(place), "zero_grad")) if place is not None else None
        if uncalled_at is not None:
            return uncalled_at
        line = self._measured.lines.get("backward")
        scopes = self._sources.around(line) if line is not None else []
        return self._at(line, clears_within(scopes[0], line)) if line is not None and scopes else None

    def _waiting_step(self) -> CodeLine | None:
        """The test that a step waits for, in the loop that the backward pass stands in."""
        line = self._measured.lines.get("backward")
        scopes = self._sources.around(line) if line is not None else []
        return self._at(line, waits_to_step(scopes[0], line)) if line is not None and scopes else None

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
        return self._at(place, only_call(scopes[0], told_by)) if len(scopes) > 1 else None

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
