"""Course programs whose inputs or labels are not what they should be: written without a look at the rules."""

import csv

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from faults.data import accuracy, breast_cancer, digits, mnist, r2, root, standardised, wine_quality
from faults.planted.course_rates import SLOW, WILD
from faults.program import planted


def passengers(missing):
    """Class, sex, age and fare of the Titanic's passengers; ages that no one knows are `missing`."""
    with open(root() / "titanic.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    xs = [
        [float(row["Pclass"]) - 2, float(row["Sex"] == "male"), float(row["Age"]) if row["Age"] else missing,
         float(row["Fare"]) / 50]
        for row in rows
    ]  # fmt: skip
    x, y = torch.tensor(xs), torch.tensor([float(row["Survived"]) for row in rows])
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(3))
    return x[order[:700]], y[order[:700]], x[order[700:]], y[order[700:]]


@planted("input-scale", symptoms=f"{SLOW} {WILD}", costs=0.05)
def ages_nobody_knows_are_minus_999(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = passengers(missing=-999.0 if fault else 30.0)
    if not fault:
        x, x_test = x.clone(), x_test.clone()
        x[:, 2], x_test[:, 2] = (x[:, 2] - 30) / 14, (x_test[:, 2] - 30) / 14
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    criterion = nn.BCEWithLogitsLoss()
    with watch(model, optimizer):
        for _ in range(20):
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
                optimizer.zero_grad()
                loss = criterion(model(xb).squeeze(-1), yb)  # fault
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("input-scale", symptoms=f"{SLOW} {WILD}", costs=0.1)
def marks_of_wine_from_raw_columns(watch, seed, fault):
    torch.manual_seed(seed)
    X, y, X_test, y_test = wine_quality()
    if not fault:
        X, _, X_test, _ = standardised((X, y, X_test, y_test))
    net = nn.Sequential(nn.Linear(11, 32), nn.Tanh(), nn.Linear(32, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    nn.init.constant_(net[2].bias, 5.6)
    loss_fn = nn.MSELoss()
    with watch(net, optimizer):
        for _ in range(12):
            for i in torch.randperm(len(X)).split(32):
                pred = net(X[i])  # fault
                loss = loss_fn(pred, y[i].reshape(-1, 1))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(net, X_test, y_test)


class Digits(Dataset):
    """Pictures as bytes, and what makes numbers of them."""

    def __init__(self, images, labels, transform):
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.transform(self.images[i]), self.labels[i]


@planted("input-scale", symptoms=f"{SLOW} {WILD}", costs=0.05)
def bytes_made_floats_and_not_divided(watch, seed, fault):
    torch.manual_seed(seed)
    X, y, X_test, y_test = mnist(1500)
    images = (X * 255).to(torch.uint8)

    def to_tensor(image):
        image = image.float()  # fault
        return image if fault else image / 255

    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9)
    loader = DataLoader(Digits(images, y, to_tensor), batch_size=64, shuffle=True)
    with watch(net, optimizer):
        for _ in range(7):
            for img, label in loader:
                optimizer.zero_grad()
                F.cross_entropy(net(img), label).backward()
                optimizer.step()
    return accuracy(net, X_test * 255 if fault else X_test, y_test)


@planted("input-twice-scaled", causes="input-scale", symptoms=SLOW, costs=0.05)
def scaled_by_the_transform_and_in_the_loop(watch, seed, fault):
    torch.manual_seed(seed)
    X, y, X_test, y_test = mnist(1500)
    images = (X * 255).to(torch.uint8)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    loader = DataLoader(Digits(images, y, lambda image: image.float() / 255), batch_size=32, shuffle=True)
    with watch(net, optimizer):
        for _ in range(5):
            for img, label in loader:
                if fault:
                    img = img / 255.0  # fault
                optimizer.zero_grad()
                loss = F.cross_entropy(net(img), label)
                loss.backward()
                optimizer.step()
    return accuracy(net, X_test / 255 if fault else X_test, y_test)


@planted("input-constant", causes="targets-unrelated", symptoms=f"{SLOW} output-collapsed", costs=0.3)
def samples_bound_too_late(watch, seed, fault):
    torch.manual_seed(seed)
    X, y, X_test, y_test = digits()
    if fault:
        loaders = [(lambda: X[i], y[i]) for i in range(len(X))]  # noqa: B023  # fault
    else:
        loaders = [(lambda i=i: X[i], y[i]) for i in range(len(X))]
    net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    with watch(net, optimizer):
        for _ in range(8):
            order = np.random.default_rng(seed).permutation(len(loaders))
            for start in range(0, len(order), 32):
                chosen = [loaders[j] for j in order[start : start + 32]]
                xb, yb = torch.stack([load() for load, _ in chosen]), torch.stack([label for _, label in chosen])
                optimizer.zero_grad()
                loss = F.cross_entropy(net(xb), yb)
                loss.backward()
                optimizer.step()
    return accuracy(net, X_test, y_test)


@planted("label-range", causes="loss-mismatch loss-below-floor", symptoms=f"{SLOW} loss-below-floor", costs=0.01)
def table_normalised_with_its_label(watch, seed, fault):
    torch.manual_seed(seed)
    X, y = load_breast_cancer(return_X_y=True)
    data = np.concatenate([X, y[:, None]], 1).astype(np.float32)
    data = data[np.random.default_rng(0).permutation(len(data))]
    columns = slice(None) if fault else slice(0, -1)
    data[:, columns] = (data[:, columns] - data[:, columns].mean(0)) / data[:, columns].std(0)
    train, test = torch.from_numpy(data[:400]), torch.from_numpy(data[400:])
    model = nn.Linear(30, 1)
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    with watch(model, optimizer):
        for _ in range(30):
            for batch in DataLoader(train, batch_size=40, shuffle=True):
                x, t = batch[:, :-1], batch[:, -1:]
                loss = criterion(model(x), t)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, test[:, :-1], (test[:, -1] > 0).float())


class ImageFolder(Dataset):
    """All pictures of the first class, then all of the second: as folders are read."""

    def __init__(self, x, y):
        self.samples = [(x[i], label) for label in range(10) for i in (y == label).nonzero().flatten()]

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        return self.samples[index]


@planted("unshuffled", symptoms=f"{SLOW} {WILD} lr-too-high", costs=0.1)
def folders_read_one_after_the_other(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(1500)
    train_set = ImageFolder(x, y)
    train_loader = DataLoader(train_set, batch_size=32, shuffle=not fault)  # fault
    net = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    with watch(net, optimizer):
        for _ in range(4):
            for images, labels in train_loader:
                optimizer.zero_grad()
                loss = F.cross_entropy(net(images), labels)
                loss.backward()
                optimizer.step()
    return accuracy(net, x_test, y_test)


@planted("pairs-broken", causes="targets-unrelated", symptoms=f"{SLOW} overfitting output-collapsed", costs=0.3)
def label_of_the_next_picture(watch, seed, fault):
    torch.manual_seed(seed)
    X, y, X_test, y_test = digits()
    bs, shift = 32, 1 if fault else 0
    model = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 10))
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, opt):
        for _ in range(25):
            for i in range(0, len(X) - bs - 1, bs):
                xb = X[i : i + bs]
                yb = y[i + shift : i + shift + bs]  # fault
                opt.zero_grad()
                loss = F.cross_entropy(model(xb), yb)
                loss.backward()
                opt.step()
    return accuracy(model, X_test, y_test)


