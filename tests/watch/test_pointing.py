"""Lines that hold what a finding speaks of, found in a piece of source."""

import ast

import pytest

from danlu.watch.pointing import cut_in_pass, gives_setting, in_pass, initialises, makes_what_is_called, uncalled

NET = """
class Net:
    def __init__(self):
        self.relu = relu(1)
    def forward(self, x):
        x = self.relu(self.fc1(x))
        y = F.{name}(x)
        return self.fc2(y)
"""


@pytest.mark.parametrize(("names", "line"), [(("relu",), 6), (("softmax", "relu"), 7), (("tanh",), None), ((), None)])
def test_the_last_call_in_forward(names: tuple[str, ...], line: int | None) -> None:
    assert in_pass(ast.parse(NET.format(name="softmax")), names) == line


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("h = self.rnn(x).data\n  return h", 3),
        ("with torch.no_grad():\n   h = self.rnn(x)\n  return h", 3),
        ("h = x\n  return torch.tensor(h.tolist())", 4),
        ("h = x.detach()\n  return h.item()", None),
        ("x.data = y\n  return x", None),
    ],
)
def test_what_takes_a_value_out_of_the_graph(body: str, line: int | None) -> None:
    assert cut_in_pass(ast.parse(f"class Net:\n def forward(self, x):\n  {body}")) == line


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("def init(m):\n nn.init.zeros_(m.bias)\n nn.init.zeros_(m.weight)", 3),
        ("m.weight.data.normal_(0, 1)", 1),
        ("self.weight = Parameter(torch.rand(3))", None),
        ("optimizer.step_(weight)", None),
    ],
)
def test_where_weights_are_drawn(source: str, line: int | None) -> None:
    assert initialises([ast.parse("pass"), ast.parse(source)]) == line


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("loss_fn = nn.MSELoss()\nx = 1\nloss = loss_fn(net(x), y)", 1),
        ("self.loss_fn = nn.MSELoss()\nx = 1\nloss = self.loss_fn(net(x), y)", 1),
        ("a = nn.MSELoss()\na = nn.L1Loss()\nloss = a(net(x), y)", None),
        ("net = Net()\nx = 1\nloss = F.mse_loss(net(x), y)", None),
    ],
)
def test_where_a_loss_object_is_made(source: str, line: int | None) -> None:
    assert makes_what_is_called([ast.parse(source)], 3) == line


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("size, lr = 64, 0.1\nopt = SGD(p, lr=lr)", 1),
        ("lr = choose()\nopt = SGD(p, lr=lr)", None),
        ("lr = 0.1\nopt = SGD(p, lr=1e-3)", None),
        ("def f(lr):\n return SGD(p, lr=lr)", None),
    ],
)
def test_where_a_setting_gets_its_number(source: str, line: int | None) -> None:
    assert gives_setting([ast.parse(source)], 2, "lr") == line


def test_a_method_that_is_named_and_not_called() -> None:
    assert uncalled([ast.parse("x = 1\nopt.zero_grad")], "zero_grad") == 2
    assert uncalled([ast.parse("opt.zero_grad()"), ast.parse("f = opt.zero_grad")], "zero_grad") is None


def test_a_hard_choice_in_a_method_cuts_a_graph_too() -> None:
    source = "class Net:\n def bits(self, x):\n  return (x > 0).float()\n def forward(self, x):\n  return self.bits(x)"
    assert cut_in_pass(ast.parse(source)) == 3
    assert cut_in_pass(ast.parse(source + "\n def signs(self, x):\n  return x.sign()")) is None
