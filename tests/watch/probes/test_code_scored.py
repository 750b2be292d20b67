"""Training and test data that are taken for each other."""

import ast

import pytest

from danlu.watch.probes.code_scored import tests_on_training as found_on_training
from danlu.watch.probes.code_scored import updates_on_test

LOOP = "for {rows}:\n    loss = f(net(x), y)\n    {test}loss.backward()\n    {step}.step()"


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (LOOP.format(rows="x, y in test_loader", test="", step="opt"), 3),
        (LOOP.format(rows="i, (x, y) in enumerate(self.val_loader)", test="", step="opt"), 3),
        (LOOP.format(rows="x, y in DataLoader(test_set, 32)", test="", step="opt"), 3),
        ("for x, y in testloader:\n    with autocast():\n        loss.backward()\n        o.step()", 3),
        (LOOP.format(rows="x, y in train_loader", test="", step="opt"), None),
        (LOOP.format(rows="x, y in zip(train_x, test_x)", test="", step="opt"), None),
        (LOOP.format(rows="x, y in val_loader", test="if train: ", step="opt"), None),
        (LOOP.format(rows="x, y in val_loader", test="", step="scheduler"), None),
        (LOOP.format(rows="x, y in latest", test="", step="opt"), None),
        (LOOP.format(rows="size in test_sizes", test="", step="opt"), None),
        (LOOP.format(rows="x, y in loaders['test']", test="", step="opt"), 3),
        ("for fold in valid_folds:\n    if fold:\n        loss.backward()\n        opt.step()", None),
    ],
)  # fmt: skip
def test_steps_made_on_test_data(source: str, line: int | None) -> None:
    assert updates_on_test(ast.parse(source)) == line


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("val_loss, val_acc = evaluate(model, train_loader)", 1),
        ("test_acc = d2l.evaluate_accuracy_gpu(net, train_iter)", 1),
        ("self.test_score = accuracy(net, self.x_train, self.y_train)", 1),
        ("for x, y in train_dl:\n    val_loss += f(net(x), y).item()", 1),
        ("dev_set = train_set", 1),
        ("self.val_loader = DataLoader(self.train_set, batch_size=64)", 1),
        ("valid_set = train_set if small else rest", 1),
        ("val_loader = DataLoader(train_set, 64, sampler=SubsetRandomSampler(rest))", None),
        ("val_set = train_set[4000:]", None),
        ("val_set = Subset(train_set, rest)", None),
        ("val_loader = DataLoader(full_set, 64)", None),
        ("val_acc = evaluate(model, val_loader)", None),
        ("train_acc = evaluate(model, train_loader)", None),
        ("train_acc, test_acc = evaluate(net, train_iter), evaluate(net, test_iter)", None),
        ("test_acc = evaluate(net, train_iter, test_iter)", None),
        ("x_test = scale(x_train)", None),
        ("test_set = load('train.csv')", None),
        ("for x, y in train_dl:\n    loss.backward()\n    test_count += 1", None),
        ("acc = evaluate(net, train_iter)", None),
    ],
)
def test_scores_of_training_data_under_the_name_of_others(source: str, line: int | None) -> None:
    assert found_on_training(ast.parse(source)) == line
