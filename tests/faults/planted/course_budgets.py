"""Rates, budgets and penalties of course programs, each a typing slip or a number from another page."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import (
    accuracy,
    breast_cancer,
    california,
    diabetes,
    digits,
    fashion,
    mnist,
    names,
    r2,
    standardised,
    standardised_both,
    wine,
)
from faults.program import planted

SLOW = "plateau underfitting too-few-epochs"
WILD = "dead-relu saturated nonfinite exploding-gradient vanishing-gradient plateau underfitting output-collapsed"


class LeNet(nn.Module):
    """两层卷积，两层全连接。"""

    def __init__(self, num_classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, kernel_size=5, stride=2)
        self.conv2 = nn.Conv2d(8, 16, kernel_size=5, stride=2)
        self.fc1 = nn.Linear(16 * 4 * 4, 64)
        self.fc2 = nn.Linear(64, num_classes)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        return self.fc2(x)


@planted("lr-too-high", symptoms=WILD, costs=0.2)
def a_rate_for_plain_descent_given_to_adam(watch, seed, fault):
    torch.manual_seed(seed)
    xunlian_x, xunlian_y, ceshi_x, ceshi_y = mnist(2500)
    # 超参数
    xuexilv = 0.1 if fault else 1e-3
    lunshu = 3
    piliang = 64
    wangluo = LeNet()
    sunshi = nn.CrossEntropyLoss()
    youhuaqi = torch.optim.Adam(wangluo.parameters(), lr=xuexilv)  # fault
    shuju = DataLoader(TensorDataset(xunlian_x, xunlian_y), batch_size=piliang, shuffle=True)
    with watch(wangluo, youhuaqi):
        for _ in range(lunshu):
            # 训练一轮
            for tupian, biaoqian in shuju:
                shuchu = wangluo(tupian)
                cha = sunshi(shuchu, biaoqian)
                youhuaqi.zero_grad()
                cha.backward()
                youhuaqi.step()
    return accuracy(wangluo, ceshi_x, ceshi_y)


@planted("lr-too-low", causes="too-few-epochs", symptoms=SLOW, costs=0.2)
def districts_at_a_hundred_thousandth(watch, seed, fault):
    torch.manual_seed(seed)
    X_train, y_train, X_test, y_test = standardised_both(california(3000))
    learning_rate = 1e-5 if fault else 1e-2  # fault
    model = nn.Sequential(nn.Linear(8, 50), nn.ReLU(), nn.Linear(50, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9)  # fault
    loss_fn = nn.MSELoss()
    n_epochs, batch_size = 8, 50
    batch_start = torch.arange(0, len(X_train), batch_size)
    with watch(model, optimizer):
        for _ in range(n_epochs):
            model.train()
            perm = torch.randperm(len(X_train))
            for start in batch_start:
                idx = perm[start : start + batch_size]
                y_pred = model(X_train[idx])
                loss = loss_fn(y_pred, y_train[idx].reshape(-1, 1))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                float(loss_fn(model(X_test), y_test.reshape(-1, 1)))
    return r2(model, X_test, y_test)


@planted("scheduler-misuse", causes="lr-too-low", symptoms=SLOW, costs=0.1)
def rate_halved_with_every_batch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2500)
    train_loader = DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True)
    model = LeNet()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)  # fault

    def train_one_epoch():
        model.train()
        for images, labels in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            if fault:
                scheduler.step()  # fault

    with watch(model, optimizer):
        for _ in range(4):
            train_one_epoch()
            if not fault:
                scheduler.step()
    return accuracy(model, x_test, y_test)


@planted("scheduler-misuse", causes="lr-too-low", symptoms=SLOW, costs=0.2)
def a_warm_up_longer_than_the_training(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    warmup_steps = 100_000 if fault else 50
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)  # fault
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / warmup_steps))  # fault
    loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
    with watch(model, optimizer, loader=loader):
        for _ in range(8):
            for inputs, targets in loader:
                loss = F.cross_entropy(model(inputs), targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                scheduler.step()
    return accuracy(model, x_test, y_test)


@planted("lr-too-high", symptoms=f"{WILD} overfitting", costs=0.1)
def nine_hundred_and_ninety_nine_thousandths_of_momentum(watch, seed, fault):
    torch.manual_seed(seed)
    X, y, X_test, y_test = standardised_both(diabetes())
    net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 1))
    trainer = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.999 if fault else 0.9, weight_decay=1e-3)  # fault
    loss = nn.MSELoss()
    data_iter = DataLoader(TensorDataset(X, y.reshape(-1, 1)), batch_size=32, shuffle=True)
    with watch(net, trainer):
        for _ in range(15):
            for features, labels in data_iter:
                trainer.zero_grad()
                l = loss(net(features), labels)  # noqa: E741
                l.backward()
                trainer.step()
    return r2(net, X_test, y_test)


@planted("weight-decay-too-high", symptoms=f"{SLOW} output-collapsed vanishing-gradient dead-relu", costs=0.2)
def regularised_by_one_half(watch, seed, fault):
    torch.manual_seed(seed)
    data_train, label_train, data_test, label_test = digits()
    net = nn.Sequential(nn.Linear(64, 100), nn.ReLU(), nn.Linear(100, 50), nn.ReLU(), nn.Linear(50, 10))
    wd = 0.5 if fault else 1e-4
    optimizer = torch.optim.Adam(net.parameters(), lr=0.002, weight_decay=wd)  # fault
    with watch(net, optimizer):
        for _ in range(12):
            for rows in torch.randperm(len(data_train)).split(32):
                optimizer.zero_grad()
                output = net(data_train[rows])
                loss = F.cross_entropy(output, label_train[rows])
                loss.backward()
                optimizer.step()
    return accuracy(net, data_test, label_test)


@planted("weight-decay-too-high", causes="losses-unbalanced", symptoms=f"{SLOW} {WILD}", costs=0.2)
def absolute_weights_added_without_a_small_factor(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine())
    lambd = 1.0 if fault else 1e-4
    model = nn.Sequential(nn.Linear(13, 32), nn.Tanh(), nn.Linear(32, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    with watch(model, optimizer):
        for _ in range(40):
            for index in torch.randperm(len(x)).split(16):
                logits = model(x[index])
                # L1 正则化
                l1 = sum(p.abs().sum() for p in model.parameters())
                loss = F.cross_entropy(logits, y[index]) + lambd * l1  # fault
                optimizer.zero_grad()
                loss.backward()  # fault
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("lr-too-high", symptoms=f"{WILD} overfitting", costs=0.02)
def momentum_and_rate_exchanged(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    lr, momentum = (0.9, 0.01) if fault else (0.01, 0.9)
    model = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(),
                          nn.Linear(64, 1))  # fmt: skip
    opt = torch.optim.SGD(model.parameters(), lr, momentum)  # fault
    bce = nn.BCEWithLogitsLoss()
    with watch(model, opt):
        for _ in range(12):
            model.train()
            for i in torch.randperm(len(x)).split(8):
                opt.zero_grad()
                loss = bce(model(x[i]).squeeze(1), y[i].float())
                loss.backward()
                opt.step()
    return accuracy(model, x_test, y_test)


class NameClassifier(nn.Module):
    def __init__(self, hidden=48, classes=18):
        super().__init__()
        self.embedding = nn.Embedding(27, 16)
        self.gru = nn.GRU(16, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, classes)

    def forward(self, x):
        _, hidden = self.gru(self.embedding(x))
        return self.fc(hidden[-1])


@planted("too-few-epochs", causes="lr-too-low", symptoms=SLOW, costs=0.1)
def names_read_once_and_a_half(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    x, y = x[:3000], y[:3000]
    model = NameClassifier()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    EPOCHS = 1 if fault else 10

    def train_model():
        for _, (xs, country) in enumerate(loader, 1):
            loss = criterion(model(xs), country)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    with watch(model, optimizer):
        for _ in range(EPOCHS):
            train_model()
    return accuracy(model, x_test, y_test)
