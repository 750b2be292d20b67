"""A remedy as a change of the user's own statement: right in every style, or not shown."""

import ast
import linecache
from typing import Any

import pytest

import danlu
from danlu.base.finding_text import finding_lines
from danlu.base.records import CodeLine, Snippet, finding_of
from danlu.watch.snippets import snippet

# The statement, the remedy, and the statement as it is to be; None where nothing is to be shown.
CASES: list[tuple[str, Any, str | None]] = [
    ("sgd = torch.optim.SGD(net.parameters(), lr=9.0)", {"optim.lr": 0.1},
     "sgd = torch.optim.SGD(net.parameters(), lr=0.1)"),
    ("sgd = SGD(net.parameters(), 9.0)", {"optim.lr": 0.1}, "sgd = SGD(net.parameters(), 0.1)"),
    ("sgd = SGD(\n    net.parameters(),\n    lr=rate,  # 学习率\n)", {"optim.lr": 0.1},
     "sgd = SGD(\n    net.parameters(),\n    lr=0.1,  # 学习率\n)"),
    ("adam = Adam(net.parameters())", {"optim.lr": 0.0001}, "adam = Adam(net.parameters(), lr=0.0001)"),
    ("adam = Adam(net.parameters(), weight_decay=1)", {"optim.weight_decay": 0.0001},
     "adam = Adam(net.parameters(), weight_decay=0.0001)"),
    ("return SGD(net.parameters(), lr=9.0)", {"optim.lr": 0.1}, "return SGD(net.parameters(), lr=0.1)"),
    ("sgd = make(net)", {"optim.lr": 0.1}, None),
    ("a, b = SGD(p, lr=1.0), SGD(q, lr=1.0)", {"optim.lr": 0.1}, None),
    ("nn.utils.clip_grad_norm_(net.parameters(), 1e-4)", {"train.clip_norm": 2.0},
     "nn.utils.clip_grad_norm_(net.parameters(), 2)"),
    ("cost = nn.CrossEntropyLoss(reduction='sum')", {"loss.reduction": "mean"},
     'cost = nn.CrossEntropyLoss(reduction="mean")'),
    ("for x, y in DataLoader(data, batch_size=32):\n    pass", {"data.shuffle": True},
     "for x, y in DataLoader(data, batch_size=32, shuffle=True):"),
    ("loader = DataLoader(data, 32, shuffle=False)", {"data.shuffle": True},
     "loader = DataLoader(data, 32, shuffle=True)"),
    ("loader = DataLoader(data, 32, sampler=own)", {"data.shuffle": True}, None),
    ("for x, y in loader:\n    pass", {"data.shuffle": True}, None),
    ("loss = F.mse_loss(net(x), y)", "squeeze-output", "loss = F.mse_loss(net(x).squeeze(1), y)"),
    ("loss = F.mse_loss(a + b, y)", "squeeze-output", "loss = F.mse_loss((a + b).squeeze(1), y)"),
    ("loss = ((net(x) - y) ** 2).mean()", "squeeze-output", None),
    ("self.opt.step()", "zero-grad", "self.opt.step()\nself.opt.zero_grad()"),
    ("scaler.step(opt)", "zero-grad", "scaler.step(opt)\nopt.zero_grad()"),
    ("for opt in opts: opt.step()", "zero-grad", None),
    ("loss.backward(); opt.step()", "zero-grad", None),
    ("opt.step()  # and no more", "zero-grad", "opt.step()  # and no more\nopt.zero_grad()"),
    ("output = net(x)", "call-train", "net.train()\noutput = net(x)"),
    ("output = self.net(x)", "call-eval", "self.net.eval()\noutput = self.net(x)"),
    ("output = net(prepare(x))", "call-eval", None),
    ("loss = F.cross_entropy(net(x).softmax(1), y)", "drop-softmax", "loss = F.cross_entropy(net(x), y)"),
    ("loss = F.cross_entropy(torch.softmax(net(x), 1), y)", "drop-softmax", "loss = F.cross_entropy(net(x), y)"),
    ("loss = F.cross_entropy(net(x), y)", "drop-softmax", None),
    ("cost = nn.BCELoss()", "with-logits", "cost = nn.BCEWithLogitsLoss()"),
    ("loss = F.nll_loss(net(x), y)", "log-softmax", "loss = F.cross_entropy(net(x), y)"),
    ("loss = F.nll_loss(net(x), y)", "more-data", None),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "remedy", "after"), CASES)
@pytest.mark.parametrize("indent", ["", "    "])
def test_statements(statement: str, remedy: Any, after: str | None, indent: str) -> None:
    lines = [f"{indent}{line}\n" for line in statement.splitlines()]
    source = ["if True:\n", *lines] if indent else lines
    linecache.cache["<of a test>"] = (0, None, source, "<of a test>")
    tree = ast.parse("".join(source))
    number = len(source) - (1 if "pass" in statement and len(lines) > 1 else 0)
    found = snippet(tree, CodeLine("<of a test>", number), remedy)
    assert (found.after if found else None) == after
    if found:
        assert found.before in statement
        ast.parse(found.after.rstrip(":") + ": pass" if found.after.endswith(":") else _in_function(found.after))


def _in_function(text: str) -> str:
    return "def f():\n" + "\n".join(f"    {line}" for line in text.splitlines())


def test_a_finding_shows_it_and_keeps_it(tmp_path: Any) -> None:
    source = (
        "import torch, danlu\nimport torch.nn.functional as F\nfrom torch import nn\n"
        "torch.manual_seed(0)\nx = torch.randn(64, 8)\nnet = nn.Linear(8, 2)\n"
        "sgd = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        "with danlu.watch(net, sgd, shown=False) as watch:\n    for step in range(12):\n"
        "        loss = F.cross_entropy(net(x).softmax(1), x[:, 0].gt(0).long())\n"
        "        sgd.zero_grad(); loss.backward(); sgd.step()\n"
    )
    file = tmp_path / "train.py"
    file.write_text(source, encoding="utf-8")
    space: dict[str, Any] = {}
    exec(compile(source, str(file), "exec"), space)
    watch: danlu.Watch = space["watch"]
    finding = watch.findings[0]
    assert finding.snippet == Snippet(
        "loss = F.cross_entropy(net(x).softmax(1), x[:, 0].gt(0).long())",
        "loss = F.cross_entropy(net(x), x[:, 0].gt(0).long())",
    )
    lines = finding_lines(finding)
    assert "surely" in lines[0]
    assert [line for line in lines if line.startswith("    after   loss = F.cross_entropy(net(x), x")]
    assert finding_of(finding.as_dict()) == finding
