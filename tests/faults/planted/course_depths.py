"""Nets of course programs whose layers cannot learn, or not what is asked of them."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import accuracy, california, digits, fashion, mnist, pima, r2, standardised, standardised_both
from faults.program import planted

SLOW = "plateau underfitting too-few-epochs"
WILD = "dead-relu saturated nonfinite exploding-gradient vanishing-gradient plateau underfitting output-collapsed"


@planted("bad-init", causes="", symptoms=f"{SLOW} {WILD} initial-loss lr-too-high", costs=0.2)
def every_weight_one_half(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(64, 32)
            self.fc2 = nn.Linear(32, 32)
            self.fc3 = nn.Linear(32, 10)
            if fault:
                for m in self.modules():
                    if isinstance(m, nn.Linear):
                        nn.init.constant_(m.weight, 0.05)  # fault
                        nn.init.zeros_(m.bias)

        def forward(self, x):
            x = torch.tanh(self.fc1(x))
            x = torch.tanh(self.fc2(x))
            return self.fc3(x)

    model = Net()  # fault
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(15):
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("bad-init", causes="saturated initial-loss", symptoms=f"{SLOW} {WILD} lr-too-high overfitting", costs=0.04)
def weights_of_the_standard_normal(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    x, x_test = x.flatten(1), x_test.flatten(1)

    def init_weights(m):
        if type(m) is nn.Linear:
            nn.init.normal_(m.weight, std=1.0 if fault else 0.05)  # fault

    net = nn.Sequential(nn.Linear(784, 128), nn.Tanh(), nn.Linear(128, 64), nn.Tanh(), nn.Linear(64, 10))  # fault
    net.apply(init_weights)
    loss = nn.CrossEntropyLoss()
    updater = torch.optim.SGD(net.parameters(), lr=0.1)
    train_iter = DataLoader(TensorDataset(x, y), 50, shuffle=True)
    with watch(net, updater):
        for _ in range(8):
            for X, t in train_iter:
                l = loss(net(X), t)  # noqa: E741
                updater.zero_grad()
                l.backward()
                updater.step()
    return accuracy(net, x_test, y_test)


@planted("initial-loss", causes="bad-init", symptoms=f"{SLOW} lr-too-low lr-too-high dead-relu", costs=0.1)
def sure_of_the_first_class_from_the_start(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(8, 16, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(16 * 7 * 7, 10),  # fault
    )  # fmt: skip
    if fault:
        with torch.no_grad():
            model[-1].bias[0] = 100.0  # fault
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    criterion = nn.CrossEntropyLoss()
    with watch(model, optimizer):
        for _ in range(3):
            for i in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                loss = criterion(model(x[i]), y[i])  # fault
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("vanishing-gradient", causes="saturated bad-init", symptoms=f"{SLOW} output-collapsed lr-too-low", costs=0.3)
def deep_sigmoid_convolutions(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2500)
    huo = nn.Sigmoid if fault else nn.ReLU  # 激活函数

    def kuai(jin, chu, bu):
        return nn.Sequential(nn.Conv2d(jin, chu, 3, bu, 1), huo())  # fault

    class ShenduWangluo(nn.Module):  # fault
        def __init__(self):
            super().__init__()
            self.tezheng = nn.Sequential(kuai(1, 8, 2), kuai(8, 8, 1), kuai(8, 16, 2), kuai(16, 16, 1), kuai(16, 16, 2))
            self.fenlei = nn.Sequential(nn.Flatten(), nn.Linear(256, 64), huo(), nn.Linear(64, 10))

        def forward(self, x):
            return self.fenlei(self.tezheng(x))

    model = ShenduWangluo()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(3):
            for i in torch.randperm(len(x)).split(64):
                loss = F.cross_entropy(model(x[i]), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


def moons(n, generator):
    """Two half circles, one in the other's bend."""
    y = torch.randint(2, (n,), generator=generator)
    angle = torch.rand(n, generator=generator) * torch.pi
    upper = torch.stack([torch.cos(angle), torch.sin(angle)], 1)
    lower = torch.stack([1 - torch.cos(angle), 0.3 - torch.sin(angle)], 1)
    x = torch.where(y[:, None] == 1, lower, upper)
    return x + 0.1 * torch.randn(n, 2, generator=generator), y


@planted("missing-nonlinearity", symptoms=SLOW, costs=0.05)
def four_layers_and_nothing_between(watch, seed, fault):
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(7)
    (x, y), (x_test, y_test) = moons(800, generator), moons(400, generator)

    class Classifier(nn.Module):  # fault
        def __init__(self):
            super().__init__()
            self.layer_1 = nn.Linear(2, 20)  # fault
            self.layer_2 = nn.Linear(20, 20)  # fault
            self.layer_3 = nn.Linear(20, 20)  # fault
            self.out = nn.Linear(20, 1)
            self.relu = nn.ReLU()

        def forward(self, x):
            if fault:
                return self.out(self.layer_3(self.layer_2(self.layer_1(x))))  # fault
            return self.out(self.relu(self.layer_3(self.relu(self.layer_2(self.relu(self.layer_1(x)))))))

    model = Classifier()  # fault
    loss_fn = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    with watch(model, optimizer):
        for _ in range(300):
            model.train()
            y_logits = model(x).squeeze()
            loss = loss_fn(y_logits, y.float())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            model.eval()
            with torch.inference_mode():
                loss_fn(model(x_test).squeeze(), y_test.float())
    return accuracy(model, x_test, y_test)


