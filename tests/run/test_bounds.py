"""Numbers that are none, or beyond all reason: accepted, or refused with a sentence before anything is made."""

import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy
import pytest
from PIL import Image

import danlu
from danlu.base.errors import UserError
from danlu.base.setting_keys import kind_of, known_keys
from danlu.nets import names, option_kind, option_names, room
from danlu.nets.catalogue import build
from danlu.nets.registry import NETS
from danlu.run.building import build_net
from danlu.run.settings.draft import draft_recipe
from deadline import at_once

VALUES: tuple[Any, ...] = (0, -1, 10**12, 1e12, 10**30, float("nan"), float("inf"), 1.5, True, "abc")
ARRAYS = (numpy.random.default_rng(0).normal(size=(40, 4)).astype("float32"), ["a", "b"] * 20)
MEMBERS: dict[str, Any] = {"epochs": 1, "progress": False}

# Options that only one optimiser or schedule has.
OPTIMISERS = {
    "alpha": "rmsprop", "rho": "adadelta", "lr_decay": "adagrad", "initial_accumulator_value": "adagrad",
    "lambd": "asgd", "t0": "asgd", "etas": "rprop", "step_sizes": "rprop", "momentum_decay": "nadam",
    "max_iter": "lbfgs", "history_size": "lbfgs", "tolerance_grad": "lbfgs", "tolerance_change": "lbfgs",
    "betas": "adam", "eps": "adam", "nesterov": "sgd", "dampening": "sgd", "momentum": "sgd",
}  # fmt: skip
SCHEDULES = {"warmup": "cosine", "every": "step", "gamma": "step", "floor": "cosine", "rise": "one-cycle"}


def answer(call: Callable[[], Any]) -> str:
    """What is said, "" where the call is accepted. Any other error than danlu's own is the test's end."""
    with at_once():
        try:
            call()
        except UserError as error:
            assert str(error)
            return str(error)
    return ""


def numeric() -> Iterator[tuple[str, str]]:
    for section, keys in known_keys().items():
        for key in keys:
            kind = str(kind_of(section, key))
            if "int" in kind or "float" in kind:
                yield section, key


