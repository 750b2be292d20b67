"""Nets in a file of the user's own: what they are given, what is said of a mistake in either language, whose error."""

from pathlib import Path

import pytest
import torch
from torch import nn

from danlu.base.errors import UserError
from danlu.base.words import speaking
from danlu.nets import build, option_kind, option_names, registered, usual_options
from danlu.nets.own_file import own_file, own_maker

SOURCE = """
from collections.abc import Sequence
import torch
from torch import nn

ANCHOR = torch.rand(3)


class Net(nn.Module):
    def __init__(self, inputs: int, classes: int, hidden: int = 8, rate: float = 0.5, widths: Sequence[int] = (4,)):
        super().__init__()
        self.widths, self.rate = widths, rate
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, classes))

    def forward(self, x):
        return self.layers(x)


def make(in_channels, image_size, num_classes, **more):
    net = nn.Sequential(nn.Flatten(), nn.Linear(in_channels * image_size**2, num_classes))
    net.more = more
    return net


def lazy(out_features):
    return nn.LazyLinear(out_features)


class Breaks(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        nn.Linear(inputs, -1)


def needs(depth, inputs):
    return nn.Linear(inputs, depth)


def gives_no_net(inputs):
    return inputs


class Plain:
    pass


def called_weights(weights):
    return nn.Linear(1, 1)


ready = nn.Linear(2, 2)
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "my_nets.py"
    path.write_text(SOURCE, encoding="utf-8")
    return str(path)


def made(name: str, shape: tuple[int, ...] = (6,), **options: object) -> nn.Module:
    return build(name, options, sample_shape=shape, outputs=3, task="classification")


def test_the_data_give_what_has_no_default_and_the_options_the_rest(file: str) -> None:
    net = made(f"{file}:Net", (1, 2, 3), hidden=5, rate=1, widths="8, 16")
    assert [tuple(weight.shape) for weight in net.parameters()] == [(5, 6), (5,), (3, 5), (3,)]
    assert (net.rate, type(net.rate), net.widths) == (1.0, float, [8, 16])
    assert made(f"{file}:Net", classes=7)(torch.zeros(2, 6)).shape == (2, 7)  # a word of the user's wins
    pictures = made(f"{file}:make", (3, 4, 4), anything="goes")
    assert pictures(torch.zeros(2, 3, 4, 4)).shape == (2, 3)
    assert pictures.more == {"anything": "goes"}


def test_what_a_file_draws_is_the_same_each_time_and_no_generator_moves(file: str) -> None:
    before = torch.get_rng_state()
    first = own_maker(f"{file}:Net").__globals__ if hasattr(own_maker(f"{file}:Net"), "__globals__") else None
    anchor = own_maker(f"{file}:make").__globals__["ANCHOR"]
    assert first is None
    assert torch.equal(torch.get_rng_state(), before)
    Path(file).write_text(SOURCE + "\n# changed\n", encoding="utf-8")
    again = own_maker(f"{file}:make").__globals__["ANCHOR"]
    assert again is not anchor
    assert torch.equal(again, anchor)


def test_lazy_layers_have_their_weights_at_once(file: str) -> None:
    torch.manual_seed(0)
    one = made(f"{file}:lazy")
    torch.manual_seed(0)
    other = made(f"{file}:lazy")
    assert torch.equal(one.weight, other.weight)
    assert one.weight.shape == (3, 6)


def test_the_catalogues_questions_are_answered_for_it(file: str) -> None:
    assert option_names(f"{file}:Net") == ["inputs", "classes", "hidden", "rate", "widths"]
    assert option_names(f"{file}:make") == ["in_channels", "image_size", "num_classes"]
    assert (option_kind(f"{file}:Net", "rate"), option_kind(f"{file}:Net", "rates")) == (float, None)
    assert usual_options(f"{file}:Net", {"hidden": 8, "rate": 0.1, "widths": [4]}) == ["hidden", "widths"]
    assert registered("my_nets.py:Net") == f"{Path.cwd() / 'my_nets.py'}:Net"


def test_it_is_run_once_for_each_content_and_held_to_its_hash(file: str) -> None:
    sha256 = own_file(f"{file}:Net").sha256
    assert own_maker(f"{file}:Net", sha256) is own_maker(f"{file}:Net")
    Path(file).write_text("raise SystemExit('never run')", encoding="utf-8")
    with pytest.raises(UserError, match="has changed since the training"):
        build(f"{file}:Net", {}, sample_shape=(6,), outputs=3, task="classification", sha256=sha256)


MISTAKES: list[tuple[str, dict[str, object], tuple[str, ...], tuple[str, ...]]] = [
    ("Nett", {}, ("has no Nett", "Net, make, lazy", 'mean "Net"'), ("没有 Nett", "Net, make", '"Net"')),
    ("", {}, ("name the class", "my_nets.py:Net, my_nets.py:make"), ("冒号后", "my_nets.py:Net")),
    ("ready", {}, ("my_nets.py:ready is no class", "Linear"), ("ready 是 Linear", "一个类")),
    ("Plain", {}, ("my_nets.py:Plain is no class", "torch.nn.Module"), ("Plain 是 class", "torch.nn.Module")),
    ("gives_no_net", {}, ("makes a int", "torch.nn.Module"), ("返回的是 int", "torch.nn.Module")),
    ("Net", {"hiden": 3}, ("net.hiden", "hidden, rate", 'mean "hidden"'), ("net.hiden", '"hidden"')),
    ("Net", {"hidden": "x"}, ("net.hidden is 'x'", "a whole number"), ("net.hidden 的值是 'x'", "整数")),
    ("Net", {"hidden": True}, ("net.hidden is True", "a whole number"), ("net.hidden 的值是 True", "整数")),
    ("Net", {"rate": "x"}, ("net.rate is 'x'", "a finite number"), ("net.rate 的值是 'x'", "有限的数")),
    ("needs", {}, ("needs net.depth", "depth, inputs"), ("需要 net.depth", "depth, inputs")),
    ("make", {}, ("needs net.in_channels", "needs net.image_size"), ("需要 net.in_channels", "net.image_size")),
    ("called_weights", {}, ("argument called weights", "setting of its own"), ("名为 weights 的参数", "另有含义")),
    ("Breaks", {}, ("my_nets.py:32: RuntimeError: ", "negative dimension"), ("my_nets.py:32：RuntimeError：",)),
]


@pytest.mark.parametrize(("maker", "options", "english", "chinese"), MISTAKES, ids=lambda one: str(one)[:20])
def test_a_mistake_is_told(
    file: str, maker: str, options: dict[str, object], english: tuple[str, ...], chinese: tuple[str, ...]
) -> None:
    with pytest.raises(UserError, match="net") as caught:
        made(f"{file}:{maker}".removesuffix(":"), **options)
    for language, words in (("en", english), ("zh", chinese)):
        with speaking(language):
            assert not [word for word in words if word not in str(caught.value)], str(caught.value)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("class Net(:\n    pass\n", "my_nets.py:1: SyntaxError: invalid syntax"),
        ("import torch\n\nx = torch.zeros(2) @ torch.zeros(3)\n", "my_nets.py:3: RuntimeError: "),
        ("import sys\nsys.exit(3)\n", "my_nets.py:2: SystemExit: 3"),
        ("import not_there_at_all\n", "my_nets.py:1: ModuleNotFoundError: No module named 'not_there_at_all'"),
        ("import beside\n", "The file of a net stands alone"),
    ],
)
def test_an_error_in_the_file_is_the_users_own(tmp_path: Path, source: str, said: str) -> None:
    (tmp_path / "beside.py").write_text("", encoding="utf-8")
    (tmp_path / "my_nets.py").write_text(source, encoding="utf-8")
    with pytest.raises(UserError, match="my_nets.py:") as caught:
        made(f"{tmp_path / 'my_nets.py'}:Net")
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such file. A net of your own is named"):
        made(f"{tmp_path / 'my_nets.py'}:Net")
