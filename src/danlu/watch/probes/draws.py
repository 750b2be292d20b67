"""What the loaders of a training draw: the order of its samples, and the random numbers of its workers."""

import ast
import contextlib
import weakref
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from torch import nn
from torch.utils.data import DistributedSampler, RandomSampler

from danlu.base.records import CodeLine
from danlu.base.seeds import generator_state
from danlu.watch.frames import is_theirs
from danlu.watch.measured import Measured
from danlu.watch.probes.code_words import assignments, name_of, words_behind
from danlu.watch.sources import Sources
from danlu.watch.walking import walk

_MOST_PARTS = 24  # objects that a data set is made of
_MOST_FUNCTIONS = 40
_SEEDS = {"seed", "manual_seed", "seed_everything", "set_seed", "seed_all"}
_MAKERS = {"default_rng", "RandomState", "Random", *_SEEDS}  # of generators, from a seed
_DRAWS = {
    "random", "rand", "randn", "randint", "normal", "uniform", "choice", "choices", "sample", "gauss", "permutation",
    "shuffle", "integers", "standard_normal", "binomial", "bernoulli", "beta", "randperm", "rand_like", "randn_like",
    "randrange", "betavariate", "random_sample",
}  # fmt: skip
# What tells a worker from the others, or one pass from the next.
_OWN = {"initial_seed", "get_worker_info", "worker_info", "time", "time_ns", "urandom", "getpid", "SeedSequence"}
_ONCE = ("__iter__", "set_epoch", "reset", "setup")  # methods that are not called for each sample
_INSIDE = ("dataset", "datasets", "transform", "transforms", "augment", "augmentation", "aug")


class DrawsProbe:
    """Looks at each loader of the training once, and at its sampler whenever it is begun."""

    writes = ("drawing",)

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        self._sources = Sources()
        self._begun: Any = None  # the newest loader, weakly, until a batch is trained on
        self._epochs: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()  # of samplers, when begun last

    def loader_begun(self, loader: Any, step: int) -> None:
        """A DataLoader is gone through from the beginning."""
        before = self._begun and self._begun()
        if before is not None and _shuffle_apart(before, loader):
            self._measured.drawing.apart += 1
        sampler = _distributed(loader)
        if sampler is None or sampler not in self._epochs:
            self._begun = weakref.ref(loader)
            return
        drawing = self._measured.drawing
        drawing.passes += 1
        if sampler.epoch == self._epochs[sampler]:
            drawing.unchanged += 1
            drawing.unchanged_since = drawing.unchanged_since or max(1, step)
        self._epochs[sampler] = sampler.epoch

    def evaluates(self) -> None:
        """A batch is evaluated: the loader that was begun last is none of the training."""
        self._begun = None

    def trains(self) -> None:
        """A batch is trained on: the loader that was begun last is one of the training."""
        loader, self._begun = self._begun and self._begun(), None
        if loader is None:
            return
        sampler = _distributed(loader)
        if sampler is not None:
            self._epochs[sampler] = sampler.epoch
            self._measured.drawing.passes += 1
        if not self._measured.drawing.repeats:
            self._look(loader)

    def _look(self, loader: Any) -> None:
        drawing = self._measured.drawing
        drawing.workers = loader.num_workers
        parts = [*_parts(loader.dataset), loader.collate_fn]
        reached = list(_reached([one for part in parts for one in _functions(part)]))
        if not any(_words(one.__code__) & _DRAWS for one in reached) or _knows_its_worker(reached):
            return
        line = self._seeded_again(reached)
        if line is not None:
            drawing.repeats, drawing.line = "sample", line
            return
        if not loader.num_workers:
            return
        again = loader.num_workers > 1 or not loader.persistent_workers
        start = loader.worker_init_fn
        if start is None and again:
            drawing.named = next(filter(None, [*map(_own_generator, parts), *map(_outer_generator, reached)]), "")
            drawing.repeats = "generator" if drawing.named else ""
        elif isinstance(start, FunctionType) and is_theirs(start.__code__.co_filename) and again:
            self._read_start(start, persistent=loader.persistent_workers)

    def _seeded_again(self, functions: list[FunctionType]) -> CodeLine | None:
        """The line that seeds by a number that stands there, in what is called for every sample."""
        for one in functions:
            node = self._node(one) if one.__name__ not in _ONCE and _words(one.__code__) & _MAKERS else None
            for call in walk(node) if node is not None else ():
                if isinstance(call, ast.Call) and name_of(call.func) in _MAKERS:
                    given = [*call.args, *(one.value for one in call.keywords)]
                    if given and all(map(_is_fixed, given)):
                        return CodeLine(one.__code__.co_filename, call.lineno)
        return None

    def _read_start(self, start: FunctionType, *, persistent: bool) -> None:
        """How a worker_init_fn seeds."""
        node, drawing = self._node(start), self._measured.drawing
        if node is None:
            return
        made = assignments(node)
        seeds = [one for one in walk(node) if isinstance(one, ast.Call) and name_of(one.func) in _SEEDS]
        given = {*start.__code__.co_varnames[: start.__code__.co_argcount]}
        words = [words_behind(arg, made) for one in seeds for arg in one.args]
        if not words or any(one & _OWN or any("epoch" in word.lower() for word in one) for one in words):
            return
        if not any(one & given for one in words):
            drawing.repeats = "constant"
        elif all(one & given for one in words) and not persistent:
            drawing.repeats = "worker"
        drawing.line = CodeLine(start.__code__.co_filename, seeds[0].lineno)

    def _node(self, function: FunctionType) -> ast.AST | None:
        """The source of a function; None where it is not found."""
        code = function.__code__
        tree = self._sources.tree(code.co_filename)
        kinds = (ast.FunctionDef, ast.Lambda)
        found = (one for one in walk(tree) if isinstance(one, kinds)) if tree is not None else ()
        return next((one for one in found if _first_line(one) == code.co_firstlineno), None)


