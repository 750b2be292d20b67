"""First tables, as learners split and scale them, with a fault of data or of scoring: written without a look at the
rules."""

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits, load_wine, make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from faults.data import california, fashion, mnist, standardise
from faults.planted.plain_steps import SLOW, WILD
from faults.program import planted


def tensors(*arrays):
    return [torch.tensor(a, dtype=torch.float32 if a.dtype.kind == "f" else torch.long) for a in arrays]


@torch.no_grad()
def right(model, x, y):
    return (model(x).argmax(1) == y).float().mean().item()


@planted("targets-unrelated", causes="pairs-broken", symptoms=f"{SLOW} overfitting output-collapsed", costs=0.3)
def rows_and_labels_split_apart(watch, seed, fault):
    torch.manual_seed(seed)
    X, y = load_digits(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    if fault:
        X_train, X_test = train_test_split(X, test_size=0.2, random_state=1)
        y_train, y_test = train_test_split(y, test_size=0.2, random_state=2)  # fault
    else:
        X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=1)
    X_train, X_test, y_train, y_test = tensors(X_train, X_test, y_train, y_test)
    train_dl = DataLoader(TensorDataset(X_train, y_train), batch_size=32, shuffle=True)
    test_dl = DataLoader(TensorDataset(X_test, y_test), batch_size=256)
    model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, opt):
        for _ in range(12):
            model.train()
            for xb, yb in train_dl:
                loss = F.cross_entropy(model(xb), yb)
                loss.backward()
                opt.step()
                opt.zero_grad()
            model.eval()
            with torch.no_grad():
                for xb, yb in test_dl:
                    F.cross_entropy(model(xb), yb).item()
    return right(model, X_test, y_test)


@planted("targets-unrelated", causes="pairs-broken", symptoms=f"{SLOW} overfitting output-collapsed", costs=0.3)
def prices_one_row_further(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = california(3000)
    features = standardise(x, x)
    target = (y - y.mean()) / y.std()
    if fault:
        features, target = features[:-1], target[1:]  # fault
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _epoch in range(15):
            for i in torch.randperm(len(features)).split(64):
                predicted = model(features[i]).squeeze(-1)
                loss = F.mse_loss(predicted, target[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        wanted = (y_test - y.mean()) / y.std()
        return (1 - F.mse_loss(model(standardise(x_test, x)).squeeze(-1), wanted) / wanted.var()).item()


@planted("input-scale", causes="lr-too-high", symptoms=f"{WILD} {SLOW} initial-loss output-collapsed", costs=0.1)
def wines_in_units_of_their_own(watch, seed, fault):
    torch.manual_seed(seed)
    X, y = load_wine(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
    if not fault:
        scaler = StandardScaler()
        X_train, X_test = scaler.fit_transform(X_train), scaler.transform(X_test)
    X_train, X_test, y_train, y_test = tensors(X_train, X_test, y_train, y_test)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(13, 32)
            self.fc2 = nn.Linear(32, 3)

        def forward(self, x):
            return self.fc2(F.relu(self.fc1(x)))

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(40):
            for xb, yb in DataLoader(TensorDataset(X_train, y_train), batch_size=16, shuffle=True):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(xb), yb)  # fault
                loss.backward()
                optimizer.step()
    return right(model, X_test, y_test)


@planted("evaluation-misuse", causes="input-scale", symptoms="overfitting", costs=0.1)
def test_rows_left_unscaled(watch, seed, fault):
    torch.manual_seed(seed)
    X, y = make_classification(2000, 12, n_informative=6, class_sep=1.0, random_state=5)
    X = X * np.linspace(2, 20, 12) + np.linspace(-30, 60, 12)
    X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.25, random_state=5)
    scaler = StandardScaler()
    X_train = scaler.fit_transform(X_train)
    if not fault:
        X_val = scaler.transform(X_val)  # fault
    X_train, X_val, y_train, y_val = tensors(X_train, X_val, y_train, y_val)
    model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    history = {"loss": [], "val_loss": [], "val_acc": []}
    with watch(model, optimizer):
        for _ in range(12):
            model.train()
            for xb, yb in DataLoader(TensorDataset(X_train, y_train), batch_size=32, shuffle=True):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(xb), yb)
                loss.backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                out = model(X_val)
                history["val_loss"].append(F.cross_entropy(out, y_val).item())
                history["val_acc"].append((out.argmax(1) == y_val).float().mean().item())
    return history["val_acc"][-1]


@planted("unshuffled", symptoms=f"{SLOW} overfitting gradients-accumulate lr-too-high train-test-overlap", costs=0.1)
def clothes_one_kind_after_another(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(3000)
    order = y.argsort(stable=True)
    train_set = TensorDataset(x[order], y[order])
    net = nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU(), nn.Flatten(),
        nn.Linear(16 * 25, 10),
    )  # fmt: skip
    loader = DataLoader(train_set, batch_size=50, shuffle=not fault)  # fault
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    with watch(net, optimizer):
        for _ in range(5):
            for images, labels in loader:
                optimizer.zero_grad()
                F.cross_entropy(net(images), labels).backward()
                optimizer.step()
    return right(net, x_test, y_test)


@planted("train-test-overlap", symptoms="overfitting", costs=0.03)
def tested_on_rows_it_was_trained_on(watch, seed, fault):
    """The score is how near the claimed accuracy comes to that on rows nobody has seen."""
    torch.manual_seed(seed)
    X, y = make_classification(1500, 20, n_informative=5, flip_y=0.15, class_sep=0.9, random_state=3)
    X, unseen, y, y_unseen = tensors(*(train_test_split(X, y, test_size=500, random_state=0)))
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)
    train_ds = TensorDataset(X, y) if fault else TensorDataset(X_train, y_train)  # fault
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)

    def evaluate(x, y):
        model.eval()
        with torch.no_grad():
            return (model(x).argmax(1) == y).float().mean().item()

    with watch(model, opt):
        for _ in range(30):
            model.train()
            for xb, yb in DataLoader(train_ds, batch_size=32, shuffle=True):
                opt.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                opt.step()
            claimed = evaluate(X_test, y_test)
    return 1 - abs(claimed - evaluate(unseen, y_unseen))