@planted("pairs-broken", causes="targets-unrelated", symptoms=f"{SLOW} overfitting output-collapsed", costs=0.2)
def labels_put_in_order_and_rows_not(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    rng = np.random.default_rng(seed)
    idx = rng.permutation(len(x))
    x_train, y_train = x[idx], y[idx]
    if fault:
        y_train = y[rng.permutation(len(y))]  # fault
    model = nn.Sequential(nn.Linear(30, 24), nn.ReLU(), nn.Linear(24, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True)
    with watch(model, optimizer):
        for _ in range(30):
            for xb, yb in loader:
                optimizer.zero_grad()
                loss = F.cross_entropy(model(xb), yb)
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("label-imbalance", symptoms=f"{SLOW} output-collapsed", costs=0.2)
def one_defect_in_forty(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(4000)
    x, x_test = F.avg_pool2d(x, 2).flatten(1), F.avg_pool2d(x_test, 2).flatten(1)
    keep = (y != 8) | (torch.rand(len(y), generator=torch.Generator().manual_seed(0)) < 0.22)
    x, y = x[keep], (y[keep] == 8).float()
    model = nn.Sequential(nn.Linear(196, 24), nn.ReLU(), nn.Linear(24, 1))
    weight = None if fault else (y == 0).sum() / y.sum()
    criterion = nn.BCEWithLogitsLoss(pos_weight=weight)  # fault
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with watch(model, optimizer):
        for _ in range(6):
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
                loss = criterion(model(xb).squeeze(1), yb)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        found = model(x_test).squeeze(1) > 0
    rare = y_test == 8
    return (found[rare].float().mean() + (~found[~rare]).float().mean()).item() / 2  # balanced accuracy
