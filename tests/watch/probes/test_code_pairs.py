"""Inputs and targets: whether their rows are put into one order or into two."""

import ast

import pytest

from danlu.watch.probes.code_pairs import dealt_apart, sorted_apart, views_apart

APART = [
    "x = x[randperm(n)]\ny = y[randperm(n)]",
    "np.random.shuffle(x)\nnp.random.shuffle(y)",
    "for s in range(9):\n  xb = x[torch.randint(n, (32,))]\n  yb = y[torch.randint(n, (32,))]",
    "for s in range(9):\n  i = torch.randint(n, (32,))\n  j = torch.randint(n, (32,))\n  xb, yb = x[i], y[j]",
    "x = x[torch.randperm(n)]\ndata = TensorDataset(x, y)",
    "p = torch.randperm(n)\nx = x[p]\nfor i in p.split(4):\n  f(x[i], y[i])",
    "def batch(self):\n  i = choice(n, 9)\n  j = choice(n, 9)\n  return self.inputs[i], self.targets[j]",
]
TOGETHER = [
    "o = randperm(n)\nx, y = x[o], y[o]",
    "np.random.seed(1)\nnp.random.shuffle(x)\nnp.random.seed(1)\nnp.random.shuffle(y)",
    "for s in range(9):\n  i = torch.randint(n, (32,))\n  xb, yb = x[i], y[i]",
    "i = torch.randint(n, (9,))\nj = torch.randint(n, (9,))\nxb, yb, other_labels = x[i], y[i], y[j]",
    "i = torch.randint(n, (9,))\nj = torch.randint(n, (9,))\nxs, ys = source[i], y[i]\nxt = other[j]",
    "p = torch.randperm(n)\nx = x[p]\ny = y[p]\ndata = TensorDataset(x, y)",
    "p = torch.randperm(len(x))\nmixed = 0.5 * x + 0.5 * x[p]\nloss = f(net(mixed), y[p])",
    "neg = neg[torch.randperm(n)]\nf(x[i], y[i])",
    "rng.shuffle(files)",
]


@pytest.mark.parametrize("source", APART)
def test_two_orders(source: str) -> None:
    assert dealt_apart(ast.parse(source)) is not None


@pytest.mark.parametrize("source", TOGETHER)
def test_one_order(source: str) -> None:
    assert dealt_apart(ast.parse(source)) is None


BATCH = "def collate(rows, lengths, y):\n  lengths, order = lengths.sort(0, descending=True)\n  rows = rows[order]\n  "
SORTED = {
    "labels as they were": (BATCH + "return rows, lengths, y", 3),
    "labels too": (BATCH + "y = y[order]\n  return rows, lengths, y", None),
    "the order is handed on": (BATCH + "return rows, lengths, y, order", None),
    "labels by another way": (BATCH + "return rows, lengths, y.index_select(0, order)", None),
    "no labels there": (BATCH.replace(", y)", ")") + "return rows, lengths", None),
    "put aside": (BATCH.replace("  rows = rows[order]", "  seen = rows[order]") + "return seen, y", None),
    "not by length": (BATCH.replace("lengths.sort", "scores.sort") + "return rows, y", None),
    "argsort": ("def f(x, sizes, labels):\n  at = sizes.argsort()\n  x = x[at]\n  return g(x), labels", 3),
}


@pytest.mark.parametrize("kind", SORTED)
def test_rows_sorted_by_length_without_their_labels(kind: str) -> None:
    source, line = SORTED[kind]
    assert sorted_apart(ast.parse(source)) == line


VIEWS = {
    "an order of its own": ("t = texts[randperm(n)[:9]]\nloss = clip(model(images[i], t))", 1),
    "drawn before": ("j = randperm(n)\nt = texts[j]\nloss = clip(model(images[i], t))", 2),
    "the same order": ("j = randperm(n)\nloss = clip(model(images[j], texts[j]))", None),
    "one array twice": ("loss = clip(model(x[i], x[randperm(n)]))", None),
    "others to tell apart": ("loss = f(images[i], texts[i], texts[randperm(n)])", None),
    "one view alone": ("loss = f(net(x[randperm(n)]))", None),
}


@pytest.mark.parametrize("kind", VIEWS)
def test_views_of_other_samples(kind: str) -> None:
    source, line = VIEWS[kind]
    assert views_apart(ast.parse(source)) == line