def _distributed(loader: Any) -> Any:
    """The sampler of a loader that deals the samples out to several processes in an order drawn for each epoch."""
    inner = getattr(getattr(loader, "batch_sampler", None), "sampler", None)
    found = (one for one in (getattr(loader, "sampler", None), inner) if isinstance(one, DistributedSampler))
    return next((one for one in found if one.shuffle), None)  # pyright: ignore[reportUnknownVariableType]


def _shuffle_apart(one: Any, other: Any) -> bool:
    """Whether two loaders of as many samples, in batches as large, each draw an order of their own."""
    if one is other or one.dataset is other.dataset or one.batch_size != other.batch_size:
        return False
    samplers = one.sampler, other.sampler
    return all(isinstance(sampler, RandomSampler) and sampler.generator is None for sampler in samplers) and (
        len(samplers[0]) == len(samplers[1])
    )


def _first_line(node: ast.FunctionDef | ast.Lambda) -> int:
    decorators = node.decorator_list if isinstance(node, ast.FunctionDef) else []
    return min([node.lineno, *(one.lineno for one in decorators)])


def _is_fixed(node: ast.AST) -> bool:
    """A number, or a global name as constants are written."""
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


def _parts(dataset: Any) -> Iterator[Any]:
    """A data set, those inside it, and what changes its samples."""
    waiting, seen = [dataset], set[int]()
    while waiting and len(seen) < _MOST_PARTS:
        one = waiting.pop(0)
        if id(one) in seen or isinstance(one, nn.Module | type) or one is None:
            continue
        seen.add(id(one))
        yield one
        held: dict[str, Any] = getattr(one, "__dict__", {})
        for name in _INSIDE:
            value = held.get(name)
            waiting += value if isinstance(value, list | tuple) else [value]  # pyright: ignore[reportUnknownArgumentType]


def _functions(part: Any) -> list[FunctionType]:
    """The user's own code in an object: the methods of its class but for the constructor; a function itself."""
    if isinstance(part, FunctionType):
        return [part] if is_theirs(part.__code__.co_filename) else []
    members = [value for parent in type(part).__mro__ for value in vars(parent).values()]
    plain = [getattr(value, "__func__", value) for value in members]
    return [
        one for one in plain if isinstance(one, FunctionType) and one.__name__ not in ("__init__", "__post_init__")
        and is_theirs(one.__code__.co_filename)
    ]  # fmt: skip


def _reached(functions: list[FunctionType]) -> Iterator[FunctionType]:
    """These, and the user's functions that they call by a global name."""
    waiting, seen = list(functions), set[int]()
    while waiting and len(seen) < _MOST_FUNCTIONS:
        one = waiting.pop(0)
        if id(one.__code__) in seen:
            continue
        seen.add(id(one.__code__))
        yield one
        called = [one.__globals__.get(word) for word in _words(one.__code__)]
        waiting += [
            value for value in called if isinstance(value, FunctionType) and is_theirs(value.__code__.co_filename)
        ]


def _words(code: CodeType) -> set[str]:
    """The names that a function looks up, those inside it too."""
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    return {*code.co_names, *(word for one in inner for word in _words(one))}


def _knows_its_worker(functions: list[FunctionType]) -> bool:
    return any(_words(one.__code__) & (_OWN - {"time", "time_ns"}) for one in functions)


def _own_generator(part: Any) -> str:
    """The attribute of an object that holds a generator and is drawn from outside of its constructor; else nothing."""
    words = {word for one in _functions(part) for word in _words(one.__code__)}
    held: dict[str, Any] = getattr(part, "__dict__", {})
    return next((name for name, value in held.items() if name in words and generator_state(value) is not None), "")


def _outer_generator(function: FunctionType) -> str:
    """The global name, or that of a function around this one, by which it draws from a generator; else nothing."""
    names = [(name, function.__globals__.get(name)) for name in sorted(_words(function.__code__))]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        with contextlib.suppress(ValueError):  # a cell that is not filled yet
            names.append((name, cell.cell_contents))
    return next((name for name, value in names if generator_state(value) is not None), "")
