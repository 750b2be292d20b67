"""What keeps a training from being shared is told before anything is written, all of it at once."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import nn

import danlu
from danlu.base.errors import UserError
from danlu.base.recipe import Recipe
from danlu.base.words import use_language
from danlu.run.distributed.sharing import check_sharing, sharing_notes, unshared
from danlu.run.engines import build_engine, choose_engine
from danlu.run.setup import set_up
from danlu.store.run_environment import MODULE
from danlu.train.distributed.engine import SharedEngine
from danlu.train.module_engine import ModuleEngine

NORMED = {"name": "mlp", "hidden": [8], "norm": "batch"}
REFUSED: list[tuple[dict[str, Any], int, list[str]]] = [
    ({"virtual_workers": 2}, 1, ["workers-without-exact"]),
    ({"exact": True, "batch_norm": "per-process"}, 1, ["batch-norm-with-exact"]),
    ({"exact": True}, 5, ["more-than-workers"]),
    ({"exact": True, "virtual_workers": 40}, 2, ["more-than-samples"]),
    ({}, 33, ["more-than-samples"]),
    ({"optim.name": "lbfgs"}, 2, ["lbfgs"]),
    ({"fit_memory": True}, 2, ["fit-memory"]),
    ({"fit_memory": True, "exact": True}, 1, ["fit-memory"]),
    ({"compile": True}, 2, ["compile"]),
    (
        {"exact": True, "optim.name": "lbfgs", "batch_norm": "synchronised"},
        9,
        ["batch-norm-with-exact", "more-than-workers", "lbfgs"],
    ),
    ({"fsdp": True, "exact": True}, 1, ["fsdp-with-exact"]),
    ({"fsdp": True, "optim.name": "adafactor"}, 2, ["fsdp-optimiser"]),
    ({"fsdp": True, "optim.name": "lbfgs"}, 2, ["lbfgs"]),
    ({"fsdp": True, "precision": "float16"}, 2, ["fsdp-float16"]),
    ({"fsdp": True, "freeze": ["layers.0"], "epochs": 2, "thaw": 2}, 2, ["fsdp-thaw"]),
    ({"exact": True, "net": NORMED, "batch_size": 6}, 1, ["part-of-one"]),
    ({"batch_norm": "per-process", "net": NORMED, "batch_size": 4}, 3, ["part-of-one"]),
]  # fmt: skip


def prepared(settings: dict[str, Any]) -> Any:
    tree: dict[str, Any] = {"data": {"name": "digits"}, "train": {"epochs": 1, "batch_size": 32}}
    tree["net"] = settings.get("net", {"name": "mlp", "hidden": [8]})
    for key, value in settings.items():
        if key != "net":
            section, _, name = key.rpartition(".")
            tree.setdefault(section or "train", {})[name] = value
    return set_up(danlu.Recipe(**{**tree, "net": {"name": tree["net"]["name"], "options": {
        key: value for key, value in tree["net"].items() if key != "name"}}}))  # fmt: skip


@pytest.mark.parametrize(("settings", "world", "faults"), REFUSED)
def test_it_is_refused(settings: dict[str, Any], world: int, faults: list[str]) -> None:
    with pytest.raises(UserError, match=r"\w") as error:
        check_sharing(prepared(settings), world)
    assert [fault.id for fault in error.value.faults] == [f"processes.{fault}" for fault in faults]
    for language in ("en", "zh"):
        use_language(language)
        assert all(str(fault) for fault in error.value.faults)
    use_language("en")


@pytest.mark.parametrize(
    ("settings", "world"),
    [
        ({}, 1),
        ({}, 2),
        ({"net": NORMED, "batch_size": 4}, 4),  # parts of one sample, normalised over all
        ({"exact": True, "net": NORMED}, 4),
        ({"exact": True, "virtual_workers": 7}, 7),
        ({"fsdp": True, "optim.name": "adamw"}, 2),
        ({"fsdp": True, "optim.name": "adafactor"}, 1),  # there is nothing to divide
    ],
)
def test_it_is_taken(settings: dict[str, Any], world: int) -> None:
    check_sharing(prepared(settings), world)


def test_an_exact_training_has_its_engine_in_one_process_too() -> None:
    exact, asked, plain = prepared({"exact": True}), prepared({"processes": 1}), prepared({})
    assert choose_engine(exact) == choose_engine(asked) == MODULE != choose_engine(plain)
    assert isinstance(build_engine(exact, MODULE), SharedEngine)
    assert type(build_engine(asked, MODULE)) is not SharedEngine
    assert [note.id for note in sharing_notes(exact)] == ["processes.exact"]
    assert sharing_notes(asked) == []


def test_one_process_has_nothing_to_divide() -> None:
    setup = prepared({"fsdp": True})
    assert choose_engine(setup) == MODULE
    assert type(build_engine(setup, MODULE)) is ModuleEngine
    assert [note.id for note in sharing_notes(setup)] == ["processes.fsdp-alone"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"processes": 2}, {}, True),
        ({"processes": 2, "batch_norm": "synchronised"}, {}, True),
        ({"processes": 2, "batch_norm": "per-process"}, {}, False),
        ({"processes": 2, "batch_norm": "per-process"}, {"processes": 3, "batch_norm": "per-process"}, False),
        ({"exact": True}, {}, False),
        ({"exact": True, "processes": 3}, {"exact": True, "virtual_workers": 4}, True),
        ({"exact": True, "virtual_workers": 2}, {"exact": True}, False),
        ({"exact": False}, {}, True),
        ({"processes": 2, "fsdp": True}, {}, True),
    ],
)
def test_who_computes_is_no_part_of_what_is_trained(one: Any, other: Any, same: bool) -> None:
    first, second = Recipe(train=one), Recipe(train=other)
    assert (first.fingerprint() == second.fingerprint()) is same


def test_fingerprints_are_those_from_before_there_were_processes() -> None:
    assert Recipe(schedule={"name": "constant"}).fingerprint() == "863b80a313f8a25a"


def _refused_objects(folder: Path) -> list[tuple[Any, dict[str, Any]]]:
    x = numpy.zeros((40, 3), dtype=numpy.float32)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    return [
        (("mlp", (x, x[:, 0] > 0)), {}),
        ((net, "digits"), {}),
        (("mlp", "digits"), {"listeners": [print]}),
        (("mlp", "digits"), {"metrics": {"zero": lambda outputs, targets: 0.0}}),
        (("mlp", "digits"), {"loss": nn.functional.cross_entropy}),
        (("mlp", "digits"), {"optimizer": torch.optim.Adam}),
    ]


def test_what_lives_in_one_process_is_not_started_in_others(tmp_path: Path) -> None:
    for given, settings in _refused_objects(tmp_path):
        with pytest.raises(UserError, match="torchrun --nproc-per-node 2"):
            danlu.fit(*given, processes=2, folder=tmp_path / "run", progress=False, **settings)
    assert not (tmp_path / "run").exists()


def test_more_processes_than_cores_are_not_started(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train\.processes = 1000, but"):
        danlu.fit("mlp", "digits", processes=1000, folder=tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_a_study_is_not_shared_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train\.processes is for one training(?s:.*)train\.exact is for one"):
        danlu.compare(
            "mlp", "digits", vary={"optim.lr": [0.1, 0.01]}, processes=2, exact=True, folder=tmp_path / "study"
        )
    assert not (tmp_path / "s").exists()


def test_a_cure_leaves_it_out() -> None:
    recipe = Recipe(train={"processes": 2, "exact": True, "virtual_workers": 3, "epochs": 2})
    assert unshared(recipe) == Recipe(train={"epochs": 2})