@pytest.fixture(scope="module", autouse=True)
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is imported on the way counts for none of the answers; what takes all memory takes 3 GiB and no more."""
    danlu.fit("mlp", ARRAYS, folder=tmp_path_factory.mktemp("warm") / "run", optim="adam", **MEMBERS)
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    if pages:
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 3 * 2**30, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.every(4)
@pytest.mark.parametrize("section", ["data", "loss", "optim", "schedule", "train"])
def test_every_number_of_a_recipe(section: str, tmp_path: Path) -> None:
    keys = [key for own, key in numeric() if own == section]
    assert keys
    for key in keys:
        pair = "tuple" in str(kind_of(section, key))
        accepted: dict[str, Any] = {}
        for value in [(0, value) for value in VALUES] if pair else VALUES:
            settings: dict[str, Any] = {"train.epochs": 1, f"{section}.{key}": value}
            if section == "optim" and key in OPTIMISERS:
                settings["optim.name"] = OPTIMISERS[key]
            if section == "schedule" and key in SCHEDULES:
                settings["schedule.name"] = SCHEDULES[key]
            said = answer(lambda: draft_recipe("mlp", ARRAYS, settings=settings))  # noqa: B023
            accepted = accepted if said else settings
            if value in ("abc", 10**12) and key not in ("seed", "split_seed", "fold_seed", "target"):
                kind = str(kind_of(section, key))
                assert said or (value == 10**12 and "float" in kind), f"{section}.{key}={value} was accepted"
        if accepted:
            answer(lambda: danlu.fit("mlp", ARRAYS, folder=tmp_path / key, progress=False, watch=False, **accepted))  # noqa: B023


@pytest.mark.parametrize(
    "settings",
    [
        {"train.epochs": 1e12},
        {"train.epochs": 10**7, "train.batch_size": 1, "data.samples": 10**6},
        {"optim.name": "lbfgs", "optim.history_size": 10**12},
        {"optim.step_sizes": [True, 2.0], "optim.name": "rprop"},
        {"data.workers": 10**12},
        {"data.image_size": 10**12},
        {"train.batch_size": 10**12},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_what_would_never_end_is_refused(settings: dict[str, Any], tmp_path: Path) -> None:
    data = ARRAYS if "data.samples" not in settings else (numpy.zeros((1000, 2), "float32"), numpy.zeros(1000))
    assert answer(lambda: danlu.fit("mlp", data, folder=tmp_path / "run", progress=False, **settings))
    assert list(tmp_path.iterdir()) == []


def test_flags_are_no_numbers_in_a_section_either() -> None:
    with pytest.raises(UserError, match=r"optim.lr is True; it must be a number"):
        danlu.Recipe(**cast(dict[str, Any], {"optim": {"lr": True}}))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = tmp_path_factory.mktemp("sources")
    for name in "ab":
        (root / "images" / name).mkdir(parents=True)
        for number in range(8):
            picture = numpy.random.default_rng(number).integers(0, 255, (12, 12, 3), dtype="uint8")
            Image.fromarray(picture).save(root / "images" / name / f"{number}.png")
    (root / "text.txt").write_text("the quick brown fox jumps over the lazy dog. " * 40)
    (root / "table.csv").write_text("a,b,y\n" + "".join(f"{row % 7},{row % 5},{row % 2}\n" for row in range(60)))
    return {
        "images": root / "images",
        "text": root / "text.txt",
        "table": root / "table.csv",
        "arrays": ARRAYS,
        "texts": (["a b c", "d e f"] * 20, ["x", "y"] * 20),
    }


LOADED = ("validation", "test", "samples", "split_seed", "workers", "image_size", "min_frequency", "steps", "fold")


@pytest.mark.parametrize("source", ["images", "text", "table", "arrays", "texts"])
def test_every_number_of_load(source: str, sources: dict[str, Any]) -> None:
    target = {"target": "y"} if source == "table" else {}
    for key in (*LOADED, "fold_seed", "steps_per_epoch"):
        folds = [(value, 3) for value in VALUES] + [(0, value) for value in VALUES]
        for value in [*VALUES, *folds] if key == "fold" else VALUES:
            said = answer(lambda: danlu.load(sources[source], **target, **cast(dict[str, Any], {key: value})))  # noqa: B023
            assert said or value not in ("abc", True), f"{key}={value} was accepted"


@pytest.mark.every(4)
@pytest.mark.parametrize("name", [name for name in names() if NETS[name].sample_shape != (3, 224, 224)])
def test_every_number_of_a_net(name: str) -> None:
    entry = NETS[name]
    for option in option_names(name):
        kind = str(option_kind(name, option))
        if option == "init" or ("int" not in kind and "float" not in kind):
            continue
        layers = [[10**12], [8] * 100_000, [2_000_000_000, 2_000_000_000]] if "Sequence" in kind else []
        for value in [*VALUES, "8" * 5000, *layers]:
            said = answer(
                lambda: build(
                    name,
                    {option: value},  # noqa: B023
                    sample_shape=entry.sample_shape,
                    outputs=entry.classes or 2,
                    task=entry.task or "classification",
                    vocabulary=entry.vocabulary,
                )
            )
            assert said or value not in (10**12, "abc", *layers) or "float" in kind, f"{option}={value} was accepted"
            assert len(said) < 1000


def test_a_net_too_large_is_refused_with_its_size(tmp_path: Path, language: str) -> None:
    said = answer(lambda: danlu.fit("mlp", ARRAYS, hidden=[60_000] * 9, folder=tmp_path / "run", progress=False))
    assert "28,800,900,002" in said
    assert "GiB" in said
    assert list(tmp_path.iterdir()) == []


def test_the_first_weights_of_a_large_net_are_those_it_always_had(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = danlu.Recipe(**cast(dict[str, Any], {"net": {"name": "mlp", "hidden": [50]}}))
    data = danlu.load(ARRAYS)
    usual = build_net(recipe, data).state_dict()
    monkeypatch.setattr(room, "_NO_QUESTION", 10**12)
    asked = build_net(recipe, data).state_dict()
    assert all(usual[key].equal(asked[key]) for key in usual)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> danlu.Run:
    return danlu.fit("softmax-regression", ARRAYS, folder=tmp_path_factory.mktemp("trained") / "run", **MEMBERS)


def calls(run: danlu.Run, folder: Path) -> dict[str, Callable[[str, Any], Any]]:
    """What takes a number by keyword, each called with one."""

    def search(key: str, value: Any) -> Any:
        given: dict[str, Any] = {"trainings": 4, "seeds": 2, key: value}
        return danlu.search("mlp", ARRAYS, space={"lr": (0.1, 0.2)}, folder=folder / "search", **given, **MEMBERS)

    def compare(key: str, value: Any) -> Any:
        given: dict[str, Any] = {"seeds": 1, key: value}
        return danlu.compare("mlp", ARRAYS, vary={"lr": [0.1, 0.2]}, folder=folder / "compare", **given, **MEMBERS)

    def rates(key: str, value: Any) -> Any:
        return danlu.lr_find(
            "softmax-regression", ARRAYS, **cast(dict[str, Any], {"points": 8, "steps": 8, key: value})
        )

    def surface(key: str, value: Any) -> Any:
        return danlu.landscape(run, data=ARRAYS, **cast(dict[str, Any], {"points": 3, "samples": 10, key: value}))

    def cure(key: str, value: Any) -> Any:
        return danlu.cure(run, data=ARRAYS, folder=folder / "cure", progress=False, **{key: value})

    def draw(key: str, value: Any) -> Any:
        return danlu.draw("mlp", (4,), **{key: value})

    return {"search": search, "compare": compare, "lr_find": rates, "landscape": surface, "cure": cure, "draw": draw}


COUNTS = [
    *(("search", key) for key in ("seeds", "folds", "trainings", "jobs")),
    *(("compare", key) for key in ("seeds", "folds", "jobs")),
    *(("lr_find", key) for key in ("points", "steps")),
    *(("landscape", key) for key in ("points", "samples")),
    *(("cure", key) for key in ("seeds", "folds", "jobs")),
    ("draw", "boxes"),
]
MEASURES = [
    ("search", "minutes"), ("compare", "margin"), ("lr_find", "lowest"), ("lr_find", "highest"), ("landscape", "span"),
]  # fmt: skip


@pytest.mark.every(4)
@pytest.mark.parametrize(("verb", "key"), COUNTS)
def test_counts_by_keyword(verb: str, key: str, trained: danlu.Run, tmp_path: Path) -> None:
    call = calls(trained, tmp_path)[verb]
    for value in VALUES:
        assert answer(lambda: call(key, value)), f"{key}={value} was accepted"  # noqa: B023
    if key == "seeds":
        for value in ([10**30], ["abc"], [True], [-1], [1.5]):
            assert answer(lambda: call(key, value)), f"{key}={value} was accepted"  # noqa: B023
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("verb", "key"), MEASURES)
def test_measures_by_keyword(verb: str, key: str, trained: danlu.Run, tmp_path: Path) -> None:
    call = calls(trained, tmp_path)[verb]
    for value in [-1, float("nan"), "abc"] + ([3, (1,), ("a", "b")] if key == "span" else []):
        assert answer(lambda: call(key, value)), f"{key}={value} was accepted"  # noqa: B023


def test_levels_and_ranges(tmp_path: Path) -> None:
    for value in (10**12, 10**30, float("nan"), float("inf"), "abc"):
        for key in ("epochs", "net.hidden", "batch_size"):
            said = answer(
                lambda: danlu.compare("mlp", ARRAYS, vary={key: [value, value]}, folder=tmp_path / "no")  # noqa: B023
            )
            assert said
        space = {"epochs": (1, value)}
        assert answer(lambda: danlu.search("mlp", ARRAYS, space=space, folder=tmp_path / "no"))  # noqa: B023
    many = {f"{key}": [number / 100 for number in range(1, 23)] for key in ("lr", "momentum", "weight_decay")}
    assert "10648 combinations" in answer(
        lambda: danlu.compare("mlp", ARRAYS, vary=many, seeds=1, folder=tmp_path / "no")
    )
    assert list(tmp_path.iterdir()) == []


def test_more_seeds_than_anybody_means_leave_a_study_as_it_was(tmp_path: Path) -> None:
    study = danlu.compare(
        "softmax-regression", ARRAYS, vary={"lr": [0.1, 0.2]}, seeds=1, folder=tmp_path / "s", **MEMBERS
    )
    before = (study.folder / "study.json").read_bytes()
    for value in VALUES:
        assert answer(lambda: study.more(value, progress=False))  # noqa: B023
    assert (study.folder / "study.json").read_bytes() == before
