"""Means over batches: of what, and by what they are divided."""

import ast

import pytest
from torch import nn

from danlu.watch.probes.code_means import mean_of_means

LOOP = "t = 0\nall_ = []\nfor x, y in loader:\n  {line}\n"
METER = """class Meter:
  def update(self, value, n=1):
    self.sum += value * n
"""
FOUND = {
    "a loss under any name": (LOOP.format(line="t += crit(net(x), y).item()") + "print(t / len(loader))", 5, False),
    "listed": (LOOP.format(line="all_.append((net(x) == y).float().mean())") + "q = sum(all_) / len(all_)", 5, False),
    "numpy": (LOOP.format(line="all_.append(loss_of(x).item())") + "q = np.mean(all_)", 5, False),
    "added in full": (LOOP.format(line="t = t + crit(net(x), y)") + "print(t / len(loader))", 5, False),
    "f1": (LOOP.format(line="all_.append(f1_score(y, net(x)))") + "q = sum(all_) / len(all_)", 5, True),
    "in one expression": ("q = sum(loss_of(x) for x in loader) / len(loader)\nnet(x)", 1, False),
    "a meter": (METER + LOOP.format(line="m.update(crit(net(x), y).item())"), 7, False),
}
SILENT = {
    "by size": LOOP.format(line="t += crit(net(x), y).item() * len(x)") + "print(t / len(data))",
    "a count": LOOP.format(line="t += (net(x) == y).sum()") + "print(t / len(loader.dataset))",
    "a sum": LOOP.format(line="t += cross_entropy(net(x), y, reduction=how)") + "print(t / len(loader))",
    "a meter that is told": METER + LOOP.format(line="m.update(crit(net(x), y).item(), len(x))"),
    "a meter that only lists": METER.replace("value * n", "value") + LOOP.format(line="m.update(crit(net(x), y))"),
    "steps": LOOP.format(line="t += seconds(x)") + "print(t / len(loader))",
}


@pytest.mark.parametrize("kind", FOUND)
def test_a_mean_of_means(kind: str) -> None:
    source, line, curved = FOUND[kind]
    tree = ast.parse(source)
    inside = 7 if kind == "a meter" else 1 if "expression" in kind else 4
    assert mean_of_means(tree, inside, tree, {"crit": nn.CrossEntropyLoss()}) == (line, curved)


@pytest.mark.parametrize("kind", SILENT)
def test_means_over_samples_are_silent(kind: str) -> None:
    tree = ast.parse(SILENT[kind])
    inside = 7 if "meter" in kind else 4
    assert mean_of_means(tree, inside, tree, {"crit": nn.CrossEntropyLoss()}) is None


def test_the_mean_is_taken_by_whoever_called() -> None:
    source = "def scores(loader):\n  hits = []\n  for x, y in loader:\n    hits.append(acc(net(x), y))\n"
    source += "  return 0, hits\n"
    tree = ast.parse(source + "_, found = scores(loader)\nq = sum(found) / len(found)")
    assert mean_of_means(tree.body[0], 4, tree) == (7, False)
    tree = ast.parse(source + "_, found = scores(loader)\nq = max(found)")
    assert mean_of_means(tree.body[0], 4, tree) is None
