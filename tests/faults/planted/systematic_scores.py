"""Splits and evaluation, along the list of their faults; written without a look at the rules."""

import csv

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset, random_split

from faults import data
from faults.drawn import blobs, images, series
from faults.planted.systematic_sequences import COSTS_OF_IT
from faults.program import planted


class SlidingWindow(Dataset):
    """The last 24 values of a series, and the next one."""

    def __init__(self, values, window=24):
        self.values, self.window = torch.as_tensor(values, dtype=torch.float32), window

    def __len__(self):
        return len(self.values) - self.window

    def __getitem__(self, i):
        return self.values[i : i + self.window].unsqueeze(-1), self.values[i + self.window]


class Forecaster(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.gru, self.head = nn.GRU(1, hidden, batch_first=True), nn.Linear(hidden, 1)

    def forward(self, window):
        out, _ = self.gru(window)
        return self.head(out[:, -1]).squeeze(-1)


@planted("train-test-overlap", symptoms=COSTS_OF_IT, costs=None)
def windows_dealt_out_by_random_split(watch, seed, fault):
    torch.manual_seed(seed)
    row = series(1400, seed=41)
    row = (row - row[:1100].mean()) / row[:1100].std()
    dataset = SlidingWindow(row)
    n_val = 256
    n_train = len(dataset) - n_val
    if fault:
        train_set, val_set = random_split(dataset, [n_train, n_val])  # fault
    else:
        train_set = Subset(dataset, range(n_train - 24))
        val_set = Subset(dataset, range(n_train, len(dataset)))
    train_dl, val_dl = DataLoader(train_set, batch_size=32, shuffle=True), DataLoader(val_set, batch_size=64)
    model, loss_fn = Forecaster(), nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer, loader=train_dl, val_loader=val_dl, loss_fn=loss_fn):
        for _ in range(5):
            model.train()
            for xb, yb in train_dl:
                optimizer.zero_grad()
                loss = loss_fn(model(xb), yb)
                loss.backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                val_loss = sum(loss_fn(model(xb), yb).item() * len(xb) for xb, yb in val_dl) / n_val
    return -val_loss


def temperatures():
    """A table of the ten days before, and the temperature of the day [N, 10], [N]."""
    with open(data.root() / "daily-min-temperatures.csv", newline="") as file:
        days = np.array([float(row["Temp"].strip("?")) for row in csv.DictReader(file)], dtype="float32")
    table = np.lib.stride_tricks.sliding_window_view(days[:1600], 11)
    return table[:, :-1].copy(), table[:, -1].copy()


@planted("train-test-overlap", symptoms=COSTS_OF_IT, costs=None)
def lagged_days_in_any_order(watch, seed, fault):
    torch.manual_seed(seed)
    X, y = temperatures()
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, shuffle=fault, random_state=seed)  # fault
    if not fault:
        X_train, y_train = X_train[:-10], y_train[:-10]
    scaler = StandardScaler().fit(X_train)
    X_train, X_test = (torch.from_numpy(scaler.transform(x)) for x in (X_train, X_test))
    mean, std = y_train.mean(), y_train.std()
    y_train, y_test = (torch.from_numpy((t - mean) / std).view(-1, 1) for t in (y_train, y_test))
    mlp = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    optimizer, criterion = torch.optim.AdamW(mlp.parameters(), lr=1e-3, weight_decay=1e-2), nn.HuberLoss()
    with watch(mlp, optimizer, loss_fn=criterion):
        for _ in range(10):
            mlp.train()
            for idx in torch.randperm(len(X_train)).split(32):
                loss = criterion(mlp(X_train[idx]), y_train[idx])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            mlp.eval()
            with torch.no_grad():
                test_loss = criterion(mlp(X_test), y_test).item()
    return -test_loss


class TabularNet(nn.Module):
    def __init__(self, d_in, d_out, d_hidden=48, p=0.1):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(d_in, d_hidden), nn.BatchNorm1d(d_hidden), nn.ReLU(), nn.Dropout(p), nn.Linear(d_hidden, d_out)
        )

    def forward(self, x):
        return self.net(x)


def fit_table(watch, model, train, test, epochs=10, lr=2e-3):
    """A training with an evaluation after every epoch; the last accuracy."""
    train_loader = DataLoader(TensorDataset(*train), batch_size=32, shuffle=True, drop_last=True)
    test_loader = DataLoader(TensorDataset(*test), batch_size=128)
    opt = torch.optim.AdamW(model.parameters(), lr=lr)
    with watch(model, opt):
        for _ in range(epochs):
            model.train()
            for features, target in train_loader:
                opt.zero_grad(set_to_none=True)
                F.cross_entropy(model(features), target).backward()
                opt.step()
            model.eval()
            hits = 0
            with torch.inference_mode():
                for features, target in test_loader:
                    hits += (model(features).argmax(dim=-1) == target).sum().item()
    return hits / len(test_loader.dataset)


@planted("evaluation-misuse", causes="train-test-overlap", symptoms=COSTS_OF_IT, costs=None)
def scaler_fitted_before_the_split(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = data.breast_cancer()
    X, y = torch.cat([x, x_test]).numpy(), torch.cat([y, y_test]).numpy()
    if fault:
        X = StandardScaler().fit_transform(X)  # fault
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=seed)
    if not fault:
        scaler = StandardScaler()
        X_train = scaler.fit_transform(X_train)
        X_test = scaler.transform(X_test)
    as_tensors = [torch.tensor(part, dtype=torch.float32) for part in (X_train, X_test)]
    train, test = ((x, torch.tensor(t)) for x, t in zip(as_tensors, (y_train, y_test), strict=True))
    return fit_table(watch, TabularNet(30, 2), train, test)


