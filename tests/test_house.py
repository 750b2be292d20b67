"""The house stands; and a breach of each of its rules, planted here, is seen."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import house
import house_shape
from house import Check
from house_lists import lists_are_cut_in_one_place
from house_sources import Module
from house_systems import windows_is_thought_of

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "danlu"
RULES: list[Check] = [*house.CHECKS, windows_is_thought_of, lists_are_cut_in_one_place]
RULES_BESIDE: list[Check] = [house.files_and_functions_are_short, house.expected_errors_are_read]


def modules() -> Iterator[Module]:
    """Those of the package."""
    for file in sorted(PACKAGE.rglob("*.py*")):
        if file.suffix in (".py", ".pyi"):
            yield Module.read(file, PACKAGE)


def beside() -> Iterator[Module]:
    for folder in ("tests", "benchmarks"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            yield Module.read(file, ROOT)


Breaches = dict[str, list[str]]


@pytest.fixture(scope="module")
def read() -> tuple[list[Module], Breaches]:
    """The package for rules that look at all of it, and what each rule says of all files: each is parsed once."""
    whole, found = list[Module](), {f"{name_of(check)}": list[str]() for check in (*RULES, *RULES_BESIDE)}
    for module in modules():
        for check in RULES:
            found[f"{name_of(check)}"] += check(module)
        whole.append(module.let_go())
    for module in beside():
        for check in RULES_BESIDE:
            found[f"{name_of(check)}"] += check(module)
    return whole, found


@pytest.fixture(scope="module")
def whole(read: tuple[list[Module], Breaches]) -> list[Module]:
    return read[0]


@pytest.fixture(scope="module")
def breaches(read: tuple[list[Module], Breaches]) -> Breaches:
    return read[1]


def name_of(value: object) -> str | None:
    return getattr(value, "__name__", None)


@pytest.mark.parametrize("rule", [name_of(check) for check in dict.fromkeys([*RULES, *RULES_BESIDE])])
def test_the_house_keeps_its_rules(rule: str, breaches: dict[str, list[str]]) -> None:
    assert not breaches[rule], "\n".join(breaches[rule])


def test_each_optional_part_is_imported_in_one_file(whole: list[Module]) -> None:
    assert not list(house.optional_parts_have_one_door(whole))


def test_every_folder_has_tests_and_every_test_its_folder() -> None:
    assert not list(house.tests_mirror_the_tree(PACKAGE, ROOT / "tests"))


def test_each_rule_and_each_probe_has_its_own_test() -> None:
    assert not list(house.each_has_its_own_test(PACKAGE, ROOT / "tests"))


def test_no_knots_at_any_depth(whole: list[Module]) -> None:
    assert not list(house_shape.no_knots_at_any_depth(whole))


def test_no_class_name_means_two_things(whole: list[Module]) -> None:
    assert not list(house_shape.class_names_mean_one_thing(whole))


def test_every_folder_is_a_package() -> None:
    assert not list(house.every_folder_is_a_package(PACKAGE))


def test_packages_are_lazy_by_their_stub() -> None:
    assert not list(house.packages_are_lazy_by_their_stub(PACKAGE))


def test_declared_parts_are_those_in_use(whole: list[Module]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert not list(house.parts_are_declared(whole, project))


def test_every_part_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = {line.partition("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    named = [*project["dependencies"], *(part for extra in project["optional-dependencies"].values() for part in extra)]
    assert {house.part_name(requirement) for requirement in named} <= pins
    assert "torch==2.13.0" in lines
    assert all(line.startswith("#") or "==" in line for line in lines), "only pins: no index, no file, no range"


def test_importing_danlu_leaves_the_heavy_parts_alone() -> None:
    program = "import sys, torch; before = set(sys.modules); import danlu; print(*set(sys.modules) - before, sep='\\n')"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = answer.stdout.split()
    assert "danlu.base.words" in loaded
    assert not sorted(name for name in loaded if house.is_under(name, {*house.HEAVY, "danlu.cli"}))


LONG_FUNCTION = "def long():\n" + "    x = 1\n" * 60

BREACHES: list[tuple[Check, str, str]] = [
    (house.imports_go_down, "base/words.py", "from danlu.data import load"),
    (house.imports_go_down, "base/words.py", "from danlu import nets"),
    (house.imports_go_down, "base/words.py", "from danlu import __version__"),
    (house.imports_go_down, "data/table.py", "import danlu.nets.mlp"),
    (house.imports_go_down, "data/table.py", "import danlu"),
    (house.imports_go_down, "data/readers/idx.py", "from danlu.train.loop import train"),
    (house.imports_go_down, "train/loop.py", "def f():\n    from danlu.run.fit import fit"),
    (house.imports_go_down, "train/loop.py", "if TYPE_CHECKING:\n    from danlu.run.run import Run"),
    (house.imports_go_down, "watch/rules/dead.py", "from danlu.store.journal import Journal"),
    (house.imports_go_down, "view/tables.py", "from danlu.run.run import Run"),
    (house.imports_go_down, "serve/routes.py", "from danlu.train.loop import train"),
    (house.imports_go_down, "ship/predict.py", "from danlu.run.run import Run"),
    (house.imports_go_down, "run/fit.py", "from danlu.cli.main import main"),
    (house.imports_go_down, "data/table.py", "from .split import split"),
    (house.imports_go_down, "data/table.py", "from danlu import *"),
    (house.imports_go_down, "cellar/wine.py", "import json"),
    (house.imports_stand_at_the_top, "run/fit.py", "def f():\n    from danlu.base import words"),
    (house.imports_stand_at_the_top, "run/fit.py", "class A:\n    async def f(self):\n        import danlu.base.words"),
    (house.imports_name_what_they_take, "run/fit.py", "from json import *"),
    (house.names_say_something, "data/utils.py", ""),
    (house.names_say_something, "data/common/table.py", ""),
    (house.names_say_something, "core/__init__.py", ""),
    (house.json_is_written_in_one_place, "store/journal.py", "import json\n\njson.dumps(1)"),
    (house.json_is_written_in_one_place, "store/journal.py", "from json import dumps\n\ndumps(1)"),
    (lists_are_cut_in_one_place, "data/load.py", "x = ', '.join(names[:10])"),
    (lists_are_cut_in_one_place, "data/load.py", "x = ', '.join(str(one) for one in names[:MOST])"),
    (house.records_have_one_home, "run/fit.py", "x = {'kind': 'stop', 'step': 3}"),
    (house.records_have_one_home, "view/info/study.py", "def f(record):\n    return record['kind'] == 'best'"),
    (house.records_have_one_home, "store/journal.py", "def f(record):\n    return record.get('kind', '')"),
    (house.records_have_one_home, "run/fit.py", "x = dict(kind='stop')"),
    (house.init_only_reexports, "nets/__init__.py", "def build(): ..."),
    (house.init_only_reexports, "nets/__init__.py", "def __getattr__(name): ..."),
    (house.init_only_reexports, "nets/__init__.py", "NETS = {}"),
    (house.init_only_reexports, "nets/__init__.py", "lazily('danlu.data')"),
    (house.init_only_reexports, "nets/__init__.pyi", "from danlu.nets.mlp import MLP"),
    (house.init_only_reexports, "nets/__init__.pyi", "def build() -> None: ..."),
    (house.imports_go_down, "nets/__init__.pyi", "from danlu.run.fit import fit as fit"),
    (house.nothing_runs_out_of_data, "base/lazily.py", "import pickle"),
    (house.init_only_reexports, "nets/__init__.py", "import json\njson.dumps(1)"),
    (house.randomness_in_one_place, "train/loop.py", "import torch\ntorch.manual_seed(0)"),
    (house.randomness_in_one_place, "train/loop.py", "from torch import manual_seed as seed"),
    (house.randomness_in_one_place, "train/loop.py", "import torch\ng = torch.Generator()"),
    (house.randomness_in_one_place, "train/loop.py", "import torch as t\nx = t.cuda.is_available()"),
    (house.randomness_in_one_place, "base/secret.py", "import random"),
    (house.randomness_in_one_place, "train/loop.py", "import torch\nx = torch.backends.mps.is_available()"),
    (house.randomness_in_one_place, "train/loop.py", "import torch\nx = torch.randperm(3)"),
    (house.randomness_in_one_place, "train/loop.py", "import random"),
    (house.randomness_in_one_place, "train/loop.py", "import numpy as np\nx = np.random.rand()"),
    (house.randomness_in_one_place, "train/loop.py", "from numpy import random"),
    (house.randomness_in_one_place, "train/loop.py", "import os\nn = os.cpu_count()"),
    (house.environment_in_one_place, "data/load.py", "import os\nx = os.environ['HOME']"),
    (house.environment_in_one_place, "data/load.py", "from os import getenv"),
    (house.environment_in_one_place, "data/load.py", "import locale"),
    (house.environment_in_one_place, "data/load.py", "from pathlib import Path\nx = Path.home()"),
    (house.files_and_functions_are_short, "data/load.py", "x = 1\n" * 401),
    (house.files_and_functions_are_short, "data/load.py", LONG_FUNCTION),
    (house.heavy_parts_wait, "data/load.py", "import polars"),
    (house.heavy_parts_wait, "data/load.py", "from sklearn.datasets import load_digits"),
    (house.heavy_parts_wait, "data/load.py", "try:\n    import scipy.stats\nexcept ImportError:\n    pass"),
    (house.heavy_parts_wait, "data/load.py", "class A:\n    import torchmetrics"),
    (house.heavy_parts_wait, "run/fit.py", "import rich"),
    (house.nothing_runs_out_of_data, "data/load.py", "import pickle"),
    (house.nothing_runs_out_of_data, "data/load.py", "import torch\nx = torch.load('a.pt')"),
    (house.nothing_runs_out_of_data, "data/load.py", "import torch\nx = torch.load('a.pt', weights_only=False)"),
    (house.nothing_runs_out_of_data, "data/load.py", "import torch\nread = torch.load"),
    (house.nothing_runs_out_of_data, "data/load.py", "import torch\ntorch.save({}, 'a.pt')"),
    (house.nothing_runs_out_of_data, "data/load.py", "import numpy\nx = numpy.load('a.npy', allow_pickle=True)"),
    (house.nothing_runs_out_of_data, "data/load.py", "import importlib\nx = importlib.import_module(name)"),
    (house.nothing_runs_out_of_data, "data/load.py", "x = eval('1')"),
    (house.nothing_runs_out_of_data, "nets/own_net.py", "exec('1')"),
    (house.nothing_runs_out_of_data, "nets/own_file.py", "x = eval('1')"),
    (windows_is_thought_of, "store/journal.py", "import fcntl"),
    (windows_is_thought_of, "store/journal.py", "import os\nif os.name != 'nt':\n    import fcntl"),
    (windows_is_thought_of, "store/journal.py", "def f():\n    from resource import getrusage"),
    (windows_is_thought_of, "store/journal.py", "import os\nos.fork()"),
    (windows_is_thought_of, "store/journal.py", "import os as system\nsystem.sysconf('SC_PAGE_SIZE')"),
    (windows_is_thought_of, "store/journal.py", "import os, signal\nos.kill(1, signal.SIGKILL)"),
    (house.expected_errors_are_read, "data/test_load.py", "with pytest.raises(KeyError):\n    f()"),
    (house.public_names_are_documented, "data/load.py", "def load(): ..."),
    (house.public_names_are_documented, "data/load.py", "class Table: ..."),
]

SOUND: list[tuple[Check, str, str]] = [
    (
        house.imports_go_down,
        "run/fit.py",
        "from danlu import base\nfrom danlu.train.loop import train\nimport danlu.view",
    ),
    (house.imports_go_down, "data/table/infer.py", "from danlu.data.split import split\nimport danluxe"),
    (house.imports_go_down, "__init__.py", "from danlu import nets\nfrom danlu.run.fit import fit"),
    (house.imports_go_down, "cli/main.py", "from danlu import __version__\nfrom danlu.view import tables"),
    (house.imports_stand_at_the_top, "data/load.py", "def f():\n    import polars"),
    (lists_are_cut_in_one_place, "data/load.py", "x = ', '.join(names)\ny = ' '.join(words[:3])"),
    (house.records_have_one_home, "store/records/record.py", "x = {'kind': 'stop'}"),
    (house.records_have_one_home, "lab/draw.py", "def f(kind):\n    return g(kind=kind)"),
    (house.init_only_reexports, "__init__.py", "'Doc.'\nfrom danlu import nets\n__version__ = '0'\n__all__ = ['nets']"),
    (house.init_only_reexports, "nets/mlp.py", "def f(): ..."),
    (house.init_only_reexports, "nets/__init__.py", "from danlu.base.lazily import lazily\nlazily(__name__)"),
    (house.init_only_reexports, "__init__.pyi", "from danlu import nets as nets\n\n__version__: str"),
    (house.nothing_runs_out_of_data, "base/lazily.py", "import importlib\nx = importlib.import_module(name)"),
    (house.nothing_runs_out_of_data, "nets/own_file.py", "exec('1')"),
    (house.randomness_in_one_place, "base/seeds.py", "import random\nimport torch\ntorch.manual_seed(0)"),
    (house.randomness_in_one_place, "base/secret.py", "import secrets\nx = secrets.token_urlsafe(32)"),
    (house.randomness_in_one_place, "data/split.py", "import torch\ndef f(g: torch.Generator): ..."),
    (house.randomness_in_one_place, "data/split.py", "import torch\nx = torch.rand(3, generator=g)"),
    (house.randomness_in_one_place, "data/split.py", "random = 3\nplatform = random"),
    (house.environment_in_one_place, "base/places.py", "import os\nx = os.environ"),
    (house.environment_in_one_place, "data/load.py", "import os\nx = os.name\n# os.environ"),
    (house.files_and_functions_are_short, "data/load.py", "x = 1\n" * 400),
    (house.files_and_functions_are_short, "data/load.py", LONG_FUNCTION.replace("    x = 1\n", "", 1)),
    (house.heavy_parts_wait, "data/load.py", "def f():\n    import polars"),
    (house.heavy_parts_wait, "data/load.py", "if TYPE_CHECKING:\n    import polars"),
    (house.heavy_parts_wait, "view/tables.py", "import rich"),
    (house.heavy_parts_wait, "estimators/classifier.py", "import sklearn"),
    (house.nothing_runs_out_of_data, "data/load.py", "import torch\nx = torch.load('a.pt', weights_only=True)"),
    (house.nothing_runs_out_of_data, "data/load.py", "import numpy\nx = numpy.load('a.npy', allow_pickle=False)"),
    (house.nothing_runs_out_of_data, "nets/mlp.py", "net.eval()"),
    (
        windows_is_thought_of,
        "base/seeds.py",
        "try:\n    import resource\nexcept ImportError:\n    resource = None",
    ),
    (
        windows_is_thought_of,
        "base/seeds.py",
        'import os\nif hasattr(os, "register_at_fork"):\n    os.register_at_fork()',
    ),
    (windows_is_thought_of, "base/seeds.py", "import os, signal\nos.kill(1, signal.SIGTERM)\nos.fsync(3)"),
    (house.expected_errors_are_read, "data/test_load.py", "with pytest.raises(KeyError, match='x'):\n    f()"),
    (house.public_names_are_documented, "data/load.py", "def _load(): ...\ndef load():\n    'Doc.'"),
]


def module(folder: Path, path: str, source: str) -> Module:
    file = folder / path
    file.parent.mkdir(parents=True)
    file.write_text(source, encoding="utf-8")
    return Module.read(file, folder)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return tmp_path / "danlu"


def test_every_rule_has_a_planted_breach() -> None:
    others = {windows_is_thought_of, lists_are_cut_in_one_place, house.expected_errors_are_read}
    assert {check for check, _, _ in BREACHES} == {*house.CHECKS, *others}


@pytest.mark.parametrize(("check", "path", "source"), BREACHES, ids=name_of)
def test_a_planted_breach_is_seen(check: Check, path: str, source: str, package: Path) -> None:
    reports = list(check(module(package, path, source)))
    assert reports
    assert all(report.startswith(f"{path}:") for report in reports)


@pytest.mark.parametrize(("check", "path", "source"), SOUND, ids=name_of)
def test_what_keeps_the_rules_is_left_alone(check: Check, path: str, source: str, package: Path) -> None:
    assert list(check(module(package, path, source))) == []


def test_a_report_names_file_and_line(package: Path) -> None:
    reports = house.heavy_parts_wait(module(package, "data/load.py", "import json\n\nimport polars\n"))
    assert list(reports) == ["data/load.py:3: polars is imported where it is used, inside the function"]


def test_a_second_door_to_an_optional_part_is_seen(tmp_path: Path) -> None:
    first = module(tmp_path / "1", "ship/export.py", "def f():\n    import onnx")
    second = module(tmp_path / "2", "view/graph.py", "def f():\n    from onnx import helper")
    assert list(house.optional_parts_have_one_door([first])) == []
    assert list(house.optional_parts_have_one_door([first, second])) == [
        "onnx is imported in ship/export.py, view/graph.py"
    ]


@pytest.mark.parametrize("what", ["rule", "probe"])
def test_a_rule_or_a_probe_without_its_own_test_is_seen(package: Path, tmp_path: Path, what: str) -> None:
    tests = tmp_path / "tests"
    module(package, f"watch/{what}s/plateau.py", "")
    module(tests, f"watch/{what}s/test_plateaus.py", "")
    assert list(house.each_has_its_own_test(package, tests)) == [
        f"watch/{what}s/plateau.py has no test_plateau.py",
        f"watch/{what}s/test_plateaus.py tests no {what}",
    ]


def test_a_folder_without_tests_and_tests_without_a_folder_are_seen(package: Path, tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    module(package, "data/load.py", "")
    module(package, "nets/mlp.py", "")
    module(tests, "data/readers/test_idx.py", "")
    module(tests, "cellar/test_wine.py", "")
    module(tests, "faults/test_faults.py", "")
    assert list(house.tests_mirror_the_tree(package, tests)) == [
        "tests/cellar mirrors no folder of src/danlu",
        "src/danlu/nets has no tests in tests/nets",
    ]


KNOTS: list[tuple[dict[str, str], str]] = [
    (
        {"data/load.py": "from danlu.data.text.cut import cut", "data/text/cut.py": "import danlu.data.load"},
        "data: load (data/load.py) → text (data/text/cut.py) → load",
    ),
    (  # through a file each, none of which imports the one that imports it
        {
            "view/info/a.py": "from danlu.view.page.a import x",
            "view/page/a.py": "",
            "view/page/b.py": "def f():\n    from danlu.view.info import b",
            "view/info/b.py": "",
        },
        "view: info (view/info/a.py) → page (view/page/b.py) → info",
    ),
    (  # through what a lazy package offers
        {
            "nets/__init__.pyi": "from danlu.nets.mlp import MLP as MLP",
            "nets/mlp.py": "from danlu.nets.blocks import Block",
            "nets/blocks.py": "from danlu import nets\n\nnet = nets.MLP",
        },
        "nets: blocks (nets/blocks.py) → mlp (nets/mlp.py) → blocks",
    ),
    ({"data/__init__.py": "", "data/load.py": "from danlu.data import dataset"}, "data/load.py imports the package"),
]


@pytest.mark.parametrize(("sources", "report"), KNOTS, ids=[report.partition(" ")[0] for _, report in KNOTS])
def test_a_knot_is_seen_at_any_depth(sources: dict[str, str], report: str, tmp_path: Path) -> None:
    modules = [module(tmp_path / str(number), path, text) for number, (path, text) in enumerate(sources.items())]
    found = list(house_shape.no_knots_at_any_depth(modules))
    assert len(found) == 1
    assert found[0].startswith(report)
    assert list(house_shape.no_knots_at_any_depth(modules[1:])) == []


def test_a_class_name_of_two_meanings_is_seen(package: Path, tmp_path: Path) -> None:
    first = module(package, "data/folder/plan.py", "class Plan: ...\n\n\nclass _Own: ...")
    second = module(package, "study/plan.py", "class Plan: ...\n\n\nclass _Own: ...")
    assert list(house_shape.class_names_mean_one_thing([first])) == []
    assert list(house_shape.class_names_mean_one_thing([first, second])) == [
        "Plan stands in data/folder/plan.py and study/plan.py"
    ]


def test_a_folder_that_no_wheel_would_hold_is_seen(package: Path) -> None:
    module(package, "data/load.py", "")
    assert list(house.every_folder_is_a_package(package)) == ["data has no __init__.py, so no wheel would hold it"]


def test_a_package_that_is_lazy_without_a_stub_is_seen(package: Path) -> None:
    module(package, "data/__init__.py", "lazily(__name__)")
    module(package, "nets/__init__.pyi", "")
    (package / "nets" / "__init__.py").write_text("")
    assert [report.partition(":")[0] for report in house.packages_are_lazy_by_their_stub(package)] == [
        "data/__init__.py",
        "nets/__init__.py",
    ]


def test_parts_not_declared_or_not_used_are_seen(package: Path) -> None:
    project = {"dependencies": ["torch>=2", "rich>=14"], "optional-dependencies": {"export": ["onnx>=1"]}}
    source = "import json\nimport torch.nn\nfrom sklearn import datasets\nimport onnx\nimport danlu"
    assert list(house.parts_are_declared([module(package, "ship/export.py", source)], project)) == [
        "scikit-learn is imported but not declared",
        "rich is declared but never imported",
    ]
