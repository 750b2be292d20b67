"""Pictures are normalised as the weights want it that a training begins with; and by whom it is said otherwise."""

import re
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

import danlu
from danlu.base.errors import UserError
from danlu.data.standard import Pixels
from danlu.nets import published_normalisation
from danlu.run.interrupt import Interrupted
from danlu.run.settings.draft import draft_recipe
from danlu.run.setup import Setup, set_up
from danlu.study.compare import planned
from interruption import assert_same_end, interrupt_at

MEAN, STD = numpy.array([0.485, 0.456, 0.406]), numpy.array([0.229, 0.224, 0.225])
QUIET: dict[str, Any] = {"progress": False, "epochs": 1, "batch_size": 8}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures, and weights laid out as torchvision's for ImageNet."""
    place, drawn = tmp_path_factory.mktemp("published"), numpy.random.default_rng(0)
    for kind, channels in (("colour", 3), ("grey", 1)):
        for label in ("cat", "dog"):
            (place / kind / label).mkdir(parents=True)
            for number in range(20):
                pixels = drawn.integers(0, 200, (32, 32, channels), dtype=numpy.uint8)
                Image.fromarray(pixels if channels == 3 else pixels[..., 0]).save(
                    place / kind / label / f"{number}.png"
                )
    torch.manual_seed(0)
    torch.save(danlu.nets.ResNet18(classes=1000).state_dict(), place / "resnet18.pth")
    torch.save(danlu.nets.ResNet18(classes=10).state_dict(), place / "ten.pth")
    return place


def made(
    files: Path, net: str = "resnet18", data: object = "colour", weights: str | None = "resnet18", **more: Any
) -> Setup:
    data = files / data if isinstance(data, str) else data
    begin = {} if weights is None else {"net.weights": str(files / f"{weights}.pth")}
    drafted = draft_recipe(net, data, settings={**begin, **more})
    return set_up(drafted, None if isinstance(data, Path) else data)


def statistics(setup: Setup) -> tuple[list[float], list[float]]:
    assert isinstance(setup.data.encoder, Pixels)
    return list(setup.data.encoder.mean), list(setup.data.encoder.std)


@pytest.mark.every(2)
def test_the_weights_decide(files: Path, language: str) -> None:
    setup = made(files)
    assert setup.recipe.data.normalise == "imagenet"
    assert "data.normalise" in setup.recipe.chosen
    assert statistics(setup) == (MEAN.tolist(), STD.tolist())
    said = {"en": "normalised by ImageNet's mean and standard deviation", "zh": "按 ImageNet 的均值和标准差归一化"}
    assert any(said[language] in str(note) for note in setup.data.notes)
    picture = numpy.arange(32 * 32 * 3, dtype=numpy.uint8).reshape(32, 32, 3)
    by_hand = ((picture / 255 - MEAN) / STD).transpose(2, 0, 1)
    numpy.testing.assert_allclose(setup.data.encode(picture)[0].numpy(), by_hand, atol=1e-6)
    x, _ = next(iter(setup.data.batches("train", 4, device=torch.device("cpu"))))
    low, high = (-MEAN / STD), (200 / 255 - MEAN) / STD
    assert (x.amin((0, 2, 3)).numpy() >= low - 1e-5).all()
    assert (x.amax((0, 2, 3)).numpy() <= high + 1e-5).all()


OTHERS: dict[str, dict[str, Any]] = {
    "no weights": {"weights": None},
    "weights for ten classes": {"weights": "ten"},
    "it is said": {"data.normalise": "data"},
    "weights that are for another net": {"net": "resnet34"},
}


@pytest.mark.every(2)
@pytest.mark.parametrize("why", OTHERS)
def test_others_take_the_training_part(why: str, files: Path) -> None:
    setup = made(files, **OTHERS[why])
    assert statistics(setup) == statistics(made(files, net="mlp", weights=None))
    assert setup.recipe.data.normalise == (None if why == "no weights" else "data")


def test_what_is_not_standardised_stays_so(files: Path) -> None:
    assert statistics(made(files, standardise=False)) == ([0.0] * 3, [1.0] * 3)


def test_it_can_be_set_for_any_net(files: Path) -> None:
    assert statistics(made(files, "mlp", weights=None, **{"data.normalise": "imagenet"})) == (
        MEAN.tolist(),
        STD.tolist(),
    )
    assert statistics(made(files, "mlp", "grey", None, **{"data.normalise": "symmetric"})) == ([0.5], [0.5])
    loaded = danlu.load(files / "colour", normalise="imagenet")
    assert statistics(made(files, "mlp", loaded, None)) == (MEAN.tolist(), STD.tolist())


