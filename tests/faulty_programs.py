"""Programs with one fault each, in the ways people write a training; a comment marks what each line is."""

import textwrap
from dataclasses import dataclass, field

_BEGIN = """
import functools

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import danlu

torch.manual_seed(0)
x = torch.randn(640, 8)
y = {targets}
{spoil}
"""

_NET = """


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, x):
        return torch.relu(self.layer(x))


@functools.lru_cache
def unrelated():
    return torch.optim.Rprop([torch.zeros(1, requires_grad=True)])


class Net(nn.Module):  #: module
    def __init__(self):
        super().__init__()
        self.block = Block()
        self.hidden = nn.Linear(8, 16)  #: hidden
        self.middle = nn.Linear(16, 16)  #: middle
        self.out = nn.Linear(16, {outputs})
        self.drop = nn.Dropout({dropout})  #: drop
        {init}

    def forward(self, x):
        x = {activation}(self.hidden(self.block(x)))
        x = {activation}(self.middle(self.drop(x)))
        return {end}(self.out(x))  #: answer


model = Net()
"""

_SCRIPT = """
loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle={shuffle})  #: loader
val_loader = DataLoader(TensorDataset(torch.randn(64, 8), y[:64]), batch_size=32)
optimizer = {optimizer}  #: optimizer
{more}
criterion = {loss_module}
with danlu.watch(model, optimizer, shown=False) as watch:
    for epoch in range(4):
        model.{mode}()
        for a, b in loader:
            {again}
            {clear}
            output = model(a)  #: forward
            loss = criterion(output, b)  #: loss
            loss.backward()  #: backward
            {clip}  #: clip
            optimizer.step()  #: step
        model.{evaluation}()
        with torch.no_grad():
            for a, b in val_loader:
                criterion(model(a), b)  #: evaluation
"""

_FUNCTIONS = """
def train(net, batches, held_out, optimizer, epochs):
    {more}
    for epoch in range(epochs):
        net.{mode}()
        for a, b in batches:  #: loader
            {again}
            {clear}
            output = net(  #: forward
                a
            )
            loss = F.{loss_function}(  #: loss
                output,
                b,
                **{loss_options}
            )
            loss.backward()  #: backward
            {clip}  #: clip
            optimizer.step()  #: step
        evaluate(net, held_out)


def evaluate(net, batches):
    net.{evaluation}()
    with torch.no_grad():
        for a, b in batches:
            F.{loss_function}(net(a), b)  #: evaluation


def main():
    train_set = DataLoader(TensorDataset(x, y), batch_size=32, shuffle={shuffle})
    held_out = DataLoader(TensorDataset(torch.randn(64, 8), y[:64]), batch_size=32)
    sgd = {optimizer}  #: optimizer
    with danlu.watch(model, sgd, shown=False) as watch:
        train(model, train_set, held_out, sgd, 4)
    return watch


watch = main()
"""

_TRAINER = """
class Trainer:
    def __init__(self, net, x, y):
        self.net = net
        self.train_loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle={shuffle})  #: loader
        self.val_loader = DataLoader(TensorDataset(torch.randn(64, 8), y[:64]), batch_size=32)
        self.loss_fn = {loss_module}
        self.optimizer = self.configure()

    def configure(self):
        model = self.net
        optimizer = {optimizer}  #: optimizer
        {more}
        return optimizer

    def fit(self, epochs):
        for epoch in range(epochs):
            self.net.{mode}()
            for batch in self.train_loader:
                self.training_step(*batch)
            self.net.{evaluation}()
            with torch.no_grad():
                for a, b in self.val_loader:
                    self.loss_fn(self.net(a), b)  #: evaluation

    def training_step(self, a, b):
        optimizer, model = self.optimizer, self.net
        {again}
        {clear}
        loss = self.loss_fn(self.net(a), b)  #: loss forward
        loss.backward()  #: backward
        {clip}  #: clip
        self.optimizer.step()  #: step


trainer = Trainer(model, x, y)
with danlu.watch(model, shown=False) as watch:
    trainer.fit(4)
"""

_DECORATED = """
def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


class OwnLoss(nn.Module):
    def forward(self, output, b):
        return F.{loss_function}(output, b, **{loss_options})  #: loss


@logged
def step(model, criterion, optimizer, a, b):
    {again}
    {clear}
    criterion(model(a), b).backward()  #: backward forward
    {clip}  #: clip
    optimizer.step()  #: step


@logged
def fit(model, criterion):
    optimizer = {optimizer}  #: optimizer
    {more}
    loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle={shuffle})  #: loader
    with danlu.watch(model, optimizer, shown=False) as watch:
        for epoch in range(4):
            model.{mode}()
            for a, b in loader:
                step(model, criterion, optimizer, a, b)
            model.{evaluation}()
            with torch.no_grad():
                scores = model(torch.randn(64, 8))  #: evaluation
                F.{loss_function}(scores, y[:64])
    return watch


watch = fit(model, OwnLoss())
"""

STYLES = {"script": _SCRIPT, "functions": _FUNCTIONS, "trainer": _TRAINER, "decorated": _DECORATED}


