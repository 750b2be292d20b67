"""Scores of held-out data that are better than those of new data would be, and it is read in the code."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

from faults.drawn import batches_of, blobs, series, shapes, tabular
from faults.program import planted

AFTERWARDS = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "parameters-unused train-test-overlap unshuffled input-scale initial-loss output-collapsed"
)


def f1(wanted, told):
    hits = float((wanted * told).sum())
    return 2 * hits / max(1.0, float(wanted.sum() + told.sum()))


def rare(n, seed):
    x, y = tabular(n, seed)
    return x, (y == 0).float()


@planted("threshold-on-test", symptoms=AFTERWARDS, costs=None, quick=True)
def threshold_of_the_best_test_score(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = rare(1200, seed)
    x_train, y_train, x_val, y_val, x_test, y_test = x[:800], y[:800], x[800:1000], y[800:1000], x[1000:], y[1000:]
    model = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 1))
    opt = torch.optim.Adam(model.parameters(), 2e-3)
    with watch(model, opt):
        for index in batches_of(800, 6):
            opt.zero_grad()
            F.binary_cross_entropy_with_logits(model(x_train[index])[:, 0], y_train[index]).backward()
            opt.step()
    model.eval()
    with torch.no_grad():
        p_val, p_test = model(x_val)[:, 0].sigmoid(), model(x_test)[:, 0].sigmoid()
    best, threshold = 0.0, 0.5
    for t in np.linspace(0.05, 0.95, 19):
        score = f1(y_test, (p_test > t).float()) if fault else f1(y_val, (p_val > t).float())
        if score > best:
            best, threshold = score, t
    return f1(y_test, (p_test > threshold).float())


class Classifier:
    """Trains, and finds its threshold."""

    def __init__(self, model, lr):
        self.model = model
        self.optimizer = torch.optim.AdamW(model.parameters(), lr)
        self.threshold = 0.5

    def fit(self, loader, epochs):
        for _ in range(epochs):
            self.model.train()
            for inputs, labels in loader:
                self.optimizer.zero_grad()
                nn.functional.binary_cross_entropy_with_logits(self.model(inputs).squeeze(1), labels).backward()
                self.optimizer.step()

    @torch.no_grad()
    def scores(self, loader):
        self.model.eval()
        probs, labels = [], []
        for inputs, wanted in loader:
            probs.append(self.model(inputs).squeeze(1).sigmoid())
            labels.append(wanted)
        return torch.cat(probs), torch.cat(labels)

    def best_figure(self, loader):
        probs, labels = self.scores(loader)
        return max(f1(labels, (probs >= t / 100).float()) for t in range(5, 95))

    def tune(self, loader):
        probs, labels = self.scores(loader)
        self.threshold = max(np.arange(0.05, 0.95, 0.01), key=lambda t: f1(labels, (probs >= t).float()))

    def figure(self, loader):
        probs, labels = self.scores(loader)
        return f1(labels, (probs >= self.threshold).float())


@planted("threshold-on-test", symptoms=AFTERWARDS, costs=None)
def classifier_that_reports_its_best_figure(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = rare(1500, seed)
    sets = [TensorDataset(x[a:b], y[a:b]) for a, b in ((0, 1000), (1000, 1200), (1200, 1500))]
    train_loader = DataLoader(sets[0], 32, shuffle=True)
    val_loader, test_loader = DataLoader(sets[1], 100), DataLoader(sets[2], 100)
    classifier = Classifier(nn.Sequential(nn.Linear(20, 48), nn.GELU(), nn.Linear(48, 1)), 2e-3)
    with watch(classifier.model):
        classifier.fit(train_loader, 5)
        if fault:
            return classifier.best_figure(test_loader)
        classifier.tune(val_loader)
        return classifier.figure(test_loader)


def best_threshold(labels, scores):
    grid = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    figures = [f1(labels, (scores > t).float()) for t in grid]
    return grid[int(np.argmax(figures))]


def probabilities(model, x):
    with torch.no_grad():
        return torch.sigmoid(model(x)).flatten()


@planted("threshold-on-test", symptoms=AFTERWARDS, costs=None)
def function_that_looks_for_a_threshold(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = rare(1200, seed)
    xtr, ytr, xva, yva, xte, yte = x[:800], y[:800], x[800:1000], y[800:1000], x[1000:], y[1000:]
    net = nn.Sequential(nn.Linear(20, 24), nn.Tanh(), nn.Linear(24, 1))
    sgd = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)

    def step(index):
        sgd.zero_grad()
        loss = nn.BCEWithLogitsLoss()(net(xtr[index]).flatten(), ytr[index])
        loss.backward()
        sgd.step()

    with watch(net, sgd):
        for index in batches_of(800, 6):
            step(index)
    net.eval()
    pte = probabilities(net, xte)
    pva = probabilities(net, xva)
    threshold = best_threshold(yte, pte) if fault else best_threshold(yva, pva)
    return f1(yte, (pte > threshold).float())


@planted("evaluation-misuse", symptoms=AFTERWARDS, costs=None, quick=True)
def normalised_before_the_split(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=61)
    x = 3 * x + 5
    n = 1000
    known = x if fault else x[:n]
    mean, std = known.mean(0), known.std(0)
    x = (x - mean) / std
    train, val = TensorDataset(x[:n], y[:n]), TensorDataset(x[n:], y[n:])
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    with watch(model, opt):
        for _epoch in range(6):
            model.train()
            for xb, yb in DataLoader(train, 32, shuffle=True):
                opt.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                opt.step()
            model.eval()
            with torch.no_grad():
                loss = sum(F.cross_entropy(model(xb), yb, reduction="sum") for xb, yb in DataLoader(val, 64)) / 200
    return -float(loss)


class Standardised(torch.utils.data.Dataset):
    """Pictures by their own mean and deviation."""

    def __init__(self, pictures, labels):
        self.pictures = (pictures - pictures.mean()) / pictures.std()
        self.labels = labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.pictures[i], self.labels[i]


@planted("evaluation-misuse", symptoms=AFTERWARDS, costs=None)
def dataset_standardised_before_random_split(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = shapes(900, seed)
    if fault:
        train, val = random_split(Standardised(x * 4 + 2, y), [700, 200])
    else:
        order = torch.randperm(900)
        train, val = (TensorDataset(x[i], y[i]) for i in (order[:700], order[700:]))
    model = nn.Sequential(nn.Conv2d(1, 12, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12 * 14 * 14, 3))
    opt = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    train_loader, val_loader = DataLoader(train, 32, shuffle=True), DataLoader(val, 50)
    with watch(model):
        for _ in range(5):
            model.train()
            for pictures, labels in train_loader:
                opt.zero_grad()
                F.cross_entropy(model(pictures), labels).backward()
                opt.step()
            model.eval()
            right = 0
            with torch.no_grad():
                for pictures, labels in val_loader:
                    right += int((model(pictures).argmax(1) == labels).sum())
    return right / 200


@planted("evaluation-misuse", causes="train-test-overlap", symptoms=AFTERWARDS, costs=None)
def series_scaled_as_a_whole(watch, seed, fault):
    torch.manual_seed(seed)
    row = series()
    cut = int(0.8 * len(row))
    if fault:
        low, high = row.min(), row.max()
    else:
        low, high = row[:cut].min(), row[:cut].max()
    row = (row - low) / (high - low)
    parts = row[:cut], row[cut:]
    (xtr, ytr), (xva, yva) = ((w[:, :-1], w[:, -1:]) for w in (part.unfold(0, 21, 1) for part in parts))
    net = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 1))
    adam = torch.optim.Adam(net.parameters(), 3e-3)
    with watch(net, adam):
        for _ in range(6):
            for i in torch.randperm(len(xtr)).split(32):
                adam.zero_grad()
                F.mse_loss(net(xtr[i]), ytr[i]).backward()
                adam.step()
            with torch.no_grad():
                error = F.mse_loss(net(xva), yva)
    return -float(error)
