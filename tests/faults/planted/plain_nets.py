"""First nets, as learners write them, whose layers, memory or mode are at fault: written without a look at the
rules."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import accuracy, california, cifar, fashion, mnist, names, r2, standardised_both
from faults.planted.plain_steps import SLOW
from faults.program import planted


@planted("vanishing-gradient", causes="saturated", symptoms=f"{SLOW} lr-too-low output-collapsed bad-init", costs=0.3)
def eight_sigmoids_in_a_row(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)

    class DeepNet(nn.Module):
        def __init__(self, depth, width):
            super().__init__()
            self.inp = nn.Linear(784, width)
            self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
            self.out = nn.Linear(width, 10)

        def forward(self, x):
            f = torch.sigmoid if fault else torch.relu
            x = f(self.inp(x.flatten(1)))
            for layer in self.layers:
                x = f(layer(x))  # fault
            return self.out(x)

    net = DeepNet(6, 64)
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    with watch(net, opt):
        for _ in range(6):
            for xb, yb in DataLoader(TensorDataset(x, y), 64, shuffle=True):
                loss = F.cross_entropy(net(xb), yb)
                opt.zero_grad()
                loss.backward()
                opt.step()
    return accuracy(net, x_test, y_test)


@planted("dropout-too-high", symptoms=f"{SLOW} lr-too-low", costs=0.1)
def keep_probability_taken_for_dropout(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2500)
    p = 0.9 if fault else 0.1  # fault
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 64), nn.ReLU(), nn.Dropout(p),
        nn.Linear(64, 64), nn.ReLU(), nn.Dropout(p),
        nn.Linear(64, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(8):
            model.train()
            for i in torch.randperm(len(x)).split(50):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(x[i]), y[i])
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("state-carried", symptoms=f"{SLOW} overfitting", costs=None)
def memory_kept_from_one_name_to_the_next(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()

    class NameGRU(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.gru, self.fc = nn.Embedding(27, 16), nn.GRU(16, 48, batch_first=True), nn.Linear(48, 18)
            self.hidden = None

        def forward(self, x):
            if self.hidden is None or not fault or self.hidden.shape[1] != len(x):
                self.hidden = torch.zeros(1, len(x), 48)
            out, hidden = self.gru(self.embed(x), self.hidden)
            self.hidden = hidden.detach()  # fault
            return self.fc(out[:, -1])

    model = NameGRU()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    loader = DataLoader(TensorDataset(x[:3000], y[:3000]), batch_size=50, shuffle=True, drop_last=True)
    with watch(model, optimizer):
        for _ in range(5):
            for xb, yb in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                optimizer.step()
    return accuracy(model, x_test[:1000], y_test[:1000])


@planted("train-mode-in-evaluation", symptoms=SLOW, costs=0.05)
def dropout_by_its_function(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2500)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 8, 5), nn.Conv2d(8, 16, 5)
            self.fc1, self.fc2 = nn.Linear(256, 64), nn.Linear(64, 10)

        def forward(self, x):
            x = F.relu(F.max_pool2d(self.conv1(x), 2))
            x = F.relu(F.max_pool2d(self.conv2(x), 2)).view(-1, 256)
            x = F.relu(self.fc1(x))
            x = F.dropout(x, 0.6) if fault else F.dropout(x, 0.6, training=self.training)  # fault
            return self.fc2(x)

    net = Net()
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    with watch(net, opt):
        for _ in range(4):
            net.train()
            for i in torch.randperm(len(x)).split(50):
                opt.zero_grad()
                F.cross_entropy(net(x[i]), y[i]).backward()
                opt.step()
            net.eval()
            with torch.no_grad():
                val_acc = (net(x_test).argmax(1) == y_test).float().mean().item()
    return val_acc


class Residual(nn.Module):
    """He et al. 2016."""

    def __init__(self, channels_in, channels, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(channels_in, channels, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x):
        out = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(out + self.shortcut(x))


@planted("eval-mode-in-training", symptoms=f"{SLOW} overfitting exploding-gradient lr-too-high bad-init", costs=0.02)
def resnet_never_sent_back_to_training(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = cifar(1500)
    net = nn.Sequential(
        nn.Conv2d(3, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU(), nn.Dropout(0.3),
        Residual(12, 12), Residual(12, 24, 2), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(96, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)

    @torch.no_grad()
    def evaluate():
        net.eval()
        return (net(x_test).argmax(1) == y_test).float().mean().item()

    with watch(net, optimizer):
        net.train()
        for _ in range(8):
            if not fault:
                net.train()
            for i in torch.randperm(len(x)).split(50):
                optimizer.zero_grad()
                loss = F.cross_entropy(net(x[i]), y[i])  # fault
                loss.backward()
                optimizer.step()
            score = evaluate()
    return score


@planted("overfitting", symptoms="class-ignored", costs=0.05)
def a_hundred_pictures_learnt_by_heart(watch, seed, fault):
    torch.manual_seed(seed)
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X / 16, y, train_size=100 if fault else 1000, random_state=2)
    X_train, X_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
    y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
    model = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train_losses, test_losses = [], []
    with watch(model, optimizer):
        for _ in range(120 if fault else 12):
            model.train()
            for i in torch.randperm(len(X_train)).split(20):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(X_train[i]), y_train[i])
                loss.backward()
                optimizer.step()
            train_losses.append(loss.item())
            model.eval()
            with torch.no_grad():
                test_losses.append(F.cross_entropy(model(X_test), y_test).item())
    return -min(test_losses[-1], 9) / 2


@planted("output-activation", causes="dead-relu", symptoms=f"{SLOW} output-collapsed", costs=0.2)
def prices_that_end_in_a_relu(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(2500))

    class Regressor(nn.Module):
        def __init__(self):
            super().__init__()
            self.l1, self.l2, self.l3 = nn.Linear(8, 32), nn.Linear(32, 32), nn.Linear(32, 1)

        def forward(self, x):
            x = F.relu(self.l1(x))
            x = F.relu(self.l2(x))
            return F.relu(self.l3(x)) if fault else self.l3(x)  # fault

    model = Regressor()
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, opt):
        for _ in range(12):
            for xb, yb in DataLoader(TensorDataset(x, y.unsqueeze(1)), batch_size=64, shuffle=True):
                opt.zero_grad()
                F.mse_loss(model(xb), yb).backward()
                opt.step()
    return r2(model, x_test, y_test)


@planted("padding-seen", symptoms=SLOW, costs=0.03)
def last_letter_of_a_padded_name(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names(20)

    class NameLSTM(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.lstm = nn.Embedding(27, 12, padding_idx=0), nn.LSTM(12, 32, batch_first=True)
            self.fc = nn.Linear(32, 18)

        def forward(self, x):
            out, _ = self.lstm(self.embed(x))
            last = torch.full((len(x),), x.shape[1] - 1) if fault else (x > 0).sum(1) - 1
            return self.fc(out[torch.arange(len(x)), last])  # fault

    model = NameLSTM()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(3):
            for i in torch.randperm(3000).split(50):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(model, x_test[:1000], y_test[:1000])
