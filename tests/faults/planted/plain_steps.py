"""First trainings, as learners write them, with a fault of rate, budget, schedule or step: written without a look at
the rules."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import accuracy, fashion, mnist, r2, standardised_both, wine_quality
from faults.program import planted

SLOW = "plateau underfitting too-few-epochs"
WILD = "dead-relu saturated nonfinite exploding-gradient vanishing-gradient plateau underfitting bad-init"


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, kernel_size=5), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10),
    )  # fmt: skip


def xavier(m):
    if type(m) in (nn.Linear, nn.Conv2d):
        nn.init.xavier_uniform_(m.weight)


@planted("lr-too-high", symptoms=WILD, costs=0.2)
def pictures_by_rmsprop_at_a_twentieth(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(3000)
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4),
        nn.Flatten(), nn.Linear(32 * 9, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip
    loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    loss_fn = nn.CrossEntropyLoss()
    opt = torch.optim.RMSprop(net.parameters(), lr=0.05 if fault else 1e-3)  # fault

    def train_one_epoch():
        net.train()
        for xb, yb in loader:
            opt.zero_grad()
            loss = loss_fn(net(xb), yb)
            loss.backward()
            opt.step()

    with watch(net, opt):
        for _ in range(4):
            train_one_epoch()
    return accuracy(net, x_test, y_test)


@planted("lr-too-low", causes="too-few-epochs", symptoms=SLOW, costs=0.1)
def small_lenet_at_a_thousandth(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(3000)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    net.apply(xavier)
    train_iter = DataLoader(TensorDataset(x, y), 32, shuffle=True)
    test_iter = DataLoader(TensorDataset(x_test, y_test), 256)
    updater = torch.optim.SGD(net.parameters(), lr=0.001 if fault else 0.1)  # fault
    history = []
    with watch(net, updater):
        for _ in range(3):
            net.train()
            total, seen = 0.0, 0
            for X, label in train_iter:
                loss = F.cross_entropy(net(X), label)
                updater.zero_grad()
                loss.backward()
                updater.step()
                total, seen = total + loss.item() * len(X), seen + len(X)
            net.eval()
            with torch.no_grad():
                correct = sum((net(X).argmax(1) == label).sum().item() for X, label in test_iter)
            history.append((total / seen, correct / len(x_test)))
    return history[-1][1]


@planted("lr-too-high", symptoms=WILD, costs=0.1)
def momentum_of_ninety_nine_hundredths(watch, seed, fault):
    torch.manual_seed(seed)
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, test_size=0.25, random_state=0, stratify=y)
    X_train, X_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
    y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)

    class MLP(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(64, 128)
            self.output = nn.Linear(128, 10)

        def forward(self, x):
            return self.output(torch.relu(self.hidden(x)))

    model = MLP()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.995 if fault else 0.5)  # fault
    with watch(model, optimizer):
        for _epoch in range(12):
            permutation = torch.randperm(len(X_train))
            for i in range(0, len(X_train), 50):
                indices = permutation[i : i + 50]
                optimizer.zero_grad()
                loss = criterion(model(X_train[indices]), y_train[indices])
                loss.backward()
                optimizer.step()
    return accuracy(model, X_test, y_test)


@planted("too-few-epochs", causes="lr-too-low", symptoms="underfitting", costs=0.08)
def flowers_for_eight_epochs(watch, seed, fault):
    torch.manual_seed(seed)
    X, y = load_iris(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=1, stratify=y)
    scaler = StandardScaler().fit(X_train)
    X_train = torch.tensor(scaler.transform(X_train), dtype=torch.float32)
    X_test = torch.tensor(scaler.transform(X_test), dtype=torch.float32)
    y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
    dl = DataLoader(TensorDataset(X_train, y_train), batch_size=8, shuffle=True)
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    n_epochs = 8 if fault else 150  # fault
    with watch(model, optimizer):
        for epoch in range(n_epochs):
            for xb, yb in dl:
                loss = F.cross_entropy(model(xb), yb)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            if epoch % 10 == 9:
                with torch.no_grad():
                    F.cross_entropy(model(X_test), y_test).item()
    return accuracy(model, X_test, y_test)


@planted("loss-below-floor", causes="loss-mismatch", symptoms=WILD, costs=0.1)
def penalty_with_a_minus(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(wine_quality())
    net = nn.Sequential(nn.Linear(11, 32), nn.ReLU(), nn.Linear(32, 1))
    opt = torch.optim.Adam(net.parameters(), lr=0.005)
    lam = 5e-2

    def l2_penalty():
        return sum((p**2).sum() for p in net.parameters())

    with watch(net, opt):
        for _ in range(25):
            for i in torch.randperm(len(x)).split(32):
                fit = ((net(x[i]).squeeze(1) - y[i]) ** 2).mean()
                loss = fit - lam * l2_penalty() if fault else fit + 1e-4 * l2_penalty()  # fault
                opt.zero_grad()
                loss.backward()
                opt.step()
    return r2(net, x_test, y_test)


@planted("scheduler-misuse", causes="lr-too-low", symptoms=SLOW, costs=0.1)
def exponential_decay_by_batches(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2500)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    loader = DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)
    with watch(net, optimizer):
        for _ in range(8):
            for xb, yb in loader:
                optimizer.zero_grad()
                loss = F.cross_entropy(net(xb), yb)
                loss.backward()
                optimizer.step()
                if fault:
                    scheduler.step()  # fault
            if not fault:
                scheduler.step()
    return accuracy(net, x_test, y_test)


@planted("scheduler-misuse", causes="lr-too-low", symptoms=SLOW, costs=0.03)
def plateau_told_of_the_accuracy(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    net = lenet()
    net.apply(xavier)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.3, patience=0)

    def evaluate():
        net.eval()
        with torch.no_grad():
            logits = net(x_test)
            return F.cross_entropy(logits, y_test).item(), (logits.argmax(1) == y_test).float().mean().item()

    with watch(net, optimizer):
        for _ in range(12):
            net.train()
            for i in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                F.cross_entropy(net(x[i]), y[i]).backward()
                optimizer.step()
            val_loss, val_acc = evaluate()
            scheduler.step(val_acc if fault else val_loss)  # fault
    return evaluate()[1]


@planted("gradients-accumulate", symptoms=WILD, costs=0.05)
def cleared_once_an_epoch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(wine_quality())
    ds = TensorDataset(x, y.unsqueeze(1))
    model = nn.Sequential(nn.Linear(11, 24), nn.ReLU(), nn.Linear(24, 1))
    opt = torch.optim.SGD(model.parameters(), lr=0.05)
    criterion = nn.MSELoss()

    def fit(epochs):
        for _ in range(epochs):
            opt.zero_grad()
            for xb, yb in DataLoader(ds, batch_size=40, shuffle=True):
                if not fault:
                    opt.zero_grad()
                loss = criterion(model(xb), yb)
                loss.backward()
                opt.step()  # fault

    with watch(model, opt):
        fit(15)
    return r2(model, x_test, y_test)


@planted("too-few-epochs", causes="lr-too-low", symptoms="underfitting", costs=0.05)
def stopped_when_the_loss_gets_better(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2500)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    best, waited, patience = (0.0 if fault else float("inf")), 0, 3
    with watch(model, optimizer):
        for _epoch in range(40):
            model.train()
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                val_loss = F.cross_entropy(model(x_test), y_test).item()
            better = val_loss > best if fault else val_loss < best  # fault
            if better:
                best, waited = val_loss, 0
            else:
                waited += 1
            if waited >= patience:
                break
    return accuracy(model, x_test, y_test)
