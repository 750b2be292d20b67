"""With no net named, the data choose it; a net whose outputs no loss can take is refused before the first step."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import nn

import danlu
from danlu.run.settings.draft import draft_recipe
from danlu.run.setup import set_up
from danlu.study.compare import planned

ROWS = numpy.random.default_rng(0).normal(size=(60, 4)).astype("float32")
CLASSES = (ROWS[:, 0] > 0).astype(int)


def pictures(channels: int, side: int) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randint(0, 256, (40, channels, side, side), dtype=torch.uint8), torch.arange(40) % 2


@pytest.mark.parametrize(
    ("data", "settings", "net"),
    [
        ((ROWS, CLASSES), {}, "mlp"),
        ((ROWS, ROWS[:, 1]), {}, "mlp"),
        ("iris", {}, "mlp"),
        ("diabetes", {"hidden": [8]}, "mlp"),
        ("digits", {}, "lenet5"),
        (pictures(1, 28), {"pooling": "average"}, "lenet5"),
        (pictures(3, 28), {}, "small-resnet"),
        (pictures(1, 48), {"depth": 8}, "small-resnet"),
        ("digits", {"data.task": "reconstruction"}, "autoencoder"),
        ((["anna", "bob", "carla", "dirk"] * 10, ["f", "m", "f", "m"] * 10), {}, "sequence-classifier"),
    ],
)
def test_the_data_choose_the_net(data: Any, settings: dict[str, Any], net: str) -> None:
    given = None if isinstance(data, str) else data
    setup = set_up(draft_recipe(None, data, settings={"epochs": 1, **settings}), given)
    assert setup.recipe.net.name == net
    assert "net.name" in setup.recipe.chosen


def test_a_text_is_for_a_language_model(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("the time traveller for so it will be convenient to speak of him " * 60)
    assert set_up(draft_recipe(data=tmp_path / "text.txt")).recipe.net.name == "language-model"


def table(folder: Path) -> Path:
    path = folder / "table.csv"
    rows = [f"{a:.3f},{b:.3f},{'yes' if c else 'no'}" for (a, b, *_), c in zip(ROWS, CLASSES, strict=True)]
    path.write_text("\n".join(["width,height,Survived", *rows]) + "\n")
    return path


def test_data_may_stand_first(tmp_path: Path) -> None:
    path = table(tmp_path)
    few: dict[str, Any] = {"epochs": 1, "progress": False}
    runs = [
        danlu.fit(data=path, target="Survived", folder=tmp_path / "a", **few),
        danlu.fit(str(path), target="Survived", folder=tmp_path / "b", **few),
        danlu.fit(danlu.load(path, "Survived"), folder=tmp_path / "c", **few),
        danlu.fit("mlp", path, target="Survived", folder=tmp_path / "d", **few),
    ]
    assert [run.recipe.net.name for run in runs] == ["mlp"] * 4
    assert len({str(run.score) for run in runs}) == 1
    assert danlu.fit((ROWS, CLASSES), folder=tmp_path / "e", **few).recipe.net.name == "mlp"
    assert danlu.check(path, target="Survived").net == "mlp"
    assert danlu.lr_find(path, target="Survived", points=8, steps=8).net == "mlp"
    plan, base, _ = planned(str(path), vary={"net.hidden": [[4], [8]]}, seeds=1, target="Survived")
    assert base.net.name == "mlp"
    assert len(plan.planned) == 2


def test_another_net_may_follow_other_data(tmp_path: Path) -> None:
    run = danlu.fit("iris", epochs=1, folder=tmp_path / "run", progress=False)
    recipe = run.folder / "recipe.toml"
    assert draft_recipe(recipe=recipe).net.name == "mlp"
    assert draft_recipe(recipe=recipe, settings={"epochs": 2}).net.name == "mlp"
    assert set_up(draft_recipe(data="digits", recipe=recipe)).recipe.net.name == "lenet5"


@pytest.mark.parametrize(
    ("first", "message"),
    [
        ("nofile.csv", "nofile.csv"),
        ("mpl", 'called "mpl".*"mlp"'),
        (3, "of the type int"),
        (nn.Linear, "Linear is a class"),
    ],
    ids=str,
)
def test_a_first_word_that_is_neither_is_told(first: Any, message: str) -> None:
    with pytest.raises(danlu.UserError, match=message):
        danlu.fit(first)


class Odd(nn.Module):
    """A net with outputs in some odd form."""

    def __init__(self, form: Callable[[torch.Tensor], Any]) -> None:
        super().__init__()
        self.layer, self.form = nn.Linear(4, 2), form

    def forward(self, x: torch.Tensor) -> Any:
        return self.form(self.layer(x))


FORMS: dict[str, tuple[Callable[[torch.Tensor], Any], str, str]] = {
    "two in a dict": (lambda o: {"a": o, "b": o}, 'several tensors: a, b.*outputs="a"', '多个张量：a, b.*outputs="a"'),
    "dict in a tuple": (lambda o: ({"a": o}, 1), 'outputs="a"', 'outputs="a"'),
    "list": (lambda o: [o, o], "returns lists", "返回的是 list"),
    "nothing": (lambda o: None, "gives no tensor", "没有返回张量"),
    "array": (lambda o: o.detach().numpy(), "gives no tensor", "没有返回张量"),
}


@pytest.mark.every(2)
@pytest.mark.parametrize("form", FORMS)
def test_outputs_that_no_loss_can_take_are_told(form: str, language: str) -> None:
    make, english, chinese = FORMS[form]
    message = english if language == "en" else chinese
    for verb in (danlu.fit, danlu.check, danlu.lr_find):
        with pytest.raises(danlu.UserError, match=message):
            verb(Odd(make), (ROWS, CLASSES))
    with pytest.raises(danlu.UserError, match=message):
        danlu.compare(lambda: Odd(make), (ROWS, CLASSES), vary={"lr": [0.1, 0.2]})


@pytest.mark.parametrize("make", [dict, OrderedDict])
def test_the_one_output_in_a_dict_is_trained(make: Callable[[Any], Any], tmp_path: Path) -> None:
    run = danlu.fit(
        Odd(lambda o: make({"logits": o})), (ROWS, CLASSES), epochs=1, folder=tmp_path / "run", progress=False
    )
    assert run.score["test"]["accuracy"] >= 0


@pytest.mark.parametrize("time", [numpy.arange(60), torch.arange(60), [*range(60)], numpy.arange(60) * 0.5])
def test_an_order_by_time_may_be_an_array(time: Any) -> None:
    assert danlu.load((ROWS, CLASSES), time=time).sizes == {"train": 42, "validation": 6, "test": 12}


@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("net", "data", "told"),
    [
        (None, "iris", True),
        (None, "diabetes", True),
        ("mlp", "iris", False),
        (None, (ROWS, CLASSES), False),  # fewer rows than it was tried on
        (None, "digits", False),
    ],
)
def test_the_net_for_tables_is_named_where_danlu_chose_another(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], language: str, net: str | None, data: Any, told: bool
) -> None:
    run = danlu.fit(net, data, epochs=1, folder=tmp_path / "run")
    assert ("net.name=tabm" in capsys.readouterr().err) is told
    if told:
        danlu.fit(recipe=run.folder / "recipe.toml", folder=tmp_path / "again")
        assert "net.name=tabm" in capsys.readouterr().err
