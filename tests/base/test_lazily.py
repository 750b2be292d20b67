"""What a package offers lazily behaves like what it would import at once. One process each: what is loaded stays."""

import ast
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import danlu

PACKAGE = Path(danlu.__file__).parent
STUBS = sorted(PACKAGE.rglob("__init__.pyi"))


def name_of(stub: Path) -> str:
    return ".".join(("danlu", *stub.parent.relative_to(PACKAGE).parts))


def exports(stub: Path) -> list[tuple[str, str, str]]:
    return [
        (node.module or "", name.name, name.asname or name.name)
        for node in ast.parse(stub.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    ]


def said(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("stub", STUBS, ids=name_of)
def test_every_name_is_there_and_is_what_its_module_holds(stub: Path) -> None:
    package = sys.modules.get(name_of(stub)) or __import__(name_of(stub), fromlist=["*"])
    for module, original, name in exports(stub):
        source = __import__(module, fromlist=["*"])
        value = getattr(package, name)
        assert value is (sys.modules[f"{module}.{original}"] if module == name_of(stub) else getattr(source, original))
        assert name in dir(package)
        assert name in package.__all__


@pytest.mark.slow
def test_a_function_wins_over_the_module_of_its_name_whichever_comes_first() -> None:
    """danlu.watch is a function, though importing danlu.watch.attach makes Python bind the folder to that name."""
    shadowed = [
        (name_of(stub), name)
        for stub in STUBS
        for module, _, name in exports(stub)
        if module != name_of(stub) and ((stub.parent / name).is_dir() or (stub.parent / f"{name}.py").is_file())
    ]
    assert ("danlu", "watch") in shadowed
    assert ("danlu.nets", "describe") in shadowed
    program = "import importlib, types\n" + "".join(
        f"importlib.import_module('{package}.{name}')\n"
        f"assert not isinstance(importlib.import_module('{package}').{name}, types.ModuleType), '{package}.{name}'\n"
        for package, name in shadowed
    )
    said(program)


@pytest.mark.slow
def test_star_brings_everything_and_an_unknown_name_is_an_error() -> None:
    assert said("from danlu import *\nprint(fit.__name__, nets.__name__, LeNet5 if 'LeNet5' in dir() else '')") == (
        "fit danlu.nets"
    )
    with pytest.raises(AttributeError, match="module 'danlu' has no attribute 'fitt'"):
        _ = danlu.fitt
    with pytest.raises(ImportError, match="cannot import name 'fitt' from 'danlu'"):
        exec("from danlu import fitt")
    assert not hasattr(danlu, "_anything")


def test_classes_are_pickled_by_their_own_modules() -> None:
    for value in (danlu.Recipe, danlu.nets.LeNet5, danlu.fit, danlu.watch):
        assert pickle.loads(pickle.dumps(value)) is value


@pytest.mark.slow
def test_help_tells_of_what_is_not_loaded_yet() -> None:
    told = said("import danlu, pydoc\nprint(pydoc.plain(pydoc.render_doc(danlu)))")
    assert "train a network, see what is wrong" in told
    assert all(f"    {name}(" in told for name in ("fit", "compare", "watch", "view"))


def test_who_is_not_asked_is_not_imported() -> None:
    assert said("import sys, danlu, danlu.nets\nprint('torch' in sys.modules, danlu.__version__)").startswith("False ")
