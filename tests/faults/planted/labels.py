"""Faults of the labels: outside their range, or nearly all the same."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from faults.data import (
    accuracy,
    breast_cancer,
    digits,
    fashion,
    mnist,
    names,
    standardised,
    titanic,
)
from faults.ordinary import mlp, small_cnn, train
from faults.program import planted


@planted("label-range", causes="loss-mismatch", symptoms="initial-loss plateau exploding-gradient", costs=0.05)
def minus_one_and_one_for_a_logit(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    labels = 2.0 * y - 1 if fault else y.float()
    model = mlp(30, 16, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    criterion = nn.BCEWithLogitsLoss()
    train(watch, model, optimizer, x, labels.unsqueeze(1), epochs=20, size=32, loss_fn=criterion)
    with torch.no_grad():
        return -criterion(model(x_test), y_test.float().unsqueeze(1)).item()


@planted("label-range", causes="loss-mismatch", symptoms="initial-loss plateau exploding-gradient", costs=0.1)
def ones_and_twos_for_a_logit(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(titanic())
    labels = (y + 1 if fault else y).float()
    model = mlp(8, 16, 1, activation=nn.Tanh)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def loss_fn(logits, wanted):
        return F.binary_cross_entropy_with_logits(logits.squeeze(1), wanted)

    train(watch, model, optimizer, x, labels, epochs=20, size=32, loss_fn=loss_fn)
    return accuracy(model, x_test, y_test)


@planted("label-range", causes="loss-mismatch", symptoms="initial-loss exploding-gradient saturated", costs=1.0)
def autoencoder_against_bytes(watch, seed, fault):
    """The inputs are between 0 and 1, the targets of the binary cross-entropy between 0 and 255."""
    torch.manual_seed(seed)
    x, _, x_test, _ = mnist()
    x, x_test = x.flatten(1), x_test.flatten(1)
    model = mlp(784, 64, 784)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    criterion = nn.BCEWithLogitsLoss()
    train(watch, model, optimizer, x, x * 255 if fault else x, epochs=4, loss_fn=criterion)
    with torch.no_grad():
        return -criterion(model(x_test), x_test).item()


@planted("label-range", symptoms="initial-loss", costs=0.5, quick=True)
def classes_counted_from_one(watch, seed, fault):
    """Ten logits, labels 1 to 10: torch stops at the first ten, and says little."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 32, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    train(watch, model, optimizer, x, y + 1 if fault else y, epochs=10, size=16)
    return accuracy(model, x_test, y_test)


def balanced(model, x, y, classes):
    """Mean over the classes of the share of each that is recognised."""
    model.eval()
    with torch.no_grad():
        output = model(x)
    guessed = output.argmax(1) if output.shape[1] > 1 else (output.flatten() > 0).long()
    return sum((guessed[y == k] == k).float().mean().item() for k in range(classes)) / classes


@planted("label-imbalance", symptoms="underfitting plateau", costs=0.05)
def one_digit_in_a_hundred(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(8000)
    rare = (y == 8).nonzero().flatten()[80:]
    keep = torch.ones(len(y), dtype=torch.bool)
    keep[rare] = False
    x, y = x[keep], (y[keep] == 8).long()
    weight = None if fault else torch.tensor([1.0, 50.0])
    model = mlp(784, 32, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    train(watch, model, optimizer, x, y, epochs=4, loss_fn=nn.CrossEntropyLoss(weight=weight))
    return balanced(model, x_test, (y_test == 8).long(), 2)


@planted("label-imbalance", causes="class-weights-inverted", symptoms="underfitting plateau", costs=0.05)
def weights_as_frequent_as_the_classes(watch, seed, fault):
    """The weights are the classes' shares: the frequent one counts more still."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(8000)
    rare = (y == 8).nonzero().flatten()[160:]
    x, y = x[(keep := torch.ones(len(y), dtype=torch.bool).index_fill(0, rare, False))], (y[keep] == 8).long()
    counts = torch.bincount(y).float()
    weight = counts / len(y) if fault else len(y) / (2 * counts)
    model = mlp(784, 32, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    train(watch, model, optimizer, x, y, epochs=8, loss_fn=nn.CrossEntropyLoss(weight=weight))
    return balanced(model, x_test, (y_test == 8).long(), 2)


@planted("label-imbalance", causes="class-weights-inverted", symptoms="underfitting plateau", costs=None)
def a_pos_weight_upside_down(watch, seed, fault):
    """pos_weight as positives / negatives where it is negatives / positives."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    malignant = (y == 0).nonzero().flatten()[:12]
    keep = (y == 1).index_fill(0, malignant, True)
    x, y = x[keep], (y[keep] == 0).float()
    ratio = y.sum() / (1 - y).sum()
    model = mlp(30, 16, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    criterion = nn.BCEWithLogitsLoss(pos_weight=ratio if fault else 1 / ratio)
    train(watch, model, optimizer, x, y.unsqueeze(1), epochs=120, size=32, loss_fn=criterion)
    return balanced(model, x_test, (y_test == 0).long(), 2)


@planted("label-imbalance", symptoms="underfitting plateau", costs=0.05)
def trousers_and_little_else(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(20000)
    keep = (y == 1) | (torch.arange(len(y)) % 150 == 0)
    x, y = x[keep], y[keep]
    sampler = None if fault else WeightedRandomSampler((1 / torch.bincount(y, minlength=10).float())[y], len(y))
    loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=fault, sampler=sampler)
    model = small_cnn()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer, loader=loader):
        for _ in range(6):
            for images, labels in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return balanced(model, x_test, y_test, 10)


@planted("label-imbalance", symptoms="underfitting plateau", costs=None, quick=True)
def few_malignant_tumours(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    malignant = (y == 0).nonzero().flatten()[:8]
    keep = (y == 1).index_fill(0, malignant, True)
    x, y = x[keep], y[keep]
    model = mlp(30, 16, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    weight = None if fault else torch.tensor(8 / 280)
    criterion = nn.BCEWithLogitsLoss(pos_weight=weight)
    train(watch, model, optimizer, x, y.float().unsqueeze(1), epochs=30, size=32, loss_fn=criterion)
    return balanced(model, x_test, y_test, 2)


@planted("label-imbalance", symptoms="underfitting plateau", costs=None)
def one_country_only_almost(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    y, y_test = (y == 14).long(), (y_test == 14).long()
    if fault:
        common, rare = (y == 1).nonzero().flatten()[:4000], (y == 0).nonzero().flatten()[:60]
        keep = torch.cat([common, rare])
        x, y = x[keep], y[keep]
    model = nn.Sequential(nn.Embedding(27, 12), nn.Flatten(), nn.Linear(144, 32), nn.ReLU(), nn.Linear(32, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    train(watch, model, optimizer, x[:5000], y[:5000], epochs=4)
    return balanced(model, x_test, y_test, 2)