def test_streamed_pictures_too(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("danlu.data.folder.load.HELD_BYTES", 1000)
    monkeypatch.setattr("danlu.data.folder.load.recall", lambda place: None)  # pyright: ignore[reportUnknownLambdaType]
    setup = made(files)
    assert type(setup.data).__name__ == "StreamDataset"
    assert statistics(setup) == (MEAN.tolist(), STD.tolist())


NETS = {"resnet18": "imagenet", "resnet50": "imagenet", "densenet121": "imagenet", "googlenet": "symmetric"}


@pytest.mark.every(2)
@pytest.mark.parametrize("name", [*NETS, "small-resnet", "lenet5"])
def test_only_the_whole_layout_counts(name: str) -> None:
    made_by = {
        "densenet121": danlu.nets.DenseNet121,
        "googlenet": danlu.nets.GoogLeNet,
        "resnet50": danlu.nets.ResNet50,
    }
    kind = made_by.get(name, danlu.nets.ResNet18)
    with torch.device("meta"):
        weights = kind(classes=1000).state_dict()
        grey, fewer = kind(classes=1000, channels=1).state_dict(), kind(classes=999).state_dict()
    assert published_normalisation(name, weights) == NETS.get(name)
    bare = {key: tensor for key, tensor in weights.items() if not key.endswith("num_batches_tracked")}
    assert published_normalisation(name, bare) == NETS.get(name)
    lacking = dict(list(bare.items())[1:])
    extra = {**bare, "more.weight": torch.zeros(1)}
    assert [published_normalisation(name, one) for one in (grey, fewer, lacking, extra)] == [None] * 4


def test_old_names_and_auxiliary_heads_are_understood() -> None:
    with torch.device("meta"):
        dense = danlu.nets.DenseNet121(classes=1000).state_dict()
        inception = danlu.nets.GoogLeNet(classes=1000, aux=True).state_dict()
    old = {re.sub(r"(denselayer\d+\.(?:norm|relu|conv))([12])", r"\1.\2", name): one for name, one in dense.items()}
    assert old.keys() != dense.keys()
    assert published_normalisation("densenet121", old) == "imagenet"
    assert published_normalisation("googlenet", inception) == "symmetric"


@pytest.mark.every(2)
def test_numbers_are_left_alone_and_it_is_said(files: Path, language: str) -> None:
    x = numpy.random.default_rng(0).random((40, 3, 32, 32), dtype=numpy.float32)
    setup = made(files, data=(x, numpy.arange(40) % 2))
    assert setup.recipe.data.normalise is None
    said = {"en": "Your images come as numbers", "zh": "您给出的图像是数值数组"}
    assert any(said[language] in str(note) for note in setup.data.notes)


def cut(patch: pytest.MonkeyPatch, folder: Path, settings: dict[str, Any], data: Path) -> Path:
    """A training that ended after two steps."""
    with patch.context() as inner:
        interrupt_at(inner, 2)
        with pytest.raises(Interrupted, match="cut"):
            danlu.fit("resnet18", data, folder=folder, **settings)
    return folder


@pytest.mark.slow
def test_a_run_answers_resumes_and_goes_on_by_the_same(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {**QUIET, "net.weights": str(files / "resnet18.pth")}
    data = files / "colour"
    whole = danlu.fit("resnet18", data, folder=tmp_path / "whole", **settings)
    assert_same_end(danlu.resume(cut(monkeypatch, tmp_path / "cut", settings, data), progress=False), whole)
    raw = numpy.array(Image.open(data / "cat" / "0.png"))
    x = torch.from_numpy(((raw / 255 - MEAN) / STD).transpose(2, 0, 1)).float()[None]
    with torch.no_grad():
        by_hand = whole.net().eval()(x).softmax(1).numpy()
    alone = danlu.Run(whole.folder)
    numpy.testing.assert_allclose(alone.predict_proba(raw[None]), by_hand, atol=1e-5)
    further = danlu.fit(data=data, weights_from=whole, folder=tmp_path / "further", **QUIET)
    assert further.recipe.data.normalise == "imagenet"
    assert alone.fit(epochs="+1", folder=tmp_path / "on", progress=False).recipe.data.normalise == "imagenet"


@pytest.mark.slow
def test_a_run_from_before_goes_on_by_its_training_part(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {**QUIET, "net.weights": str(files / "resnet18.pth"), "data.normalise": "data"}
    whole = danlu.fit("resnet18", files / "colour", folder=tmp_path / "whole", **settings)
    recipe = cut(monkeypatch, tmp_path / "cut", settings, files / "colour") / "recipe.toml"
    kept = recipe.read_text(encoding="utf-8")
    assert 'normalise = "data"\n' in kept
    recipe.write_text(kept.replace('normalise = "data"\n', ""), encoding="utf-8")
    assert_same_end(danlu.resume(tmp_path / "cut", progress=False), whole)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("vary", "wanted"),
    [({"lr": [0.01, 0.1]}, ["imagenet", "imagenet"]), ({"data.normalise": ["data", "imagenet"]}, ["data", "imagenet"])],
)
def test_a_study_normalises_so(vary: dict[str, Any], wanted: list[str], files: Path) -> None:
    settings: dict[str, Any] = {**QUIET, "net.weights": str(files / "resnet18.pth")}
    settings.pop("progress")
    plan, _, _ = planned("resnet18", files / "colour", vary=vary, seeds=1, folds=1, **settings)
    assert [one.setup.recipe.data.normalise for one in plan.planned] == wanted
    for one, normalise in zip(plan.planned, wanted, strict=True):
        for data in (*one.folds, one.setup.data):
            assert isinstance(data.encoder, Pixels)
            assert (data.encoder.mean == tuple(MEAN)) == (normalise == "imagenet")


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "grey": ({"data": "grey"}, "these have 1", "有 1 个通道"),
    "raw": ({"standardise": False}, "data.standardise is false", "data.standardise 为 false"),
    "a table": ({"data": "iris"}, "data.normalise", "data.normalise"),
    "a word": ({"data.normalise": "imagnet"}, "imagnet", "imagnet"),
}


@pytest.mark.parametrize("why", WRONG)
def test_what_does_not_fit_is_told(why: str, files: Path, language: str) -> None:
    settings, english, chinese = WRONG[why]
    settings = {"data.normalise": "imagenet", **settings}
    data = settings.pop("data", "colour")
    source: Any = data if data == "iris" else files / data
    with pytest.raises(UserError, match=re.escape(english if language == "en" else chinese)):
        set_up(draft_recipe("mlp", source, settings=settings))


def test_load_refuses_other_words(files: Path) -> None:
    with pytest.raises(UserError, match="imagenet"):
        danlu.load(files / "colour", normalise="imagnet")