@dataclass(frozen=True)
class Fault:
    """What differs from a healthy program; `at` marks the line that is to be named, `at_in` the one in a style."""

    at: str
    changes: dict[str, str] = field(default_factory=dict[str, str])
    loss: tuple[str, str, str] = ("CrossEntropyLoss", "cross_entropy", "")
    styles: tuple[str, ...] = tuple(STYLES)
    at_in: dict[str, str] = field(default_factory=dict[str, str])


_HEALTHY = {
    "targets": "x[:, :3].argmax(1)", "spoil": "", "outputs": "3", "dropout": "0.1", "init": "", "mode": "train",
    "activation": "torch.relu", "end": "nn.Identity()", "shuffle": "True", "more": "", "again": "",
    "optimizer": "torch.optim.SGD(model.parameters(), lr=0.1)", "clear": "optimizer.zero_grad()", "clip": "pass",
    "evaluation": "eval",
}  # fmt: skip


def _sgd(more: str) -> dict[str, str]:
    return {"optimizer": f"torch.optim.SGD(model.parameters(), {more})"}


_ONE = {"targets": "x[:, 0] + 2 * x[:, 1]", "outputs": "1"}
FAULTS: dict[str, Fault] = {
    "softmax-twice": Fault("loss", {"end": "nn.Softmax(1)"}),
    "loss-mismatch": Fault("loss", _sgd("lr=0.001"), ("NLLLoss", "nll_loss", "")),
    "loss-broadcast": Fault("loss", _ONE, ("MSELoss", "mse_loss", "")),
    "loss-sum": Fault("loss", _sgd("lr=0.01"), ("CrossEntropyLoss", "cross_entropy", "reduction='sum'")),
    "label-range": Fault("loss", {"spoil": "y[y == 0] = 3"}),
    "gradients-accumulate": Fault("step", {"clear": "pass"}),
    "lr-too-high": Fault("optimizer", _sgd("lr=300.0")),
    "lr-too-low": Fault("optimizer", _sgd("lr=1e-6")),
    "no-update": Fault("optimizer", _sgd("lr=0.0")),
    "parameters-not-optimized": Fault(
        "optimizer", {"optimizer": "torch.optim.SGD(model.out.parameters(), lr=0.1)"}
    ),
    # Made before anybody watched, it is known by what it left in its optimizer alone.
    "scheduler-misuse": Fault(
        "optimizer",
        {"more": "unused = torch.optim.lr_scheduler.StepLR({name}, 10)  #: scheduler"},
        at_in={"functions": "scheduler"},
    ),
    "weight-decay-too-high": Fault("optimizer", _sgd("lr=0.1, weight_decay=1.0")),
    "dead-relu": Fault("hidden", {"init": "nn.init.constant_(self.hidden.bias, -100.0)"}),
    "missing-nonlinearity": Fault("hidden", {"activation": ""}),
    "bad-init": Fault("init", {"init": "nn.init.constant_(self.middle.weight, 0.1)  #: init"}),
    "output-activation": Fault("answer", {"end": "torch.relu"}),
    "dropout-too-high": Fault("drop", {"dropout": "0.9"}),
    "input-scale": Fault("loader", {"spoil": "x = x * 200"}),
    "input-nonfinite": Fault("loader", {"spoil": "x[5, 2] = float('nan')"}),
    "unshuffled": Fault("loader", {"shuffle": "False", "spoil": "y, order = y.sort(); x = x[order]"}),
    "eval-mode-in-training": Fault("forward", {"mode": "eval"}),
    "train-mode-in-evaluation": Fault("evaluation", {"evaluation": "train"}),
    "clip-too-tight": Fault("clip", {"clip": "nn.utils.clip_grad_norm_({net}.parameters(), 1e-4)"}),
    "optimizer-recreated": Fault(
        "again",
        {"again": "optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)  #: again"},
        styles=("script",),
    ),
}  # fmt: skip
"""By the rule that has to find it."""

CASES = [(rule, style) for rule, fault in FAULTS.items() for style in fault.styles]


def program(rule: str, style: str) -> tuple[str, int]:
    """The source of a program, and the number of the line that is to be named."""
    fault = FAULTS[rule]
    module, function, options = fault.loss
    names = {"functions": ("optimizer", "net"), "trainer": ("optimizer", "self.net")}
    optimizer, net = names.get(style, ("optimizer", "model"))
    parts = {**_HEALTHY, **fault.changes}
    parts |= {"loss_module": f"nn.{module}({options})", "loss_function": function, "loss_options": f"dict({options})"}
    parts = {name: text.replace("{name}", optimizer).replace("{net}", net) for name, text in parts.items()}
    source = "".join(textwrap.dedent(part) for part in (_BEGIN, _NET, STYLES[style])).format(**parts)
    at = fault.at_in.get(style, fault.at)
    marked = [number for number, line in enumerate(source.splitlines(), 1) if at in line.partition("#: ")[2]]
    assert len(marked) == 1, f"{rule}, {style}: {marked}"
    return source, marked[0]