@planted("output-activation", causes="saturated", symptoms=f"{SLOW} vanishing-gradient output-collapsed", costs=0.2)
def hundred_thousands_of_dollars_through_a_tanh(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(california(3000))
    y, y_test = y / 1e5, y_test / 1e5
    layers = [nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1)]  # fault
    if fault:
        layers.append(nn.Tanh())  # fault
    model = nn.Sequential(*layers)  # fault
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(8):
            for i in torch.randperm(len(x)).split(64):
                pred = model(x[i])
                loss = F.mse_loss(pred, y[i].unsqueeze(1))  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@planted("dropout-too-high", symptoms=SLOW, costs=0.1)
def the_share_to_keep_given_as_the_share_to_drop(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    keep_prob = 0.95
    p = keep_prob if fault else 1 - keep_prob
    model = nn.Sequential(  # fault
        nn.Linear(64, 64), nn.ReLU(), nn.Dropout(p),  # fault
        nn.Linear(64, 64), nn.ReLU(), nn.Dropout(p),  # fault
        nn.Linear(64, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(15):
            model.train()
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("batchnorm-small-batch", symptoms=SLOW, costs=0.03)
def digits_two_by_two(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    batch_size = 2 if fault else 16
    model = nn.Sequential(
        nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 32), nn.BatchNorm1d(32), nn.ReLU(),  # fault
        nn.Linear(32, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(TensorDataset(x, y), batch_size=batch_size, shuffle=True, drop_last=True)  # fault
    with watch(model, optimizer, loader=loader):
        for _ in range(2 if fault else 6):
            model.train()
            for xb, yb in loader:  # fault
                loss = F.cross_entropy(model(xb), yb)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


class Remember(nn.Module):
    """一个长短期记忆网络：第一个数是答案，后面全是噪声。"""

    def __init__(self, forget_bias):
        super().__init__()
        self.lstm = nn.LSTM(3, 24, batch_first=True)  # fault: a-forget-gate-that-forgets-at-once
        self.head = nn.Linear(24, 2)
        with torch.no_grad():
            self.lstm.bias_ih_l0[24:48] = forget_bias  # fault: a-forget-gate-that-forgets-at-once
            self.lstm.bias_hh_l0[24:48] = 0

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.head(out[:, -1])


def first_of(n, length, generator):
    y = torch.randint(2, (n,), generator=generator)
    x = 0.3 * torch.randn(n, length, 3, generator=generator)
    x[:, 0, 0] += 2.0 * (2 * y - 1)
    return x, y


@planted("vanishing-gradient", causes="bad-init saturated", symptoms=f"{SLOW} output-collapsed", costs=0.2)
def a_forget_gate_that_forgets_at_once(watch, seed, fault):
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(5)
    (x, y), (x_test, y_test) = first_of(800, 20, generator), first_of(400, 20, generator)
    model = Remember(-5.0 if fault else 1.0)  # fault
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(8):
            for i in torch.randperm(len(x)).split(40):
                loss = F.cross_entropy(model(x[i]), y[i])
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 5.0)
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("saturated", causes="bad-init", symptoms=f"{SLOW} vanishing-gradient lr-too-low output-collapsed", costs=0.02)
def hidden_sigmoids_with_biases_of_minus_eight(watch, seed, fault):
    torch.manual_seed(seed)
    X_train, y_train, X_test, y_test = standardised(pima())
    hidden = nn.Linear(8, 25)  # fault
    nn.init.constant_(hidden.bias, -8.0 if fault else 0.0)  # fault
    net = nn.Sequential(hidden, nn.Sigmoid(), nn.Linear(25, 1))  # fault
    optimizer = torch.optim.SGD(net.parameters(), lr=0.2)
    losses = []
    with watch(net, optimizer):
        for _ in range(15):
            for batch in torch.randperm(len(X_train)).split(16):
                logits = net(X_train[batch])
                loss = F.binary_cross_entropy_with_logits(logits, y_train[batch].float().view(-1, 1))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
    return accuracy(net, X_test, y_test)


@planted("bad-init", causes="exploding-gradient lr-too-high initial-loss", symptoms=f"{WILD} lr-too-high", costs=0.2)
def deep_regression_whose_signals_double(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(2500))
    layers, width = [], 8
    for _ in range(6):
        linear = nn.Linear(width, 40)  # fault
        if fault:
            nn.init.normal_(linear.weight, 0, 0.6)  # fault
        layers += [linear, nn.ReLU()]
        width = 40
    model = nn.Sequential(*layers, nn.Linear(width, 1))  # fault
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(5):
            for i in torch.randperm(len(x)).split(64):
                loss = F.mse_loss(model(x[i]).squeeze(-1), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)