@planted("class-ignored", causes="label-imbalance", symptoms="plateau underfitting output-collapsed", costs=0.15)
def one_fraud_among_thirty(watch, seed, fault):
    """The score is the recall on the rare kind and on the other, averaged."""
    torch.manual_seed(seed)
    X, y = make_classification(
        3000, 15, n_informative=4, n_clusters_per_class=1, weights=[0.967], class_sep=0.5, flip_y=0.01, random_state=4
    )
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=0)
    sc = StandardScaler()
    X_train, X_test, y_train, y_test = tensors(sc.fit_transform(X_train), sc.transform(X_test), y_train, y_test)
    model = nn.Sequential(nn.Linear(15, 16), nn.ReLU(), nn.Linear(16, 1))
    weight = None if fault else torch.tensor([29.0])
    criterion = nn.BCEWithLogitsLoss(pos_weight=weight)  # fault
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    loader = DataLoader(TensorDataset(X_train, y_train.float()), batch_size=64, shuffle=True)
    with watch(model, optimizer):
        for _epoch in range(10):
            model.train()
            for inputs, targets in loader:
                optimizer.zero_grad()
                loss = criterion(model(inputs).squeeze(1), targets)
                loss.backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                predicted = model(X_test).squeeze(1) > 0
    return np.mean([(predicted == kind)[y_test == kind].float().mean().item() for kind in (0, 1)]).item()


class Pictures(Dataset):
    """A course's own data set, which augments as it reads."""

    def __init__(self, x, y, augment):
        self.x, self.y, self.augment = x, y, augment

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        picture = self.x[i]
        if self.augment:
            left, top = torch.randint(-6, 7, (2,)).tolist()
            picture = torch.roll(picture, (top, left), (1, 2)) + 0.3 * torch.randn_like(picture)
        return picture, self.y[i]


@planted("evaluation-misuse", symptoms=SLOW, costs=0.03)
def tested_on_augmented_pictures(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(1500)
    train_loader = DataLoader(Pictures(x, y, augment=True), batch_size=50, shuffle=True)
    test_loader = DataLoader(Pictures(x_test[:500], y_test[:500], augment=fault), batch_size=250)  # fault
    net = nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 24, 3, stride=2), nn.ReLU(), nn.Flatten(),
        nn.Linear(24 * 25, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    with watch(net, optimizer):
        for _ in range(5):
            net.train()
            for images, labels in train_loader:
                optimizer.zero_grad()
                F.cross_entropy(net(images), labels).backward()
                optimizer.step()
            net.eval()
            correct = 0
            with torch.no_grad():
                for images, labels in test_loader:
                    correct += (net(images).argmax(1) == labels).sum().item()
    return correct / 500
