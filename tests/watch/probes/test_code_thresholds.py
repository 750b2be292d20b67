"""Thresholds: on which scores they are chosen, and on which they are used."""

import ast
import textwrap

import pytest

from danlu.watch.probes.code_thresholds import chosen_on_test

LOOP = """
best = 0
for t in linspace(0.1, 0.9, 9):
    score = f1(labels, {scores} > t)
    if score > best:
        best, cut = score, t
print(f1(y, {used} > cut))
"""
KEY = """
cut = max(grid, key=lambda t: f1(labels, {scores} >= t))
told = {used} >= cut
"""
LISTED = """
figures = [f1(labels, ({scores} > t).float()) for t in thresholds]
cut = thresholds[int(argmax(figures))]
told = ({used} > cut).float()
"""
CALLED = """
def tune(labels, scores):
    return max(linspace(0, 1, 9), key=lambda t: f1(labels, scores > t))

cut = tune(labels, {scores})
told = {used} > cut
"""
CURVE = """
low, high, cuts = roc_curve(labels, {scores})
cut = cuts[argmax(high - low)]
told = {used} > cut
"""
ASKED = """
def accuracy_at(scores, cut):
    return ((scores > cut) == y).mean()

best, best_cut = 0, 0.5
for cut in linspace(0.1, 0.9, 9):
    if (found := accuracy_at({scores}, cut)) > best:
        best, best_cut = found, cut
print(accuracy_at({used}, best_cut))
"""
STYLES = (LOOP, KEY, LISTED, CALLED, CURVE, ASKED)


def found(source: str) -> tuple[int, bool] | None:
    tree = ast.parse(textwrap.dedent(source))
    return chosen_on_test(tree, tree)


@pytest.mark.parametrize("source", STYLES)
@pytest.mark.parametrize(
    ("scores", "used", "told", "tested"),
    [
        ("p_test", "p_test", True, True),
        ("pte", "pte", True, True),
        ("p_val", "p_val", True, False),
        ("p_val", "p_test", False, False),
    ],
)
def test_the_scores_that_it_is_chosen_on_and_used_on(
    source: str, scores: str, used: str, told: bool, tested: bool
) -> None:
    answer = found(source.format(scores=scores, used=used))
    assert (answer is not None) == told
    assert answer is None or answer[1] == tested


@pytest.mark.parametrize(("loader", "told"), [("test_loader", True), ("val_loader", False)])
def test_the_best_figure_that_a_method_reports(loader: str, told: bool) -> None:
    source = f"""
    class Trainer:
        def evaluate(self, loader):
            probs, labels = self.scores(loader)
            return max(f1(labels, probs > t / 100) for t in range(100))

    figure = trainer.evaluate({loader})
    """
    assert (found(source) is not None) == told


@pytest.mark.parametrize(
    "source",
    [
        "accuracy = ((p_test > 0.5) == y_test).mean()",
        "rates = [f1(y_test, p_test > t) for t in thresholds]\nplot(thresholds, rates)",
        "fpr, tpr, cuts = roc_curve(y_test, p_test)\nplot(fpr, tpr)",
        "for epoch in range(9):\n    if loss_test > epoch:\n        best = epoch",
        "x_train, x_val = train_test_split(x, test_size=0.2)\np = net(x_val)\nrate = max(f1(y, p > t) for t in grid)",
    ],
)
def test_no_threshold_is_chosen(source: str) -> None:
    assert found(source) is None
