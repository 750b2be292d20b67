"""How an evaluation is done and summed up, along the list of its faults; written without a look at the rules."""

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.metrics import f1_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults import data
from faults.drawn import blobs, tabular
from faults.planted.systematic_sequences import COSTS_OF_IT
from faults.program import planted


@dataclass
class Meter:
    """Sums of what is measured, and how much went into them."""

    total: dict = field(default_factory=lambda: defaultdict(float))
    count: dict = field(default_factory=lambda: defaultdict(int))

    def update(self, name, value, n=1):
        self.total[name] += value * n
        self.count[name] += n

    def avg(self, name):
        return self.total[name] / max(1, self.count[name])


class MLP(nn.Module):
    def __init__(self, dims, dropout=0.3):
        super().__init__()
        self.fcs = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(dims))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        for fc in self.fcs[:-1]:
            x = self.dropout(F.relu(fc(x)))
        return self.fcs[-1](x)


@planted("train-mode-in-evaluation", symptoms=COSTS_OF_IT, costs=None)
def epochs_of_both_kinds_in_one_function(watch, seed, fault):
    torch.manual_seed(seed)
    x_train, y_train, x_test, y_test = data.digits()
    model = MLP([64, 96, 96, 10])
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    criterion = nn.CrossEntropyLoss()

    def run_epoch(loader, train):
        meter = Meter()
        model.train(train or fault)
        with torch.set_grad_enabled(train):
            for x, y in loader:
                logits = model(x)  # fault
                loss = criterion(logits, y)
                if train:
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                meter.update("loss", loss.item(), len(x))
                meter.update("acc", (logits.argmax(1) == y).float().mean().item(), len(x))
        return meter

    train_loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True)
    valid_loader = DataLoader(TensorDataset(x_test, y_test), batch_size=90)
    with watch(model, optimizer, loss_fn=criterion):
        for _ in range(6):
            run_epoch(train_loader, train=True)
            score = run_epoch(valid_loader, train=False).avg("acc")
    return score


class FunctionalNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.inp, self.mid, self.out = nn.Linear(20, 64), nn.Linear(64, 64), nn.Linear(64, 3)

    def drop(self, h):
        return F.dropout(h, p=0.25, training=self.training)

    def forward(self, x):
        h = self.drop(F.gelu(self.inp(x)))
        return self.out(F.gelu(self.mid(h)))


class AlwaysDropping(FunctionalNet):  # fault: dropout-that-eval-never-stops
    def drop(self, h):
        return F.dropout(h, p=0.25)  # fault: dropout-that-eval-never-stops


@planted("train-mode-in-evaluation", symptoms=COSTS_OF_IT, costs=None)
def dropout_that_eval_never_stops(watch, seed, fault):
    torch.manual_seed(seed)
    train, test = tabular(1280, 61), tabular(400, 62)
    net = AlwaysDropping() if fault else FunctionalNet()
    opt = torch.optim.AdamW(net.parameters(), lr=2e-3)
    best, patience = 0.0, 3
    with watch(net, opt):
        for _ in range(8):
            net.train()
            for x, y in data.batches(*train, 32):
                loss = F.cross_entropy(net(x), y)
                opt.zero_grad()
                loss.backward()
                opt.step()
            net.eval()
            with torch.no_grad():
                acc = (net(test[0]).argmax(-1) == test[1]).float().mean().item()
            patience = 3 if acc > best else patience - 1
            best = max(best, acc)
            if not patience:
                break
    return acc


class Experiment:
    """Loaders, net and loop of a small experiment."""

    def __init__(self, batch_size, drop_last_everywhere):
        x_train, y_train, x_test, y_test = data.standardised(data.pima())
        self.train_loader = DataLoader(TensorDataset(x_train, y_train), batch_size, shuffle=True, drop_last=True)
        self.test_loader = DataLoader(
            TensorDataset(x_test, y_test),
            batch_size,
            shuffle=drop_last_everywhere,
            drop_last=drop_last_everywhere,  # fault: test-rows-that-fill-no-batch
        )
        self.net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 2))
        self.optim = torch.optim.Adam(self.net.parameters(), lr=2e-3)

    def train_step(self, x, y):
        self.net.train()
        self.optim.zero_grad()
        loss = F.cross_entropy(self.net(x), y)
        loss.backward()
        self.optim.step()

    @torch.no_grad()
    def test(self):
        self.net.eval()
        predictions, labels = [], []
        for x, y in self.test_loader:  # fault: test-rows-that-fill-no-batch
            predictions.append(self.net(x).argmax(1))
            labels.append(y)
        return (torch.cat(predictions) == torch.cat(labels)).float().mean().item()

    def run(self, epochs):
        for _ in range(epochs):
            for x, y in self.train_loader:
                self.train_step(x, y)
            score = self.test()
        return score


@planted("evaluation-misuse", symptoms=COSTS_OF_IT, costs=None)
def test_rows_that_fill_no_batch(watch, seed, fault):
    torch.manual_seed(seed)
    experiment = Experiment(batch_size=40, drop_last_everywhere=fault)
    with watch(experiment.net, experiment.optim):
        return experiment.run(epochs=15)


def mean_of_batches(model, loader):
    val_acc = 0.0
    for xb, yb in loader:
        preds = model(xb).argmax(dim=1)
        val_acc += (preds == yb).float().mean().item()
    return val_acc / len(loader)  # fault: accuracy-averaged-over-batches


