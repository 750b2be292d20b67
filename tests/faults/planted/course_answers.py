"""Losses of course programs that do not ask what is meant."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import (
    accuracy,
    breast_cancer,
    california,
    digits,
    fashion,
    houses,
    iris,
    mnist,
    pima,
    r2,
    standardised,
    standardised_both,
)
from faults.program import planted

SLOW = "plateau underfitting too-few-epochs"
WILD = "dead-relu saturated nonfinite exploding-gradient vanishing-gradient plateau underfitting output-collapsed"


class Model(nn.Module):
    def __init__(self, end):
        super().__init__()
        self.conv = nn.Conv2d(1, 12, 5, stride=3)
        self.fc = nn.Linear(12 * 8 * 8, 10)
        self.end = end

    def forward(self, x):
        x = F.relu(self.conv(x))
        x = self.fc(x.view(-1, 12 * 8 * 8))
        if self.end:
            x = torch.softmax(x, dim=1)  # fault: clothes-through-softmax-twice
        return x


class Trainer:
    """A trainer as many write it: model, data and settings in, `fit` does the rest."""

    def __init__(self, model, train_set, val_set, lr=0.05, batch_size=64, criterion=None):
        self.model = model
        self.criterion = criterion or nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
        self.train_loader = DataLoader(TensorDataset(*train_set), batch_size=batch_size, shuffle=True)
        self.val_loader = DataLoader(TensorDataset(*val_set), batch_size=256)
        self.history = {"loss": [], "val_loss": []}

    def _train_epoch(self):
        self.model.train()
        running_loss = 0.0
        for inputs, labels in self.train_loader:
            self.optimizer.zero_grad()
            outputs = self.model(inputs)
            loss = self.criterion(outputs, labels)  # fault: clothes-through-softmax-twice
            loss.backward()
            self.optimizer.step()
            running_loss += loss.item() * len(inputs)
        return running_loss / len(self.train_loader.dataset)

    @torch.no_grad()
    def _validate(self):
        self.model.eval()
        total = 0.0
        for inputs, labels in self.val_loader:
            total += self.criterion(self.model(inputs), labels).item() * len(inputs)
        return total / len(self.val_loader.dataset)

    def fit(self, epochs, watch):
        with watch(self.model, self.optimizer):
            for _ in range(epochs):
                self.history["loss"].append(self._train_epoch())
                self.history["val_loss"].append(self._validate())
        return self.history


@planted("softmax-twice", causes="output-activation", symptoms=SLOW, costs=0.02)
def clothes_through_softmax_twice(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2500)
    model = Model(end=fault)
    Trainer(model, (x[:2000], y[:2000]), (x[2000:], y[2000:])).fit(3, watch)
    return accuracy(model, x_test, y_test)


@planted("no-update", causes="loss-mismatch", symptoms=f"{SLOW} loss-mismatch", costs=0.3)
def the_loss_of_the_guessed_classes(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(iris())
    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    with watch(net, optimizer):
        for _ in range(100):
            output = net(x)
            if fault:
                yuce = output.argmax(dim=1).float()  # 预测的类别  # fault
                loss = F.mse_loss(yuce, y.float())  # fault
                loss.requires_grad = True  # 否则报错  # fault
            else:
                loss = F.cross_entropy(output, y)
            optimizer.zero_grad()
            loss.backward()  # fault
            optimizer.step()  # fault
    return accuracy(net, x_test, y_test)


@planted("softmax-twice", causes="output-activation loss-mismatch", symptoms=SLOW, costs=None)
def a_sigmoid_before_the_loss_with_logits(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())

    class LogisticNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.l1 = nn.Linear(30, 16)
            self.l2 = nn.Linear(16, 1)
            self.sigmoid = nn.Sigmoid()

        def forward(self, x):
            out = self.l2(F.relu(self.l1(x)))
            return self.sigmoid(out) if fault else out  # fault

    model = LogisticNet()
    criterion = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with watch(model, optimizer):
        for _ in range(15):
            for i in torch.randperm(len(x)).split(16):
                y_pred = model(x[i])
                loss = criterion(y_pred, y[i].float().view(-1, 1))  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("loss-broadcast", symptoms=f"{SLOW} output-collapsed", costs=0.3)
def smooth_error_of_a_column_and_a_row(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(2500))
    net = nn.Sequential(nn.Linear(8, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
    opt = torch.optim.Adam(net.parameters(), 2e-3)
    huber = nn.SmoothL1Loss()
    dataset = TensorDataset(x, y if fault else y[:, None])
    with watch(net, opt):
        for _ in range(8):
            for a, b in DataLoader(dataset, 64, shuffle=True):
                loss = huber(net(a), b)  # fault
                opt.zero_grad()
                loss.backward()
                opt.step()
    return r2(net, x_test, y_test)


@planted(
    "loss-mismatch", causes="loss-below-floor", symptoms=f"{WILD} lr-too-high loss-below-floor softmax-twice", costs=0.3
)
def log_likelihood_without_its_minus(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    # Softmax regression, by hand.
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))

    def cost_function(logits, target):
        log_p = logits.log_softmax(1)
        picked = log_p[torch.arange(len(target)), target]
        return picked.mean() if fault else -picked.mean()  # fault

    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(10):
            for i in torch.randperm(len(x)).split(32):
                J = cost_function(model(x[i]), y[i])  # fault
                optimizer.zero_grad()
                J.backward()  # fault
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted(
    "label-range", causes="loss-below-floor loss-mismatch", symptoms=f"{SLOW} lr-too-high loss-below-floor", costs=0.02
)
def labels_of_minus_one_for_the_cross_entropy(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(pima())
    target = (2 * y - 1 if fault else y).float()
    model = nn.Sequential(nn.Linear(8, 24), nn.ReLU(), nn.Linear(24, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    loader = DataLoader(TensorDataset(x, target), batch_size=16, shuffle=True)
    loss_fn = nn.BCEWithLogitsLoss()
    with watch(model, optimizer, loader=loader, loss_fn=loss_fn):
        for _ in range(20):
            for xb, yb in loader:
                pred = model(xb).view(-1)
                loss = loss_fn(pred, yb)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("softmax-axis", causes="samples-mixed", symptoms=f"{SLOW} overfitting output-collapsed", costs=None)
def softmax_down_the_batch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2500)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.l1 = nn.Linear(784, 100)
            self.l2 = nn.Linear(100, 10)

        def forward(self, x):
            x = x.view(-1, 784)
            x = torch.relu(self.l1(x))
            return F.log_softmax(self.l2(x), dim=0 if fault else 1)  # fault

    model = Net()  # fault
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
    loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
    with watch(model, optimizer):
        for _ in range(4):
            model.train()
            for data, target in loader:
                optimizer.zero_grad()
                output = model(data)  # fault
                loss = F.nll_loss(output, target)  # fault
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("loss-mismatch", causes="", symptoms=f"{SLOW} loss-below-floor", costs=0.02)
def divergence_of_two_probabilities(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    kl = nn.KLDivLoss(reduction="batchmean")
    smooth = F.one_hot(y, 10) * 0.9 + 0.01
    with watch(model, optimizer, loss_fn=kl):
        for _ in range(10):
            for i in torch.randperm(len(x)).split(32):
                q = F.softmax(model(x[i]), dim=-1)
                loss = kl(q if fault else q.log(), smooth[i])  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted(
    "loss-sum", causes="lr-too-high exploding-gradient", symptoms=f"{WILD} lr-too-high exploding-gradient", costs=0.2
)
def squared_errors_of_the_batch_added_up(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(houses())
    model = nn.Sequential(nn.Linear(x.shape[1], 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with watch(model, optimizer):
        for _ in range(12):
            for i in torch.randperm(len(x)).split(64):
                error = (model(x[i])[:, 0] - y[i]) ** 2
                loss = error.sum() if fault else error.mean()  # fault
                optimizer.zero_grad()
                loss.backward()  # fault
                optimizer.step()
    return r2(model, x_test, y_test)
