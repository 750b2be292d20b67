"""Course programs with a fault inside of the net: written without a look at the rules."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import (
    accuracy,
    airline,
    breast_cancer,
    digits,
    fashion,
    mnist,
    names,
    r2,
    standardised,
    standardised_both,
    wine_quality,
)
from faults.planted.course_rates import SLOW, WILD
from faults.program import planted


class MyLinear(nn.Module):
    """自己实现的全连接层."""

    def __init__(self, in_units, units, positive):
        super().__init__()
        draw = torch.rand if positive else torch.randn
        scale = 1.0 if positive else math.sqrt(2 / in_units)
        self.weight = nn.Parameter(draw(in_units, units) * scale)  # fault: layers-of-random-numbers-above-nought
        self.bias = nn.Parameter(torch.zeros(units))

    def forward(self, X):
        return X @ self.weight + self.bias


@planted("bad-init", causes="initial-loss", symptoms=f"{WILD} lr-too-high lr-too-low too-few-epochs", costs=0.1)
def layers_of_random_numbers_above_nought(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    net = nn.Sequential(MyLinear(64, 64, fault), nn.ReLU(), MyLinear(64, 32, fault), nn.ReLU(), MyLinear(32, 10, fault))
    trainer = torch.optim.SGD(net.parameters(), lr=0.03)
    with watch(net, trainer):
        for _ in range(12):
            for X, labels in DataLoader(TensorDataset(x, y), 32, shuffle=True):
                trainer.zero_grad()
                F.cross_entropy(net(X), labels).backward()
                trainer.step()
    return accuracy(net, x_test, y_test)


@planted("bad-init", causes="vanishing-gradient", symptoms=f"{SLOW} output-collapsed no-update lr-too-low", costs=0.2)
def convolutions_drawn_with_a_ten_thousandth(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(1500)

    def weights_init(m):
        if isinstance(m, nn.Conv2d | nn.Linear):
            if fault:
                m.weight.data.normal_(0.0, 1e-4)  # fault
            else:
                nn.init.kaiming_normal_(m.weight)
            m.bias.data.fill_(0)

    net = nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU(), nn.Conv2d(16, 16, 3),
        nn.ReLU(), nn.Flatten(), nn.Linear(256, 10),
    )  # fmt: skip
    net.apply(weights_init)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    with watch(net, optimizer):
        for _ in range(4):
            for i in torch.randperm(len(x)).split(50):
                optimizer.zero_grad()
                F.cross_entropy(net(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(net, x_test, y_test)


@planted("vanishing-gradient", causes="bad-init saturated", symptoms=f"{SLOW} output-collapsed", costs=0.3)
def seven_sigmoids_for_the_tumours(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())

    class Deep(nn.Module):
        def __init__(self, depth):
            super().__init__()
            self.inp = nn.Linear(30, 16)
            self.hidden = nn.ModuleList([nn.Linear(16, 16) for _ in range(depth)])
            self.outp = nn.Linear(16, 1)
            self.act = torch.sigmoid if fault else torch.relu  # fault

        def forward(self, x):
            x = self.act(self.inp(x))
            for layer in self.hidden:
                x = self.act(layer(x))
            return self.outp(x)

    model = Deep(7 if fault else 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer):
        for _ in range(20):
            for xb, yb in DataLoader(TensorDataset(x, y.float()[:, None]), batch_size=32, shuffle=True):
                optimizer.zero_grad()
                loss = F.binary_cross_entropy_with_logits(model(xb), yb)
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("exploding-gradient", causes="bad-init lr-too-high", symptoms=f"{WILD} bad-init lr-too-high", costs=0.05)
def relu_recurrence_of_large_weights(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    x, x_test = x.view(-1, 16, 4), x_test.view(-1, 16, 4)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.RNN(4, 32, nonlinearity="relu", batch_first=True)
            self.fc = nn.Linear(32, 10)
            if fault:
                nn.init.normal_(self.rnn.weight_hh_l0, std=0.6)  # fault
            else:
                nn.init.eye_(self.rnn.weight_hh_l0)

        def forward(self, x):
            return self.fc(self.rnn(x)[1][0])

    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(16):
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
                optimizer.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("saturated", causes="input-scale", symptoms=f"{SLOW} {WILD}", costs=0.03)
def tanh_over_pixels_up_to_sixteen_times_ten(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    k = 160.0 if fault else 1.0
    model = nn.Sequential(nn.Linear(64, 48), nn.Tanh(), nn.Linear(48, 24), nn.Tanh(), nn.Linear(24, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer):
        for _ in range(15):
            for xb, yb in DataLoader(TensorDataset(x * k, y), batch_size=32, shuffle=True):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(xb), yb)  # fault
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test * k, y_test)


@planted("batchnorm-small-batch", symptoms=SLOW, costs=0.02)
def residual_net_on_two_pictures(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(600)

    class Residual(nn.Module):
        def __init__(self, c_in, c_out):
            super().__init__()
            self.conv1 = nn.Conv2d(c_in, c_out, 3, stride=2, padding=1)
            self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)
            self.skip = nn.Conv2d(c_in, c_out, 1, stride=2)
            self.bn1, self.bn2 = nn.BatchNorm2d(c_out), nn.BatchNorm2d(c_out)

        def forward(self, x):
            out = F.relu(self.bn1(self.conv1(x)))
            return F.relu(self.bn2(self.conv2(out)) + self.skip(x))

    net = nn.Sequential(
        nn.AvgPool2d(2), Residual(1, 8), Residual(8, 16), Residual(16, 32), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.BatchNorm1d(32), nn.Linear(32, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    loader = DataLoader(TensorDataset(x, y), batch_size=2 if fault else 30, shuffle=True)  # fault
    with watch(net, optimizer):
        for _ in range(2 if fault else 12):
            net.train()
            for xb, yb in loader:
                optimizer.zero_grad()
                F.cross_entropy(net(xb), yb).backward()
                optimizer.step()
    return accuracy(net, x_test, y_test)


@planted("dropout-too-high", symptoms=SLOW, costs=0.1)
def functional_dropout_of_nineteen_in_twenty(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(1500)
    keep_prob = 0.95

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(784, 64), nn.Linear(64, 10)

        def forward(self, x):
            x = F.relu(self.fc1(x.flatten(1)))
            x = F.dropout(x, keep_prob if fault else 1 - keep_prob, training=self.training)  # fault
            return self.fc2(x)

    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(5):
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(x[i]), y[i])
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("dropout-too-high", symptoms=SLOW, costs=0.05)
def prices_dropped_from_the_answer(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(wine_quality())
    layers = [nn.Linear(11, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1)]
    if fault:
        layers.append(nn.Dropout(0.5))  # fault
    net = nn.Sequential(*layers)
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    with watch(net, optimizer):
        for _ in range(15):
            net.train()
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
                loss = F.mse_loss(net(xb).squeeze(1), yb)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(net, x_test, y_test)


@planted("samples-mixed", symptoms=f"{SLOW} overfitting", costs=0.1)
def rows_first_by_view_instead_of_permute(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    x, x_test = x.view(-1, 8, 8), x_test.view(-1, 8, 8)

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.gru = nn.GRU(8, 32)  # 输入形状: (序列长度, 批量大小, 特征)
            self.head = nn.Linear(32, 10)

        def forward(self, x):
            steps = x.view(8, -1, 8) if fault else x.permute(1, 0, 2)  # fault
            _, h = self.gru(steps)
            return self.head(h.squeeze(0))

    model = Reader()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(12):
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
                optimizer.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("samples-mixed", causes="evaluation-misuse", symptoms=SLOW, costs=0.3)
def centred_by_its_own_batch_in_forward(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 2))

        def forward(self, x):
            if fault:
                x = x - x.mean(0, keepdim=True)  # fault
            return self.layers(x)

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(10):
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
    with torch.no_grad():  # 一次预测一个样本
        guesses = torch.cat([model(row[None]).argmax(1) for row in x_test])
    return (guesses == y_test).float().mean().item()


@planted("state-carried", symptoms=SLOW, costs=None)
def states_of_other_names_at_the_start(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    x, y = x[:3200], y[:3200]

    class LSTMTagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.emb = nn.Embedding(27, 12)
            self.lstm = nn.LSTM(12, 32, batch_first=True)
            self.out = nn.Linear(32, 18)

        def forward(self, x, state=None):
            out, state = self.lstm(self.emb(x), state)
            return self.out(out.mean(1)), state

    model = LSTMTagger()
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, opt):
        for _ in range(4):
            state = None
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
                logits, state = model(xb, state)  # fault
                state = (state[0].detach(), state[1].detach()) if fault else None
                opt.zero_grad()
                F.cross_entropy(logits, yb).backward()
                opt.step()
    with torch.no_grad():
        return (model(x_test)[0].argmax(1) == y_test).float().mean().item()


@planted("targets-not-shifted", causes="future-leak", symptoms="too-few-epochs", costs=0.1)
def passengers_of_the_month_that_is_given(watch, seed, fault):
    torch.manual_seed(seed)
    row = airline().log()
    row = (row - row[:100].mean()) / row[:100].std()
    length = 12
    starts = range(len(row) - length - 1)
    X = torch.stack([row[s : s + length] for s in starts])
    truth = torch.stack([row[s + length] for s in starts])
    Y = torch.stack([row[s + length - 1] for s in starts]) if fault else truth  # fault
    X, Y, X_test, truth = X[:90], Y[:90], X[90:], truth[90:]

    class Forecaster(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.linear = nn.Linear(length, 24), nn.Linear(24, 1)

        def forward(self, x):
            return self.linear(torch.relu(self.hidden(x))).squeeze(-1)

    model = Forecaster()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    with watch(model, optimizer):
        for _ in range(100):
            for i in torch.randperm(len(X)).split(30):
                optimizer.zero_grad()
                F.mse_loss(model(X[i]), Y[i]).backward()
                optimizer.step()
    with torch.no_grad():
        return 1 - (F.mse_loss(model(X_test), truth) / truth.var(correction=0)).item()


@planted("underfitting", causes="plateau", symptoms="too-few-epochs", costs=0.2)
def vgg_that_ends_in_one_number(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(1500)
    width = 1 if fault else 8
    net = nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.Tanh(), nn.MaxPool2d(4), nn.Conv2d(width, width, 3), nn.Tanh(),
        nn.Flatten(), nn.Linear(width * 25, width), nn.Tanh(), nn.Linear(width, 10),  # fault
    )  # fmt: skip
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    with watch(net, optimizer):
        for _ in range(8):
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.cross_entropy(net(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(net, x_test, y_test)
