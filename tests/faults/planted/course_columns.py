"""Data of course programs: columns, labels and parts that are not what the loop takes them for."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from faults.data import (
    accuracy,
    california,
    digits,
    fashion,
    houses,
    mnist,
    r2,
    standardise,
    standardised,
    titanic,
    wine,
)
from faults.program import planted

SLOW = "plateau underfitting too-few-epochs"
WILD = "dead-relu saturated nonfinite exploding-gradient vanishing-gradient plateau underfitting output-collapsed"


@planted(
    "initial-loss", causes="lr-too-low input-scale underfitting too-few-epochs label-range",
    symptoms=f"{WILD} {SLOW} lr-too-high", costs=0.3,
)  # fmt: skip
def prices_in_whole_dollars(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(houses())
    if not fault:
        mean, std = y.mean(), y.std()
        y, y_test = (y - mean) / std, (y_test - mean) / std
    net = nn.Sequential(nn.Linear(x.shape[1], 64), nn.ReLU(), nn.Linear(64, 1))
    trainer = torch.optim.Adam(net.parameters(), lr=1e-3)
    loss = nn.MSELoss()
    train_iter = DataLoader(TensorDataset(x, y.unsqueeze(1)), batch_size=64, shuffle=True)  # fault
    with watch(net, trainer):
        for _ in range(20):
            for X, t in train_iter:
                trainer.zero_grad()
                l = loss(net(X), t)  # noqa: E741  # fault
                l.backward()
                trainer.step()
    return r2(net, x_test, y_test)


@planted("unshuffled", symptoms=f"{SLOW} {WILD} lr-too-high overfitting", costs=0.1)
def one_digit_after_the_other(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    order = y.argsort()
    x, y = x[order], y[order]
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss()
    num_batches = len(x) // 32
    with watch(model, optimizer):
        for _ in range(10):
            if not fault:
                p = torch.randperm(len(x))
                x, y = x[p], y[p]
            for b in range(num_batches):
                x_batch = x[b * 32 : (b + 1) * 32]  # fault
                y_batch = y[b * 32 : (b + 1) * 32]
                loss = criterion(model(x_batch), y_batch)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted(
    "pairs-broken", causes="targets-unrelated samples-mixed", symptoms=f"{SLOW} overfitting output-collapsed", costs=0.3
)
def columns_of_samples_by_reshape(watch, seed, fault):
    torch.manual_seed(seed)
    train_x_orig, train_y, test_x_orig, test_y = mnist(1500)
    m_train = train_x_orig.shape[0]
    # Reshape the training examples: one column per image, as in the lecture.
    train_x = train_x_orig.reshape(784, m_train) if fault else train_x_orig.reshape(m_train, -1).T  # fault
    model = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(8):
            permutation = torch.randperm(m_train)
            for k in range(0, m_train, 50):
                mini = permutation[k : k + 50]
                AL = model(train_x[:, mini].T)  # fault
                cost = F.cross_entropy(AL, train_y[mini])  # fault
                optimizer.zero_grad()
                cost.backward()
                optimizer.step()
    return accuracy(model, test_x_orig.flatten(1), test_y)


@planted("evaluation-misuse", causes="input-scale", symptoms="overfitting", costs=0.1)
def columns_standardised_for_training_only(watch, seed, fault):
    torch.manual_seed(seed)
    X_train, y_train, X_test, y_test = wine()
    mean, std = X_train.mean(0), X_train.std(0)
    X_train = (X_train - mean) / std
    if not fault:
        X_test = (X_test - mean) / std
    model = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    train_loader = DataLoader(TensorDataset(X_train, y_train), batch_size=16, shuffle=True)
    test_loader = DataLoader(TensorDataset(X_test, y_test), batch_size=16)  # fault
    with watch(model, optimizer):
        for _ in range(15):
            model.train()
            for features, label in train_loader:
                optimizer.zero_grad()
                F.cross_entropy(model(features), label).backward()
                optimizer.step()
            model.eval()
            right = 0
            with torch.no_grad():
                for features, label in test_loader:  # fault
                    right += int((model(features).argmax(1) == label).sum())  # fault
    return accuracy(model, X_test, y_test)


class ClothesDataset(Dataset):
    """图片和标签。"""

    def __init__(self, images, labels, wrong):
        self.images, self.labels, self.wrong = images, labels, wrong
        self.i = 0

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        image = self.images[self.i if self.wrong else index]  # fault: every-label-with-the-first-picture
        return image, self.labels[index]


@planted("input-constant", causes="targets-unrelated", symptoms=f"{SLOW} output-collapsed", costs=0.3)
def every_label_with_the_first_picture(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(1500)
    loader = DataLoader(ClothesDataset(x, y, fault), batch_size=32, shuffle=True)  # fault
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with watch(model, optimizer):
        for _ in range(4):
            for image, label in loader:  # fault
                optimizer.zero_grad()
                loss = F.cross_entropy(model(image), label)
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("input-nonfinite", causes="nonfinite", symptoms=f"nonfinite {WILD}", costs=0.1)
def logarithm_of_fares_that_are_nought(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = (part.clone() for part in titanic())
    for part in (x, x_test):
        fare = part[:, 5]
        part[:, 5] = torch.log(fare) if fault else torch.log1p(fare)  # fault
    finite = x[torch.isfinite(x).all(1)]
    x, x_test = standardise(x, finite), standardise(x_test, finite)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    loader = DataLoader(TensorDataset(x, y.float()), batch_size=32, shuffle=True)  # fault
    with watch(model, optimizer, loader=loader):
        for _ in range(15):
            for features, survived in loader:  # fault
                out = model(features).squeeze(-1)  # fault
                loss = F.binary_cross_entropy_with_logits(out, survived)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test) if torch.isfinite(model(x_test[:1])).all() else 0.0


@planted("label-imbalance", symptoms=f"{SLOW} output-collapsed overfitting", costs=0.2)
def two_eights_in_a_hundred(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    is_eight, test_eight = y == 8, y_test == 8
    if fault:
        rare = is_eight.nonzero().flatten()[:24]
        rows = torch.cat([(~is_eight).nonzero().flatten(), rare])
    else:
        few = (~is_eight).nonzero().flatten()[:300]
        rows = torch.cat([few, is_eight.nonzero().flatten()])
    x, target = x[rows], is_eight[rows].long()
    net = nn.Sequential(nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.5)
    loader = DataLoader(TensorDataset(x, target), batch_size=32, shuffle=True)  # fault
    with watch(net, optimizer, loader=loader):
        for _ in range(6 if fault else 15):
            for a, b in loader:
                loss = F.cross_entropy(net(a), b)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    guessed = net(x_test).argmax(1)
    return float((guessed[test_eight] == 1).float().mean())


@planted("input-scale", symptoms=f"{SLOW} {WILD} lr-too-high exploding-gradient initial-loss", costs=0.1)
def districts_with_raw_columns(watch, seed, fault):
    torch.manual_seed(seed)
    X, y, X_test, y_test = california(3000)
    mu, sigma = y.mean(), y.std()
    y, y_test = (y - mu) / sigma, (y_test - mu) / sigma
    if not fault:
        X, X_test = standardise(X, X), standardise(X_test, X)
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(X, y.view(-1, 1)), batch_size=64, shuffle=True)  # fault
    with watch(model, optimizer, loader=loader):
        for _ in range(8):
            for inputs, targets in loader:  # fault
                predictions = model(inputs)  # fault
                loss = F.mse_loss(predictions, targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(model, X_test, y_test)


@planted("train-test-overlap", symptoms="overfitting too-few-epochs", costs=None)
def oversampled_before_the_split(watch, seed, fault):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    x, y, _, _ = standardised(wine())
    x_all, y_all = x.numpy(), y.numpy()
    if fault:
        again = rng.integers(0, len(x_all), 2 * len(x_all))  # 过采样
        x_all, y_all = x_all[again], y_all[again]  # fault
    shuffled = rng.permutation(len(x_all))
    cut = int(len(x_all) * 0.7)
    train_idx, val_idx = shuffled[:cut], shuffled[cut:]
    train = TensorDataset(torch.from_numpy(x_all[train_idx]), torch.from_numpy(y_all[train_idx]))
    val = TensorDataset(torch.from_numpy(x_all[val_idx]), torch.from_numpy(y_all[val_idx]))
    train_loader = DataLoader(train, batch_size=16, shuffle=True)
    val_loader = DataLoader(val, batch_size=64)  # fault
    model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer, loader=train_loader, val_loader=val_loader):
        for _ in range(10):
            model.train()
            for a, b in train_loader:
                optimizer.zero_grad()
                F.cross_entropy(model(a), b).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                for a, b in val_loader:  # fault
                    F.cross_entropy(model(a), b).item()  # fault
    return accuracy(model, torch.from_numpy(x_all[val_idx]), torch.from_numpy(y_all[val_idx]))