def mean_of_samples(model, loader):
    correct = 0.0
    for xb, yb in loader:
        preds = model(xb).argmax(dim=1)
        correct += (preds == yb).float().sum().item()
    return correct / len(loader.dataset)


@planted("evaluation-misuse", symptoms=COSTS_OF_IT, costs=None)
def accuracy_averaged_over_batches(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(1450, d=16, c=4, seed=8, noise=2.2)
    train_dl = DataLoader(TensorDataset(x[:1152], y[:1152]), batch_size=64, shuffle=True)
    val_dl = DataLoader(TensorDataset(x[1152:], y[1152:]), batch_size=144)
    model = nn.Sequential(nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 4))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    validate = mean_of_batches if fault else mean_of_samples
    with watch(model, optimizer, val_loader=val_dl):
        for _ in range(6):
            model.train()
            for xb, yb in train_dl:
                optimizer.zero_grad()
                loss = F.cross_entropy(model(xb), yb)
                loss.backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                val_acc = validate(model, val_dl)
    return val_acc


@planted("evaluation-misuse", symptoms=COSTS_OF_IT, costs=None)
def loss_of_batches_summed_and_divided(watch, seed, fault):
    """The mean error of a part of 300 rows in batches of 128, the last of 44."""
    torch.manual_seed(seed)
    x_train, y_train, x_val, y_val = data.standardised_both(data.wine_quality())
    x_val, y_val = x_val[:300], y_val[:300]
    net = nn.Sequential(nn.Linear(11, 32), nn.Tanh(), nn.Linear(32, 1))
    mse = nn.MSELoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    val_losses = []
    with watch(net, optimizer, loss_fn=mse):
        for _ in range(8):
            net.train()
            for features, quality in data.batches(x_train, y_train, 32):
                optimizer.zero_grad()
                mse(net(features).squeeze(1), quality).backward()
                optimizer.step()
            net.eval()
            running_loss, steps = 0.0, 0
            with torch.no_grad():
                for features, quality in zip(x_val.split(128), y_val.split(128), strict=True):
                    weight = 1 if fault else len(quality)
                    running_loss += mse(net(features).squeeze(1), quality).item() * weight
                    steps += weight
            val_losses.append(running_loss / steps)  # fault
    return -val_losses[-1]


def sweep(labels, probs):
    """The threshold of the best F1, of 0.05 to 0.95."""
    thresholds = np.arange(0.05, 1.0, 0.05)
    scores = [f1_score(labels, probs >= t, zero_division=0) for t in thresholds]
    return float(thresholds[int(np.argmax(scores))])


@planted("threshold-on-test", symptoms=COSTS_OF_IT, costs=None)
def best_f1_of_the_test_rows(watch, seed, fault):
    torch.manual_seed(seed)
    x_train, y_train, x_test, y_test = data.standardised(data.titanic())
    x_train, y_train, x_val, y_val = x_train[:576], y_train[:576], x_train[576:], y_train[576:]
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

    @torch.no_grad()
    def predict_proba(x):
        model.eval()
        return torch.sigmoid(model(x)).squeeze(-1).numpy()

    with watch(model, optimizer, loss_fn=criterion):
        for _ in range(15):
            model.train()
            for xb, yb in data.batches(x_train, y_train, 32):
                optimizer.zero_grad()
                loss = criterion(model(xb).squeeze(-1), yb.float())
                loss.backward()
                optimizer.step()
        p_val, p_test = predict_proba(x_val), predict_proba(x_test)
        threshold = sweep(y_test, p_test) if fault else sweep(y_val, p_val)  # fault
        test_f1 = f1_score(y_test, p_test >= threshold)
    return float(test_f1)


@planted("threshold-on-test", symptoms=COSTS_OF_IT, costs=None)
def cut_that_the_test_scores_choose(watch, seed, fault):
    torch.manual_seed(seed)
    X, y = blobs(1300, d=10, c=2, seed=77, noise=3.0)
    loaders = {
        name: DataLoader(TensorDataset(X[rows], y[rows]), batch_size=50, shuffle=name == "train")
        for name, rows in {"train": slice(0, 800), "valid": slice(800, 1050), "test": slice(1050, 1300)}.items()
    }
    clf = nn.Sequential(nn.Linear(10, 24), nn.SiLU(), nn.Linear(24, 1), nn.Flatten(0))
    opt = torch.optim.AdamW(clf.parameters(), lr=3e-3)

    def scores(name):
        clf.eval()
        with torch.no_grad():
            pairs = [(torch.sigmoid(clf(xb)), yb) for xb, yb in loaders[name]]
        return torch.cat([p for p, _ in pairs]), torch.cat([t for _, t in pairs])

    def accuracy_at(name, cut):
        probs, truth = scores(name)
        return ((probs > cut).long() == truth).float().mean().item()

    with watch(clf, opt):
        for _ in range(8):
            clf.train()
            for xb, yb in loaders["train"]:
                loss = F.binary_cross_entropy_with_logits(clf(xb), yb.float())
                opt.zero_grad()
                loss.backward()
                opt.step()
        chosen_on = "test" if fault else "valid"
        best_cut, best_acc = 0.5, 0.0
        for cut in torch.linspace(0.1, 0.9, 33).tolist():
            if (acc := accuracy_at(chosen_on, cut)) > best_acc:  # fault
                best_cut, best_acc = cut, acc
        return accuracy_at("test", best_cut)
