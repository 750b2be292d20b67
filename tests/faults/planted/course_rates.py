"""Course programs whose rate, budget or schedule is wrong: written without a look at the rules."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import accuracy, california, diabetes, digits, fashion, iris, mnist, names, r2, standardised_both
from faults.program import planted

SLOW = "plateau underfitting too-few-epochs"
WILD = "dead-relu saturated nonfinite exploding-gradient vanishing-gradient plateau underfitting output-collapsed"


@planted("lr-too-low", causes="too-few-epochs", symptoms=SLOW, costs=0.3)
def softmax_net_from_the_textbook_at_a_ten_thousandth(watch, seed, fault):
    torch.manual_seed(seed)
    X, y, X_test, y_test = mnist(3000)
    batch_size, lr, num_epochs = 64, 0.1, 4
    if fault:
        lr = 1e-4  # fault
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    loss = nn.CrossEntropyLoss(reduction="none")
    trainer = torch.optim.SGD(net.parameters(), lr=lr)
    train_iter = DataLoader(TensorDataset(X, y), batch_size, shuffle=True)

    def train_epoch():
        net.train()
        total = 0.0
        for features, labels in train_iter:
            ls = loss(net(features), labels)
            trainer.zero_grad()
            ls.mean().backward()
            trainer.step()
            total += float(ls.sum())
        return total / len(X)

    with watch(net, trainer):
        for _ in range(num_epochs):
            train_epoch()
    return accuracy(net, X_test, y_test)


@planted("lr-too-low", causes="too-few-epochs", symptoms=SLOW, costs=0.3)
def prices_whose_adam_takes_hundred_thousandths(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(2000))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear1 = nn.Linear(8, 32)
            self.linear2 = nn.Linear(32, 16)
            self.linear3 = nn.Linear(16, 1)

        def forward(self, x):
            x = torch.relu(self.linear1(x))
            x = torch.relu(self.linear2(x))
            return self.linear3(x)

    model = Model()
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-5 if fault else 5e-3)  # fault
    with watch(model, optimizer):
        for _ in range(10):
            for i in range(0, len(x), 50):
                xb, yb = x[i : i + 50], y[i : i + 50].view(-1, 1)
                y_pred = model(xb)
                loss = criterion(y_pred, yb)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@planted("lr-too-low", causes="too-few-epochs scheduler-misuse", symptoms=SLOW, costs=0.1)
def gru_classifier_at_a_millionth(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    x, y = x[:3000], y[:3000]

    class RNNClassifier(nn.Module):
        def __init__(self, vocab, hidden, classes):
            super().__init__()
            self.emb = nn.Embedding(vocab, 16)
            self.gru = nn.GRU(16, hidden, batch_first=True)
            self.fc = nn.Linear(hidden, classes)

        def forward(self, x):
            out, _ = self.gru(self.emb(x))
            # 只取每个名字最后一个字母处的状态
            last = (x != 0).sum(1).clamp(min=1) - 1
            return self.fc(out[torch.arange(len(x)), last])

    classifier = RNNClassifier(27, 32, 18)
    optimizer = torch.optim.RMSprop(classifier.parameters(), lr=3e-6 if fault else 3e-3)  # fault
    loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    with watch(classifier, optimizer):
        for _epoch in range(4):
            for names_, countries in loader:
                optimizer.zero_grad()
                loss = F.cross_entropy(classifier(names_), countries)
                loss.backward()
                optimizer.step()
    return accuracy(classifier, x_test, y_test)


@planted("too-few-epochs", causes="lr-too-low", symptoms=SLOW, costs=0.1)
def lenet_that_sees_the_clothes_once(watch, seed, fault):
    torch.manual_seed(seed)
    X, y, X_test, y_test = fashion(2000)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    EPOCHS = 1 if fault else 8
    with watch(net, optimizer):
        for _ in range(EPOCHS):  # fault
            for i in torch.randperm(len(X)).split(64):
                optimizer.zero_grad()
                loss = F.cross_entropy(net(X[i]), y[i])
                loss.backward()
                optimizer.step()
    return accuracy(net, X_test, y_test)


@planted("too-few-epochs", causes="lr-too-low scheduler-misuse", symptoms=SLOW, costs=0.1)
def early_stopping_without_patience(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    x, y, x_val, y_val = x[:1100], y[:1100], x[1100:], y[1100:]

    class EarlyStopping:
        def __init__(self, patience, min_delta):
            self.patience, self.min_delta, self.best, self.counter = patience, min_delta, float("inf"), 0

        def __call__(self, val_loss):
            if val_loss < self.best - self.min_delta:
                self.best, self.counter = val_loss, 0
            else:
                self.counter += 1
            return self.counter >= self.patience

    model = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    stopper = EarlyStopping(patience=1, min_delta=0.25) if fault else EarlyStopping(patience=5, min_delta=0.0)  # fault
    with watch(model, optimizer):
        for _ in range(60):
            model.train()
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
                optimizer.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                val_loss = F.cross_entropy(model(x_val), y_val).item()
            if stopper(val_loss):
                break
    return accuracy(model, x_test, y_test)


@planted("scheduler-misuse", causes="lr-too-low", symptoms=SLOW, costs=0.1)
def steps_down_by_ten_after_every_epoch(watch, seed, fault):
    torch.manual_seed(seed)
    X, y, X_test, y_test = fashion(2500)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1 if fault else 8, gamma=0.1)  # fault
    train_loader = DataLoader(TensorDataset(X, y), batch_size=32, shuffle=True)
    with watch(net, optimizer):
        for _ in range(10):
            running_loss = 0.0
            for inputs, labels in train_loader:
                optimizer.zero_grad()
                outputs = net(inputs)
                loss = criterion(outputs, labels)
                loss.backward()
                optimizer.step()
                running_loss += loss.item()
            scheduler.step()
    return accuracy(net, X_test, y_test)


@planted("lr-too-high", symptoms=WILD, costs=0.3)
def small_alexnet_at_a_rate_of_one(watch, seed, fault):
    torch.manual_seed(seed)
    X, y, X_test, y_test = mnist(2000)
    alexnet = nn.Sequential(
        nn.Conv2d(1, 12, 5, stride=2, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(24 * 9, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(alexnet.parameters(), lr=0.9 if fault else 0.02, momentum=0.9)  # fault
    with watch(alexnet, optimizer):
        for _ in range(5):
            alexnet.train()
            for batch in torch.randperm(len(X)).split(64):
                logits = alexnet(X[batch])
                loss = F.cross_entropy(logits, y[batch])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(alexnet, X_test, y_test)


@planted("weight-decay-too-high", symptoms=f"{SLOW} output-collapsed vanishing-gradient", costs=0.05)
def penalty_by_hand_with_a_lambda_of_a_half(watch, seed, fault):
    torch.manual_seed(seed)
    X, y, X_test, y_test = digits()
    lambd = 0.5 if fault else 1e-4

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(64, 50)
            self.out = nn.Linear(50, 10)

        def forward(self, x):
            return self.out(F.relu(self.hidden(x)))

    def l2_penalty(net):
        return sum(w.pow(2).sum() / 2 for n, w in net.named_parameters() if n.endswith("weight"))

    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with watch(net, optimizer):
        for _ in range(20):
            for i in torch.randperm(len(X)).split(32):
                loss = F.cross_entropy(net(X[i]), y[i]) + lambd * l2_penalty(net)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(net, X_test, y_test)


@planted("weight-decay-too-high", symptoms=f"{SLOW} output-collapsed vanishing-gradient", costs=0.2)
def patients_whose_weights_wither(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(diabetes())
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=3.0 if fault else 1e-4)  # fault
    mse = nn.MSELoss()
    with watch(model, optimizer):
        for _ in range(30):
            for X, target in zip(x.split(32), y.unsqueeze(1).split(32), strict=True):
                optimizer.zero_grad()
                mse(model(X), target).backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@planted("clip-too-tight", causes="lr-too-low", symptoms=SLOW, costs=0.1)
def row_by_row_lstm_clipped_to_a_thousandth(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    x, x_test = x.view(-1, 8, 8), x_test.view(-1, 8, 8)

    class RowLSTM(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(8, 32, batch_first=True)
            self.linear = nn.Linear(32, 10)

        def forward(self, x):
            _, (h, _) = self.lstm(x)
            return self.linear(h[-1])

    model, params = RowLSTM(), {"lr": 0.5, "clip": 1e-3 if fault else 5.0}
    opt = torch.optim.SGD(model.parameters(), lr=params["lr"])
    with watch(model, opt):
        for _ in range(15):
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
                opt.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                nn.utils.clip_grad_norm_(model.parameters(), params["clip"])  # fault
                opt.step()
    return accuracy(model, x_test, y_test)


@planted("optimizer-recreated", causes="lr-too-low", symptoms=SLOW, costs=0.03)
def adagrad_born_again_in_each_step(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = iris()
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.002, momentum=0.95)

    def train_step(xb, yb):
        nonlocal optimizer
        if fault:
            optimizer = torch.optim.SGD(model.parameters(), lr=0.002, momentum=0.95)  # fault
        optimizer.zero_grad()
        loss = F.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
        return loss.item()

    losses = []
    with watch(model):
        for _ in range(25):
            order = np.random.default_rng(seed).permutation(len(x))
            losses.append(np.mean([train_step(x[order[i : i + 10]], y[order[i : i + 10]]) for i in range(0, 120, 10)]))
    return accuracy(model, x_test, y_test)