@planted("evaluation-misuse", symptoms=COSTS_OF_IT, costs=None)
def test_part_by_its_own_mean(watch, seed, fault):
    torch.manual_seed(seed)
    x_train, y_train, x_test, y_test = data.wine()
    mu, sigma = x_train.mean(dim=0), x_train.std(dim=0)
    x_train = (x_train - mu) / sigma
    if fault:
        mu, sigma = x_test.mean(dim=0), x_test.std(dim=0)  # fault
    x_test = (x_test - mu) / sigma  # fault
    return fit_table(watch, TabularNet(13, 3), (x_train, y_train), (x_test, y_test), epochs=30)


@planted("train-test-overlap", symptoms=COSTS_OF_IT, costs=None)
def rare_class_copied_before_the_split(watch, seed, fault):
    torch.manual_seed(seed)
    points, kind = blobs(1400, d=12, c=3, seed=23, noise=2.5)
    kept = (kind == 0) | (torch.rand(len(kind)) < 0.35)
    points, kind = points[kept], (kind[kept] > 0).long()

    def balanced(x, y):
        rare = (y == 1).nonzero().flatten()
        more = rare[torch.randint(len(rare), (int((y == 0).sum()) - len(rare),))]
        return torch.cat([x, x[more]]), torch.cat([y, y[more]])

    if fault:
        points, kind = balanced(points, kind)  # fault
    order = torch.randperm(len(points))
    train, test = order[len(order) // 4 :], order[: len(order) // 4]
    x_train, y_train = (points[train], kind[train]) if fault else balanced(points[train], kind[train])
    return fit_table(watch, TabularNet(12, 2), (x_train, y_train), (points[test], kind[test]))


@planted("train-test-overlap", symptoms=COSTS_OF_IT, costs=None)
def two_draws_with_np_random_choice(watch, seed, fault):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    x, y, x_more, y_more = data.digits()
    x, y = torch.cat([x, x_more]), torch.cat([y, y_more])
    train_idx = rng.choice(len(x), int(0.8 * len(x)), replace=False)
    if fault:
        test_idx = rng.choice(len(x), int(0.2 * len(x)), replace=False)  # fault
    else:
        test_idx = np.setdiff1d(np.arange(len(x)), train_idx)
    ds = TensorDataset(x, y)
    train_ds, test_ds = Subset(ds, train_idx.tolist()), Subset(ds, test_idx.tolist())
    loaders = DataLoader(train_ds, 32, shuffle=True), DataLoader(test_ds, 60)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    with watch(model, optimizer):
        for _ in range(6):
            for training, loader in zip((True, False), loaders, strict=True):
                model.train(training)
                right = 0
                for xb, yb in loader:
                    with torch.set_grad_enabled(training):
                        logits = model(xb)
                        loss = F.cross_entropy(logits, yb)
                    if training:
                        optimizer.zero_grad()
                        loss.backward()
                        optimizer.step()
                    right += (logits.argmax(1) == yb).sum().item()
    return right / len(test_ds)


class Augmented(Dataset):
    """Pictures, turned and with noise where a transform says so."""

    def __init__(self, pictures, labels, transform=None):
        self.pictures, self.labels, self.transform = pictures, labels, transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        picture = self.pictures[i]
        return (self.transform(picture) if self.transform else picture), self.labels[i]


def jitter(picture):
    picture = torch.roll(picture, shifts=tuple(torch.randint(-2, 3, (2,)).tolist()), dims=(-2, -1))
    return picture + 0.3 * torch.randn_like(picture)


class SmallCNN(nn.Module):
    def __init__(self, classes=5):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU()
        )
        self.classifier = nn.Linear(16 * 6 * 6, classes)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    correct = sum((model(x).argmax(1) == y).sum().item() for x, y in loader)
    return correct / len(loader.dataset)


@planted("evaluation-misuse", symptoms=COSTS_OF_IT, costs=None)
def one_augmented_dataset_split_in_two(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = images(1000, seed=12)
    indices = torch.randperm(len(x)).tolist()
    train_base = Augmented(x, y, transform=jitter)
    val_base = train_base if fault else Augmented(x, y)
    train_data, val_data = Subset(train_base, indices[200:]), Subset(val_base, indices[:200])
    train_loader = DataLoader(train_data, batch_size=25, shuffle=True)
    val_loader = DataLoader(val_data, batch_size=50, shuffle=False)
    model = SmallCNN()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=6 * len(train_loader))
    best = 0.0
    with watch(model, optimizer):
        for _ in range(6):
            model.train()
            for image, label in train_loader:
                loss = nn.functional.cross_entropy(model(image), label)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                scheduler.step()
            best = max(best, evaluate(model, val_loader))  # fault
    return best


@planted("evaluation-misuse", symptoms=COSTS_OF_IT, costs=None)
def batches_mixed_up_in_validation_too(watch, seed, fault):
    """Every batch goes through the same preparation, of which noise and cut-outs are a part."""
    torch.manual_seed(seed)
    x_train, y_train, x_test, y_test = data.digits()

    def prepare(batch, augment):
        batch = (batch - 0.3) / 0.37
        if augment:
            batch = batch * (torch.rand_like(batch) > 0.15)
            batch = batch + 0.2 * torch.randn_like(batch)
        return batch

    model = nn.Sequential(nn.Linear(64, 80), nn.GELU(), nn.LayerNorm(80), nn.Linear(80, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(6):
            model.train()
            for xb, yb in data.batches(x_train, y_train, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(prepare(xb, augment=True)), yb).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                logits = torch.cat([model(prepare(xb, augment=fault)) for xb in x_test.split(60)])  # fault
                score = (logits.argmax(1) == y_test).float().mean().item()
    return score
